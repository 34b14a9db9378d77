(* How a token reads f_k: its operands are the inputs of its example if it stands at the
   home of task k. And how large what it reads can be.

   reads_inputs p k x X == the operands x are the inputs X, as task k is wired
   holds_operands p q v fld feat x == the token v, at position q, holds the operands x, and the
                       features of x that act at q
   bounded p x      == the operands x are within the bounds of the domain *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai residual spec plan.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Reading.
Variables (R : realFieldType) (p : plan R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Hypothesis ok : admissible o p.

Lemma K_gt0 : (0 < K p)%N. Proof. by case/and5P: ok. Qed.

Lemma wiredP k : (k < K p)%N -> wired o p k.
Proof.
case/and5P: ok => _ _ _ _ /and5P[_ _ _ H _] kK.
by apply: (allP H); rewrite mem_iota.
Qed.

Lemma eqbE x y : eqb o x y -> x = y.
Proof. by case/andP => xy yx; apply: le_anti; apply/andP; split; [exact: xy | exact: yx]. Qed.

Lemma readable_row k i : (k < K p)%N -> readable p (home_input p k) (nth [::] (tA (task_of p k)) i).
Proof.
move=> /wiredP/and4P[_ H _ _]; case: (ltnP i (size (tA (task_of p k)))) => iA.
  by apply: (allP H); apply: mem_nth.
by rewrite nth_default.
Qed.

(* x gives the operands, X the inputs; x reads X as task k is wired. *)
Definition reads_inputs k (x X : nat -> nat -> R) :=
  forall r q u, stands_for p (home_input p k) r q -> (q == home_input p k) || (q \in slots p) ->
  (q < (pn p).-1)%N -> (u < pd p)%N -> x r u = X q u.

Lemma linear_read k x X a : reads_inputs k x X -> readable p (home_input p k) a ->
  \sum_(q <- a) q.2 * x (operand p (home_input p k) q.1.1) q.1.2 = linear_of a X.
Proof.
move=> xX /allP ra; rewrite /linear_of !big_seq; apply: eq_bigr => q /ra/and3P[? ? ?].
by rewrite (xX _ q.1.1) // /stands_for eqxx.
Qed.

Lemma hinge_read k x X h h' : reads_inputs k x X -> readable p (home_input p k) (ha h) ->
  same_hinge o p (home_input p k) h h' -> hinge_of h' x = hinge_of h X.
Proof.
move=> xX ra /and4P[/eqbE ec /eqbE ee /eqP es same]; rewrite /hinge_of -ec -ee;
  congr (_ * Num.max (_ + _) _).
rewrite /linear_of; elim: (ha h) (ha h') es same ra => [|q a IH] [|q' a'] //=.
  by rewrite !big_nil.
case=> es /andP[/and3P[sf /eqP eu /eqbE eq] same] /andP[/and3P[q1 q2 q3] ra].
by rewrite !big_cons (IH _ es same ra) -eu -eq (xX _ q.1.1).
Qed.

Lemma feature_read k x X g g' : reads_inputs k x X -> all (readable p (home_input p k) \o @ha R) g ->
  same_feature o p (home_input p k) g g' -> feature_of g' x = feature_of g X.
Proof.
move=> xX + /andP[/eqP es]; rewrite /feature_of.
elim: g g' es => [|h g IH] [|h' g'] //=; first by rewrite !big_nil.
case=> es /andP[rh rg] /andP[sh sg]; rewrite !big_cons (IH _ es rg sg).
by rewrite (hinge_read xX rh sh).
Qed.

(* v holds operands x, and the features of x that act at position q. *)
Record holds_operands at_ (v : coord -> R) fld (feat : nat -> coord) x : Prop := HoldsOperands {
  ho_x : forall r u, (r <= size (slots p))%N -> (u < pd p)%N -> v (fld r u) = x r u;
  ho_g : forall i, (i < size (dict p))%N -> v (feat i) = feature_of (dict_at p at_ i) x;
  ho_1 : v One = 1;
}.

Lemma operand_le k q : (q == home_input p k) || (q \in slots p) ->
  (operand p (home_input p k) q <= size (slots p))%N.
Proof. by rewrite /operand; case: eqP => //= _ qs; rewrite index_mem. Qed.

(* Over such fields, at the home of task k, f_form is f_k. *)
Lemma read_f k v fld feat x X i : (k < K p)%N ->
  holds_operands (home p k) v fld feat x -> reads_inputs k x X ->
  ap (f_form o p k fld feat i) v = f_ (tasks p) k X i.
Proof.
move=> kK H xX; have /and4P[_ _ rg /allP rC] := wiredP kK.
rewrite /f_form !ap_cat !ap_map ap1 /= (ho_1 H) mulr1 addrA.
rewrite /f_ /f -/(task_of p k); congr (_ + _ + _).
  rewrite -(linear_read xX (readable_row i kK)) !big_seq; apply: eq_bigr => q qa.
  have /allP/(_ _ qa)/and3P[q1 q2 q3] := readable_row i kK.
  by rewrite (ho_x H) // operand_le.
rewrite !big_seq; apply: eq_bigr => q qC /=.
have iC : (i < size (tC (task_of p k)))%N.
  by rewrite ltnNge; apply/negP => /(nth_default [::]) E; rewrite E in qC.
have /allP/(_ _ qC)/andP[P_ok same] := rC _ (mem_nth [::] iC).
rewrite (ho_g H) // (feature_read xX _ same) //.
case: (ltnP q.1 (size (tg (task_of p k)))) => qg; last by rewrite nth_default.
by move/all_nthP: rg; apply.
Qed.

(* f_k reads only inputs that there are. *)
Lemma f_eq k X X' i : (k < K p)%N ->
  (forall q u, (q < (pn p).-1)%N -> (u < pd p)%N -> X q u = X' q u) ->
  f_ (tasks p) k X i = f_ (tasks p) k X' i.
Proof.
move=> kK XX'; have /and4P[_ _ rg _] := wiredP kK.
have lin a : readable p (home_input p k) a -> linear_of a X = linear_of a X'.
  move=> /allP ra; rewrite /linear_of !big_seq; apply: eq_bigr => q /ra/and3P[? ? ?].
  by rewrite XX'.
rewrite /f_ /f -/(task_of p k) lin ?readable_row //; congr (_ + _ + _).
apply: eq_bigr => q _; congr (_ * _).
case: (ltnP q.1 (size (tg (task_of p k)))) => qg; last by rewrite nth_default // /feature_of
  !big_nil.
have rq : all (readable p (home_input p k) \o @ha R) (nth [::] (tg (task_of p k)) q.1).
  by move/all_nthP: rg; apply.
by apply: (eq_big_all rq) => h /= rh; rewrite /hinge_of lin.
Qed.

(* --- Bounds --- *)

Definition bounded (x : nat -> nat -> R) :=
  forall r u, (r <= size (slots p))%N -> (u < pd p)%N -> `|x r u| <= op_bound o p r.

Lemma linear_bounded to a (x : nat -> nat -> R) : bounded x ->
  all (fun q => (to q.1.1 <= size (slots p))%N && (q.1.2 < pd p)%N) a ->
  `|\sum_(q <- a) q.2 * x (to q.1.1) q.1.2| <= linear_bound o p to a.
Proof.
move=> bx /allP wa; rewrite /linear_bound sumE big_map; apply: le_trans (ler_norm_sum _ _ _) _.
rewrite !big_seq; apply: ler_sum => q /wa/andP[qr qu].
by rewrite absE normrM ler_wpmul2l ?normr_ge0 // bx.
Qed.

Lemma Rx_ge0 : 0 <= Rx p.
Proof. by case/and5P: ok => _ _ _ _ /and5P[_ _ _ _ /and4P[H _ _ _]]; apply: H. Qed.
Lemma Ry_ge0 : 0 <= Ry p.
Proof. by case/and5P: ok => _ _ _ _ /and5P[_ _ _ _ /and4P[_ H _ _]]; apply: H. Qed.
Lemma B_ge0 : 0 <= B p.
Proof. by case/and5P: ok => _ _ _ _ /and5P[_ _ _ _ /and4P[_ _ H _]]; apply: H. Qed.
Lemma s_gt0 : 0 < s p.
Proof.
case/and5P: ok => _ _ _ _ /and5P[_ _ _ _ /and4P[_ _ _ /and4P[H _ _ _]]].
by rewrite real_ltNge ?num_real //; apply: H.
Qed.
Lemma B_delta : 1 <= B p * delta p ^+ 2.
Proof.
by case/and5P: ok => _ _ _ _ /and5P[_ _ _ _ /and4P[_ _ _ /and4P[_ H _ _]]]; apply: H.
Qed.
Lemma C_E2 k q : (k < K p)%N -> q \in homes_of p ->
  1 + B p * (\sum_(i <- iota 0 (pd p)) e_bound o p k q i ^+ 2) <= 2%:R * C p.
Proof.
case/and5P: ok => _ _ _ _ /and5P[_ _ _ _ /and4P[_ _ _ /and4P[_ _ _ /allP H]]] kK qh.
have := H k; rewrite mem_iota => /(_ kK)/allP/(_ _ qh); rewrite /E2 sumE big_map /=.
by under eq_bigr do rewrite -expr2.
Qed.

Lemma home_in k : (k < K p)%N -> home p k \in homes_of p.
Proof. by move=> kK; rewrite mem_undup map_f // mem_iota. Qed.

Lemma units_wired v : all (wired_unit p) (nth [::] (dict p) v).
Proof.
have H : all (all (wired_unit p)) (dict p) by case/and5P: ok => _ _ _ _ /and5P[].
case: (ltnP v (size (dict p))) => vP; last by rewrite nth_default.
by move/all_nthP: H; apply.
Qed.

Lemma units_gated v : all (gated o p) (nth [::] (dict p) v).
Proof.
have H : all (all (gated o p)) (dict p).
  by case/and5P: ok => _ _ _ _ /and5P[_ _ _ _ /and4P[_ _ _ /and4P[_ _ H _]]].
case: (ltnP v (size (dict p))) => vP; last by rewrite nth_default.
by move/all_nthP: H; apply.
Qed.

Lemma dict_wired q v : all (wired_hinge p) (dict_at p q v).
Proof.
rewrite all_map all_filter; apply: sub_all (units_wired v) => u /= /andP[-> _].
exact: implybT.
Qed.

Lemma op_bound_ge0 r : 0 <= op_bound o p r.
Proof.
case: r => [|r] /=; last exact: Rx_ge0.
by rewrite /R_tok; case: ifP => _; [exact: Ry_ge0 | exact: Rx_ge0].
Qed.

Lemma linear_bound_ge0 to a : 0 <= linear_bound o p to a.
Proof.
rewrite /linear_bound sumE big_map; apply: sumr_ge0 => q _.
by rewrite absE mulr_ge0 ?normr_ge0 ?op_bound_ge0.
Qed.

Lemma hinge_bound_ge0 h : 0 <= hinge_bound o p h.
Proof. by rewrite addr_ge0 ?linear_bound_ge0 // absE normr_ge0. Qed.

Lemma hinge_bounded (x : nat -> nat -> R) h : bounded x -> wired_hinge p h ->
  `|linear_of (ha h) x + he h| <= hinge_bound o p h.
Proof.
move=> bx wh; apply: le_trans (ler_norm_add _ _) _.
by rewrite /hinge_bound absE ler_add2r; apply: (linear_bounded (to := id)).
Qed.

Lemma feature_bounded g x : bounded x -> all (wired_hinge p) g ->
  `|feature_of g x| <= feature_bound o p g.
Proof.
move=> bx; rewrite /feature_bound sumE /feature_of big_map.
elim: g => [|h g IH] /=; first by rewrite !big_nil normr0.
case/andP=> wh /IH H; rewrite !big_cons; apply: le_trans (ler_norm_add _ _) (ler_add _ H).
rewrite /hinge_of normrM absE ler_wpmul2l ?normr_ge0 //.
apply: le_trans (hinge_bounded bx wh).
by case: (lerP (linear_of (ha h) x + he h) 0) => yy; rewrite ?normr0 ?normr_ge0.
Qed.

(* At any position no more acts than at some home. *)
Lemma e_bound_home k q : (k < K p)%N ->
  exists2 h, h \in homes_of p & forall i, e_bound o p k q i <= e_bound o p k h i.
Proof.
move=> kK; case: (boolP (q \in homes_of p)) => [qh|nq]; first by exists q.
exists (home p k) => [|i]; first exact: home_in.
rewrite ler_add2r ler_add2l /= !sumE !big_map; apply: ler_sum => r _.
rewrite absE ler_wpmul2l ?normr_ge0 // /feature_bound !sumE !big_map !big_filter.
rewrite big_mkcond [X in _ <= X]big_mkcond; apply: (ler_sum_all (units_wired _)) => u.
rewrite /wired_unit; case: u.1 => [a|] //= /andP[_ ah].
case: (a =P q) => [E|_]; first by rewrite -E ah in nq.
by case: ifP => // _; rewrite mulr_ge0 ?hinge_bound_ge0 // absE normr_ge0.
Qed.

Lemma f_bounded k q v fld feat x i : (k < K p)%N -> bounded x ->
  holds_operands q v fld feat x ->
  `|ap (f_form o p k fld feat i) v| + Ry p <= e_bound o p k q i.
Proof.
move=> kK bx H; have /and4P[_ _ _ /allP rC] := wiredP kK.
rewrite /e_bound /= addrA ler_add2r /f_form !ap_cat !ap_map ap1 /= (ho_1 H) mulr1 addrA.
apply: le_trans (ler_norm_add _ _) _; rewrite absE ler_add2r.
apply: le_trans (ler_norm_add _ _) _; apply: ler_add.
  have ra := readable_row i kK.
  have wa : all (fun r => (operand p (home_input p k) r.1.1 <= size (slots p))%N && (r.1.2 < pd p)%N)
      (nth [::] (tA (task_of p k)) i).
    by apply/allP => r /(allP ra)/and3P[q1 _ ->]; rewrite (operand_le q1).
  apply: le_trans _ (linear_bounded bx wa); rewrite le_eqVlt; apply/orP; left; apply/eqP.
  congr (`|_|); rewrite !big_seq; apply: eq_bigr => r /(allP wa)/andP[? ?].
  by rewrite (ho_x H).
rewrite sumE big_map; apply: le_trans (ler_norm_sum _ _ _) _.
rewrite !big_seq; apply: ler_sum => r rC' /=.
have iC : (i < size (tC (task_of p k)))%N.
  by rewrite ltnNge; apply/negP => /(nth_default [::]) E; rewrite E in rC'.
have /allP/(_ _ rC')/andP[P_ok _] := rC _ (mem_nth [::] iC).
rewrite absE normrM ler_wpmul2l ?normr_ge0 // (ho_g H) //.
by apply: feature_bounded; rewrite ?dict_wired.
Qed.
End Reading.
