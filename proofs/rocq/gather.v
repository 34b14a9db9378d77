(* Layer 1, gather: at every token of every example, slot r holds the example's operand
   at position p_r.

   gather o p       == layer 1; gather_head o p r == its head r
   stream1 p pr     == the stream after it *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai codes residual spec plan stream.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Weights.
Variables (T : Type) (o : ops T) (p : plan T).

Definition gather_head r : head coord T :=
  Head (own_example o (sizes_of p) (slot p r)) (copy o Tok (Slot r) (num o (N p)) (pd p)).

Definition gather : layer coord T :=
  padded (K p) [seq gather_head r | r <- iota 0 (size (slots p))] idle_units.
End Weights.

Section Lemma_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Hypothesis ok : admissible (real_ops R) p.

Definition stream1 t c : R :=
  match c with
  | Slot r u => if live p t then vec p pr (token p (ex p t) (slot p r)) u else 0
  | _ => stream0 p pr t c
  end.

Lemma gather_correct h :
  holds p h (stream0 p pr) ->
  holds p (run_layer (N p) (gather (real_ops R) p) h) stream1.
Proof.
move=> H t c tN vc; rewrite run_idle /attention big_map H //.
have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  try (rewrite big1 ?addr0 // => i _; rewrite big1 ?mulr0 // => j _; rewrite copy_off ?mulr0 //;
       by move=> u').
case/andP: vc => rS ud; rewrite /= add0r (bigD1_seq r) ?iota_uniq ?mem_iota //=.
rewrite [X in _ + X]big1 ?addr0 => [|r' r'r]; last first.
  rewrite big1 ?mulr0 // => j _; rewrite copy_off ?mulr0 // => u'.
  by apply/eqP => -[/eqP]; rewrite (negPf r'r).
have qn : (slot p r < pn p)%N by rewrite (leq_trans (slots_ok ok rS)) ?leq_pred.
case lv: (live p t); last first.
  rewrite big1 ?mulr0 // => j _.
  by rewrite own_address // lv mul0r.
have aN : (token p (ex p t) (slot p r) < N p)%N by rewrite token_lt // -ltnS ex_lt.
rewrite (fetched (b := true) _ aN) => [|j jN]; last by rewrite own_address // lv.
by rewrite copy_at // => [|x y [->]] //; rewrite H.
Qed.
End Lemma_.
