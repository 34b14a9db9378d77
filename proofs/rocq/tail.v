(* What layers 5 to 7 make of whatever the heads of layer 4 have left: the answer is the sum
   of all `out`, times the sum of the table's units at the sum of all `cnt`.

   left p pr out cnt == a stream after layer 4, in which token t holds out t and cnt t
   recip p x        == what layer 6 gives for 1/x: that, if x is a whole number up to mK *)
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers bai codes residual spec plan stream gather label query.
From construct Require Import reading superpose pool square divide.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Tail.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation relu := (numbers.relu o).
Notation z := (sizes_of p).
Hypothesis ok : admissible o p.

Variables (out : nat -> nat -> R) (cnt : nat -> R).
Hypothesis out_dead : forall t u, live p t = false -> out t u = 0.
Hypothesis cnt_dead : forall t, live p t = false -> cnt t = 0.
Hypothesis out_answer : forall u, out (answer p) u = 0.

Definition left t c : R :=
  match c with Out u => out t u | Cnt => cnt t | _ => stream3 p pr t c end.

Definition sum_out u := \sum_(j < N p) out j u.
Definition sum_cnt := \sum_(j < N p) cnt j.
Definition recip x := \sum_(v <- iota 1 (M p)) relu (1 - (x - v%:R) ^+ 2) / v%:R.

Definition left5 t c : R :=
  match c with
  | Out u => if t == answer p then sum_out u else out t u
  | Tot => if t == answer p then sum_cnt else 0
  | _ => left t c
  end.

Definition left6 t c : R :=
  match c with
  | Sq => if t == answer p then sum_cnt ^+ 2 else sq0 p t
  | Rec => if t == answer p then s p * recip sum_cnt else rec0 p t
  | _ => left5 t c
  end.

