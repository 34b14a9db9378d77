(* The flat gate: two heads whose difference is a vote that is 1 near a match, not only at
   it, and 0 far from one. What the network holds is r beside the task f; the label is y; the
   heads see the residual e = (f - y) + r and its square q = ||e||^2.

   vote a B q       == max(a - B q, 0) - max(a - 1 - B q, 0)
   exact_for a B tau eps delta == the conditions on a and B under which votes are those of f
   B_flat, a_flat   == the choice of B and a that meets them
   flat_unit v t    == unit v of the flat table: 1 near t = v, 0 away from it
   table s M t      == what the flat table of M units writes: s / c, c the number nearest to t *)
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers norms.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Gate.
Variable R : realFieldType.
Implicit Types a B q tau eps delta t : R.

Definition vote a B q : R :=
  relu (real_ops R) (a - B * q) - relu (real_ops R) (a - 1 - B * q).

Lemma voteE a B q : vote a B q = Num.max (a - B * q) 0 - Num.max (a - 1 - B * q) 0.
Proof. by rewrite /vote !reluE. Qed.

Lemma vote_cases a B q : vote a B q =
  if B * q <= a - 1 then 1 else if a <= B * q then 0 else a - B * q.
Proof.
rewrite voteE; have [low|high] := lerP (B * q) (a - 1).
  have step : a - 1 <= a by rewrite ler_subl_addr ler_addl ler01.
  by rewrite !max_l ?subr_ge0 // ?(le_trans low) //; ring.
rewrite [X in _ - X]max_r ?subr_le0 ?(ltW high) // subr0.
by have [far|near] := lerP a (B * q); [rewrite max_r ?subr_le0 | rewrite max_l ?subr_ge0 ?ltW].
Qed.

(* The vote is 1 exactly where B q <= a - 1, and 0 exactly where B q >= a. *)
Lemma vote_is_1 a B q : (vote a B q == 1) = (B * q <= a - 1).
Proof.
rewrite vote_cases; case: lerP => [_|high]; first exact: eqxx.
case: lerP => [_|near]; first by rewrite eq_sym oner_eq0.
by apply/negbTE/eqP => E; move: high; rewrite -[X in a - X]E subKr ltxx.
Qed.

Lemma vote_is_0 a B q : (vote a B q == 0) = (a <= B * q).
Proof.
rewrite vote_cases; case: lerP => [low|high].
  rewrite oner_eq0; apply/esym/negbTE; rewrite -real_ltNge ?num_real //.
  by apply: (le_lt_trans low); rewrite ltr_subl_addr ltr_addl ltr01.
by case: lerP => [_|near]; rewrite ?eqxx // subr_eq0 gt_eqF.
Qed.

Lemma vote_between a B q : 0 <= vote a B q <= 1.
Proof.
rewrite vote_cases; case: (lerP (B * q)) => [_|high]; first by rewrite ler01 lexx.
case: (lerP a) => [_|near]; first by rewrite lexx ler01.
by rewrite subr_ge0 (ltW near) ler_subl_addr -ler_subl_addl ltW.
Qed.

(* --- The thresholds --- *)

Definition exact_for a B tau eps delta :=
  [&& 0 <= B, eps <= delta, B * (tau + eps) ^+ 2 <= a - 1 & a <= B * (delta - eps) ^+ 2].

Definition B_flat tau eps delta := ((delta - eps) ^+ 2 - (tau + eps) ^+ 2)^-1.
Definition a_flat tau eps delta := B_flat tau eps delta * (delta - eps) ^+ 2.

(* A match votes 1, a mismatch 0; dimensions, task, label and error are any. *)
Theorem flat_gate (I : Type) (s : seq I) a B tau eps delta (f y r : I -> R) :
  exact_for a B tau eps delta -> 0 <= tau -> 0 <= eps -> norm2 s r <= eps ^+ 2 ->
  let q := norm2 s (fun i => f i + r i - y i) in
  (norm2 s (fun i => f i - y i) <= tau ^+ 2 -> vote a B q = 1) /\
  (delta ^+ 2 <= norm2 s (fun i => f i - y i) -> vote a B q = 0).
Proof.
case/and4P => B0 ed match_ miss tau0 eps0 re q.
have -> : q = norm2 s (fun i => (f i - y i) + r i) by apply: eq_norm2 => i; rewrite addrAC.
split=> [near|far]; apply/eqP.
  rewrite vote_is_1; apply: le_trans match_; apply: ler_wpmul2l => //.
  exact: norm2_triangle.
