(* How far the chord of a polynomial is from it: by divided differences, which are
   polynomials, so that nothing of analysis is needed.

   eval o p t       == the polynomial with the coefficients p, from the constant on, at t
   d1 p u v, d2 p u v t == its divided differences p[u, v] and p[u, v, t]
   curvature r p    == the sum of i (i - 1) |p_i| r^(i - 2): a bound of |p''| on |t| <= r *)
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers chord.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Fixpoint eval T (o : ops T) (p : seq T) t :=
  if p is c :: p' then add o c (mul o t (eval o p' t)) else num o 0.

Section Differences.
Variable R : realFieldType.
Implicit Types (p : seq R) (c u v t r h D : R).
Local Notation eval := (eval (real_ops R)).

Lemma eval_cons c p t : eval (c :: p) t = c + t * eval p t. Proof. by []. Qed.

(* It is the polynomial of MathComp. *)
Lemma evalE p t : eval p t = (Poly p).[t].
Proof.
by rewrite horner_Poly; elim: p => [|c p IH] //; rewrite eval_cons IH addrC mulrC.
Qed.

Lemma eval_poly (p : {poly R}) t : eval p t = p.[t].
Proof. by rewrite evalE polyseqK. Qed.

Fixpoint d1 p u v := if p is c :: p' then eval p' v + u * d1 p' u v else 0.
Fixpoint d2 p u v t := if p is c :: p' then d1 p' v t + u * d2 p' u v t else 0.

Lemma d1_cons c p u v : d1 (c :: p) u v = eval p v + u * d1 p u v. Proof. by []. Qed.
Lemma d2_cons c p u v t : d2 (c :: p) u v t = d1 p v t + u * d2 p u v t. Proof. by []. Qed.

Lemma d1E p u v : eval p v = eval p u + (v - u) * d1 p u v.
Proof.
elim: p => [|c p IH]; first by rewrite mulr0 addr0.
by rewrite !eval_cons d1_cons IH; ring.
Qed.

Lemma d2E p u v t : d1 p u t = d1 p u v + (t - v) * d2 p u v t.
Proof.
elim: p => [|c p IH]; first by rewrite mulr0 addr0.
by rewrite !d1_cons d2_cons IH (d1E p v t); ring.
Qed.

