(* The checker of emitted weights: it computes the compiler's weights over the rationals
   and lists every entry in which an artifact differs from them. If the list is empty,
   the theorem holds for the artifact.

   tensor, difference == where an artifact differs, and how
   differences o p g E == all differences between the weights E and the compiler's, whose
                       layers are those for the tolerance g, if there is one
   map_emitted phi E == the weights with their numbers mapped *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai codes residual spec plan stream.
From construct Require Import gather label query reading superpose pool square divide theorem.
From construct Require Import transport matrices network tolerance.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

(* Where an artifact differs: layer and head count from 0; `Shape` is a wrong size. *)
Inductive tensor :=
  | TensorE | TensorPos | TensorU
  | TensorQ of nat & nat | TensorK of nat & nat | TensorV of nat & nat | TensorO of nat & nat
  | TensorIn of nat | TensorOut of nat.
Inductive difference :=
  | Conditions                        (* the plan does not meet its conditions *)
  | Layers                            (* not seven layers *)
  | Heads of nat                      (* layer: not K heads *)
  | Shape of tensor                   (* not as many vectors *)
  | Entry of tensor & nat & nat.      (* vector, place along D *)

Section Differences.
Variables (T : Type) (o : ops T) (p : plan T).
Notation z := (sizes_of p).

Definition entry_of (e : seq (nat * T)) j := sum o [seq q.2 | q <- e & q.1 == j].

Definition vector_differs (e : seq (nat * T)) (f : form coord T) :=
  let f' := map_form (place z) id f in
  [seq j <- map fst e ++ map fst f' | ~~ eqb o (entry_of e j) (entry_of f' j)].

Definition tensor_differs t (es : vectors T) (fs : seq (form coord T)) :=
  if size es != size fs then [:: Shape t] else
  flatten [seq [seq Entry t r j | j <- vector_differs (nth [::] es r) (nth [::] fs r)]
    | r <- iota 0 (size fs)].

Definition head_differs l k (E : emitted_head T) (H : head coord T) :=
  tensor_differs (TensorQ l k) (W_Q E) (map fst (rows H)) ++
  tensor_differs (TensorK l k) (W_K E) (map snd (rows H)) ++
  tensor_differs (TensorV l k) (W_V E) (map fst (vals H)) ++
  tensor_differs (TensorO l k) (W_O E) (map snd (vals H)).

Definition layer_differs l (E : emitted_layer T) (L : layer coord T) :=
  (if size (ehs E) != size (heads L) then [:: Heads l] else
   flatten [seq head_differs l k (nth no_head (ehs E) k) (nth idle_head (heads L) k)
     | k <- iota 0 (size (heads L))]) ++
  tensor_differs (TensorIn l) (W_in E) (map fst (units L)) ++
  tensor_differs (TensorOut l) (W_out E) (map snd (units L)).

Definition differences (g : option (tolerance T)) (E : emitted T) :=
  let Ls := layers_for o p g in
  (if conditions_for o p g then [::] else [:: Conditions]) ++
  tensor_differs TensorE (W_E E) (embedding o p) ++
  tensor_differs TensorPos (W_pos E) (places_of o p) ++
  (if size (elayers E) != size Ls then [:: Layers] else
   flatten [seq layer_differs l (nth no_layer (elayers E) l) (nth (Layer [::] [::]) Ls l)
     | l <- iota 0 (size Ls)]) ++
  tensor_differs TensorU (W_U E) (unembedding o p).
End Differences.

(* --- Soundness --- *)

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section MapEmitted.
Variables (T1 T2 : Type) (phi : T1 -> T2).
Definition map_vectors (vs : vectors T1) : vectors T2 :=
  [seq [seq (q.1, phi q.2) | q <- v] | v <- vs].
Definition map_ehead E := EmittedHead (map_vectors (W_Q E)) (map_vectors (W_K E))
  (map_vectors (W_V E)) (map_vectors (W_O E)).
Definition map_elayer L := EmittedLayer (map map_ehead (ehs L)) (map_vectors (W_in L))
  (map_vectors (W_out L)).
Definition map_emitted E := Emitted (map_vectors (W_E E)) (map_vectors (W_pos E))
  (map_vectors (W_U E)) (map map_elayer (elayers E)).
End MapEmitted.