rewrite vote_is_0; apply: (le_trans miss); apply: ler_wpmul2l => //.
exact: norm2_apart.
Qed.

(* Such a and B exist if and only if delta > tau + 2 eps. *)
Lemma flat_lt tau eps delta : 0 <= tau -> 0 <= eps -> tau + 2 * eps < delta ->
  [/\ eps <= delta, (tau + eps) ^+ 2 < (delta - eps) ^+ 2 & 0 < B_flat tau eps delta].
Proof.
move=> tau0 eps0 room; have lt : tau + eps < delta - eps.
  by rewrite ltr_subr_addr (le_lt_trans _ room) // le_eqVlt; apply/orP; left; apply/eqP; ring.
have sum0 : 0 <= tau + eps by rewrite addr_ge0.
have lt2 : (tau + eps) ^+ 2 < (delta - eps) ^+ 2.
  by rewrite ltr_sqr // nnegrE ?(le_trans sum0) ?ltW.
by split=> //; rewrite ?invr_gt0 ?subr_gt0 // -subr_ge0 (le_trans sum0) // ltW.
Qed.

Theorem gate_exists tau eps delta : 0 <= tau -> 0 <= eps ->
  tau + 2 * eps < delta <-> exists a B, exact_for a B tau eps delta.
Proof.
move=> tau0 eps0; split=> [room|[a [B /and4P[B0 ed match_ miss]]]].
  have [ed lt2 B0] := flat_lt tau0 eps0 room.
  exists (a_flat tau eps delta), (B_flat tau eps delta).
  rewrite /exact_for (ltW B0) ed lexx andbT /=.
  rewrite ler_subr_addr -ler_subr_addl -mulrBr /B_flat mulVf //.
  by rewrite subr_eq0 gt_eqF.
have lt2 : (tau + eps) ^+ 2 < (delta - eps) ^+ 2.
  rewrite -subr_gt0 real_ltNge ?num_real //; apply/negP => le2.
  have : B * (delta - eps) ^+ 2 <= B * (tau + eps) ^+ 2 by rewrite ler_wpmul2l // -subr_le0.
  move/(le_trans miss)/le_trans => /(_ _ match_).
  by rewrite ler_subr_addr -ler_subr_addl subrr ler10.
move: lt2; rewrite ltr_sqr ?nnegrE ?subr_ge0 ?addr_ge0 // ltr_subr_addr.
by rewrite -addrA -[eps + eps]mulr2n mulr_natl.
Qed.

(* The convenient choice: labels on the task (tau = 0), and eps no more than delta/4. *)
Lemma convenient eps delta : 0 < delta -> 0 <= eps -> 4 * eps <= delta ->
  exact_for (9 / 8) (2 / delta ^+ 2) 0 eps delta.
Proof.
move=> d0 e0 quarter; have d2 : 0 < delta ^+ 2 by rewrite exprn_gt0.
have le4 : eps <= delta.
  by apply: le_trans quarter; rewrite ler_pemull // (ler_nat R 1 4).
have B0 : 0 <= 2 / delta ^+ 2 by rewrite divr_ge0 ?ler0n ?sqr_ge0.
rewrite /exact_for B0 le4 add0r /=; apply/andP; split.
  have -> : 2 / delta ^+ 2 * eps ^+ 2 = (4 * eps) ^+ 2 / (8 * delta ^+ 2).
    by field; rewrite ?gt_eqF.
  have -> : 9 / 8 - 1 = delta ^+ 2 / (8 * delta ^+ 2) :> R by field; rewrite ?gt_eqF.
  rewrite ler_pmul2r ?invr_gt0 ?mulr_gt0 ?ltr0n // ler_sqr ?nnegrE ?(ltW d0) //.
  by rewrite mulr_ge0 ?ler0n.
have -> : 9 / 8 = 2 / delta ^+ 2 * (3 / 4 * delta) ^+ 2 by field; rewrite ?gt_eqF.
rewrite ler_pmul2l ?divr_gt0 ?ltr0n // ler_sqr ?nnegrE ?subr_ge0 //; last first.
  by rewrite mulr_ge0 ?divr_ge0 ?ler0n ?ltW.
rewrite ler_subr_addr -ler_subr_addl (le_trans _ (_ : delta / 4 <= _)) //.
  by rewrite ler_pdivl_mulr ?ltr0n // mulrC.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; field.
