(* Layer 7, divide: at the answer token tok = sum_k c_k f_k(X_q) / sum_k c_k.

   divide o p       == layer 7; divide_head o p == its head
   mixture_of p pr hit == the mixture, if the votes are `hit`
   stream7 p pr hit == the stream after it *)
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers bai codes residual spec plan stream gather label query.
From construct Require Import reading superpose pool square.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Weights.
Variables (T : Type) (o : ops T) (p : plan T).

Definition divide_head : head coord T :=
  Head [:: (constant (num o 1), [:: (Rec, num o 1)])]
       (copy o Out Tok (mul o (num o (N p)) (inv o (s p))) (pd p)).

Definition divide : layer coord T := padded (K p) [:: divide_head] idle_units.
End Weights.

Section Lemma_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Variable hit : nat -> nat -> bool.
Hypothesis ok : admissible o p.

Definition mixture_of u : R :=
  (\sum_(k < K p) (votes_of p hit k)%:R * f_ (tasks p) k (query pr) u) /
  (\sum_(k < K p) votes_of p hit k)%:R.

Definition stream7 t c : R :=
  match c with
  | Tok u => tok1 p pr t u + if live p t then mixture_of u else 0
  | _ => stream6 p pr hit t c
  end.

Lemma divide_correct h :
  holds p h (stream6 p pr hit) ->
  holds p (run_layer (N p) (divide o p) h) stream7.
Proof.
move=> H t c tN vc; rewrite run_idle attention1 H //.
have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
have aN := answer_lt ok.
have gate j : (j < N p)%N -> relu o (score (divide_head o p) (h t) (h j)) =
    (if live p t then s p / (total p hit)%:R else 0) * (j == answer p)%:R.
  move=> jN; rewrite /score big_cons big_nil addr0 /= (ap_one _ A) // ap1 !mul1r H //= reluE.
  case: (live p t); last by rewrite !mul0r maxxx.
  case: (j == answer p); rewrite !mul1r ?mulr1 ?mulr0; last by apply/max_idPr; apply: rec0_le0.
  by apply/max_idPl; rewrite divr_ge0 ?ler0n ?ltW ?s_gt0.
have other : (forall u, Tok u != c) -> (N p)%:R^-1 *
    (\sum_(j < N p) relu o (score (divide_head o p) (h t) (h j)) *
       write (vals (divide_head o p)) (h j) c) = 0.
  by move=> nc; rewrite big1 ?mulr0 // => j _; rewrite write_map0 ?mulr0.
case: c vc other => [u|r u|u|u|r u|v|v|u|b|b||||||] vc other; try by rewrite other ?addr0.
rewrite /=; congr (_ + _).
rewrite (bigD1 (Ordinal aN)) //= big1 ?addr0 => [|j ja]; last first.
  rewrite gate // (_ : (j == answer p :> nat) = false) ?mulr0 ?mul0r //.
  by apply: contraNF ja => /eqP E; apply/eqP/val_inj.
rewrite gate // eqxx mulr1 write_map1 ?iota_uniq ?mem_iota // => [|x y [->]] //.
rewrite ap1 H //= eqxx; case: (live p t); last by rewrite mul0r mulr0.
rewrite /mixture_of /total.
have big_K (T : Type) (x : T) (op : T -> T -> T) (F : nat -> T) :
    \big[op/x]_(k <- iota 0 (K p)) F k = \big[op/x]_(k < K p) F k.
  by rewrite -[RHS](big_mkord xpredT F) /index_iota subn0.
rewrite !big_K.
set F := \sum_(k < _) _; set c_ := (\sum_(k < _) _)%N.
have sn : s p != 0 by rewrite gt_eqF ?s_gt0.
have Nn := N_neq0 ok.
by move: (c_%:R^-1) => c'; field; rewrite sn.
Qed.
End Lemma_.
