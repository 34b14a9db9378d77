(* How a token reads f_k: its operands are the inputs of its example if it stands at the
   home of task k. And how large what it reads can be.

   reads_inputs p k x X == the operands x are the inputs X, as task k is wired
   holds_operands p v fld feat x == the token v holds the operands x, and their features
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

Lemma wiredP k : (k < K p)%N -> wired o p k.
Proof.
case/and5P: ok => _ _ _ _ /and4P[_ _ H _] kK.
by apply: (allP H); rewrite mem_iota.
Qed.

Lemma eqbE x y : eqb o x y -> x = y.
Proof. by case/andP => xy yx; apply: le_anti; apply/andP; split; [exact: xy | exact: yx]. Qed.

Lemma readable_row k i : (k < K p)%N -> readable p (home p k) (nth [::] (tA (task_of p k)) i).
Proof.
move=> /wiredP/and4P[_ H _ _]; case: (ltnP i (size (tA (task_of p k)))) => iA.
  by apply: (allP H); apply: mem_nth.
by rewrite nth_default.
Qed.

(* x gives the operands, X the inputs; x reads X as task k is wired. *)
Definition reads_inputs k (x X : nat -> nat -> R) :=
  forall q u, (q == home p k) || (q \in slots p) -> (q < (pn p).-1)%N -> (u < pd p)%N ->
  x (operand p (home p k) q) u = X q u.

Lemma linear_read k x X a : reads_inputs k x X -> readable p (home p k) a ->
  \sum_(q <- a) q.2 * x (operand p (home p k) q.1.1) q.1.2 = linear_of a X.
Proof.
move=> xX /allP ra; rewrite /linear_of !big_seq; apply: eq_bigr => q /ra/and3P[? ? ?].
by rewrite xX.
Qed.

Lemma hinge_read k x X h h' : reads_inputs k x X -> readable p (home p k) (ha h) ->
  same_hinge o p (home p k) h h' -> hinge_of h' x = hinge_of h X.
Proof.
move=> xX ra /and4P[/eqbE ec /eqbE ee /eqP es same]; rewrite /hinge_of -ec -ee;
  congr (_ * Num.max (_ + _) _).
rewrite -(linear_read xX ra) /linear_of.
elim: (ha h) (ha h') es same {ra} => [|q a IH] [|q' a'] //=; first by rewrite !big_nil.
by case=> es /andP[/and3P[/eqP eo /eqP eu /eqbE eq] same];
  rewrite !big_cons (IH _ es same) eo eu eq.
Qed.

Lemma feature_read k x X g g' : reads_inputs k x X -> all (readable p (home p k) \o @ha R) g ->
  same_feature o p (home p k) g g' -> feature_of g' x = feature_of g X.
Proof.
move=> xX + /andP[/eqP es]; rewrite /feature_of.
elim: g g' es => [|h g IH] [|h' g'] //=; first by rewrite !big_nil.
case=> es /andP[rh rg] /andP[sh sg]; rewrite !big_cons (IH _ es rg sg).
by rewrite (hinge_read xX rh sh).
Qed.

(* v holds operands x, and the features of x. *)
Record holds_operands (v : coord -> R) fld (feat : nat -> coord) x : Prop := HoldsOperands {
  ho_x : forall r u, (r <= size (slots p))%N -> (u < pd p)%N -> v (fld r u) = x r u;
  ho_g : forall i, (i < size (dict p))%N -> v (feat i) = feature_of (nth [::] (dict p) i) x;
  ho_1 : v One = 1;
}.

Lemma operand_le k q : (q == home p k) || (q \in slots p) ->
  (operand p (home p k) q <= size (slots p))%N.
Proof. by rewrite /operand; case: eqP => //= _ qs; rewrite index_mem. Qed.

(* Over such fields f_form is f_k. *)
Lemma read_f k v fld feat x X i : (k < K p)%N ->
  holds_operands v fld feat x -> reads_inputs k x X ->
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
have lin a : readable p (home p k) a -> linear_of a X = linear_of a X'.
  move=> /allP ra; rewrite /linear_of !big_seq; apply: eq_bigr => q /ra/and3P[? ? ?].
  by rewrite XX'.
rewrite /f_ /f -/(task_of p k) lin ?readable_row //; congr (_ + _ + _).
apply: eq_bigr => q _; congr (_ * _).
case: (ltnP q.1 (size (tg (task_of p k)))) => qg; last by rewrite nth_default // /feature_of
  !big_nil.
have rq : all (readable p (home p k) \o @ha R) (nth [::] (tg (task_of p k)) q.1).
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

Lemma feature_bounded g x : bounded x -> all (wired_hinge p) g ->
  `|feature_of g x| <= feature_bound o p g.
Proof.
move=> bx; rewrite /feature_bound sumE /feature_of big_map.
elim: g => [|h g IH] /=; first by rewrite !big_nil normr0.
case/andP=> wh /IH H; rewrite !big_cons; apply: le_trans (ler_norm_add _ _) (ler_add _ H).
rewrite /hinge_of normrM absE ler_wpmul2l ?normr_ge0 //.
have le_abs (y : R) : `|Num.max y 0| <= `|y|.
  by case: (lerP y 0) => yy; rewrite ?normr0 ?normr_ge0.
apply: le_trans (le_abs _) _; apply: le_trans (ler_norm_add _ _) _.
by rewrite absE ler_add2r; apply: (linear_bounded (to := id)).
Qed.

Lemma dict_wired i : all (wired_hinge p) (nth [::] (dict p) i).
Proof.
have H : all (all (wired_hinge p)) (dict p) by case/and5P: ok => _ _ _ _ /and4P[].
case: (ltnP i (size (dict p))) => iP; last by rewrite nth_default.
by move/all_nthP: H; apply.
Qed.

Lemma f_bounded k v fld feat x i : (k < K p)%N -> bounded x -> holds_operands v fld feat x ->
  `|ap (f_form o p k fld feat i) v| + Ry p <= e_bound o p k i.
Proof.
move=> kK bx H; have /and4P[_ _ _ /allP rC] := wiredP kK.
rewrite /e_bound /= addrA ler_add2r /f_form !ap_cat !ap_map ap1 /= (ho_1 H) mulr1 addrA.
apply: le_trans (ler_norm_add _ _) _; rewrite absE ler_add2r.
apply: le_trans (ler_norm_add _ _) _; apply: ler_add.
  have ra := readable_row i kK.
  have wa : all (fun q => (operand p (home p k) q.1.1 <= size (slots p))%N && (q.1.2 < pd p)%N)
      (nth [::] (tA (task_of p k)) i).
    by apply/allP => q /(allP ra)/and3P[q1 _ ->]; rewrite (operand_le q1).
  apply: le_trans _ (linear_bounded bx wa); rewrite le_eqVlt; apply/orP; left; apply/eqP.
  congr (`|_|); rewrite !big_seq; apply: eq_bigr => q /(allP wa)/andP[? ?].
  by rewrite (ho_x H).
rewrite sumE big_map; apply: le_trans (ler_norm_sum _ _ _) _.
rewrite !big_seq; apply: ler_sum => q qC /=.
have iC : (i < size (tC (task_of p k)))%N.
  by rewrite ltnNge; apply/negP => /(nth_default [::]) E; rewrite E in qC.
have /allP/(_ _ qC)/andP[P_ok _] := rC _ (mem_nth [::] iC).
rewrite absE normrM ler_wpmul2l ?normr_ge0 // (ho_g H) //.
by apply: feature_bounded; rewrite ?dict_wired.
Qed.
End Reading.
