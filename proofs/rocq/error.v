(* A checker that computes: how far a broken line, given by knots, slopes and a first value,
   is from a polynomial, at all points between the first knot and the last.

   shift o a p      == the coefficients of p(a + x)
   box0, box1 o h p == an interval that holds p(x), and p[h, x], for 0 <= x <= h
   piece_error o p y u s v == a bound of the error on [u, v], slope s from the value y at u
   error_bound o p y u s js z == the same for a broken line from u to z; u <= knots of js <= z
   ordered o u js z == the knots go up *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers chord polynomials.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Section Data.
Variables (T : Type) (o : ops T).
Local Notation zero := (num o 0).

Definition least x y := if leq_ o x y then x else y.
Definition most x y := if leq_ o x y then y else x.

Fixpoint plus (p q : seq T) := match p, q with
  | a :: p', b :: q' => add o a b :: plus p' q'
  | [::], _ => q
  | _, [::] => p
  end.

Lemma plus_cons a b p q : plus (a :: p) (b :: q) = add o a b :: plus p q. Proof. by []. Qed.

Fixpoint shift a (p : seq T) :=
  if p is c :: p' then let q := shift a p' in plus (c :: q) (map (mul o a) q) else [::].

Lemma shift_cons a c p :
  shift a (c :: p) = plus (c :: shift a p) (map (mul o a) (shift a p)).
Proof. by []. Qed.

Fixpoint box0 h (p : seq T) :=
  if p is c :: p' then
    let b := box0 h p' in
    (add o c (least zero (mul o h b.1)), add o c (most zero (mul o h b.2)))
  else (zero, zero).

Fixpoint box1 h (p : seq T) :=
  if p is c :: p' then
    let b := box0 h p' in let b' := box1 h p' in
    (add o b.1 (mul o h b'.1), add o b.2 (mul o h b'.2))
  else (zero, zero).

Lemma box0_cons h c p : box0 h (c :: p) =
  (add o c (least zero (mul o h (box0 h p).1)), add o c (most zero (mul o h (box0 h p).2))).
Proof. by []. Qed.

Lemma box1_cons h c p : box1 h (c :: p) =
  (add o (box0 h p).1 (mul o h (box1 h p).1), add o (box0 h p).2 (mul o h (box1 h p).2)).
Proof. by []. Qed.

Definition piece_error (p : seq T) y u s v :=
  let h := sub o v u in
  let a := sub o y (eval o p u) in
  let b := sub o (add o y (mul o s h)) (eval o p v) in
  let curve := box1 h (behead (shift u p)) in
  let area := mul o (mul o h h) (inv o (num o 4)) in
  most (add o (most a b) (mul o area (most zero curve.2)))
       (opp o (add o (least a b) (mul o area (least zero curve.1)))).

Fixpoint error_bound (p : seq T) y u s (js : seq (T * T)) z :=
  if js is (v, s') :: js' then
    most (piece_error p y u s v) (error_bound p (add o y (mul o s (sub o v u))) v s' js' z)
  else piece_error p y u s z.

Fixpoint ordered u (js : seq (T * T)) z :=
  if js is (v, _) :: js' then ~~ leq_ o v u && ordered v js' z else ~~ leq_ o z u.
End Data.

(* What is computed over Q is what holds in the field. *)
Section Map.
Variables (T1 T2 : Type) (o1 : ops T1) (o2 : ops T2) (phi : T1 -> T2).
Hypothesis mo : morph o1 o2 phi.
Let both (b : T1 * T1) := (phi b.1, phi b.2).
Let knots (js : seq (T1 * T1)) := [seq both j | j <- js].

Lemma least_map x y : phi (least o1 x y) = least o2 (phi x) (phi y).
Proof. by rewrite /least (m_leq mo); case: ifP. Qed.

Lemma most_map x y : phi (most o1 x y) = most o2 (phi x) (phi y).
Proof. by rewrite /most (m_leq mo); case: ifP. Qed.

Lemma plus_map p q : map phi (plus o1 p q) = plus o2 (map phi p) (map phi q).
Proof. by elim: p q => [|a p IH] [|b q] //=; rewrite (m_add mo) IH. Qed.

Lemma shift_map a p : map phi (shift o1 a p) = shift o2 (phi a) (map phi p).
Proof.
elim: p => [|c p IH] //; rewrite map_cons !shift_cons plus_map map_cons IH.
congr (plus o2 _ _); rewrite -IH -!map_comp; apply: eq_map => x /=; exact: (m_mul mo).
Qed.

Lemma eval_map p t : phi (eval o1 p t) = eval o2 (map phi p) (phi t).
Proof. by elim: p => [|c p IH] /=; rewrite ?(m_num mo) // (m_add mo) (m_mul mo) IH. Qed.

Lemma box0_map h p : both (box0 o1 h p) = box0 o2 (phi h) (map phi p).
Proof.
elim: p => [|c p IH]; rewrite /= /both /= ?(m_num mo) //.
by rewrite -IH !(m_add mo) least_map most_map !(m_mul mo) (m_num mo).
Qed.

Lemma box1_map h p : both (box1 o1 h p) = box1 o2 (phi h) (map phi p).
Proof.
elim: p => [|c p IH]; rewrite /= /both /= ?(m_num mo) //.
by rewrite -IH -box0_map !(m_add mo) !(m_mul mo).
Qed.

Lemma piece_error_map p y u s v : phi (piece_error o1 p y u s v) =
  piece_error o2 (map phi p) (phi y) (phi u) (phi s) (phi v).
Proof.
rewrite /piece_error -shift_map behead_map -(m_sub mo) -box1_map /=.
rewrite !(most_map, least_map, m_sub mo, m_add mo, m_mul mo, m_opp mo).
by rewrite !(m_inv mo, m_num mo, eval_map, m_sub mo).
Qed.

Lemma error_bound_map p y u s js z : phi (error_bound o1 p y u s js z) =
  error_bound o2 (map phi p) (phi y) (phi u) (phi s) (knots js) (phi z).
Proof.
elim: js y u s => [|[v s'] js IH] y u s /=; first exact: piece_error_map.
by rewrite most_map piece_error_map IH (m_add mo) (m_mul mo) (m_sub mo).
Qed.

Lemma ordered_map u js z : ordered o1 u js z = ordered o2 (phi u) (knots js) (phi z).
Proof. by elim: js u => [|[v s'] js IH] u /=; rewrite (m_leq mo) ?IH. Qed.
End Map.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Sound.
Variable R : realFieldType.
Local Notation o := (real_ops R).
Implicit Types (p q : seq R) (a h t x y u s v z : R) (js : seq (R * R)).

Lemma leastE x y : least o x y = Num.min x y. Proof. by rewrite /least /=; case: lerP. Qed.
Lemma mostE x y : most o x y = Num.max x y. Proof. by rewrite /most /=; case: lerP. Qed.

Lemma eval_plus p q t : eval o (plus o p q) t = eval o p t + eval o q t.
Proof.
elim: p q => [|a p IH] [|b q] //; rewrite ?add0r ?addr0 //.
by rewrite plus_cons !eval_cons IH -[add o a b]/(a + b); ring.
Qed.

Lemma eval_scale a p t : eval o (map (mul o a) p) t = a * eval o p t.
Proof.
elim: p => [|c p IH]; rewrite ?mulr0 //.
by rewrite map_cons !eval_cons IH -[mul o a c]/(a * c); ring.
Qed.

Lemma eval_shift a p t : eval o (shift o a p) t = eval o p (a + t).
Proof.
elim: p => [|c p IH] //.
by rewrite shift_cons eval_plus eval_scale !eval_cons IH; ring.
Qed.

Lemma box0_holds h p x : 0 <= x -> x <= h ->
  (box0 o h p).1 <= eval o p x /\ eval o p x <= (box0 o h p).2.
Proof.
move=> x0 xh; elim: p => [|c p [lo hi]] //.
rewrite box0_cons eval_cons leastE mostE /=; set b := box0 o h p in lo hi *.
split; rewrite ler_add2l.
  have [b0|b0] := lerP 0 b.1; first by rewrite le_minl mulr_ge0 ?(le_trans b0 lo).
  rewrite le_minl; apply/orP; right; apply: le_trans (ler_wpmul2l x0 lo).
  exact: ler_wnmul2r (ltW b0) _ _ xh.
have [b0|b0] := lerP b.2 0; first by rewrite le_maxr mulr_ge0_le0 ?(le_trans hi b0).
rewrite le_maxr; apply/orP; right; apply: (le_trans (ler_wpmul2l x0 hi)).
exact: ler_wpmul2r (ltW b0) _ _ xh.
Qed.

Lemma box1_holds h p x : 0 <= x -> x <= h ->
  (box1 o h p).1 <= d1 p h x /\ d1 p h x <= (box1 o h p).2.
Proof.
move=> x0 xh; elim: p => [|c p [lo hi]] //.
have [lo0 hi0] := box0_holds p x0 xh; have h0 := le_trans x0 xh.
by rewrite d1_cons box1_cons; split; apply: ler_add => //; apply: ler_wpmul2l.
Qed.

(* On one piece: the line is the chord but for its ends, and the chord errs by an area times
   what box1 encloses. *)
Lemma piece_error_holds p y u s v t : u < v -> u <= t -> t <= v ->
  `|y + s * (t - u) - eval o p t| <= piece_error o p y u s v.
Proof.
move=> uv ut tv; rewrite /piece_error !mostE !leastE !subE /=.
set h := v - u; set a := y - eval o p u; set b := y + s * h - eval o p v.
set q := behead _; set curve := box1 o h q; set area := h * h / 4.
have h0 : 0 < h by rewrite subr_gt0.
have x0 : 0 <= t - u by rewrite subr_ge0.
have xh : t - u <= h by rewrite ler_add2r.
have [lo hi] := box1_holds q x0 xh; rewrite -/curve in lo hi.
pose k := (t - u) * (v - t).
have k0 : 0 <= k by rewrite mulr_ge0 // subr_ge0.
have k_area : k <= area by rewrite /area -expr2 product_of_parts.
have e : y + s * (t - u) - eval o p t =
    (a * (v - t) + b * (t - u)) / h + k * d1 q h (t - u).
  have E w : eval o p w = eval o (shift o u p) (w - u) by rewrite eval_shift addrC subrK.
  rewrite /a /b /k (E t) (E u) (E v) subrr -/h /q; case: (shift o u p) => [|c r].
    by rewrite /= /h; field; rewrite subr_eq0 gt_eqF.
  rewrite !eval_cons /= mul0r addr0 (d1E r h (t - u)) /h.
  by field; rewrite subr_eq0 gt_eqF.
have convex c : a <= c -> b <= c -> (a * (v - t) + b * (t - u)) / h <= c.
  move=> ac bc; rewrite ler_pdivr_mulr // (_ : c * h = c * (v - t) + c * (t - u)).
    by rewrite ler_add // ler_wpmul2r // subr_ge0.
  by rewrite /h; ring.
have convex' c : c <= a -> c <= b -> c <= (a * (v - t) + b * (t - u)) / h.
  move=> ac bc; rewrite ler_pdivl_mulr // (_ : c * h = c * (v - t) + c * (t - u)).
    by rewrite ler_add // ler_wpmul2r // subr_ge0.
  by rewrite /h; ring.
have top : k * d1 q h (t - u) <= area * Num.max 0 curve.2.
  have m0 : 0 <= Num.max 0 curve.2 by rewrite le_maxr lexx.
  apply: le_trans (ler_wpmul2r m0 k_area); apply: ler_wpmul2l => //.
  by rewrite le_maxr hi orbT.
have bottom : area * Num.min 0 curve.1 <= k * d1 q h (t - u).
  have m0 : Num.min 0 curve.1 <= 0 by rewrite le_minl lexx.
  apply: le_trans (ler_wnmul2r m0 k_area) _; apply: ler_wpmul2l => //.
  by rewrite le_minl lo orbT.
rewrite e ler_norml.
apply/andP; split.
  rewrite ler_oppl le_maxr ler_opp2; apply/orP; right; apply: ler_add bottom.
  by apply: convex'; rewrite le_minl lexx ?orbT.
by rewrite le_maxr ler_add // convex // le_maxr lexx ?orbT.
Qed.

Lemma error_bound_holds p y u s js z t : ordered o u js z -> u <= t -> t <= z ->
  `|broken y u s js t - eval o p t| <= error_bound o p y u s js z.
Proof.
elim: js y u s => [|[v s'] js IH] y u s /=; first by rewrite -ltNge; apply: piece_error_holds.
rewrite -ltNge => /andP[uv rest] ut tz; rewrite mostE le_maxr.
have [tv|vt] := lerP t v; first by rewrite piece_error_holds.
by rewrite IH ?orbT // ltW.
Qed.

Lemma ordered_path u js z : ordered o u js z -> path <=%R u (unzip1 js).
Proof.
elim: js u => [|[v s'] js IH] u //=; rewrite -ltNge => /andP[/ltW-> rest].
exact: IH rest.
Qed.
End Sound.

(* What Rocq computes over Q bounds the error of the hinges in every ordered field, at all of
   its points between the first knot and the last. *)
Theorem error_checked (p : seq Q) (y u s : Q) (js : seq (Q * Q)) (z e : Q) :
  ordered rat_ops u js z -> Qle_bool (error_bound rat_ops p y u s js z) e ->
  forall (R : realFieldType) (t : R), let r := @q2r R in
  r u <= t -> t <= r z ->
  `|hinges (r y) (r u) (r s) [seq (r j.1, r j.2) | j <- js] t - (Poly (map r p)).[t]| <= r e.
Proof.
move=> ord small R t r ut tz; have mo := q2r_morph R.
have ord' : ordered (real_ops R) (r u) [seq (r j.1, r j.2) | j <- js] (r z).
  by rewrite -(ordered_map mo).
rewrite hinges_are_broken ?(ordered_path ord') // -evalE.
apply: le_trans (error_bound_holds _ _ _ ord' ut tz) _.
by rewrite -(error_bound_map mo) /r q2r_le.
Qed.

(* For instance: t^2 on [-2, 2] by knots at whole numbers, lowered by 1/8: 1/8 off. *)
Definition whole (n : Z) := Qmake n 1.

Definition lowered_at_whole_numbers (e : QArith_base.Q) :=
  let bends := [:: (whole (-1), whole (-1)); (whole 0, whole 1); (whole 1, whole 3)] in
  ordered rat_ops (whole (-2)) bends (whole 2) &&
  Qle_bool (error_bound rat_ops [:: whole 0; whole 0; whole 1] (Qmake 31 8) (whole (-2))
    (whole (-3)) bends (whole 2)) e.

Fact an_eighth : lowered_at_whole_numbers (Qmake 1 8) && ~~ lowered_at_whole_numbers (Qmake 1 9).
Proof. by vm_compute. Qed.
