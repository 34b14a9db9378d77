(* The theorem about an artifact: if the checker finds no difference, its very weights are
   a transformer of seven layers with K heads in each, of width D. For tasks that are held
   exactly its answer is the mixture in every real field, for every prompt of the domain; and
   what its heads give in layer 4 are the votes. For tasks that are held within errors, where
   the gate is flat, the votes are those of any functions within the errors, and the answer is
   near the mixture of these functions.

   fits w E         == no vector of E has an entry beyond width w
   has_shape p g E  == the shape of the weights: seven layers, K heads, hidden units, width; and
                       which MLPs are idle
   vote p E pr k    == what head k gives in layer 4, all tokens together
   computes p E pr  == on this prompt: the answer is the mixture, the heads give the votes
   mlp_of p E l h   == the MLP of layer l
   computes_the_mixture p E == shape, and `computes` for every field and prompt of the domain
   vote_within p E pr k == what the heads of task k give in layer 3, less in layer 4
   held_on p g pr F == the prompt is in the box; its tasks are held within eps_k of F_k there;
                       each label is within tau of F_k, or at least delta away
   computes_near p g E pr F == on this prompt: votes of the F_k, an answer near their mixture
   computes_within p g E == shape, and `computes_near` for every field, functions and prompt *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai residual spec plan stream.
From construct Require Import gather label query superpose pool square divide theorem.
From construct Require Import norms flat approximate.
From construct Require Import transport matrices network tolerance checker.
From construct Require gate.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

(* --- The shape of the weights --- *)

Section Shape.
Variable T : Type.

(* No vector has an entry beyond width w. *)
Definition within w (vs : vectors T) := all (all (fun q => q.1 < w)%N) vs.
Definition head_within w (H : emitted_head T) :=
  [&& within w (W_Q H), within w (W_K H), within w (W_V H) & within w (W_O H)].
Definition layer_within w (L : emitted_layer T) :=
  [&& all (head_within w) (ehs L), within w (W_in L) & within w (W_out L)].
Definition fits w (E : emitted T) :=
  [&& within w (W_E E), within w (W_pos E), within w (W_U E) & all (layer_within w) (elayers E)].
End Shape.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* --- What the weights do with a prompt --- *)

Section Computes.
Variables (R : realFieldType) (p : plan R) (E : emitted R) (pr : prompt R).
Notation z := (sizes_of p).
Notation c := (votes (pd p) (pm p) (tasks p) pr).

(* What head k gives in layer 4, all tokens together: `run` prints it as a vote. *)
Definition vote k : R := \sum_t given_mx (D z) E (tokens p pr) 3 k t.

Record computes : Prop := Computes {
  the_answer : forall t : 'I_(N p), t = answer p :> nat ->
    answer_mx (D z) E (tokens p pr) t = \row_u mixture (pd p) (pm p) (tasks p) pr u;
  the_votes : forall k, (k < K p)%N -> vote k = (c k)%:R;
  the_weights : forall k, (k < K p)%N ->
    vote k / (\sum_(j < K p) vote j) = (c k)%:R / (\sum_(j < K p) c j)%:R;
  the_examples : forall k i, (k < K p)%N -> (i < pm p)%N ->
    \sum_(t < N p | ex p t == i) given_mx (D z) E (tokens p pr) 3 k t =
    (explains (pd p) (tasks p) pr k i)%:R;
}.

Lemma emitted_computes : admissible (real_ops R) p -> emitted_ok p E ->
  in_domain (pd p) (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p) -> computes.
Proof.
move=> ok eo dom.
have V k : (k < K p)%N -> vote k = (c k)%:R by move=> kK; case: (votes_correct ok dom eo kK).
split=> //.
- by move=> t ta; apply: network_correct.
- move=> k kK; rewrite V // natr_sum; congr (_ / _).
  by apply: eq_bigr => j _; rewrite V.
- by move=> k i kK im; case: (votes_correct ok dom eo kK) => H _; apply: H.
Qed.