Qed.

(* --- They are sharp, in every dimension --- *)

Definition norm2v d (x : 'rV[R]_d) := norm2 (index_enum (ordinal_finType d)) (x 0).

(* A vector of the length that is asked for, along the first coordinate. *)
Definition first d c : 'rV[R]_d := \row_j (if j == 0%N :> nat then c else 0).

Lemma norm2_first d c : (0 < d)%N -> norm2v (first d c) = c ^+ 2.
Proof.
case: d => // d _; rewrite /norm2v /norm2 (bigD1 ord0) //= mxE eqxx big1 ?addr0 // => j j0.
by rewrite mxE (negPf (j0 : j != 0%N :> nat)) expr0n.
Qed.

Lemma first_add d c c' : first d c + first d c' - 0 = first d (c + c').
Proof. by apply/rowP => j; rewrite !mxE subr0; case: ifP => _; rewrite ?addr0. Qed.

(* For delta <= tau + 2 eps one residual comes from a match and from a mismatch, so that no
   function of the residual tells them apart. *)
Theorem no_gate d tau eps delta (V : 'rV[R]_d -> bool) : (0 < d)%N ->
  0 <= tau -> 0 <= eps -> 0 <= delta -> delta <= tau + 2 * eps ->
  ~ forall f y r, norm2v r <= eps ^+ 2 ->
    (norm2v (f - y) <= tau ^+ 2 -> V (f + r - y)) /\
    (delta ^+ 2 <= norm2v (f - y) -> ~~ V (f + r - y)).
Proof.
move=> d0 tau0 eps0 delta0 small tells.
have [|same _] := tells (first d tau) 0 (first d eps); first by rewrite norm2_first.
have [|_ other] := tells (first d (tau + 2 * eps)) 0 (first d (- eps)).
  by rewrite norm2_first ?sqrrN.
move: same other; rewrite !first_add !subr0 !norm2_first // lexx => /(_ isT).
have -> : tau + 2 * eps - eps = tau + eps by ring.
move=> -> miss; suff /miss : delta ^+ 2 <= (tau + 2 * eps) ^+ 2 by [].
by rewrite ler_sqr ?nnegrE // addr_ge0 // mulr_ge0 ?ler0n.
Qed.

(* The conditions on a and B are needed: without them a vote is wrong somewhere. *)
Theorem thresholds_are_needed d a B tau eps delta : (0 < d)%N ->
  (forall f y r : 'rV[R]_d, norm2v r <= eps ^+ 2 ->
    (norm2v (f - y) <= tau ^+ 2 -> vote a B (norm2v (f + r - y)) = 1) /\
    (delta ^+ 2 <= norm2v (f - y) -> vote a B (norm2v (f + r - y)) = 0)) ->
  B * (tau + eps) ^+ 2 <= a - 1 /\ a <= B * (delta - eps) ^+ 2.
Proof.
move=> d0 right; split.
  have [|same _] := right (first d tau) 0 (first d eps); first by rewrite norm2_first.
  move: same; rewrite first_add subr0 !norm2_first // lexx => /(_ isT)/eqP.
  by rewrite vote_is_1.
have [|_ other] := right (first d delta) 0 (first d (- eps)).
  by rewrite norm2_first ?sqrrN.
move: other; rewrite first_add subr0 !norm2_first // lexx => /(_ isT)/eqP.
by rewrite vote_is_0.
Qed.

(* --- Votes that are rounded --- *)

(* M votes that are each off by at most eta add up to a number within M eta of a whole one. *)
Lemma votes_round (c v : seq R) eta : size c = size v ->
  all (fun p => `|p.2 - p.1| <= eta) (zip c v) ->
  `|\sum_(x <- v) x - \sum_(x <- c) x| <= (size c)%:R * eta.
Proof.
elim: c v => [|x c IH] [|x' v] //=; first by rewrite !big_nil subrr normr0 mul0r.
move=> [sz] /andP[xx' rest]; rewrite !big_cons opprD addrACA.
by rewrite -addn1 natrD mulrDl mul1r addrC (le_trans (ler_norm_add _ _)) // ler_add // IH.
Qed.

(* A unit of the flat table: 1 up to 1/4 away from its number, 0 from 3/4 on. *)
Definition flat_unit (v : nat) t := vote (9 / 8) 2 ((t - v%:R) ^+ 2).

(* As layer 6 computes it, from tot = t and sq = t^2. *)
Lemma flat_unitE v t : flat_unit v t =
  Num.max (9 / 8 - 2 * (t ^+ 2 - 2 * v%:R * t + v%:R ^+ 2)) 0 -
  Num.max (1 / 8 - 2 * (t ^+ 2 - 2 * v%:R * t + v%:R ^+ 2)) 0.
Proof. by rewrite /flat_unit voteE; congr (Num.max _ 0 - Num.max _ 0); field. Qed.

Lemma flat_unit_near v t : `|t - v%:R| <= 1 / 4 -> flat_unit v t = 1.
Proof.
move=> near; apply/eqP; rewrite vote_is_1 -real_normK ?num_real //.
have -> : 9 / 8 - 1 = 2 * (1 / 4) ^+ 2 :> R by field.
by rewrite ler_pmul2l ?ltr0n // ler_sqr ?nnegrE // divr_ge0 ?ler0n ?ler01.
Qed.

Lemma flat_unit_far v t : 3 / 4 <= `|t - v%:R| -> flat_unit v t = 0.
Proof.
move=> far; apply/eqP; rewrite vote_is_0 -[(t - _) ^+ 2]real_normK ?num_real //.
have -> : 9 / 8 = 2 * (3 / 4) ^+ 2 :> R by field.
by rewrite ler_pmul2l ?ltr0n // ler_sqr ?nnegrE // divr_ge0 ?ler0n ?ler01.
Qed.

Definition table s M t := \sum_(1 <= v < M.+1) s / v%:R * flat_unit v t.

(* The table reads the whole number c that is nearest to t: it gives s / c, and 0 at 0. *)
Theorem table_reads s M c t : (c <= M)%N -> `|t - c%:R| <= 1 / 4 -> table s M t = s / c%:R.
Proof.
move=> cM near; have off v : v != c -> flat_unit v t = 0.
  move=> vc; apply: flat_unit_far; have vc1 : 1 <= `|c%:R - v%:R : R|.
    have [lt|gt|E] := ltngtP v c; last by rewrite E eqxx in vc.
      by rewrite -natrB ?(ltnW lt) // normr_nat ler1n subn_gt0.
    by rewrite distrC -natrB ?(ltnW gt) // normr_nat ler1n subn_gt0.
  rewrite -(ler_add2r `|t - c%:R|) [X in _ <= X]addrC.
  have -> : t - v%:R = (c%:R - v%:R) - (c%:R - t) by ring.
  apply: le_trans (_ : 1 <= _); first by rewrite -ler_subr_addl (le_trans near) // le_eqVlt;
    apply/orP; left; apply/eqP; field.
  apply: (le_trans vc1); rewrite [`|t - _|]distrC.
  by rewrite -{1}[c%:R - v%:R](subrK (c%:R - t)) (le_trans (ler_norm_add _ _)) // addrC.
rewrite /table; case: (posnP c) => [c0|c_gt0].
  rewrite c0 invr0 mulr0 big_nat big1 // => v /andP[v0 _].
  by rewrite off ?mulr0 // c0 -lt0n.
rewrite (bigD1_seq c) ?iota_uniq ?mem_index_iota ?c_gt0 ?ltnS //= flat_unit_near // mulr1.
by rewrite big1 ?addr0 // => v vc; rewrite off ?mulr0.
Qed.

(* M votes that are each off by at most eta are read as if they were whole, if M eta <= 1/4. *)
Theorem rounded_votes_are_read s (c : seq bool) (v : seq R) eta : size c = size v ->
  all (fun p : bool * R => `|p.2 - p.1%:R| <= eta) (zip c v) -> (size c)%:R * eta <= 1 / 4 ->
  table s (size c) (\sum_(x <- v) x) = s / (count id c)%:R.
Proof.
move=> sz close small; apply: table_reads; first exact: count_size.
have -> : (count id c)%:R = \sum_(x <- [seq (b : nat)%:R | b : bool <- c]) x :> R.
  by rewrite big_map -natr_sum -sumn_count sumnE big_map.
apply: le_trans small; rewrite -(size_map (fun b : bool => b%:R : R)).
apply: votes_round; first by rewrite size_map.
elim: c v sz close => [|b c IH] [|x v] //= [sz] /andP[-> rest].
exact: IH.
Qed.
End Gate.
