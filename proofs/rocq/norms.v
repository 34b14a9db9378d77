(* Vectors and their lengths, in an ordered field: no square roots. That a vector is no
   longer than a says norm2 s x <= a^2, for a >= 0.

   norm2 s x == the sum of (x i)^2 over the indices i of s *)
From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Norms.
Variables (R : realFieldType) (I : Type) (s : seq I).
Implicit Types (x y : I -> R) (a b : R).

Definition norm2 x := \sum_(i <- s) x i ^+ 2.
Definition inner x y := \sum_(i <- s) x i * y i.

Lemma norm2_ge0 x : 0 <= norm2 x.
Proof. by apply: sumr_ge0 => i _; apply: sqr_ge0. Qed.

Lemma eq_norm2 x y : x =1 y -> norm2 x = norm2 y.
Proof. by move=> E; apply: eq_bigr => i _; rewrite E. Qed.

Lemma norm2N x : norm2 (fun i => - x i) = norm2 x.
Proof. by apply: eq_bigr => i _; rewrite sqrrN. Qed.

Lemma norm2Z a x : norm2 (fun i => a * x i) = a ^+ 2 * norm2 x.
Proof. by rewrite mulr_sumr; apply: eq_bigr => i _; rewrite exprMn. Qed.

Lemma norm2D x y : norm2 (fun i => x i + y i) = norm2 x + 2 * inner x y + norm2 y.
Proof. by rewrite mulr_sumr -!big_split /=; apply: eq_bigr => i _; ring. Qed.

Lemma inner_sums x y z w :
  inner x y * inner z w = \sum_(i <- s) \sum_(j <- s) (x i * y i) * (z j * w j).
Proof. by rewrite mulr_suml; apply: eq_bigr => i _; rewrite mulr_sumr. Qed.

Lemma cauchy_schwarz x y : inner x y ^+ 2 <= norm2 x * norm2 y.
Proof.
rewrite -subr_ge0 -(pmulr_rge0 _ (ltr0n R 2)).
suff -> : 2 * (norm2 x * norm2 y - inner x y ^+ 2) =
    \sum_(i <- s) \sum_(j <- s) (x i * y j - x j * y i) ^+ 2.
  by apply: sumr_ge0 => i _; apply: sumr_ge0 => j _; apply: sqr_ge0.
have N z : norm2 z = inner z z by apply: eq_bigr => i _; rewrite expr2.
rewrite mulrBr -[2]/(1 + 1) !mulrDl !mul1r {2}[norm2 x * _]mulrC !N expr2 !inner_sums.
rewrite -!big_split -sumrB /=; apply: eq_bigr => i _.
by rewrite -!big_split -sumrB /=; apply: eq_bigr => j _; ring.
Qed.

Lemma le_by_squares a b : 0 <= b -> a ^+ 2 <= b ^+ 2 -> `|a| <= b.
Proof. by move=> b0 ab; rewrite -ler_sqr ?nnegrE ?real_normK ?num_real. Qed.

Lemma inner_bound x y a b : 0 <= a -> 0 <= b -> norm2 x <= a ^+ 2 -> norm2 y <= b ^+ 2 ->
  `|inner x y| <= a * b.
Proof.
move=> a0 b0 xa yb; apply: le_by_squares; first exact: mulr_ge0.
by rewrite exprMn; apply: (le_trans (cauchy_schwarz x y)); apply: ler_pmul; rewrite ?norm2_ge0.
Qed.

(* The triangle inequality, from above and from below. *)
Lemma norm2_triangle x y a b : 0 <= a -> 0 <= b -> norm2 x <= a ^+ 2 -> norm2 y <= b ^+ 2 ->
  norm2 (fun i => x i + y i) <= (a + b) ^+ 2.
Proof.
move=> a0 b0 xa yb; rewrite norm2D.
have ab := le_trans (ler_norm _) (inner_bound a0 b0 xa yb).
have -> : (a + b) ^+ 2 = a ^+ 2 + 2 * (a * b) + b ^+ 2 by ring.
by rewrite !ler_add // ler_pmul2l ?ltr0n.
Qed.

