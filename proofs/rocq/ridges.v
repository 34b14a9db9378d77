(* Polynomials in several variables as sums of functions of one linear form each.

   sign b           == 1 or -1 *)
From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Ridges.
Variable R : realFieldType.

(* What is held of each form errs by e i: the sum errs by the sum of |c i| e i. *)
Theorem ridge_sum (J : Type) (r : seq J) (c l e : J -> R) (p g : J -> R -> R) :
  (forall i, `|g i (l i) - p i (l i)| <= e i) ->
  `|\sum_(i <- r) c i * g i (l i) - \sum_(i <- r) c i * p i (l i)| <=
    \sum_(i <- r) `|c i| * e i.
Proof.
move=> close; rewrite -sumrB (le_trans (ler_norm_sum _ _ _)) // ler_sum // => i _.
by rewrite -mulrBr normrM ler_wpmul2l.
Qed.

(* Products of two and of three variables. *)
Lemma product_of_two (x y : R) : x * y = ((x + y) ^+ 2 - (x - y) ^+ 2) / 4.
Proof. by field. Qed.

Lemma product_of_three (x y z : R) : x * y * z =
  ((x + y + z) ^+ 3 - (x + y - z) ^+ 3 - (x - y + z) ^+ 3 + (x - y - z) ^+ 3) / 24.
Proof. by field. Qed.

(* Of any number: the sum over all signs of (their product) (sum of signs times x)^n. *)
Definition sign (b : bool) : R := (-1) ^+ b.

Lemma sum_of_signs k : \sum_(b : bool) sign b ^+ k = (~~ odd k)%:R * 2.
Proof.
rewrite big_bool /sign /= expr0 expr1 expr1n -signr_odd.
by case: (odd k) => /=; rewrite ?expr0 ?expr1; ring.
Qed.

(* Signs cancel but for maps f that take each value once. *)
Lemma signs_cancel n (f : {ffun 'I_n -> 'I_n}) :
  \sum_(s : {ffun 'I_n -> bool}) (\prod_i sign (s i)) * \prod_j sign (s (f j)) =
  (injectiveb f)%:R * 2 ^+ n.
Proof.
pose k i := #|[pred j | f j == i]|.
transitivity (\prod_(i < n) \sum_(b : bool) sign b ^+ (k i).+1).
  rewrite bigA_distr_bigA /=; apply: eq_bigr => s _.
  rewrite [X in _ * X](partition_big f xpredT) //=.
  rewrite -big_split /=; apply: eq_bigr => i _; rewrite exprS; congr (_ * _).
  by rewrite (eq_bigr (fun=> sign (s i))) => [|j /eqP->//]; rewrite prodr_const.
under eq_bigr do rewrite sum_of_signs /= negbK; rewrite big_split /= prodr_const card_ord.
congr (_ * _); case: (boolP (injectiveb f)) => [/injectiveP inj|not_inj].
  rewrite big1 // => i _; suff -> : k i = 1%N by [].
  have [g fg gf] := injF_bij inj.
  rewrite /k (eq_card1 (x := g i)) // => j; rewrite !inE.
  by apply/eqP/eqP => [<-|->]; rewrite ?fg ?gf.
have [i out] : exists i, i \notin codom f.
  apply/existsP; apply: contraR not_inj => /existsPn onto; apply/injectiveP.
  suff inj : {in predT &, injective f} by move=> i j; apply: inj.
  apply/image_injP; rewrite eqn_leq leq_image_card /=; apply/subset_leq_card/subsetP => i _.
  by move: (onto i); rewrite negbK.
rewrite (bigD1 i) //= (_ : k i = 0%N) ?mul0r //; apply/eq_card0 => j; rewrite !inE.
by apply/negP => /eqP E; move: out; rewrite -E codom_f.
Qed.

Theorem polarisation n (x : 'I_n -> R) : (2 ^+ n * (n`!)%:R) * \prod_i x i =
  \sum_(s : {ffun 'I_n -> bool}) (\prod_i sign (s i)) * (\sum_i sign (s i) * x i) ^+ n.
Proof.
have power (y : R) : y ^+ n = \prod_(i < n) y by rewrite prodr_const card_ord.
transitivity (\sum_(s : {ffun 'I_n -> bool}) \sum_(f : {ffun 'I_n -> 'I_n})
    (\prod_i sign (s i)) * \prod_j sign (s (f j)) * \prod_j x (f j)); last first.
  apply: eq_bigr => s _; rewrite power bigA_distr_bigA mulr_sumr.
  by apply: eq_bigr => f _; rewrite big_split mulrA.
rewrite exchange_big /=; under [RHS]eq_bigr do rewrite -mulr_suml signs_cancel.
rewrite [RHS](bigID (fun f : {ffun 'I_n -> 'I_n} => injectiveb f)) /=.
rewrite [X in _ + X]big1 ?addr0; last first.
  by move=> f /negPf->; rewrite !mul0r.
rewrite [RHS](eq_bigr (fun=> 2 ^+ n * \prod_i x i)); last first.
  move=> f inj; rewrite inj mul1r; congr (_ * _); rewrite [RHS](reindex f) //.
  by apply: onW_bij; apply/injF_bij/injectiveP.
have count_ : #|[set f : {ffun 'I_n -> 'I_n} | injectiveb f]| = n`!.
  by rewrite card_inj_ffuns !card_ord ffactnn.
rewrite sumr_const (_ : #|_| = n`!); last by rewrite -count_; apply: eq_card => f; rewrite inE.
by rewrite -[RHS]mulr_natr mulrAC.
Qed.

(* x^(n - b) y^b by n-th powers of forms: whether weights w do it is a finite check. *)
Theorem monomial_of_powers (J : Type) (r : seq J) (w p q : J -> R) n b (x y : R) : (b <= n)%N ->
  (forall k, (k <= n)%N ->
    'C(n, k)%:R * (\sum_(j <- r) w j * (p j ^+ (n - k) * q j ^+ k)) = (k == b)%:R) ->
  \sum_(j <- r) w j * (p j * x + q j * y) ^+ n = x ^+ (n - b) * y ^+ b.
Proof.
move=> bn solved; under eq_bigr do rewrite exprDn mulr_sumr.
rewrite exchange_big /= (bigD1 (inord b)) //= [X in _ + X]big1 ?addr0 => [|k kb].
  have one := solved b bn; rewrite eqxx in one; rewrite inordK ?ltnS //.
  rewrite -[RHS]mul1r -[X in _ = X * _]/(true%:R) -one mulr_sumr mulr_suml; apply: eq_bigr => j _.
  rewrite -mulr_natl !exprMn.
  by move: (p j ^+ _) (x ^+ _) (q j ^+ _) (y ^+ _) (w j) => a1 a2 a3 a4 a5; ring.
have := solved k; rewrite -ltnS ltn_ord => /(_ isT).
have /negPf-> : k != b :> nat
  by apply: contra kb => /eqP E; apply/eqP/val_inj; rewrite /= inordK ?ltnS.
move=> zero; rewrite -[RHS](mul0r (x ^+ (n - k) * y ^+ k)) -[X in _ = X * _]/(false%:R) -zero.
rewrite mulr_sumr mulr_suml.
apply: eq_bigr => j _; rewrite -mulr_natl !exprMn.
by move: (p j ^+ _) (x ^+ _) (q j ^+ _) (y ^+ _) (w j) => a1 a2 a3 a4 a5; ring.
Qed.
End Ridges.
