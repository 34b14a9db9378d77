(* The theorem about an artifact: if the checker finds no difference, its very weights
   compute the mixture, in every real field, for every prompt of the domain. *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers residual spec plan stream transport matrices network checker.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Open Scope ring_scope.

(* The weights E, in this domain, for these tasks: the answer is the mixture. *)
Definition computes_the_mixture (p : plan Q) (E : emitted Q) :=
  forall (R : realFieldType) (pr : prompt R) (t : 'I_(N p)),
  let q := map_plan (@q2r R) p in
  in_domain (pd p) (pm p) (pn p) (tasks q) pr (Rx q) (Ry q) (delta q) ->
  t = answer p :> nat ->
  answer_mx (D (sizes_of p)) (map_emitted (@q2r R) E) (tokens q pr) t =
  \row_u mixture (pd p) (pm p) (tasks q) pr u.

Theorem checked p E : differences rat_ops p E = [::] -> computes_the_mixture p E.
Proof.
move=> none R pr t q dom ta; have [ok eo] := accepted R none.
have := network_correct ok (t := t) dom eo ta.
by rewrite sizes_map.
Qed.
