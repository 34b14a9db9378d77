(* What the quick checker accepts, the checker accepts.

   conditionsE      == the conditions of `quick.v` are those of `plan.v`
   quick_none       == what the quick checker accepts has no difference, and fits: so the
                       theorem holds for it (quick_is_enough, quick_within_is_enough)
   sizes_are        == the sizes of a plan, without reading its tasks *)
From Coq Require Import QArith NArith.
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai residual spec plan stream theorem.
From construct Require Import flat matrices network tolerance checker artifact reader binary quick
  walked.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Open Scope nat_scope.

Lemma zip_maps (A B : Type) (f : A -> B) s t :
  zip (map f s) (map f t) = [seq (f q.1, f q.2) | q <- zip s t].
Proof. by elim: s t => [|x s IH] [|x' t] //=; rewrite IH. Qed.

Section Conditions.
Variable w : written_plan.
Notation o := rat_ops.
Notation p := (read_plan w).
Notation z := (sizes_of p).
Notation y := (layout_of w).
Local Opaque layout_of.
Notation view_ k := (view_of w (nth no_task (wtasks w) k) (nth zero (whomes w) k)
                             (nth [::] (wreads w) k)).

Lemma all_views (P : pred view) (Q : pred nat) : (forall k, P (view_ k) = Q k) ->
  all P (views w) = all Q (iota 0 (K p)).
Proof.
move=> PQ; have -> : all P (views w) = all id (map P (views w)) by rewrite all_map.
by rewrite (viewsE PQ) all_map.
Qed.

(* --- The wiring --- *)

Lemma in_slotsE q : in_slots w q = (index_of q \in slots p).
Proof.
rewrite /in_slots /=; elim: (wslots w) => //= s ss IH.
by rewrite inE -index_eqb IH.
Qed.

Lemma readableE h a : q_readable w y h a = readable p (index_of h) (read_linear a).
Proof.
rewrite /readable all_map; apply: eq_all => q /=.
by rewrite index_eqb in_slotsE !index_ltb n1E dE.
Qed.

Lemma stands_forE h r q : q_stands_for w h r q =
  stands_for p (index_of h) (index_of r) (index_of q).
Proof.
rewrite /q_stands_for /stands_for !index_eqb operandE -/(in_slots w q) in_slotsE.
have := operandE w (BinNat.N.succ q) q; rewrite /operand_of /operand.
rewrite index_eqb index_succ (ltn_eqF (ltnSn _)) => -> //.
Qed.

Lemma same_hingeE h g g' :
  q_same_hinge w h g g' = same_hinge o p (index_of h) (read_hinge g) (read_hinge g').
Proof.
rewrite /q_same_hinge /same_hinge /= !size_map zip_maps all_map.
congr [&& _, _, _ & _]; apply: eq_all => q /=.
by rewrite !index_eqb stands_forE.
Qed.

