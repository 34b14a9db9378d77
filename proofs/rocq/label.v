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
  Head (own_example o (sizes_of p) (len p).-1) (copy o Tok Lab (num o (N p)) (pd p)).

Definition label : layer coord T := padded (K p) [:: label_head] idle_units.
End Weights.

Definition is_lab c := if c is Lab _ then true else false.

Section Lemma_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation z := (sizes_of p).
Hypothesis ok : admissible (real_ops R) p.

(* The label of the example that token t belongs to. *)
Definition lab_at t u : R := vec p pr (token p (ex p t) (len p).-1) u.

Definition stream2 t c : R :=
  match c with
  | Lab u => if live p t then lab_at t u else 0
  | _ => stream1 p pr t c
  end.

(* The head does not read where it writes. *)
Lemma label_share h t c :
  holds_but p is_lab h (stream1 p pr) -> (t < N p)%N -> valid z c ->
  share (N p) (label_head (real_ops R) p) h t c =
  if c is Lab u then if live p t then lab_at t u else 0 else 0.
Proof.
move=> H tN vc; have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  try by rewrite share0 // => j; rewrite copy_off.
have qn := label_lt ok; case lv: (live p t); last first.
  by rewrite /share big1 ?mulr0 // => j _; rewrite own_address // lv mul0r.
have aN : (token p (ex p t) (len p).-1 < N p)%N by rewrite token_lt // -ltnS ex_lt.
rewrite (fetches (b := true) _ aN) => [|j jN]; last by rewrite own_address // lv.
by rewrite copy_at // => [|x y [->]] //; rewrite H //= tok1_label.
Qed.

Lemma label_correct h :
  holds p h (stream1 p pr) ->
  holds p (run_layer (N p) (label (real_ops R) p) h) stream2.
Proof.
move=> H t c tN vc; rewrite run_idle attentionE big_cons big_nil addr0 H // label_share //.
  by case: c vc => //= *; rewrite ?addr0 ?add0r.
by move=> ? ? ? ? _; apply: H.
Qed.
End Lemma_.
