(* Layer 5, pool: at the answer token out = sum_k c_k f_k(X_q) and tot = sum_k c_k.

   pool o p         == layer 5; pool_head o p == its head
   votes_of p hit k == how many examples are to vote for task k
   stream5 p pr hit == the stream after it *)
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers bai codes residual spec plan stream gather label query.
From construct Require Import reading superpose.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Weights.
Variables (T : Type) (o : ops T) (p : plan T).
Notation z := (sizes_of p).

(* 1 + (<code of the query, pe_i> - le) + (<code of the label, pt_i> - lt), for every j *)
Definition pool_rows :=
  [:: (along o Pe (le z) (pm p) ++ along o Pt (lt z) (len p).-1 ++
         constant (sub o (num o 1) (num o (le z + lt z))),
       constant (num o 1))].

Definition pool_head : head coord T :=
  Head pool_rows
    (copy o Out Out (num o (N p)) (pd p) ++ [:: ([:: (Cnt, num o (N p))], [:: (Tot, num o 1)])]).

Definition pool : layer coord T := padded (K p) [:: pool_head] idle_units.
End Weights.

Section Lemma_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Notation m := (pm p).
Notation n := (len p).
Variable hit : nat -> nat -> bool.
Hypothesis ok : admissible o p.

Definition votes_of k : nat := count (hit k) (iota 0 m).
Notation votes := votes_of.
Notation matched := (matched p hit).

Definition stream5 t c : R :=
  match c with
  | Out u => if t == answer p then \sum_(k <- iota 0 (K p)) (votes k)%:R * f_ (tasks p) k (query
    pr) u
             else stream4 p pr hit t (Out u)
  | Tot => if t == answer p then (\sum_(k <- iota 0 (K p)) votes k)%:R else 0
  | _ => stream4 p pr hit t c
  end.

(* Each example has one home token for task k: the tokens that match are the votes. *)
Lemma sum_matched k : (k < K p)%N -> \sum_(j < N p) (matched k j)%:R = (votes k)%:R :> R.
Proof.
move=> kK; have hn : (home p k < n)%N.
  by have /and4P[H _ _ _] := wiredP ok kK; rewrite (leq_trans H) ?leq_pred.
pose meets i j := (j == token p i (home p k)) && hit k i.
have split_ex j : (matched k j)%:R = \sum_(i < m) (meets i j)%:R :> R.
  case: (ltnP (ex p j) m) => em; last first.
    rewrite big1 => [|i _]; first by rewrite /superpose.matched ltnNge em.
    by rewrite /meets (tokenE ok) // gtn_eqF // (leq_trans (ltn_ord i)).
  rewrite (bigD1 (Ordinal em)) //= big1 => [|i ij]; first by rewrite /meets (tokenE ok) // eqxx /= /superpose.matched em addr0.
  rewrite /meets (tokenE ok) // (_ : (ex p j == i :> nat) = false) //.
  by apply: contraNF ij => /eqP E; apply/eqP/val_inj; rewrite /= E.
under eq_bigr do rewrite split_ex; rewrite exchange_big /=.
rewrite /votes_of -sum1_count natr_sum -[in RHS](subn0 m) -/(index_iota 0 m) big_mkord
  [RHS]big_mkcond /=.
apply: eq_bigr => i _; rewrite /meets; case: (hit k i); last first.
  by rewrite big1 // => j _; rewrite andbF.
have tN : (token p i (home p k) < N p)%N by rewrite token_lt // ltnW.
rewrite (bigD1 (Ordinal tN)) //= eqxx big1 ?addr0 // => j jt.
rewrite andbT (_ : (j == token p i (home p k) :> nat) = false) //.
by apply: contraNF jt => /eqP E; apply/eqP/val_inj.
Qed.

Lemma matched_dead k j : live p j = false -> matched k j = false.
Proof.
move/negbT/negP => dead; apply/negP => /and3P[em _ _]; apply: dead.
exact: ctx_live em.
Qed.

