(* The theorem about an artifact: if the checker finds no difference, its very weights are
   a transformer of seven layers with K heads in each, of width D, whose answer is the
   mixture in every real field, for every prompt of the domain; and what its heads give in
   layer 4 are the votes.

   hidden_units p   == the number of hidden units in each layer
   fits w E         == no vector of E has an entry beyond width w
   vote p E pr k    == what head k gives in layer 4, all tokens together
   computes p E pr  == on this prompt: the answer is the mixture, the heads give the votes
   mlp_of p E l h   == the MLP of layer l
   computes_the_mixture p E == shape, and `computes` for every field and prompt of the domain *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai residual spec plan stream.
From construct Require Import gather label query superpose pool square divide theorem.
From construct Require Import transport matrices network checker.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

(* --- The shape of the weights --- *)

Section Shape.
Variable T : Type.

(* In layer 3 each hinge of the dictionary has a unit over the example and one over the
   query; layer 6 has a unit for each number of votes; elsewhere is one, which is idle. *)
Definition hidden_units (p : plan T) : seq nat :=
  [:: 1; 1; maxn 1 (2 * sumn (map size (dict p))); 1; 1; pm p * K p; 1]%N.

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

Lemma idle_mlp l h : emitted_ok p E -> (l < 7)%N -> l != 2%N -> l != 5%N -> mlp_of l h = h.
Proof.
case=> _ _ _ eL l7 l2 l5; have [_] := all_ok_at no_layer (Layer [::] [::]) eL l7.
do 7?[case: l l7 l2 l5 => [|l] // l7 l2 l5]; case=> sw _ wout; exact: (@idle_mx _ p _ _ _ sw wout).
Qed.
End Computes.

(* The weights E, in this domain, for these tasks. *)
Record computes_the_mixture (p : plan Q) (E : emitted Q) : Prop := ComputesTheMixture {
  seven_layers_of_K_heads : [seq size (ehs L) | L <- elayers E] = nseq 7 (K p);
  the_hidden_units : [seq size (W_in L) | L <- elayers E] = hidden_units p;
  the_width : fits (D (sizes_of p)) E;
  idle_elsewhere : forall R : realFieldType,
    let q := map_plan (@q2r R) p in
    forall l (h : 'M_(N q, D (sizes_of q))), (l < 7)%N -> l != 2%N -> l != 5%N ->
    mlp_of (map_emitted (@q2r R) E) l h = h;
  on_every_prompt : forall (R : realFieldType) (pr : prompt R),
    let q := map_plan (@q2r R) p in
    in_domain (pd q) (pm q) (pn q) (tasks q) pr (Rx q) (Ry q) (delta q) ->
    computes q (map_emitted (@q2r R) E) pr;
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

Lemma compiled_units T (o : ops T) (p : plan T) :
  all (fun vu => if vu.2.1 is Some q then (q < len p)%N else true) (hinges p) ->
  [seq size (units L) | L <- compile o p] = hidden_units p.
Proof.
move=> placed; rewrite /hidden_units -size_hinges /= size_map size_iota /dictionary_units /nilp.
case: eqP => [->//|/eqP]; rewrite -lt0n => h0.
rewrite size_flatten /shape -map_comp; congr [:: _; _; _; _; _; _; _].
rewrite (@eq_map _ _ _ (fun a => 2 * size (hinges_at p a))%N) => [|a]; last first.
  by rewrite /= size_cat !size_map addnn mul2n.
rewrite -(size_places placed) (maxn_idPr _).
  by elim: (places p) => //= a s ->; rewrite mulnDr.
by rewrite muln_gt0 (size_places placed).
Qed.

Lemma emitted_shape (R : realFieldType) (p : plan R) E :
  admissible (real_ops R) p -> emitted_ok p E ->
  [seq size (ehs L) | L <- elayers E] = nseq 7 (K p) /\
  [seq size (W_in L) | L <- elayers E] = hidden_units p.
Proof.
move=> ok [_ _ _ eL]; have [K0 SK] : (0 < K p)%N /\ (gathering p <= K p)%N.
  by case/and5P: ok => _ _ ? ?.
split.
  rewrite (all_ok_map (g := fun L => size (heads L)) _ eL) => [|x y [/all_ok_size-> //]].
  by apply/all_pred1P; rewrite all_map; apply: K_heads.
rewrite -(compiled_units (real_ops R) (hinges_placed ok)); apply: all_ok_map eL => x y [_ + _].
by case=> ->; rewrite size_map.
Qed.

Lemma hidden_units_map T1 T2 (phi : T1 -> T2) p : hidden_units (map_plan phi p) = hidden_units p.
Proof.
rewrite /hidden_units /= K_map -map_comp.
by congr [:: _; _; maxn 1 (2 * sumn _); _; _; _; _]; apply: eq_map => g /=; rewrite size_map.
Qed.

Theorem checked p E : fits (D (sizes_of p)) E -> differences rat_ops p E = [::] ->
  computes_the_mixture p E.
Proof.
move=> wide none; have [okQ eQ] := accepted [realFieldType of rat] none.
have [heads_ units_] := emitted_shape okQ eQ; split=> //.
- rewrite K_map -map_comp in heads_.
  by rewrite -heads_; apply: eq_map => L /=; rewrite size_map.
- rewrite hidden_units_map -map_comp in units_.
  by rewrite -units_; apply: eq_map => L /=; rewrite size_map.
- by move=> R q l h l7 l2 l5; have [_ eo] := accepted R none; apply: idle_mlp.
- by move=> R pr q dom; have [okR eo] := accepted R none; apply: emitted_computes.
Qed.
