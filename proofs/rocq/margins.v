(* Margins exist: for tasks that are wired, in any domain with delta <> 0, there are B, C,
   s and L that meet their conditions.

   with_margins p b c s l == the plan p with these margins
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

Definition with_margins b c s l := Plan (pd p) (pm p) (pn p) (tasks p) (slots p) (homes p)
  (scratch p) (dict p) (reads p) (N p) b c s l (Rx p) (Ry p) (delta p).

(* All of `admissible` but the conditions on margins and domain. *)
Definition well_wired :=
  [&& (1 < pn p)%N, ((pm p).+1 * len p <= N p)%N, (0 < K p)%N, (gathering p <= K p)%N,
      all (fun q => q < (pn p).-1)%N (slots p), all (fun q => q < (pn p).-1)%N (scratch p),
      all (all (wired_unit p)) (dict p) & all (wired o p) (iota 0 (K p))].

Lemma E2_ge0 k q : 0 <= E2 o p k q.
Proof. by rewrite /E2 sumE big_map sumr_ge0 // => i _ /=; rewrite -expr2 sqr_ge0. Qed.

Lemma sum_ge (I : eqType) (F : I -> R) (s : seq I) i : uniq s -> i \in s ->
  (forall j, 0 <= F j) -> F i <= \sum_(j <- s) F j.
Proof. by move=> us si F0; rewrite (bigD1_seq i) //= ler_addl sumr_ge0. Qed.

(* A number that no entry of a list of numbers exceeds. *)
Lemma above (A : Type) (F : A -> R) (s : seq A) : exists x, all (fun a => F a <= x) s.
Proof.
elim: s => [|a s [x H]]; first by exists 0.
exists (Num.max (F a) x); rewrite /= le_maxr lexx /=.
by apply: sub_all H => b; rewrite le_maxr orbC => ->.
Qed.

Theorem margins_exist : well_wired -> 0 <= Rx p -> 0 <= Ry p -> delta p != 0 ->
  exists b c s l, admissible o (with_margins b c s l).
Proof.
case/and5P => h1 h2 h3 h4 /and4P[h5 h6 h7 h8] rx ry d0.
pose b := (delta p ^+ 2)^-1.
pose c := 2%:R^-1 * \sum_(k <- iota 0 (K p)) \sum_(q <- homes_of p) (1 + b * E2 o p k q).
have b0 : 0 <= b by rewrite invr_ge0 sqr_ge0.
have [l Hl] := above (fun u : option nat * hinge R => hinge_bound o p u.2) (flatten (dict p)).
have pos k q : 0 <= 1 + b * E2 o p k q by rewrite addr_ge0 ?ler01 // mulr_ge0 ?E2_ge0.
exists b, c, 1, l; rewrite /admissible h1 h2 h3 h4 h5 h6 h7 h8 /= /margins_hold /= rx ry b0.
rewrite -ltNge ltr01 -expr2 mulVf ?expf_neq0 // lexx /=; apply/andP; split.
  elim: (dict p) Hl => //= g s IH; rewrite all_cat => /andP[Hg /IH->]; rewrite andbT.
  by apply: sub_all Hg => u; rewrite /gated /=; case: u.1.
apply/allP => k kK; apply/allP => q qh; rewrite /c mulrA mulfV ?pnatr_eq0 // mul1r.
apply: le_trans (_ : \sum_(r <- homes_of p) (1 + b * E2 o p k r) <= _).
  exact: (sum_ge (F := fun r => 1 + b * E2 o p k r) (undup_uniq _) qh (pos k)).
apply: (sum_ge (F := fun j => \sum_(r <- homes_of p) (1 + b * E2 o p j r)) (iota_uniq _ _) kK).
by move=> j; apply: sumr_ge0 => r _.
Qed.
End Margins.