Lemma same_featureE h g g' : q_same_feature w h g g' =
  same_feature o p (index_of h) (map read_hinge g) (map read_hinge g').
Proof.
rewrite /q_same_feature /same_feature !size_map zip_maps all_map.
by congr (_ && _); apply: eq_all => q /=; rewrite same_hingeE.
Qed.

Lemma actsE q a : q_acts q a = acts (index_of q) (omap index_of a).
Proof. by case: a => //= h; rewrite index_eqb. Qed.

Lemma at_homeE q v : map read_hinge (at_home q (nth [::] (wdict w) v)) = dict_at p (index_of q) v.
Proof.
rewrite /dict_at /= (nth_f (map read_unit) [::]) filter_map -!map_comp; congr map.
by apply: eq_filter => u /=; rewrite actsE.
Qed.

Lemma wiredE k : q_wired w y (table [::] (wdict w)) (view_ k) = wired o p k.
Proof.
rewrite /q_wired /wired index_ltb lastE task_read home_read (input_read w k) /= !all_map.
congr [&& _, _, _ & _].
- by apply: eq_all => a /=; rewrite readableE.
- apply: eq_all => g /=; rewrite all_map; apply: eq_all => h /=.
  by rewrite readableE.
- apply: eq_all => r /=; rewrite all_map; apply: eq_all => q /=.
  rewrite -[table zero _]/(v_reads (view_ k)) index_ltb PE same_featureE !look_table.
  rewrite at_homeE (nth_f (map index_of) [::]) (nth_f index_of zero).
  by rewrite -(nth_f (map read_hinge) [::]).
Qed.

Lemma wired_hingeE h : q_wired_hinge y h = wired_hinge p (read_hinge h).
Proof.
rewrite /wired_hinge all_map; apply: eq_all => q /=.
rewrite index_ltb dE; congr (_ && _).
by rewrite -SE leqNgt -index_ltb BinNat.N.ltb_antisym negbK.
Qed.

Notation homes_ := (undup (map v_home (views w))).

Lemma homesE : map index_of homes_ = homes_of p.
Proof.
rewrite -(undup_map_inj index_inj) -map_comp /homes_of.
by congr undup; apply: viewsE => k; rewrite home_read.
Qed.

Lemma wired_unitE u : q_wired_unit y homes_ u = wired_unit p (read_unit u).
Proof.
rewrite /q_wired_unit /wired_unit wired_hingeE /=; congr (_ && _); case: u.1 => //= h.
rewrite -homesE; elim: homes_ => //= q qs ->.
by rewrite inE index_eqb.
Qed.

(* --- The margins --- *)

Notation b := (q_token_bound w).

Lemma operand_boundE r : q_operand_bound w b r = op_bound o p (index_of r).
Proof. by case: r => //= q; case: (Pos2Nat.is_succ q) => n; rewrite /index_of /= => ->. Qed.

Lemma linear_boundE to to' a : (forall r, index_of (to r) = to' (index_of r)) ->
  q_linear_bound w b to a = linear_bound o p to' (read_linear a).
Proof.
move=> E; rewrite /linear_bound -map_comp; congr sum; apply: eq_map => q.
by rewrite /comp operand_boundE E.
Qed.