(* Newton's form of the error. *)
Lemma chord_of_polynomial p u v t : u != v ->
  chord (eval p) u v t - eval p t = (t - u) * (v - t) * d2 p u v t.
Proof.
move=> uv; have vu : v - u != 0 by rewrite subr_eq0 eq_sym.
by rewrite /chord /slope (d1E p u v) (d1E p u t) (d2E p u v t); field.
Qed.

(* --- Bounds by the coefficients --- *)

Definition size0 r p := \sum_(i < size p) `|p`_i| * r ^+ i.
Definition size1 r p := \sum_(i < size p) i%:R * `|p`_i| * r ^+ i.-1.
Definition curvature r p := \sum_(i < size p) (i * i.-1)%:R * `|p`_i| * r ^+ i.-2.

Lemma size0_cons r c p : size0 r (c :: p) = `|c| + r * size0 r p.
Proof.
rewrite /size0 /= big_ord_recl expr0 mulr1 mulr_sumr; congr (_ + _).
by apply: eq_bigr => i _; rewrite lift0 exprS /=; ring.
Qed.

Lemma size1_cons r c p : size1 r (c :: p) = size0 r p + r * size1 r p.
Proof.
rewrite /size0 /size1 /= big_ord_recl !mul0r add0r mulr_sumr -big_split /=.
apply: eq_bigr => i _; rewrite /bump leq0n add1n /= -[in LHS]addn1 natrD.
by case: (nat_of_ord i) => [|j] /=; rewrite ?exprS; ring.
Qed.

Lemma curvature_cons r c p : curvature r (c :: p) = 2 * size1 r p + r * curvature r p.
Proof.
rewrite /curvature /size1 /= big_ord_recl !mul0r add0r !mulr_sumr -big_split /=.
apply: eq_bigr => i _; rewrite /bump leq0n add1n /=.
by case: (nat_of_ord i) => [|[|j]] /=; rewrite ?mul1n ?exprS; ring.
Qed.

Lemma size0_ge0 r p : 0 <= r -> 0 <= size0 r p.
Proof. by move=> r0; apply: sumr_ge0 => i _; rewrite mulr_ge0 // exprn_ge0. Qed.

Lemma size1_ge0 r p : 0 <= r -> 0 <= size1 r p.
Proof. by move=> r0; apply: sumr_ge0 => i _; rewrite !mulr_ge0 // exprn_ge0. Qed.

Lemma curvature_ge0 r p : 0 <= r -> 0 <= curvature r p.
Proof. by move=> r0; apply: sumr_ge0 => i _; rewrite !mulr_ge0 // exprn_ge0. Qed.

Lemma times_bound r t a b : `|t| <= r -> `|a| <= b -> `|t * a| <= r * b.
Proof. by move=> tr ab; rewrite normrM ler_pmul. Qed.

Lemma eval_bound r p t : `|t| <= r -> `|eval p t| <= size0 r p.
Proof.
move=> tr; elim: p => [|c p IH]; first by rewrite /size0 big_ord0 normr0.
rewrite eval_cons size0_cons (le_trans (ler_norm_add _ _)) // ler_add //.
exact: times_bound.
Qed.

Lemma d1_bound r p u v : `|u| <= r -> `|v| <= r -> `|d1 p u v| <= size1 r p.
Proof.
move=> ur vr; elim: p => [|c p IH]; first by rewrite /size1 big_ord0 normr0.
rewrite d1_cons size1_cons (le_trans (ler_norm_add _ _)) // ler_add ?eval_bound //.
exact: times_bound.
Qed.

Lemma d2_bound r p u v t : `|u| <= r -> `|v| <= r -> `|t| <= r ->
  `|d2 p u v t| <= curvature r p / 2.
Proof.
move=> ur vr tr; rewrite ler_pdivl_mulr ?ltr0n //.
elim: p => [|c p IH]; first by rewrite /curvature big_ord0 normr0 mul0r.
rewrite d2_cons curvature_cons.
apply: (le_trans (ler_wpmul2r _ (ler_norm_add _ _))); first by rewrite ler0n.
rewrite mulrDl [_ * 2]mulrC ler_add ?ler_pmul2l ?ltr0n ?d1_bound // normrM -mulrA.
by rewrite ler_pmul ?mulr_ge0 ?ler0n.
Qed.

(* The chord of a polynomial on [u, v] is at most D (v - u)^2 / 8 off, in every ordered field,
   where the coefficients say that the second derivative is at most D. *)
Lemma small_parts u v t : u <= t -> t <= v -> `|(t - u) * (v - t)| <= (v - u) ^+ 2 / 4.
Proof. by move=> ut tv; rewrite ger0_norm ?product_of_parts // mulr_ge0 // subr_ge0. Qed.

Lemma chord_error_by d p u v t D : u < v -> u <= t -> t <= v ->
  d2 p u v t = d -> `|d| <= D / 2 ->
  `|chord (eval p) u v t - eval p t| <= D * (v - u) ^+ 2 / 8.
Proof.
move=> uv ut tv <- dD; rewrite chord_of_polynomial ?lt_eqF //.
have -> : D * (v - u) ^+ 2 / 8 = (v - u) ^+ 2 / 4 * (D / 2) by field.
exact: times_bound (small_parts ut tv) dD.
Qed.

Theorem polynomial_chord p u v t r D : u < v -> u <= t -> t <= v -> `|u| <= r -> `|v| <= r ->
  curvature r p <= D -> `|chord (eval p) u v t - eval p t| <= D * (v - u) ^+ 2 / 8.
Proof.
move=> uv ut tv ur vr cD; apply: (chord_error_by uv ut tv erefl).
have tr : `|t| <= r.
  move: ur vr; rewrite !ler_norml => /andP[ru _] /andP[_ vr].
  by rewrite (le_trans ru ut) (le_trans tv vr).
by apply: (le_trans (d2_bound p ur vr tr)); rewrite ler_pmul2r ?invr_gt0 ?ltr0n.
Qed.

(* Hinges through a polynomial at knots, by the largest gap. *)
Theorem polynomials_by_hinges p t0 t1 ts r D h t : path <%R t0 (t1 :: ts) ->
  all (fun q => q.2 - q.1 <= h) (pieces t0 (t1 :: ts)) -> t0 <= t -> t <= last t1 ts ->
  `|t0| <= r -> `|last t1 ts| <= r -> curvature r p <= D ->
  `|interpolant (eval p) t0 t1 ts t - eval p t| <= D * h ^+ 2 / 8.
Proof.
move=> sorted /allP gaps from to r0 rl cD.
have [q inside [lt lo hi ->]] := interpolant_on_piece (eval p) sorted from to.
have [from1 to2] := piece_within sorted inside.
have D0 : 0 <= D by apply: le_trans cD; rewrite curvature_ge0 // (le_trans _ r0).
have within w : t0 <= w -> w <= last t1 ts -> `|w| <= r.
  move: r0 rl; rewrite !ler_norml => /andP[a _] /andP[_ b] w0 wl.
  by rewrite (le_trans a w0) (le_trans wl b).
have small : (q.2 - q.1) ^+ 2 <= h ^+ 2.
  rewrite ler_sqr ?nnegrE ?gaps // ?subr_ge0 ?(ltW lt) // (le_trans _ (gaps _ inside)) //.
  by rewrite subr_ge0 ltW.
apply: le_trans (_ : D * (q.2 - q.1) ^+ 2 / 8 <= _).
  apply: (polynomial_chord lt lo hi) cD; apply: within => //.
    by rewrite (le_trans (ltW lt)).
  by rewrite (le_trans from1) // ltW.
by rewrite ler_pmul2r ?invr_gt0 ?ltr0n // ler_wpmul2l.
Qed.
End Differences.

(* --- By the second derivative itself --- *)

(* In an Archimedean field (the rationals, the real numbers) a bound of p'' between the
   knots is enough, wherever it comes from: p grows where p' is not negative, by small steps. *)
Section Archimedean.
Variable R : archiFieldType.
Implicit Types (p q : {poly R}) (u v t x h K D : R).

Lemma d1_deriv (s : seq R) x : d1 s x x = (Poly s)^`().[x].
Proof.
elim: s => [|c s IH]; first by rewrite deriv0 horner0.
rewrite d1_cons IH evalE /= cons_poly_def derivD derivC derivM derivX.
by rewrite !hornerE addrC mulrC.
Qed.

Lemma step_up p u v x h (r := `|u| + `|v|) : u <= x -> 0 <= h -> x + h <= v ->
  0 <= p^`().[x] -> p.[x] - curvature r p / 2 * h ^+ 2 <= p.[x + h].
Proof.
move=> ux h0 xv slope; rewrite -!eval_poly (d1E p x (x + h)) (d2E p x x (x + h)) d1_deriv polyseqK.
have -> : x + h - x = h by rewrite addrAC subrr add0r.
have within w : u <= w -> w <= v -> `|w| <= r.
  move=> uw wv; rewrite ler_norml; apply/andP; split.
    by rewrite (le_trans _ uw) // ler_oppl (le_trans (ler_norm _)) // normrN ler_addl.
  by rewrite (le_trans wv) // (le_trans (ler_norm _)) // ler_addr.
have xr : `|x| <= r by rewrite within // (le_trans _ xv) // ler_addl.
have xhr : `|x + h| <= r by rewrite within // (le_trans ux) // ler_addl.
have := d2_bound p xr xr xhr; rewrite ler_norml => /andP[low _].
rewrite ler_add2l mulrDr mulrA -expr2 -[leLHS]add0r ler_add ?mulr_ge0 //.
by rewrite -mulNr mulrC ler_wpmul2l ?sqr_ge0.
Qed.

Lemma rising p u v : (forall x, u <= x -> x <= v -> 0 <= p^`().[x]) -> u <= v ->
  p.[u] <= p.[v].
Proof.
move=> up uv; rewrite real_leNgt ?num_real //; apply/negP; rewrite -subr_gt0 => fall.
pose L := curvature (`|u| + `|v|) p / 2 * (v - u) ^+ 2.
have L0 : 0 <= L.
  by rewrite mulr_ge0 ?sqr_ge0 // divr_ge0 ?ler0n // curvature_ge0 // addr_ge0.
have := archi_boundP (divr_ge0 L0 (ltW fall)); set n := Num.bound _ => big.
have n0 : 0 < n%:R :> R by apply: le_lt_trans big; rewrite divr_ge0 // ltW.
pose h := (v - u) / n%:R; have h0 : 0 <= h by rewrite divr_ge0 ?subr_ge0 // ltW.
have walk k : (k <= n)%N ->
    p.[u] - k%:R * (curvature (`|u| + `|v|) p / 2 * h ^+ 2) <= p.[u + k%:R * h].
  elim: k => [|k IH] kn; first by rewrite !mul0r subr0 addr0.
  have kS : k.+1%:R * h = k%:R * h + h by rewrite -addn1 natrD mulrDl mul1r.
  have xv : u + k%:R * h + h <= v.
    rewrite -addrA -kS -ler_subr_addl.
    by rewrite /h mulrCA ler_pimulr ?subr_ge0 // ler_pdivr_mulr // mul1r ler_nat.
  have ux : u <= u + k%:R * h by rewrite ler_addl mulr_ge0 ?ler0n.
  have xv' : u + k%:R * h <= v by rewrite (le_trans _ xv) // ler_addl.
  have := step_up ux h0 xv (up _ ux xv').
  rewrite -addrA -kS; apply: le_trans.
  by rewrite -addn1 natrD mulrDl mul1r opprD addrA ler_add2r IH // ltnW.
have := walk n (leqnn n); rewrite {2}/h [n%:R * (_ / _)]mulrC mulfVK ?gt_eqF // [u + _]addrC subrK.
rewrite real_leNgt ?num_real // => /negP; apply; rewrite ltr_subr_addl -ltr_subr_addr.
have -> : n%:R * (curvature (`|u| + `|v|) p / 2 * h ^+ 2) = L / n%:R.
  by rewrite /L /h; field; rewrite gt_eqF.
by rewrite ltr_pdivr_mulr // mulrC -ltr_pdivr_mulr.
Qed.

(* Where q'' is not negative, q is below its chord. *)
Lemma below_chord q u v t : (forall x, u <= x -> x <= v -> 0 <= q^`(2).[x]) ->
  u <= t -> t <= v -> (v - u) * q.[t] <= (v - t) * q.[u] + (t - u) * q.[v].
Proof.
move=> up ut tv; have uv := le_trans ut tv.
have grows x y : u <= x -> x <= y -> y <= v -> q^`().[x] <= q^`().[y].
  move=> ux xy yv; apply: rising => // z xz zy.
  by apply: (up z); [apply: le_trans xz | apply: le_trans yv].
pose a := q^`().[t].
have left : q.[t] - q.[u] <= a * (t - u).
  have H : (a%:P * 'X - q).[u] <= (a%:P * 'X - q).[t].
    apply: rising ut => x ux xt; rewrite !(derivE, mul0r, add0r, hornerE) subr_ge0.
    exact: grows.
  move: H; rewrite !hornerE -subr_ge0 => H; rewrite -subr_ge0 (le_trans H) //.
  by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
have right : a * (v - t) <= q.[v] - q.[t].
  have H : (q - a%:P * 'X).[t] <= (q - a%:P * 'X).[v].
    apply: rising tv => x tx xv; rewrite !(derivE, mul0r, add0r, hornerE) subr_ge0.
    exact: grows.
  move: H; rewrite !hornerE -subr_ge0 => H; rewrite -subr_ge0 (le_trans H) //.
  by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
have H := ler_wpmul2r (_ : 0 <= v - t) left; have H' := ler_wpmul2r (_ : 0 <= t - u) right.
have {H H'} := ler_add (H _) (H' _); rewrite !subr_ge0 => /(_ tv ut).
rewrite -subr_ge0 => H; rewrite -subr_ge0 (le_trans H) //.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

Theorem chord_by_second_derivative p u v t D : u < v -> u <= t -> t <= v ->
  (forall x, u <= x -> x <= v -> `|p^`(2).[x]| <= D) ->
  `|chord (horner p) u v t - p.[t]| <= D * (v - u) ^+ 2 / 8.
Proof.
move=> uv ut tv bound; have vu : v - u != 0 by rewrite subr_eq0 gt_eqF.
have D0 : 0 <= D := le_trans (normr_ge0 _) (bound u (lexx u) (ltW uv)).
have lifted q x : (q + (D / 2) *: 'X^2).[x] = q.[x] + D / 2 * x ^+ 2.
  by rewrite hornerD hornerZ hornerXn.
have lifted2 q x : (q + (D / 2) *: 'X^2)^`(2).[x] = q^`(2).[x] + D.
  have E2 (q' : {poly R}) : q'^`(2) = q'^`()^`() by [].
  rewrite !E2 !(derivD, derivZ, derivXn, derivMn) !(hornerD, hornerZ, hornerMn, hornerXn).
  by congr (_ + _); rewrite mulr1n expr0; field.
have both q : (forall x, u <= x -> x <= v -> `|q^`(2).[x]| <= D) ->
    q.[t] - chord (horner q) u v t <= D / 2 * ((t - u) * (v - t)).
  move=> qD; have H : 0 <= (v - t) * (q.[u] + D / 2 * u ^+ 2) +
      (t - u) * (q.[v] + D / 2 * v ^+ 2) - (v - u) * (q.[t] + D / 2 * t ^+ 2).
    rewrite subr_ge0 -!lifted; apply: below_chord => // x ux xv.
    by rewrite lifted2 -ler_subl_addr sub0r; have := qD x ux xv; rewrite ler_norml => /andP[].
  rewrite -subr_ge0 -(pmulr_lge0 _ (_ : 0 < v - u)) ?subr_gt0 //; apply: (le_trans H).
  by rewrite /chord /slope le_eqVlt; apply/orP; left; apply/eqP; field.
have Np x : (- p)^`(2).[x] = - p^`(2).[x] by rewrite derivnN hornerN.
have up := both p bound.
have down : (- p).[t] - chord (horner (- p)) u v t <= D / 2 * ((t - u) * (v - t)).
  by apply: both => x ux xv; rewrite Np normrN bound.
have -> : D * (v - u) ^+ 2 / 8 = D / 2 * ((v - u) ^+ 2 / 4) by field.
apply: le_trans (_ : _ <= D / 2 * ((t - u) * (v - t))) _; last first.
  by rewrite ler_wpmul2l ?divr_ge0 ?ler0n // product_of_parts.
rewrite ler_norml; apply/andP; split.
  by rewrite ler_oppl opprB.
apply: le_trans down; rewrite le_eqVlt /chord /slope !hornerN.
by apply/orP; left; apply/eqP; field.
Qed.
End Archimedean.
