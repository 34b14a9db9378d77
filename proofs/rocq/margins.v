(* Margins exist: for tasks that are wired, in any domain with delta <> 0, there are B, C
   and s that meet their conditions.

   with_margins p b c s == the plan p with these margins
   well_wired p     == all of `admissible` but the conditions on margins and domain *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai residual spec plan.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Margins.
Variables (R : realFieldType) (p : plan R).
Notation o := (real_ops R).

Definition with_margins b c s := Plan (pd p) (pm p) (pn p) (tasks p) (slots p) (homes p)
  (dict p) (reads p) (N p) b c s (Rx p) (Ry p) (delta p).

(* All of `admissible` but the conditions on margins and domain. *)
Definition well_wired :=
  [&& (1 < pn p)%N, ((pm p).+1 * pn p <= N p)%N, (0 < K p)%N, (size (slots p) <= K p)%N,
      all (fun q => q < (pn p).-1)%N (slots p), all (all (wired_hinge p)) (dict p) &
      all (wired o p) (iota 0 (K p))].

Lemma E2_ge0 k : 0 <= E2 o p k.
Proof. by rewrite /E2 sumE big_map sumr_ge0 // => i _ /=; rewrite -expr2 sqr_ge0. Qed.

Theorem margins_exist : well_wired -> 0 <= Rx p -> 0 <= Ry p -> delta p != 0 ->
  exists b c s, admissible o (with_margins b c s).
Proof.
case/and5P => h1 h2 h3 h4 /and3P[h5 h6 h7] rx ry d0.
pose b := (delta p ^+ 2)^-1.
pose c := 2%:R^-1 * \sum_(k <- iota 0 (K p)) (1 + b * E2 o p k).
have b0 : 0 <= b by rewrite invr_ge0 sqr_ge0.
exists b, c, 1; rewrite /admissible h1 h2 h3 h4 h5 h6 h7 /= /margins_hold /= rx ry b0.
rewrite -ltNge ltr01 -expr2 mulVf ?expf_neq0 // lexx /=.
apply/allP => k kK; rewrite /c mulrA mulfV ?pnatr_eq0 // mul1r.
rewrite -/(E2 o p k) (bigD1_seq k) ?iota_uniq //= ler_addl sumr_ge0 // => i _.
by rewrite addr_ge0 ?ler01 // mulr_ge0 ?E2_ge0.
Qed.
End Margins.
