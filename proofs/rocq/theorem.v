(* The compiler, and the theorem: at the answer token of every prompt of the domain, the
   seven layers leave the mixture of the K tasks.

   compile o p      == the seven layers *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai codes residual spec plan stream.
From construct Require Import gather label query superpose pool square divide.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Definition compile T (o : ops T) (p : plan T) : seq (layer coord T) :=
  [:: gather o p; label o p; query_layer o p; superpose o p; pool o p; square o p; divide o p].

(* Seven layers, with K heads in each. *)
Lemma seven_layers T (o : ops T) (p : plan T) : size (compile o p) = 7%N.
Proof. by []. Qed.

Lemma K_heads T (o : ops T) (p : plan T) : (0 < K p)%N -> (gathering p <= K p)%N ->
  all (fun L => size (heads L) == K p) (compile o p).
Proof.
move=> K0 SK; have G : size (gather_heads o p) = gathering p.
  by rewrite size_cat size_map size_iota /gathering; case: nilp.
rewrite /= size_cat size_nseq G subnKC // !size_cat !size_nseq !size_map !size_iota /=.
by rewrite !subnKC // subn1 prednK // !eqxx.
Qed.

Section Theorem_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation d := (pd p).
Hypothesis ok : admissible (real_ops R) p.
Hypothesis dom : in_domain d (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p).

Theorem construction_correct h u :
  holds p h (stream0 p pr) -> (u < d)%N ->
  run_layers (N p) (compile (real_ops R) p) h (answer p) (Tok u) = mixture d (pm p) (tasks p) pr u.
Proof.
move=> H0 ud; rewrite /run_layers /=.
have H1 := gather_correct ok H0; have H2 := label_correct ok H1.
have H3 := query_correct ok dom H2.
have H4 := superpose_correct ok dom H3; have H5 := pool_correct ok H4.
have H6 := square_correct ok H5; rewrite (divide_correct ok H6) ?answer_lt //=.
by rewrite answer_live // tok1_answer // add0r.
Qed.
End Theorem_.