Lemma hinge_boundE h : q_hinge_bound w b h = hinge_bound o p (read_hinge h).
Proof. by rewrite /q_hinge_bound (linear_boundE (to' := id)). Qed.

Lemma feature_boundE g : q_feature_bound w b g = feature_bound o p (map read_hinge g).
Proof.
rewrite /feature_bound -map_comp; congr sum; apply: eq_map => h.
by rewrite /comp -hinge_boundE.
Qed.

Lemma E2E k q : q_E2 w b (q_bounds w b q) (view_ k) = E2 o p k (index_of q).
Proof.
rewrite /E2 /q_E2; congr sum; apply: walkE => i.
suff -> : q_error_bound w b (q_bounds w b q) (view_ k)
   (Row (BinNat.N.of_nat i) (nth [::] (wA (nth no_task (wtasks w) k)) i)
       (nth [::] (wC (nth no_task (wtasks w) k)) i) (nth q0 (wb (nth no_task (wtasks w) k)) i))
   = e_bound o p k (index_of q) i by [].
rewrite /q_error_bound /e_bound task_read (input_read w k).
congr (add o (add o _ (sum o _)) _).
  by rewrite (linear_boundE _ (fun r => operandE w _ r)) /= (nth_f read_linear [::]).
rewrite /tC /read_written /read_task (nth_f read_entries [::]) -map_comp.
apply: eq_map => r; rewrite /comp (reads_read w k) [look q0 _ _]look_table.
rewrite -at_homeE -feature_boundE.
rewrite -[q_feature_bound w b (at_home q _)]/((q_feature_bound w b \o at_home q) _).
by rewrite -(nth_f (q_feature_bound w b \o at_home q) [::]).
Qed.

Lemma roomE top : q_room w (views w) top b (map (q_bounds w b) homes_) =
  all (fun k => all (fun q =>
    leq_ o (add o top (mul o (B p) (E2 o p k q))) (mul o (num o 2) (C p))) (homes_of p))
    (iota 0 (K p)).
Proof.
apply: all_views => k; rewrite -homesE !all_map; apply: eq_all => q.
by rewrite /= E2E.
Qed.

Lemma marginsE : q_margins w (views w) homes_ = margins_hold o p.
Proof.
rewrite /q_margins /margins_hold roomE; congr [&& _, _, _, _, _, _ & _].
rewrite /= all_map; apply: eq_all => g /=; rewrite all_map; apply: eq_all => u /=.
by rewrite /gated /=; case: u.1 => //= _; rewrite hinge_boundE.
Qed.

Lemma gate_holdsE g : q_gate_holds w (views w) homes_ g = gate_holds o p g.
Proof.
rewrite /q_gate_holds /gate_holds /flat_conditions roomE -K_written /gathering /nilp !size_map.
by congr [&& _, _, _ & _].
Qed.

Lemma conditionsE g : conditions w y (views w) g = conditions_for o p g.
Proof.
rewrite /conditions /conditions_for; congr (_ && _); last first.
  by case: g => //= g; rewrite gate_holdsE.
rewrite /admissible marginsE -K_written -lenE /gathering /nilp !size_map !all_map.
congr [&& _, _, _, _, _, _, _, _ & _].
- by apply: eq_all => q /=; rewrite index_ltb n1E.
- by apply: eq_all => q /=; rewrite index_ltb n1E.
- by apply: eq_all => v /=; rewrite all_map; apply: eq_all => u; rewrite wired_unitE.
- by apply: all_views => k; rewrite wiredE.
Qed.
End Conditions.

(* --- The comparison --- *)

Lemma flatten_nils (A : Type) n (F : nat -> seq A) :
  (forall i, i < n -> F i = [::]) -> flatten [seq F i | i <- iota 0 n] = [::].
Proof.
move=> F0; rewrite (_ : map F _ = map (fun=> [::]) (iota 0 n)); first by elim: (iota 0 n).
by apply/eq_in_map => i; rewrite mem_iota => /F0.
Qed.

Lemma both_nth (A B : Type) (f : A -> B -> bool) a b s t : both f s t ->
  size s = size t /\ forall i, i < size t -> f (nth a s i) (nth b t i).
Proof.
elim: s t => [|x s IH] [|x' t] //= /andP[fx /IH[-> ft]]; split=> // -[|i] //.
exact: ft.
Qed.

Lemma within_map (A B : Type) wd (f : A -> vectors B) s :
  all (within wd) (map f s) = all (fun x => within wd (f x)) s.
Proof. exact: all_map. Qed.

Lemma fst_rd (A B : Type) (g : A -> B) s :
  map (@map_form _ _ Q Q g id) (map fst s) = map fst (map_pairs g id s).
Proof. by rewrite /map_pairs -!map_comp. Qed.
Lemma snd_rd (A B : Type) (g : A -> B) s :
  map (@map_form _ _ Q Q g id) (map snd s) = map snd (map_pairs g id s).
Proof. by rewrite /map_pairs -!map_comp. Qed.

Section Compare.
Variables (w : written_plan) (width : bin).
Notation o := rat_ops.
Notation p := (read_plan w).
Notation rdh := (@map_head bin nat Q Q index_of id).
Notation plh := (@map_head coord nat Q Q (place (sizes_of p)) id).
Notation rdl := (@map_layer bin nat Q Q index_of id).
Notation pll := (@map_layer coord nat Q Q (place (sizes_of p)) id).
Notation W := (index_of width).

Lemma vector_none e f g : rd f = pl w g -> same e f ->
  vector_differs o p (read_entries e) g = [::].
Proof.
move=> fg ef; rewrite /vector_differs -/(pl w g) -fg.
rewrite (eq_filter (a2 := pred0)) ?filter_pred0 // => j /=.
by rewrite (sameP j ef).
Qed.

Lemma matchesP es fs : matches width es fs ->
  [/\ size es = size fs, forall r, same (nth [::] es r) (nth [::] fs r) &
      within W (read_vectors es)].
Proof.
elim: es fs => [|e es IH] [|f fs] //=; first by split=> // -[].
case/and3P => we ef /IH[-> s_ w_]; split=> //; first by case.
rewrite w_ andbT all_map; apply: sub_all we => q /=.
by rewrite index_ltb.
Qed.

Lemma tensor_none t es fs gs : map rd fs = map (pl w) gs -> matches width es fs ->
  tensor_differs o p t (read_vectors es) gs = [::] /\ within W (read_vectors es).
Proof.
move=> fg /matchesP[se ef we]; split=> //.
have sg : size fs = size gs by rewrite -(size_map rd) fg size_map.
rewrite /tensor_differs size_map se sg eqxx /=; apply: flatten_nils => r rg.
rewrite (nth_f read_entries [::]) (vector_none (f := nth [::] fs r)) //.
by rewrite -(nth_f rd [::]) fg (nth_f (pl w) [::]).
Qed.

Lemma head_none l k E H H' : rdh H = plh H' -> matches_head width E H ->
  head_differs o p l k (read_head E) H' = [::] /\ head_within W (read_head E).
Proof.
case=> rr vv /and4P[hQ hK hV hO].
have [q1 q2] := tensor_none (TensorQ l k) (gs := map fst (rows H'))
  (etrans (fst_rd _ _) (etrans (congr1 _ rr) (esym (fst_rd _ _)))) hQ.
have [k1 k2] := tensor_none (TensorK l k) (gs := map snd (rows H'))
  (etrans (snd_rd _ _) (etrans (congr1 _ rr) (esym (snd_rd _ _)))) hK.
have [v1 v2] := tensor_none (TensorV l k) (gs := map fst (vals H'))
  (etrans (fst_rd _ _) (etrans (congr1 _ vv) (esym (fst_rd _ _)))) hV.
have [o1 o2] := tensor_none (TensorO l k) (gs := map snd (vals H'))
  (etrans (snd_rd _ _) (etrans (congr1 _ vv) (esym (snd_rd _ _)))) hO.
by rewrite /head_differs q1 k1 v1 o1 /head_within q2 k2 v2 o2.
Qed.

Definition no_written_head := WrittenHead [::] [::] [::] [::].
Definition no_written_layer := WrittenLayer [::] [::] [::].

Lemma layer_none l E L L' : rdl L = pll L' -> matches_layer width E L ->
  layer_differs o p l (read_layer E) L' = [::] /\ layer_within W (read_layer E).
Proof.
case=> hh uu /and3P[/(both_nth no_written_head idle_head)[sh h] iI oO].
have [i1 i2] := tensor_none (TensorIn l) (gs := map fst (units L'))
  (etrans (fst_rd _ _) (etrans (congr1 _ uu) (esym (fst_rd _ _)))) iI.
have [o1 o2] := tensor_none (TensorOut l) (gs := map snd (units L'))
  (etrans (snd_rd _ _) (etrans (congr1 _ uu) (esym (snd_rd _ _)))) oO.
have sH : size (heads L) = size (heads L') by rewrite -(size_map rdh) hh size_map.
have N k : k < size (heads L) -> head_differs o p l k (read_head (nth no_written_head (wheads E) k))
    (nth idle_head (heads L') k) = [::] /\
    head_within W (read_head (nth no_written_head (wheads E) k)).
  move=> kL; apply: head_none (h k kL).
  by rewrite -(nth_f rdh idle_head) hh (nth_f plh idle_head).
rewrite /layer_differs /layer_within i1 i2 o1 o2 /= size_map sh sH eqxx /= andbT cats0; split.
  apply: flatten_nils => k; rewrite -sH (nth_f read_head no_written_head) => /N[] //.
rewrite all_map; apply/(all_nthP no_written_head) => k; rewrite sh => /N[] //.
Qed.
End Compare.

(* What the quick checker accepts has no difference, and lies within the width. *)
Lemma quick_none w g E : quick w g E ->
  fits (D (sizes_of (read_plan w))) (read_weights E) /\
  differences rat_ops (read_plan w) g (read_weights E) = [::].
Proof.
rewrite /quick conditionsE => /and5P[ok eE eP eU].
case/(both_nth no_written_layer (Layer [::] [::])) => sL L.
set width := BinNat.N.of_nat _ in eE eP eU L *.
have -> : D (sizes_of (read_plan w)) = index_of width by rewrite index_of_nat sizesE.
have [e1 e2] := tensor_none TensorE (embeddingE w) eE.
have [p1 p2] := tensor_none TensorPos (placesE w) eP.
have [u1 u2] := tensor_none TensorU (unembeddingE w) eU.
have N l : l < size (layers_of w (layout_of w) (views w) g) ->
    layer_differs rat_ops (read_plan w) l (read_layer (nth no_written_layer (wlayers E) l))
      (nth (Layer [::] [::]) (layers_for rat_ops (read_plan w) g) l) = [::] /\
    layer_within (index_of width) (read_layer (nth no_written_layer (wlayers E) l)).
  move=> ll; apply: layer_none (L l ll).
  rewrite -(nth_f (@map_layer bin nat Q Q index_of id) (Layer [::] [::])) layers_ofE.
  exact: (nth_f (@map_layer coord nat Q Q _ id) (Layer [::] [::])).
split; first rewrite /fits e2 p2 u2 all_map /=.
  by apply/(all_nthP no_written_layer) => l; rewrite sL => /(N l)[].
have seven : size (layers_of w (layout_of w) (views w) g) = size (layers_for rat_ops (read_plan w) g).
  by rewrite -(size_map (@map_layer bin nat Q Q index_of id)) layers_ofE size_map.
rewrite /differences ok e1 p1 u1 cats0 /= size_map sL seven eqxx.
apply: flatten_nils => l; rewrite -seven => /N[<- _].
by rewrite (nth_f read_layer no_written_layer).
Qed.

(* The theorem for the weights of an artifact, as they were written. *)
Theorem quick_is_enough w E : quick w None E ->
  computes_the_mixture (read_plan w) (read_weights E).
Proof. by case/quick_none=> ? ?; apply: checked. Qed.

(* The same, for tasks that are held within errors. *)
Theorem quick_within_is_enough w g E : quick w (Some g) E ->
  computes_within (read_plan w) g (read_weights E).
Proof. by case/quick_none=> ? ?; apply: checked_within. Qed.

(* Shape and sizes, from what was written alone. *)
Definition hidden_written w (g : option (tolerance Q)) :=
  let hinges := maxn 1 (2 * sumn (map size (wdict w))) in
  if g is Some _ then [:: 1; hinges; 1; 1; 1; 2 * (wm w * size (wtasks w)); 1]
  else [:: 1; 1; hinges; 1; 1; wm w * size (wtasks w); 1].

Lemma sizes_are w g : let p := read_plan w in
  (K p, D (sizes_of p), N p, answer p, hidden_units p g) =
  (size (wtasks w), D (sizes_written w), wN w, wm w * len_written w + (len_written w).-1,
   hidden_written w g).
Proof.
rewrite /= K_written sizesE /answer /token -lenE /hidden_units K_written /hidden_written /=.
by rewrite -map_comp (eq_map (f2 := size)) // => x; apply: size_map.
Qed.
