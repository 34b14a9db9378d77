(* Layer 6, square: at the answer token sq = tot^2, and rec = s/tot (0 if tot = 0).

   square o p       == layer 6; square_head o p == its head; table_unit o p v == unit v
   M p              == the most votes that there can be, mK; total p hit == the votes
   stream6 p pr hit == the stream after it *)
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers bai codes residual spec plan stream gather label query.
From construct Require Import reading superpose pool.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Weights.
Variables (T : Type) (o : ops T) (p : plan T).

Definition square_head : head coord T :=
  Head [:: ([:: (Tot, num o 1)], [:: (Tot, num o 1)])]
       [:: (constant (num o (N p)), [:: (Sq, num o 1)])].

(* Unit v of the table: relu(1 - (tot - v)^2), from sq, tot and one; it writes s/v. *)
Definition table_unit v : form coord T * form coord T :=
  ([:: (Sq, opp o (num o 1)); (Tot, mul o (num o 2) (num o v));
       (One, sub o (num o 1) (mul o (num o v) (num o v)))],
   [:: (Rec, mul o (s p) (inv o (num o v)))]).

(* The most votes that there can be. *)
Definition M := (pm p * K p)%N.

Definition square : layer coord T :=
  padded (K p) [:: square_head] [seq table_unit v | v <- iota 1 M].
End Weights.

Section Lemma_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Variable hit : nat -> nat -> bool.
Notation votes := (votes_of p hit).
Hypothesis ok : admissible o p.

Definition total := (\sum_(k <- iota 0 (K p)) votes k)%N.

Definition stream6 t c : R :=
  match c with
  | Sq => if t == answer p then (total ^ 2)%N%:R else sq0 p t
  | Rec => if t == answer p then s p / total%:R else rec0 p t
  | _ => stream5 p pr hit t c
  end.

Lemma total_le : (total <= M p)%N.
Proof.
rewrite /total /M -[X in (_ <= _ * X)%N](size_iota 0); elim: (iota _ _) => [|k ks IH] /=.
  by rewrite big_nil muln0.
rewrite big_cons mulnS leq_add // /votes_of; apply: leq_trans (count_size _ _) _.
by rewrite size_iota.
Qed.

(* relu(1 - (x - v)^2) is an indicator on whole numbers. *)
Lemma spike (x v : nat) : relu o (1 - (x%:R - v%:R) ^+ 2) = (x == v)%:R.
Proof.
rewrite reluE; case: eqP => [->|xv]; first by rewrite subrr expr0n subr0; apply/max_idPl;
  apply: ler01.
apply/max_idPr; rewrite subr_le0 -real_normK ?num_real // exprn_ege1 //.
wlog vx : x v xv / (v <= x)%N.
  move=> W; case: (leqP v x) => [|/ltnW]; first exact: W.
  by rewrite distrC; apply: W => /esym.
rewrite -natrB // ger0_norm ?ler0n // ler1n subn_gt0 ltn_neqAle vx andbT.
by apply/eqP => /esym.
Qed.

Lemma square_attention h :
  holds p h (stream5 p pr hit) ->
  forall t c, (t < N p)%N -> valid z c -> attention (N p) [:: square_head o p] h t c =
  if c == Sq then if t == answer p then (total ^ 2)%N%:R else sq0 p t else stream5 p pr hit t c.
Proof.
move=> H t c tN vc; rewrite attention1 H //; case: (c =P Sq) => [->|/eqP ns]; last first.
  rewrite big1 ?mulr0 ?addr0 // => j _; rewrite /write big_cons big_nil /= entry1 addr0.
  by rewrite eq_sym (negPf ns) !mulr0.
have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
have gate j : (j < N p)%N -> relu o (score (square_head o p) (h t) (h j)) =
    (if t == answer p then total%:R ^+ 2 else 0) * (j == answer p)%:R.
  move=> jN; rewrite /score big_cons big_nil addr0 /= !ap1 !mul1r !H //= reluE.
  case: (t == answer p); case: (j == answer p); rewrite ?(mulr0, mul0r, mulr1) ?maxxx //.
  by rewrite -expr2; apply/max_idPl; apply: sqr_ge0.
have aN := answer_lt ok.
rewrite (bigD1 (Ordinal aN)) //= big1 => [|j ja]; last first.
  rewrite gate // (_ : (j == answer p :> nat) = false) ?mulr0 ?mul0r //.
  by apply: contraNF ja => /eqP E; apply/eqP/val_inj.
rewrite gate // eqxx mulr1 addr0 /write big_cons big_nil /= entry1 eqxx mulr1 addr0.
rewrite (ap_one _ A) // answer_live // mulr1 mulrCA mulVf ?N_neq0 // mulr1.
by case: eqP => [->|_]; rewrite ?addr0 // sq0_answer // add0r natrX.
Qed.

Lemma square_correct h :
  holds p h (stream5 p pr hit) ->
  holds p (run_layer (N p) (square o p) h) stream6.
Proof.
move=> H t c tN vc; rewrite run_padded /mlp big_map.
have S := square_attention H tN; rewrite S //.
have none : c != Rec -> \sum_(v <- iota 1 (M p)) relu o (ap (table_unit o p v).1
    (attention (N p) [:: square_head o p] h t)) * entry (table_unit o p v).2 c = 0.
  by move=> nc; rewrite big1 // => v _; rewrite entry1 eq_sym (negPf nc) mulr0.
case: c vc none => [u|r u|u|u|r u|v|v|u|b|b||||||] vc none; try by rewrite none ?addr0.
rewrite /=; case E: (t == answer p); last first.
  rewrite big_seq big1 ?addr0 // => v; rewrite mem_iota => /andP[v0 _].
  rewrite !ap_cons ap_nil !S //= E !mulr0 add0r addr0 (_ : relu o _ = 0) ?mul0r //.
  rewrite reluE mulN1r; apply/max_idPr; apply: ler_naddl; first by rewrite oppr_le0 sq0_ge0.
  case: (live p t); rewrite ?mulr0 // mulr1 subr_le0 -natrM ler1n.
  by rewrite muln_gt0 v0.
have unit_ v : relu o (ap (table_unit o p v).1 (attention (N p) [:: square_head o p] h t)) =
    (total == v)%:R.
  rewrite -spike !ap_cons ap_nil !S //= E (eqP E) answer_live // -/total natrX.
  by rewrite -[true%:R]/(1%:R : R); congr relu; ring.
under eq_bigr do rewrite unit_ entry1 eqxx; rewrite (eqP E) rec0_answer // add0r.
case: (posnP total) => [->|t0].
  rewrite invr0 mulr0 big_seq big1 // => v; rewrite mem_iota => /andP[v0 _].
  by rewrite ltn_eqF // mul0r.
rewrite (bigD1_seq total) ?iota_uniq ?mem_iota ?t0 ?add1n ?ltnS ?total_le //=.
rewrite eqxx mul1r big1 ?addr0 // => v; by rewrite eq_sym => /negPf->; rewrite mul0r.
Qed.
End Lemma_.