Lemma norm2_apart x y a b : 0 <= b -> b <= a -> a ^+ 2 <= norm2 x -> norm2 y <= b ^+ 2 ->
  (a - b) ^+ 2 <= norm2 (fun i => x i + y i).
Proof.
move=> b0 ba xa yb; rewrite real_leNgt ?num_real //; apply/negP => zab.
have ab0 : 0 <= a - b by rewrite subr_ge0.
pose z i := x i + y i; pose y' i := - y i.
have y'b : norm2 y' <= b ^+ 2 by rewrite norm2N.
have zy := le_trans (ler_norm _) (inner_bound ab0 b0 (ltW zab) y'b).
suff : norm2 x < a ^+ 2 by rewrite real_ltNge ?num_real // xa.
have -> : norm2 x = norm2 z + 2 * inner z y' + norm2 y'.
  by rewrite -norm2D; apply: eq_norm2 => i; rewrite /z /y' addrK.
have -> : a ^+ 2 = (a - b) ^+ 2 + 2 * ((a - b) * b) + b ^+ 2 by ring.
by do 2?[apply: ltr_le_add => //]; rewrite ler_pmul2l ?ltr0n.
Qed.

(* A weighted sum of vectors that are at most e k long is at most as long as that of the
   e k. *)
Lemma norm2_sum (J : Type) (r : seq J) (w e : J -> R) (x : J -> I -> R) :
  (forall k, 0 <= w k) -> (forall k, 0 <= e k) -> (forall k, norm2 (x k) <= e k ^+ 2) ->
  norm2 (fun i => \sum_(k <- r) w k * x k i) <= (\sum_(k <- r) w k * e k) ^+ 2.
Proof.
move=> w0 e0 xe; elim: r => [|k r IH].
  by rewrite big_nil (eq_norm2 (y := fun=> 0)) => [|i]; rewrite ?big_nil // /norm2 big1 // expr0n.
rewrite big_cons (eq_norm2 (y := fun i => w k * x k i + \sum_(k <- r) w k * x k i)) => [|i].
  apply: norm2_triangle => //; first exact: mulr_ge0.
    by apply: sumr_ge0 => j _; apply: mulr_ge0.
  by rewrite norm2Z exprMn ler_pmul ?sqr_ge0 ?norm2_ge0.
by rewrite big_cons.
Qed.
End Norms.

(* What is mixed is f, what is summed is g: with weights w k >= 0, whatever they add up to,
   the sums are within sum_k w_k eps_k of each other, as vectors and entry by entry. *)
Theorem sum_within (R : realFieldType) (I J : Type) (s : seq I) (r : seq J)
    (w eps : J -> R) (f g : J -> I -> R) :
  (forall k, 0 <= w k) -> (forall k, 0 <= eps k) ->
  (forall k, norm2 s (fun i => g k i - f k i) <= eps k ^+ 2) ->
  norm2 s (fun i => \sum_(k <- r) w k * g k i - \sum_(k <- r) w k * f k i) <=
    (\sum_(k <- r) w k * eps k) ^+ 2.
Proof.
move=> w0 e0 close; apply: le_trans (norm2_sum r w0 e0 close).
rewrite le_eqVlt; apply/orP; left; apply/eqP; apply: eq_norm2 => i.
by rewrite -sumrB; apply: eq_bigr => k _; rewrite mulrBr.
Qed.

Theorem sum_within_entry (R : realFieldType) (J : Type) (r : seq J) (w eps f g : J -> R) :
  (forall k, 0 <= w k) -> (forall k, `|g k - f k| <= eps k) ->
  `|\sum_(k <- r) w k * g k - \sum_(k <- r) w k * f k| <= \sum_(k <- r) w k * eps k.
Proof.
move=> w0 close; rewrite -sumrB; apply: (le_trans (ler_norm_sum _ _ _)).
apply: ler_sum => k _; rewrite -mulrBr normrM ger0_norm //.
by apply: ler_wpmul2l.
Qed.