(* The MLP of layer l. *)
Definition mlp_of l (h : 'M_(N p, D z)) :=
  mlp_mx (W_in (nth no_layer (elayers E) l)) (W_out (nth no_layer (elayers E) l)) h.

Lemma idle_mlp g l h : emitted_by p (layers_for (real_ops R) p g) E -> idle_at g l ->
  mlp_of l h = h.
Proof.
case=> _ _ _ eL /and3P[l7 ln l5]; have l7' : (l < size (layers_for (real_ops R) p g))%N.
  by rewrite size_layers.
have [_] := all_ok_at no_layer (Layer [::] [::]) eL l7'.
case: g ln {eL l7'} => [g|] ln; do 7?[case: l l7 ln l5 => [|l] // l7 ln l5];
  case=> sw _ wout; exact: (@idle_mx _ p _ _ _ sw wout).
Qed.
End Computes.

(* --- Tasks that are held within errors --- *)

Section Within.
Variables (R : realFieldType) (p : plan R) (g : tolerance R) (E : emitted R) (pr : prompt R).
Variable F : nat -> (nat -> nat -> R) -> nat -> R.
Notation z := (sizes_of p).
Notation d := (pd p).
Notation near_ := (near p pr (tau g) F).
Notation c := (votes_of p near_).

(* F_k is any function that task k is within eps_k of, at the examples and the query. *)
Record held_on : Prop := HeldOn {
  held_box : in_box d (pm p) (pn p) pr (Rx p) (Ry p);
  held_close : forall k i, (k < K p)%N -> (i < pm p)%N -> used pr i ->
    \sum_(u < d) (f_ (tasks p) k (X pr i) u - F k (X pr i) u) ^+ 2 <= eps g k ^+ 2;
  held_close_query : forall k, (k < K p)%N ->
    \sum_(u < d) (f_ (tasks p) k (query pr) u - F k (query pr) u) ^+ 2 <= eps g k ^+ 2;
  held_apart : forall k i, (k < K p)%N -> (i < pm p)%N -> used pr i ->
    let distance2 := \sum_(u < d) (F k (X pr i) u - Y pr i u) ^+ 2 in
    distance2 <= tau g ^+ 2 \/ delta p ^+ 2 <= distance2;
}.

(* What the heads of task k give in layer 3, less what they give in layer 4: together, and at the
   tokens of one example. *)
Definition vote_within k : R := \sum_(t < N p) given_flat pr E k t.
Definition vote_within_at k i : R := \sum_(t < N p | ex p t == i) given_flat pr E k t.

Record computes_near : Prop := ComputesNear {
  near_votes : forall k, (k < K p)%N -> vote_within k = (c k)%:R;
  near_weights : forall k, (k < K p)%N ->
    vote_within k / (\sum_(j < K p) vote_within j) = share_near p pr (tau g) F k;
  near_examples : forall k i, (k < K p)%N -> (i < pm p)%N ->
    vote_within_at k i = (near_ k i)%:R;
  near_answer : forall t : 'I_(N p), t = answer p :> nat ->
    answer_mx (D z) E (tokens p pr) t = \row_u mixture_of p pr near_ u;
  near_mixture : forall t : 'I_(N p), t = answer p :> nat ->
    \sum_(u < d) (answer_mx (D z) E (tokens p pr) t ord0 u - mixture_near p pr (tau g) F u) ^+ 2
      <= (\sum_(k < K p) share_near p pr (tau g) F k * eps g k) ^+ 2;
}.

Lemma norm2_ord (x : nat -> R) : norm2 (iota 0 d) x = \sum_(u < d) x u ^+ 2.
Proof. by rewrite /norm2 -{1}(subn0 d) -/(index_iota 0 d) big_mkord. Qed.

Lemma emitted_near : conditions_for (real_ops R) p (Some g) ->
  emitted_by p (layers_for (real_ops R) p (Some g)) E -> held_on -> computes_near.
Proof.
move=> /andP[ok gh] eo [box cl clq ap]; have [fc t0 e0 ex_] := gate_is_exact ok gh.
have held : held_within p pr (top g) (tau g) F (eps g).
  split=> // [k i kK im us|k kK|k i kK im us]; rewrite ?norm2_ord; [exact: cl|exact: clq|].
  by rewrite /near us norm2_ord; apply: ap.
have V k : (k < K p)%N -> vote_within k = (c k)%:R.
  by move=> kK; case: (approximate_votes ok fc held eo kK).
split=> //.
- move=> k kK; rewrite V // /share_near natr_sum; congr (_ / _).
  by apply: eq_bigr => j _; rewrite V.
- by move=> k i kK im; case: (approximate_votes ok fc held eo kK) => H _; apply: H.
- by move=> t ta; case: (approximate_network ok fc held eo ta).
move=> t ta; have [-> close] := approximate_network ok fc held eo ta.
apply: le_trans close; rewrite norm2_ord le_eqVlt; apply/orP; left; apply/eqP.
by apply: eq_bigr => u _; rewrite mxE.
Qed.
End Within.

(* The shape of the weights; MLPs that add nothing. *)
Record has_shape (p : plan Q) (g : option (tolerance Q)) (E : emitted Q) : Prop := HasShape {
  seven_layers_of_K_heads : [seq size (ehs L) | L <- elayers E] = nseq 7 (K p);
  the_hidden_units : [seq size (W_in L) | L <- elayers E] = hidden_units p g;
  the_width : fits (D (sizes_of p)) E;
  idle_elsewhere : forall R : realFieldType,
    let q := map_plan (@q2r R) p in
    forall l (h : 'M_(N q, D (sizes_of q))), idle_at g l -> mlp_of (map_emitted (@q2r R) E) l h = h;
}.

(* The weights E, in this domain, for these tasks. *)
Record computes_the_mixture (p : plan Q) (E : emitted Q) : Prop := ComputesTheMixture {
  its_shape : has_shape p None E;
  on_every_prompt : forall (R : realFieldType) (pr : prompt R),
    let q := map_plan (@q2r R) p in
    in_domain (pd q) (pm q) (pn q) (tasks q) pr (Rx q) (Ry q) (delta q) ->
    computes q (map_emitted (@q2r R) E) pr;
}.

(* The same for tasks that are held within errors, and for any functions F_k that they are held
   within errors of; delta > tau + 2 eps_k, so that labels can be told apart. *)
Record computes_within (p : plan Q) (g : tolerance Q) (E : emitted Q) : Prop := ComputesWithin {
  within_shape : has_shape p (Some g) E;
  an_error_each : size (errors g) = K p;
  room_for_errors : forall R : realFieldType,
    let q := map_plan (@q2r R) p in let g' := map_tolerance (@q2r R) g in
    0 <= tau g' /\ forall k, (k < K q)%N -> 0 <= eps g' k /\ tau g' + 2%:R * eps g' k < delta q;
  on_every_prompt_within : forall (R : realFieldType) (pr : prompt R) F,
    let q := map_plan (@q2r R) p in let g' := map_tolerance (@q2r R) g in
    held_on q g' pr F -> computes_near q g' (map_emitted (@q2r R) E) pr F;
}.

Lemma all_ok_map (A B C : Type) (P : A -> B -> Prop) (f : A -> C) (g : B -> C) s t :
  (forall x y, P x y -> f x = g y) -> all_ok P s t -> map f s = map g t.
Proof. by move=> fg; elim: s t => [|x s IH] [|y t] //= [/fg-> /IH->]. Qed.

Lemma size_hinges T (p : plan T) : size (hinges p) = sumn (map size (dict p)).
Proof.
rewrite size_flatten /shape -map_comp -[in RHS](mkseq_nth [::] (dict p)) [in RHS]/mkseq.
by rewrite -[in RHS]map_comp; congr sumn; apply: eq_map => v /=; rewrite size_map.
Qed.

Lemma size_filters (A I : Type) (P : I -> A -> bool) (js : seq I) (us : seq A) :
  all (fun u => count (P^~ u) js == 1%N) us ->
  sumn [seq size (filter (P j) us) | j <- js] = size us.
Proof.
elim: us => [|u us IH] /=; first by move=> _; elim: js.
case/andP=> /eqP one /IH <-; rewrite -[X in X.+1]add0n -addSn -one.
elim: js {IH one} => //= j js ->; rewrite addnACA; congr addn.
by case: (P j u).
Qed.

Lemma size_places T (p : plan T) (us : seq (nat * (option nat * hinge T))) :
  all (fun vu => if vu.2.1 is Some q then (q < len p)%N else true) us ->
  sumn [seq size [seq vu <- us | same_place a vu.2.1] | a <- places p] = size us.
Proof.
move=> placed; apply: (size_filters (P := fun a vu => same_place a vu.2.1)).
apply: sub_all placed => -[v [[q|] h]] /= ql; rewrite count_map.
  rewrite (@eq_count _ _ (pred1 q)) // add0n.
  by rewrite count_uniq_mem ?iota_uniq // mem_iota ql.
by rewrite (@eq_count _ _ pred0) ?count_pred0.
Qed.

Lemma dictionary_size T (o : ops T) (p : plan T) :
  all (fun vu => if vu.2.1 is Some q then (q < len p)%N else true) (hinges p) ->
  size (dictionary_units o p) = maxn 1 (2 * sumn (map size (dict p))).
Proof.
move=> placed; rewrite -size_hinges /dictionary_units /nilp.
case: eqP => [->//|/eqP]; rewrite -lt0n => h0.
rewrite size_flatten /shape -map_comp.
rewrite (@eq_map _ _ _ (fun a => 2 * size (hinges_at p a))%N) => [|a]; last first.
  by rewrite /= size_cat !size_map addnn mul2n.
rewrite -(size_places placed) (maxn_idPr _).
  by elim: (places p) => //= a s ->; rewrite mulnDr.
by rewrite muln_gt0 (size_places placed).
Qed.

Lemma compiled_units T (o : ops T) (p : plan T) g :
  all (fun vu => if vu.2.1 is Some q then (q < len p)%N else true) (hinges p) ->
  [seq size (units L) | L <- layers_for o p g] = hidden_units p g.
Proof.
move=> placed; rewrite /hidden_units -(dictionary_size o placed).
by case: g => [g|] /=; rewrite ?size_cat !size_map size_iota // addnn mul2n.
Qed.

Lemma emitted_shape (R : realFieldType) (p : plan R) g E :
  conditions_for (real_ops R) p g -> emitted_by p (layers_for (real_ops R) p g) E ->
  [seq size (ehs L) | L <- elayers E] = nseq 7 (K p) /\
  [seq size (W_in L) | L <- elayers E] = hidden_units p g.
Proof.
move=> cond [_ _ _ eL]; have /andP[ok _] := cond; split.
  rewrite (all_ok_map (g := fun L => size (heads L)) _ eL) => [|x y [/all_ok_size-> //]].
  have -> : 7%N = size [seq size (heads L) | L <- layers_for (real_ops R) p g].
    by rewrite size_map size_layers.
  by apply/all_pred1P; rewrite all_map; apply: heads_for.
rewrite -(compiled_units (real_ops R) g (hinges_placed ok)); apply: all_ok_map eL => x y [_ + _].
by case=> ->; rewrite size_map.
Qed.

Lemma checked_shape p g E : fits (D (sizes_of p)) E -> differences rat_ops p g E = [::] ->
  has_shape p g E.
Proof.
move=> wide none; have [okQ eQ] := accepted [realFieldType of rat] none.
have [heads_ units_] := emitted_shape okQ eQ; split=> //.
- rewrite K_map -map_comp in heads_.
  by rewrite -heads_; apply: eq_map => L /=; rewrite size_map.
- rewrite hidden_units_map -map_comp in units_.
  by rewrite -units_; apply: eq_map => L /=; rewrite size_map.
- move=> R q l h idle; have [_ eo] := accepted R none; apply: (idle_mlp _ eo).
  by rewrite idle_map.
Qed.

Theorem checked p E : fits (D (sizes_of p)) E -> differences rat_ops p None E = [::] ->
  computes_the_mixture p E.
Proof.
move=> wide none; split; first exact: checked_shape.
move=> R pr q dom; have [/andP[okR _] eo] := accepted R none; exact: emitted_computes.
Qed.

Theorem checked_within p g E : fits (D (sizes_of p)) E ->
  differences rat_ops p (Some g) E = [::] -> computes_within p g E.
Proof.
move=> wide none; split; first exact: checked_shape.
- have [/andP[_ /and4P[_ _ /eqP + _]] _] := accepted [realFieldType of rat] none.
  by rewrite size_map K_map.
- move=> R q g'; have [/andP[ok gh] _] := accepted R none.
  have [_ t0 e0 _] := gate_is_exact ok gh; split=> // k kK; split; first exact: e0.
  exact: gate_leaves_room ok gh k kK.
- by move=> R pr F q g' held; have [cond eo] := accepted R none; apply: emitted_near held.
Qed.