Lemma answer_unmatched k : matched k (answer p) = false.
Proof. by rewrite /superpose.matched answer_ex // ltnn. Qed.

Lemma pool_gate vs h i j : addressed p h -> (i < N p)%N -> (j < N p)%N ->
  relu o (score (Head (pool_rows o p) vs) (h i) (h j)) = ((i == answer p) && live p j)%:R.
Proof.
move=> A iN jN; rewrite /score big_cons big_nil /= !ap_cat ap_along_pe // ap_along_pt //
  !(ap_one _ A) //.
rewrite addr0 mul1r; case lj: (live p j) => /=; last by rewrite mulr0 reluE maxxx andbF.
rewrite mulr1 andbT; case li: (live p i).
  rewrite mulr1 addrA address ?query_code ?ex_code ?pos_code //; last first.
    by apply: clogP; rewrite label_lt.
  by rewrite /answer (tokenE ok) ?label_lt // [m == _]eq_sym [_.-1 == _]eq_sym.
rewrite mulr0 !addr0 reluE maxxx; case: eqP => // E; by rewrite E answer_live in li.
Qed.

Lemma pool_correct h :
  holds p h (stream4 p pr hit) ->
  holds p (run_layer (N p) (pool o p) h) stream5.
Proof.
move=> H t c tN vc; rewrite run_idle attention1 H //.
have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  try (rewrite big1 ?mulr0 ?addr0 // => j _;
       rewrite write_cat copy_off // /write big_cons big_nil /= entry1 /= mulr0 !addr0 mulr0 //).
- have -> : (N p)%:R^-1 * (\sum_(j < N p) relu o (score (pool_head o p) (h t) (h j)) *
        write (vals (pool_head o p)) (h j) (Out u)) =
      \sum_(j < N p) (t == answer p)%:R * stream4 p pr hit j (Out u).
    rewrite mulr_sumr; apply: eq_bigr => j _; rewrite pool_gate // write_cat.
    rewrite [X in _ + X]/write big_cons big_nil /= entry1 /= mulr0 !addr0 mulrCA copy_at //;
      last by move=> x y [].
    case: (t == answer p) => /=; last by rewrite !mul0r.
    rewrite H // mul1r; case lj: (live p j); first by rewrite mul1r.
    by rewrite mul0r /= big1 // => k _; rewrite matched_dead // mul0r.
  rewrite -mulr_sumr /=; case: eqP => [->|_]; last by rewrite mul0r addr0.
  rewrite mul1r big1 ?add0r => [|k _]; last by rewrite answer_unmatched mul0r.
  rewrite exchange_big /=; apply: eq_big_seq => k; rewrite mem_iota => kK.
  by rewrite -mulr_suml sum_matched.
- have -> : (N p)%:R^-1 * (\sum_(j < N p) relu o (score (pool_head o p) (h t) (h j)) *
        write (vals (pool_head o p)) (h j) Tot) =
      \sum_(j < N p) (t == answer p)%:R * stream4 p pr hit j Cnt.
    rewrite mulr_sumr; apply: eq_bigr => j _; rewrite pool_gate // write_cat copy_off // add0r.
    rewrite /write big_cons big_nil /= entry1 eqxx mulr1 addr0 ap1 mulrCA mulKf ?N_neq0 //.
    case: (t == answer p) => /=; last by rewrite !mul0r.
    rewrite H // mul1r; case lj: (live p j); first by rewrite mul1r.
    by rewrite mul0r /= big1 // => k _; rewrite matched_dead.
  rewrite -mulr_sumr /= add0r; case: eqP => _; last by rewrite mul0r.
  rewrite mul1r exchange_big /= natr_sum; apply: eq_big_seq => k; rewrite mem_iota => kK.
  by rewrite sum_matched.
Qed.
End Lemma_.