Lemma flatten_nil (T : Type) (ss : seq (seq T)) : flatten ss = [::] -> all (@nilp T) ss.
Proof. by elim: ss => [|[|x s] ss IH] //= /IH. Qed.

Lemma map_nil (A B : Type) (f : A -> B) s : map f s = [::] -> s = [::].
Proof. by case: s. Qed.

Lemma cat_nil (A : Type) (s t : seq A) : s ++ t = [::] -> s = [::] /\ t = [::].
Proof. by case: s. Qed.

Lemma flatten_map_nil (A : Type) (n : nat) (F : nat -> seq A) :
  flatten [seq F i | i <- iota 0 n] = [::] -> forall i, (i < n)%N -> F i = [::].
Proof.
move=> /flatten_nil; rewrite all_map => /allP H i iN.
by apply/nilP; apply: H; rewrite mem_iota.
Qed.

Lemma scratch_form_map T1 T2 (o1 : ops T1) (o2 : ops T2) (phi : T1 -> T2) (p : plan T1) r :
  morph o1 o2 phi ->
  scratch_form o2 (map_plan phi p) r = bai.map_form id phi (scratch_form o1 p r).
Proof.
move=> mo; rewrite /scratch_form -[nilp (scratch (map_plan phi p))]/(nilp (scratch p)).
rewrite -[is_scratch (map_plan phi p) r]/(is_scratch p r) -[mark (map_plan phi p) r]/(mark p r).
case: nilp => //; case: is_scratch; rewrite /bai.map_form /=.
  by rewrite (m_sub mo) !(m_num mo).
by rewrite (m_opp mo) !(m_num mo).
Qed.

Section Sound.
Variable R : realFieldType.
Variable p : plan Q.
Notation o := rat_ops.
Notation phi := (@q2r R).
Notation q := (map_plan phi p).
Notation mo := (q2r_morph R).
Notation map_form := (@bai.map_form coord coord Q R id phi).
Notation map_pairs := (@bai.map_pairs coord coord Q R id phi).

Lemma entry_sound (e : seq (nat * Q)) j :
  entry [seq (x.1, phi x.2) | x <- e] j = phi (entry_of o e j).
Proof.
rewrite /entry_of (m_sum mo) sumE /entry -!map_comp !big_map big_filter.
by [].
Qed.

Lemma entry_absent (e : seq (nat * Q)) j : j \notin map fst e -> entry_of o e j = num o 0.
Proof.
rewrite /entry_of => je; rewrite (_ : [seq x <- e | x.1 == j] = [::]) //.
elim: e je => [|x e IH] //=; rewrite inE negb_or eq_sym => /andP[/negPf-> /IH->] //.
Qed.

Lemma vector_sound e f : vector_differs o p e f = [::] ->
  vec_ok q [seq (x.1, phi x.2) | x <- e] (map_form f).
