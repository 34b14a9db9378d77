(* Broken lines as sums of hinges, and how far that of t^2 is from it.

   chord F u v t    == the line through (u, F u) and (v, F v), at t
   broken y u s js t == the broken line from (u, y) on: slope s, and from each knot of js its own
   hinges y u s js t == the same as a sum of hinges
   interpolant F t0 t1 ts t == the hinges through F at the knots t0, t1 and ts
   pieces u ts      == the neighbours among the knots u and ts
   times g g' x y   == (g (x + y) - g' (x - y)) / 4, the product where both are squares *)
From mathcomp Require Import all_ssreflect all_algebra ring zify.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Lines.
Variable R : realFieldType.
Implicit Types (F : R -> R) (u v t y s h : R) (js : seq (R * R)) (ts : seq R).

Definition slope F u v := (F v - F u) / (v - u).
Definition chord F u v t := F u + slope F u v * (t - u).

(* From the knot u with value y: slope s up to the next knot, then the slopes of js. *)
Fixpoint broken y u s js t :=
  if js is (v, s') :: js' then
    if t <= v then y + s * (t - u) else broken (y + s * (v - u)) v s' js' t
  else y + s * (t - u).

Fixpoint bends s js t :=
  if js is (v, s') :: js' then (s' - s) * Num.max (t - v) 0 + bends s' js' t else 0.

Definition hinges y u s js t := y + s * (t - u) + bends s js t.

Lemma bends_left s js t : path <=%R t (unzip1 js) -> bends s js t = 0.
Proof.
elim: js s => [|[v s'] js IH] s //= /andP[tv vs].
rewrite IH ?addr0; first by rewrite max_r ?mulr0 // subr_le0.
by case: js vs {IH} => [|[w s''] js] //= /andP[vw ->]; rewrite (le_trans tv).
Qed.

(* The sum of hinges is the broken line, left of its first knot and right of its last too. *)
Theorem hinges_are_broken y u s js t : path <=%R u (unzip1 js) ->
  hinges y u s js t = broken y u s js t.
Proof.
rewrite /hinges; elim: js y u s => [|[v s'] js IH] y u s /=; first by rewrite addr0.
case/andP=> uv vs; have [tv|vt] := lerP t v.
  rewrite max_r ?subr_le0 // bends_left ?mulr0 ?addr0 //.
  by case: js vs {IH} => [|[w s''] js] //= /andP[vw ->]; rewrite (le_trans tv).
by rewrite -IH // max_l ?subr_ge0 ?ltW //; ring.
Qed.

(* --- Through the values of a function at knots --- *)

Fixpoint steps F u ts := if ts is v :: ts' then (u, slope F u v) :: steps F v ts' else [::].

Definition interpolant F t0 t1 ts t := hinges (F t0) t0 (slope F t0 t1) (steps F t1 ts) t.

Definition pieces u ts := zip (u :: ts) ts.

Lemma steps_path F u v ts : path <%R u (v :: ts) -> path <=%R u (unzip1 (steps F v ts)).
Proof.
elim: ts u v => [|w ts IH] u v //= /and3P[uv vw ws].
by rewrite ltW //; apply: IH; rewrite /= vw.
Qed.

(* On the way from the first knot to the last it is the chord of one piece. *)
Theorem interpolant_on_piece F t0 t1 ts t :
  path <%R t0 (t1 :: ts) -> t0 <= t -> t <= last t1 ts ->
  exists2 p, p \in pieces t0 (t1 :: ts) &
    [/\ p.1 < p.2, p.1 <= t, t <= p.2 & interpolant F t0 t1 ts t = chord F p.1 p.2 t].
Proof.
move=> sorted; rewrite /interpolant hinges_are_broken ?steps_path //.
elim: ts t0 t1 sorted => [|t2 ts IH] t0 t1 sorted from to; case/andP: (sorted) => t01 rest.
  by exists (t0, t1); rewrite ?mem_head.
rewrite /= in to rest *; have [tt1|t1t] := lerP t t1.
  by exists (t0, t1); rewrite ?mem_head.
have -> : F t0 + slope F t0 t1 * (t1 - t0) = F t1.
  by rewrite /slope mulfVK ?subr_eq0 ?gt_eqF // addrC subrK.
have [p inside on] := IH t1 t2 rest (ltW t1t) to.
by exists p => //; rewrite in_cons inside orbT.
Qed.

Lemma in_pieces u v ts p : (p \in pieces u (v :: ts)) = (p == (u, v)) || (p \in pieces v ts).
Proof. by []. Qed.

Lemma piece_left u ts p : p \in pieces u ts -> p.1 \in u :: ts.
Proof.
elim: ts u => [|v ts IH] u //; rewrite in_pieces => /predU1P[->|/IH inside].
  exact: mem_head.
by rewrite in_cons inside orbT.
Qed.

Lemma after_first u ts w : path <%R u ts -> w \in ts -> u < w.
Proof. by move/(order_path_min lt_trans)/allP => H /H. Qed.

Lemma piece_ends u ts t p : path <%R u ts -> t \in u :: ts ->
  p \in pieces u ts -> p.1 <= t -> t <= p.2 -> t = p.1 \/ t = p.2.
Proof.
elim: ts u => [|v ts IH] u // sorted knot; have /andP[uv rest] := sorted.
rewrite in_pieces => /predU1P[->|inside] lo hi.
  case/predU1P: knot hi => [->|/predU1P[->|/(after_first rest) vt]]; [by left|by right|].
  by move=> /= tv; move: vt; rewrite real_ltNge ?num_real // tv.
apply: (IH v) => //; case/predU1P: knot => // t_u.
suff vp : v <= p.1 by have := le_trans vp lo; rewrite t_u real_leNgt ?num_real // uv.
by have /predU1P[->//|/(after_first rest)/ltW] := piece_left inside.
Qed.

Lemma within_knots u ts t : path <%R u ts -> t \in u :: ts -> u <= t /\ t <= last u ts.
Proof.
elim: ts u => [|v ts IH] u /=; first by rewrite inE => _ /eqP->.
move=> sorted /predU1P[->|knot]; first by split=> //; apply/ltW/(@after_first u (v :: ts))/mem_last.
case/andP: sorted => uv sorted; have [vt to] := IH v sorted knot.
by split=> //; apply: le_trans (ltW uv) vt.
Qed.

Lemma piece_within u ts p : path <%R u ts -> p \in pieces u ts -> u <= p.1 /\ p.2 <= last u ts.
Proof.
elim: ts u => [|v ts IH] u // sorted; have /andP[uv rest] := sorted.
rewrite in_pieces => /predU1P[->|/(IH _ rest)[vp pl]] /=.
  by split=> //; have [] := within_knots rest (mem_head v ts).
by split=> //; apply: le_trans (ltW uv) vp.
Qed.

(* So it is F at the knots. *)
Lemma interpolant_at_knots F t0 t1 ts t : path <%R t0 (t1 :: ts) -> t \in t0 :: t1 :: ts ->
  interpolant F t0 t1 ts t = F t.
Proof.
move=> sorted knot; have [from to] : t0 <= t /\ t <= last t1 ts.
  exact: (within_knots sorted knot).
have [p inside [lt lo hi ->]] := interpolant_on_piece F sorted from to.
have [->|->] := piece_ends sorted knot inside lo hi; rewrite /chord.
  by rewrite subrr mulr0 addr0.
by rewrite /slope mulfVK ?subr_eq0 ?gt_eqF // addrC subrK.
Qed.

(* --- The chord of a square --- *)

Definition square t : R := t ^+ 2.

Lemma chord_of_square u v t : u != v -> chord square u v t - square t = (t - u) * (v - t).
Proof.
move=> uv; have vu : v - u != 0 by rewrite subr_eq0 eq_sym.
by rewrite /chord /slope /square; field.
Qed.

Lemma product_of_parts u v t : (t - u) * (v - t) <= (v - u) ^+ 2 / 4.
Proof.
rewrite -subr_ge0 (_ : _ - _ = ((v + u) / 2 - t) ^+ 2) ?sqr_ge0 //; by field.
Qed.

Lemma chord_error u v t : u < v -> u <= t -> t <= v ->
  0 <= chord square u v t - square t <= (v - u) ^+ 2 / 4.
Proof.
move=> uv ut tv; rewrite chord_of_square ?lt_eqF // product_of_parts andbT.
by rewrite mulr_ge0 // subr_ge0.
Qed.

(* Hinges for t^2: never below, above by at most a quarter of the largest gap squared; lowered
   by half of that, at most an eighth off; at the knots exact. *)
Theorem squares_by_hinges t0 t1 ts h t : path <%R t0 (t1 :: ts) ->
  all (fun p => p.2 - p.1 <= h) (pieces t0 (t1 :: ts)) -> t0 <= t -> t <= last t1 ts ->
  0 <= interpolant square t0 t1 ts t - t ^+ 2 <= h ^+ 2 / 4.
Proof.
move=> sorted /allP gaps from to.
have [p inside [lt lo hi ->]] := interpolant_on_piece square sorted from to.
have /andP[-> /le_trans->//] := chord_error lt lo hi.
have gap0 : 0 <= p.2 - p.1 by rewrite subr_ge0 ltW.
rewrite ler_pmul2r ?invr_gt0 ?ltr0n // ler_sqr ?nnegrE ?gaps //.
exact: le_trans (gaps _ inside).
Qed.

Theorem lowered_squares t0 t1 ts h t : path <%R t0 (t1 :: ts) ->
  all (fun p => p.2 - p.1 <= h) (pieces t0 (t1 :: ts)) -> t0 <= t -> t <= last t1 ts ->
  `|hinges (t0 ^+ 2 - h ^+ 2 / 8) t0 (slope square t0 t1) (steps square t1 ts) t - t ^+ 2| <=
    h ^+ 2 / 8.
Proof.
move=> sorted gaps from to; have := squares_by_hinges sorted gaps from to.
rewrite /interpolant /hinges /square; set b := bends _ _ _; set l := _ * _ => /andP[lo hi].
rewrite ler_norml; apply/andP; split; rewrite -subr_ge0.
  by apply: le_trans lo _; rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
move: hi; rewrite -subr_ge0 => /le_trans; apply; rewrite le_eqVlt; apply/orP; left.
by apply/eqP; field.
Qed.

(* --- Products --- *)

Definition times (g g' : R -> R) x y := (g (x + y) - g' (x - y)) / 4.

Lemma timesE x y : times square square x y = x * y.
Proof. by rewrite /times /square; field. Qed.

Lemma times_within g g' x y b : 0 <= g (x + y) - (x + y) ^+ 2 <= b ->
  0 <= g' (x - y) - (x - y) ^+ 2 <= b -> `|times g g' x y - x * y| <= b / 4.
Proof.
move=> /andP[lo hi] /andP[lo' hi'].
rewrite -timesE /times /square -mulrBl normrM [`|4^-1|]gtr0_norm ?invr_gt0 ?ltr0n //.
rewrite ler_pmul2r ?invr_gt0 ?ltr0n // [X in `|X|](_ : _ =
  (g (x + y) - (x + y) ^+ 2) - (g' (x - y) - (x - y) ^+ 2)); last by ring.
rewrite ler_norml ler_subr_addr ler_subl_addr; apply/andP; split.
  by apply: le_trans lo; rewrite addrC subr_le0.
by rewrite (le_trans hi) // ler_addl.
Qed.

(* x y by hinges for squares, which may have different knots: both are above, so that the
   difference is at most h^2 / 16 off. *)
Theorem products_by_hinges t0 t1 ts u0 u1 us h x y :
  path <%R t0 (t1 :: ts) -> all (fun p => p.2 - p.1 <= h) (pieces t0 (t1 :: ts)) ->
  path <%R u0 (u1 :: us) -> all (fun p => p.2 - p.1 <= h) (pieces u0 (u1 :: us)) ->
  t0 <= x + y -> x + y <= last t1 ts -> u0 <= x - y -> x - y <= last u1 us ->
  `|times (interpolant square t0 t1 ts) (interpolant square u0 u1 us) x y - x * y| <=
    h ^+ 2 / 16.
Proof.
move=> st gt su gu lo hi lo' hi'; rewrite (_ : h ^+ 2 / 16 = h ^+ 2 / 4 / 4); last by field.
apply: times_within; first exact: (squares_by_hinges st gt lo hi).
exact: (squares_by_hinges su gu lo' hi').
Qed.

(* On a grid whose sums and differences are knots products are exact. *)
Theorem products_on_knots t0 t1 ts u0 u1 us x y :
  path <%R t0 (t1 :: ts) -> path <%R u0 (u1 :: us) ->
  x + y \in t0 :: t1 :: ts -> x - y \in u0 :: u1 :: us ->
  times (interpolant square t0 t1 ts) (interpolant square u0 u1 us) x y = x * y.
Proof. by move=> st su kt ku; rewrite -timesE /times !interpolant_at_knots. Qed.

(* Every second point of the grid is enough: i + j and i - j are both even or both odd, and
   halfway between two knots the hinges for t^2 are too high by the same, c^2. *)
Definition even_knots c u ts :=
  forall p, p \in pieces u ts -> exists z : int, p.1 = c * (2 * z)%:~R /\ p.2 = p.1 + c * 2.

Definition odd_int (n : int) := odd `|n|%N.

Lemma subzR (a b : int) : (a - b)%:~R = a%:~R - b%:~R :> R.
Proof. exact: rmorphB. Qed.

Lemma even_error c t0 t1 ts (n : int) : 0 < c -> even_knots c t0 (t1 :: ts) ->
  path <%R t0 (t1 :: ts) -> t0 <= c * n%:~R -> c * n%:~R <= last t1 ts ->
  interpolant square t0 t1 ts (c * n%:~R) = (c * n%:~R) ^+ 2 + (odd_int n)%:R * c ^+ 2.
Proof.
move=> c0 even sorted from to; apply/eqP; rewrite addrC -subr_eq.
have [p inside [lt lo hi ->]] := interpolant_on_piece square sorted from to.
have [z [p1 p2]] := even p inside; rewrite -/(square (c * _)) chord_of_square;
  last by rewrite lt_eqF.
have e2 : c * 2 = c * 2%:~R by [].
move: lo hi; rewrite p2 p1 e2 -mulrDr -!intrD !ler_pmul2l // !ler_int => lo hi.
rewrite -!mulrBr -!subzR mulrACA -expr2 mulrC -intrM; apply/eqP; congr (_ * _).
have near : n = 2 * z \/ n = 2 * z + 1 \/ n = 2 * z + 2 by lia.
rewrite (_ : _ * _ = Posz (odd_int n)) //.
by case: near => [|[|]] ->; [rewrite (_ : odd_int _ = false) | rewrite (_ : odd_int _ = true) |
  rewrite (_ : odd_int _ = false)]; rewrite /odd_int; lia.
Qed.

Theorem products_on_even_knots c t0 t1 ts u0 u1 us (i j : int) : 0 < c ->
  path <%R t0 (t1 :: ts) -> even_knots c t0 (t1 :: ts) ->
  path <%R u0 (u1 :: us) -> even_knots c u0 (u1 :: us) ->
  let x := c * i%:~R in let y := c * j%:~R in
  t0 <= x + y -> x + y <= last t1 ts -> u0 <= x - y -> x - y <= last u1 us ->
  times (interpolant square t0 t1 ts) (interpolant square u0 u1 us) x y = x * y.
Proof.
move=> c0 st et su eu x y; rewrite -timesE /times /x /y -mulrDr -mulrBr -intrD -subzR.
move=> lo hi lo' hi'; rewrite !even_error //.
have -> : odd_int (i - j) = odd_int (i + j) by rewrite /odd_int; lia.
by congr (_ / _); rewrite /square; ring.
Qed.
End Lines.