Lemma left_pool h : holds p h left -> holds p (run_layer (N p) (pool o p) h) left5.
Proof.
move=> H t c tN vc; rewrite run_idle attention1 H //.
have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  try (rewrite big1 ?mulr0 ?addr0 // => j _;
       rewrite write_cat copy_off // /write big_cons big_nil /= entry1 /= mulr0 !addr0 mulr0 //).
- have -> : (N p)%:R^-1 * (\sum_(j < N p) relu (score (pool_head o p) (h t) (h j)) *
        write (vals (pool_head o p)) (h j) (Out u)) = \sum_(j < N p) (t == answer p)%:R * out j u.
    rewrite mulr_sumr; apply: eq_bigr => j _; rewrite pool_gate // write_cat.
    rewrite [X in _ + X]/write big_cons big_nil /= entry1 /= mulr0 !addr0 mulrCA copy_at //;
      last by move=> x y [].
    case: (t == answer p) => /=; last by rewrite !mul0r.
    rewrite H // mul1r; case lj: (live p j); first by rewrite mul1r.
    by rewrite mul0r /= out_dead.
  rewrite -mulr_sumr /=; case: eqP => [->|_]; last by rewrite mul0r addr0.
  by rewrite mul1r out_answer add0r.
- have -> : (N p)%:R^-1 * (\sum_(j < N p) relu (score (pool_head o p) (h t) (h j)) *
        write (vals (pool_head o p)) (h j) Tot) = \sum_(j < N p) (t == answer p)%:R * cnt j.
    rewrite mulr_sumr; apply: eq_bigr => j _; rewrite pool_gate // write_cat copy_off // add0r.
    rewrite /write big_cons big_nil /= entry1 eqxx mulr1 addr0 ap1 mulrCA mulKf ?N_neq0 //.
    case: (t == answer p) => /=; last by rewrite !mul0r.
    rewrite H // mul1r; case lj: (live p j); first by rewrite mul1r.
    by rewrite mul0r /= cnt_dead.
  by rewrite -mulr_sumr /= add0r; case: eqP => _; rewrite ?mul1r ?mul0r.
Qed.

Lemma left_square_attention h : holds p h left5 ->
  forall t c, (t < N p)%N -> valid z c -> attention (N p) [:: square_head o p] h t c =
  if c == Sq then if t == answer p then sum_cnt ^+ 2 else sq0 p t else left5 t c.
Proof.
move=> H t c tN vc; rewrite attention1 H //; case: (c =P Sq) => [->|/eqP ns]; last first.
  rewrite big1 ?mulr0 ?addr0 // => j _; rewrite /write big_cons big_nil /= entry1 addr0.
  by rewrite eq_sym (negPf ns) !mulr0.
have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
have gate j : (j < N p)%N -> relu (score (square_head o p) (h t) (h j)) =
    (if t == answer p then sum_cnt ^+ 2 else 0) * (j == answer p)%:R.
  move=> jN; rewrite /score big_cons big_nil addr0 /= !ap1 !mul1r !H //= reluE.
  case: (t == answer p); case: (j == answer p); rewrite ?(mulr0, mul0r, mulr1) ?maxxx //.
  by rewrite -expr2; apply/max_idPl; apply: sqr_ge0.
have aN := answer_lt ok.
rewrite (bigD1 (Ordinal aN)) //= big1 => [|j ja]; last first.
  rewrite gate // (_ : (j == answer p :> nat) = false) ?mulr0 ?mul0r //.
  by apply: contraNF ja => /eqP E; apply/eqP/val_inj.
rewrite gate // eqxx mulr1 addr0 /write big_cons big_nil /= entry1 eqxx mulr1 addr0.
rewrite (ap_one _ A) // answer_live // mulr1 mulrCA mulVf ?N_neq0 // mulr1.
by case: eqP => [->|_]; rewrite ?addr0 // sq0_answer // add0r.
Qed.

Lemma left_square h : holds p h left5 -> holds p (run_layer (N p) (square o p) h) left6.
Proof.
move=> H t c tN vc; rewrite run_padded /mlp big_map.
have S := left_square_attention H tN; rewrite S //.
have none : c != Rec -> \sum_(v <- iota 1 (M p)) relu (ap (table_unit o p v).1
    (attention (N p) [:: square_head o p] h t)) * entry (table_unit o p v).2 c = 0.
  by move=> nc; rewrite big1 // => v _; rewrite entry1 eq_sym (negPf nc) mulr0.
case: c vc none => [u|r u|u|u|r u|v|v|u|b|b||||||] vc none; try by rewrite none ?addr0.
rewrite /=; case E: (t == answer p); last first.
  rewrite big_seq big1 ?addr0 // => v; rewrite mem_iota => /andP[v0 _].
  rewrite !ap_cons ap_nil !S //= E !mulr0 add0r addr0 (_ : relu _ = 0) ?mul0r //.
  rewrite reluE mulN1r; apply/max_idPr; apply: ler_naddl; first by rewrite oppr_le0 sq0_ge0.
  case: (live p t); rewrite ?mulr0 // mulr1 subr_le0 -natrM ler1n.
  by rewrite muln_gt0 v0.
rewrite [rec0 p t](_ : _ = 0); last by rewrite (eqP E) rec0_answer.
rewrite add0r mulr_sumr; apply: eq_bigr => v _; rewrite entry1 eqxx /=.
have -> : ap (table_unit o p v).1 (attention (N p) [:: square_head o p] h t) =
    1 - (sum_cnt - v%:R) ^+ 2.
  rewrite !ap_cons ap_nil !S //= E (eqP E) answer_live //.
  by rewrite -[true%:R]/(1 : R); move: sum_cnt => x; ring.
by rewrite mulrCA.
Qed.

Lemma recip_ge0 x : 0 <= recip x.
Proof.
apply: sumr_ge0 => v _; rewrite divr_ge0 ?ler0n // reluE le_maxr lexx orbT.
by [].
Qed.

Lemma left_divide h u : holds p h left6 -> (u < pd p)%N ->
  run_layer (N p) (divide o p) h (answer p) (Tok u) = sum_out u * recip sum_cnt.
Proof.
move=> H ud; have aN := answer_lt ok; rewrite run_idle attention1 H //=.
have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
have gate j : (j < N p)%N -> relu (score (divide_head o p) (h (answer p)) (h j)) =
    s p * recip sum_cnt * (j == answer p)%:R.
  move=> jN; rewrite /score big_cons big_nil addr0 /= (ap_one _ A) // ap1 !mul1r H //= reluE.
  rewrite answer_live // mul1r; case: (j == answer p); rewrite ?(mulr0, mulr1).
    2: by apply/max_idPr; apply: rec0_le0.
  by apply/max_idPl; rewrite mulr_ge0 ?recip_ge0 ?ltW ?s_gt0.
rewrite (bigD1 (Ordinal aN)) //= big1 ?addr0 => [|j ja]; last first.
  rewrite gate // (_ : (j == answer p :> nat) = false) ?mulr0 ?mul0r //.
  by apply: contraNF ja => /eqP E; apply/eqP/val_inj.
rewrite gate // eqxx mulr1 write_map1 ?iota_uniq ?mem_iota // => [|x y [->]] //.
rewrite ap1 H //= eqxx tok1_answer // add0r.
have sn : s p != 0 by rewrite gt_eqF ?s_gt0.
have Nn := N_neq0 ok.
by move: (recip _) (sum_out _) => r S; field; rewrite sn.
Qed.

(* The answer of layers 5 to 7. *)
Lemma tail_answers h u : holds p h left -> (u < pd p)%N ->
  run_layers (N p) [:: pool o p; square o p; divide o p] h (answer p) (Tok u) =
  sum_out u * recip sum_cnt.
Proof. by move=> /left_pool/left_square H; apply: left_divide. Qed.
End Tail.