Proof.
rewrite /vector_differs; set f' := bai.map_form _ _ _ => none j _.
have -> : entry (bai.map_form (place (sizes_of q)) id (map_form f)) j = phi (entry_of o f' j).
  by rewrite -entry_sound /f' /bai.map_form -!map_comp sizes_map.
rewrite entry_sound; case: (boolP (j \in map fst e ++ map fst f')) => [js|]; last first.
  by rewrite mem_cat negb_or => /andP[/entry_absent-> /entry_absent->].
have : all (fun j => eqb o (entry_of o e j) (entry_of o f' j)) (map fst e ++ map fst f').
  apply/allP => i ie; apply/negPn/negP => ni.
  by have := mem_filter (fun j => ~~ eqb o (entry_of o e j) (entry_of o f' j)) i
       (map fst e ++ map fst f'); rewrite none ie ni.
by move=> /allP/(_ _ js); rewrite -(eqb_map mo) => /(@eqbE R).
Qed.

Lemma tensor_sound t es fs : tensor_differs o p t es fs = [::] ->
  mat_ok q (map_vectors phi es) (map map_form fs).
Proof.
rewrite /tensor_differs; case: eqP => //= sz none; split; first by rewrite !size_map.
move=> r; rewrite size_map => rs; have /map_nil H := flatten_map_nil none rs.
by rewrite !(nth_map [::]) ?sz //; apply: vector_sound.
Qed.

Lemma fst_pairs s : map fst (map_pairs s) = map map_form (map fst s).
Proof. by rewrite /bai.map_pairs -!map_comp. Qed.
Lemma snd_pairs s : map snd (map_pairs s) = map map_form (map snd s).
Proof. by rewrite /bai.map_pairs -!map_comp. Qed.

Lemma head_sound l k E H : head_differs o p l k E H = [::] ->
  head_ok q (map_ehead phi E) (map_head id phi H).
Proof.
move=> /cat_nil[h1 /cat_nil[h2 /cat_nil[h3 h4]]].
by split; rewrite /= ?fst_pairs ?snd_pairs; apply: tensor_sound; eassumption.
Qed.

Lemma all_ok_nth (A B : Type) (P : A -> B -> Prop) a0 b0 s t : size s = size t ->
  (forall i, (i < size t)%N -> P (nth a0 s i) (nth b0 t i)) -> all_ok P s t.
Proof.
elim: s t => [|a s IH] [|b t] //= [st] H; split; first exact: (H 0%N).
by apply: IH => // i it; apply: (H i.+1).
Qed.

Lemma layer_sound l E L : layer_differs o p l E L = [::] ->
  layer_ok q (map_elayer phi E) (map_layer id phi L).
Proof.
move=> /cat_nil[+ /cat_nil[h2 h3]]; case: eqP => //= sz h1.
split; rewrite /= ?fst_pairs ?snd_pairs; [|exact: tensor_sound h2|exact: tensor_sound h3].
apply: (all_ok_nth (a0 := map_ehead phi no_head) (b0 := map_head id phi idle_head)).
  by rewrite !size_map.
rewrite size_map => k kH; rewrite !(nth_map no_head) ?sz // (nth_map idle_head) //.
exact: head_sound (flatten_map_nil h1 kH).
Qed.

Lemma form1 c : map_form [:: (c, num o 1%N)] = [:: (c, num (real_ops R) 1%N)].
Proof. by congr [:: (_, _)]; apply: (m_num mo). Qed.

Lemma embedding_map : embedding (real_ops R) q = map map_form (embedding o p).
Proof. by rewrite /embedding map_cat -map_comp; congr (_ ++ _);
  [apply: eq_map => u | congr [:: _]]; exact/esym/form1. Qed.

Lemma unembedding_map : unembedding (real_ops R) q = map map_form (unembedding o p).
Proof. by rewrite /unembedding -map_comp; apply: eq_map => u; exact/esym/form1. Qed.

Lemma places_map : places_of (real_ops R) q = map map_form (places_of o p).
Proof.
rewrite /places_of -map_comp; apply: eq_map => t; rewrite /comp sizes_map (scratch_form_map _ _ mo).
rewrite -[live q t]/(live p t) -[ex q t]/(ex p t) -[pos q t]/(pos p t).
case: ifP => // _; rewrite !map_form_cat !(along_map mo) constant_map.
by congr (_ ++ (_ ++ (constant _ ++ _))); exact: esym (m_num mo 1%N).
Qed.

(* What is accepted is what the compiler writes. *)
Theorem accepted g E : differences o p g E = [::] ->
  let g' := omap (map_tolerance phi) g in
  conditions_for (real_ops R) q g' /\
  emitted_by q (layers_for (real_ops R) q g') (map_emitted phi E).
Proof.
rewrite /differences; set Ls := layers_for o p g.
move=> /cat_nil[+ /cat_nil[h1 /cat_nil[h2 /cat_nil[+ h4]]]].
case: ifP => // ok _; case: eqP => // sz h3.
split; first by rewrite (conditions_map mo).
split; rewrite ?embedding_map ?places_map ?unembedding_map.
- exact: tensor_sound h1.
- exact: tensor_sound h2.
- exact: tensor_sound h4.
rewrite (layers_map mo) -/Ls.
apply: (all_ok_nth (a0 := map_elayer phi no_layer) (b0 := map_layer id phi (Layer [::] [::]))).
  by rewrite !size_map sz.
move=> l; rewrite size_map => lL.
rewrite (nth_map no_layer) ?sz // (nth_map (Layer [::] [::])) //.
apply: layer_sound; exact: (flatten_map_nil h3 lL).
Qed.
End Sound.
