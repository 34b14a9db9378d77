(* Layer 2, label: at every token of example i, lab holds the label y_i (0 in the query).

   label o p        == layer 2; label_head o p == its head
   stream2 p pr     == the stream after it *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai codes residual spec plan stream gather.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Weights.
Variables (T : Type) (o : ops T) (p : plan T).

Definition label_head : head coord T :=
  Head (own_example o (sizes_of p) (pn p).-1) (copy o Tok Lab (num o (N p)) (pd p)).

Definition label : layer coord T := padded (K p) [:: label_head] idle_units.
End Weights.

Section Lemma_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Hypothesis ok : admissible (real_ops R) p.

Definition stream2 t c : R :=
  match c with
  | Lab u => if live p t then vec p pr (token p (ex p t) (pn p).-1) u else 0
  | _ => stream1 p pr t c
  end.

Lemma label_correct h :
  holds p h (stream1 p pr) ->
  holds p (run_layer (N p) (label (real_ops R) p) h) stream2.
Proof.
move=> H t c tN vc; rewrite run_idle attention1 H //.
have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  try (rewrite big1 ?mulr0 ?addr0 // => j _; rewrite copy_off ?mulr0 //; by move=> u').
have qn : ((pn p).-1 < pn p)%N by rewrite prednK ?(n_gt0 ok).
rewrite /= add0r; case lv: (live p t); last first.
  by rewrite big1 ?mulr0 // => j _; rewrite own_address // lv mul0r.
have aN : (token p (ex p t) (pn p).-1 < N p)%N by rewrite token_lt // -ltnS ex_lt.
rewrite (fetched (b := true) _ aN) => [|j jN]; last by rewrite own_address // lv.
by rewrite copy_at // => [|x y [->]] //; rewrite H.
Qed.
End Lemma_.
