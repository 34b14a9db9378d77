(* The network as it is emitted: flat matrices with indices 0..D-1, in row-vector
   convention (queries are h *m W_Q, heads write ... *m W_O). Matrices whose entries are
   those of the compiler compute the mixture.

   vectors T        == a tensor, as its vectors along D: lists of (place, number)
   emitted T        == embedding, places, unembedding, layers; emitted_layer, emitted_head
   columns D vs r, rows_ D vs r == the matrix of these columns, of these rows
   scores_mx H h, head_mx H h, attention_mx Hs h, mlp_mx win wout h, layer_mx L h == the pass
   forward D E x    == the stream after all layers; stream_mx D E x l == before layer l
   given_mx D E x l k t == what head k of layer l gives at token t, all its scores together
   answer_mx D E x t == the answer, read at token t
   embedding, places_of, unembedding o p == what the compiler writes besides the layers
   emitted_by p Ls E == the entries of E are those of the layers Ls; emitted_ok p E == the compiler's
   at_places p M h  == the matrix M holds at places what h holds at coordinates *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai codes residual spec plan stream.
From construct Require Import gather label query reading superpose pool square divide theorem.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.

(* --- Emitted weights as data: each tensor as its vectors along D, by their entries --- *)

Section Emitted.
Variable T : Type.
Definition vectors := seq (seq (nat * T)).

Record emitted_head := EmittedHead {
  W_Q : vectors;   (* columns *)
  W_K : vectors;   (* columns *)
  W_V : vectors;   (* columns *)
  W_O : vectors;   (* rows *)
}.

Record emitted_layer := EmittedLayer {
  ehs : seq emitted_head;
  W_in : vectors;    (* columns *)
  W_out : vectors;   (* rows *)
}.

Record emitted := Emitted {
  W_E : vectors;     (* d+1 rows *)
  W_pos : vectors;   (* N rows *)
  W_U : vectors;     (* d columns *)
  elayers : seq emitted_layer;
}.

Definition no_head := EmittedHead [::] [::] [::] [::].
Definition no_layer := EmittedLayer [::] [::] [::].
End Emitted.
Arguments no_head {T}.
Arguments no_layer {T}.

Local Open Scope ring_scope.

(* --- The forward pass --- *)

Section Pass.
Variables (R : realFieldType) (D N d : nat).

Definition columns (vs : vectors R) r : 'M[R]_(D, r) := \matrix_(i, j) entry (nth [::] vs j) i.
Definition rows_ (vs : vectors R) r : 'M[R]_(r, D) := \matrix_(i, j) entry (nth [::] vs i) j.

Definition relu_mx r c (A : 'M[R]_(r, c)) := map_mx (fun x => Num.max x 0) A.

(* Row t: the scores that token t gives to all tokens. *)
Definition scores_mx (H : emitted_head R) (h : 'M[R]_(N, D)) : 'M[R]_N :=
  let q := h *m columns (W_Q H) (size (W_Q H)) in
  let k := h *m columns (W_K H) (size (W_Q H)) in
  relu_mx (q *m k^T).

Definition head_mx (H : emitted_head R) (h : 'M[R]_(N, D)) : 'M[R]_(N, D) :=
  let v := h *m columns (W_V H) (size (W_V H)) in
  N%:R^-1 *: (scores_mx H h *m v *m rows_ (W_O H) (size (W_V H))).

Definition attention_mx (Hs : seq (emitted_head R)) h := h + \sum_(H <- Hs) head_mx H h.

Definition mlp_mx (win wout : vectors R) (h : 'M[R]_(N, D)) :=
  h + relu_mx (h *m columns win (size win)) *m rows_ wout (size win).

Definition layer_mx L h := mlp_mx (W_in L) (W_out L) (attention_mx (ehs L) h).

(* x: for each token its vector and the flag "of a real example". *)
Definition embed_mx E (x : 'M[R]_(N, d.+1)) := x *m rows_ (W_E E) d.+1 + rows_ (W_pos E) N.

Definition forward E x := foldl (fun h L => layer_mx L h) (embed_mx E x) (elayers E).

(* The stream before layer l (from 0), and what head k of that layer gives there at token t:
   the sum of its scores over all tokens. *)
Definition stream_mx E x l := foldl (fun h L => layer_mx L h) (embed_mx E x) (take l (elayers E)).
Definition given_mx E x l k (t : 'I_N) : R :=
  \sum_j scores_mx (nth no_head (ehs (nth no_layer (elayers E) l)) k) (stream_mx E x l) t j.

(* The answer: token t's stream through the unembedding. *)
Definition answer_mx E x (t : 'I_N) : 'rV[R]_d := row t (forward E x) *m columns (W_U E) d.
End Pass.

(* --- What the compiler writes besides the layers --- *)

Section Embedding.
Variables (T : Type) (o : ops T) (p : plan T).
Notation z := (sizes_of p).

Definition embedding : seq (form coord T) :=
  [seq [:: (Tok u, num o 1)] | u <- iota 0 (pd p)] ++ [:: [:: (Ctx, num o 1)]].

(* With scratch tokens, what the head that fills them reads of a token in position q. *)
Definition scratch_form q : form coord T :=
  if nilp (scratch p) then [::] else
  if is_scratch p q then
    [:: (Sq, num o (mark p q)); (Rec, sub o (num o 1) (num o (mark p q ^ 2)))]
  else [:: (Rec, opp o (num o (mark p q ^ 2)))].

Definition places_of : seq (form coord T) :=
  [seq if live p t then
         along o Pe (le z) (ex p t) ++ along o Pt (lt z) (pos p t) ++ constant (num o 1) ++
         scratch_form (pos p t)
       else [::] | t <- iota 0 (N p)].

Definition unembedding : seq (form coord T) := [seq [:: (Tok u, num o 1)] | u <- iota 0 (pd p)].
End Embedding.

(* --- Emitted weights that are those of the compiler --- *)

Section Match.
Variables (R : realFieldType) (p : plan R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Notation D := (D z).
Notation N := (N p).
Notation d := (pd p).

(* Vector e has the entries of functional f at all places. *)
Definition vec_ok (e : seq (nat * R)) (f : form coord R) :=
  forall j, (j < D)%N -> entry e j = entry (map_form (place z) id f) j.

Definition mat_ok (es : vectors R) (fs : seq (form coord R)) :=
  size es = size fs /\ forall r, (r < size fs)%N -> vec_ok (nth [::] es r) (nth [::] fs r).

Definition head_ok E (H : head coord R) :=
  [/\ mat_ok (W_Q E) (map fst (rows H)), mat_ok (W_K E) (map snd (rows H)),
      mat_ok (W_V E) (map fst (vals H)) & mat_ok (W_O E) (map snd (vals H))].

Fixpoint all_ok A B (P : A -> B -> Prop) s t : Prop :=
  match s, t with
  | [::], [::] => True
  | x :: s', y :: t' => P x y /\ all_ok P s' t'
  | _, _ => False
  end.

Definition layer_ok E (L : layer coord R) :=
  [/\ all_ok head_ok (ehs E) (heads L), mat_ok (W_in E) (map fst (units L)) &
      mat_ok (W_out E) (map snd (units L))].

Definition emitted_by Ls E :=
  [/\ mat_ok (W_E E) (embedding o p), mat_ok (W_pos E) (places_of o p),
      mat_ok (W_U E) (unembedding o p) & all_ok layer_ok (elayers E) Ls].
Definition emitted_ok E := emitted_by (compile o p) E.

(* --- They compute the same --- *)

Definition valid_form (f : form coord R) := all (fun q => valid z q.1) f.

(* M holds at places what h holds at coordinates. *)
Definition at_places (M : 'M[R]_(N, D)) (h : nat -> coord -> R) :=
  forall (t : 'I_N) (j : 'I_D) c, valid z c -> place z c = j -> M t j = h t c.

Lemma read_vec M h e f (t : 'I_N) : at_places M h -> valid_form f -> vec_ok e f ->
  \sum_(i < D) M t i * entry e i = ap f (h t).
Proof.
move=> Mh /allP vf ef.
under eq_bigr => i _ do
  rewrite ef ?ltn_ord // /entry /map_form big_map big_mkcond mulr_sumr.
rewrite exchange_big /ap !big_seq; apply: eq_bigr => q qf /=.
have jD := place_lt (vf _ qf).
rewrite (bigD1 (Ordinal jD)) //= eqxx big1 => [|i ij].
  by rewrite addr0 mulrC (Mh t (Ordinal jD) q.1) // (vf _ qf).
rewrite (_ : (place z q.1 == i) = false) ?mulr0 //.
by apply: contraNF ij => /eqP E; apply/eqP/val_inj.
Qed.

Lemma write_vec e f (j : 'I_D) c : valid_form f -> vec_ok e f -> valid z c -> place z c = j ->
  entry e j = entry f c.
Proof.
move=> /allP vf ef vc cj; rewrite ef ?ltn_ord // /entry /map_form big_map /= -cj.
rewrite [LHS]big_seq_cond [RHS]big_seq_cond; apply: eq_bigl => q; case: (boolP (q \in f)) => //= qf.
by rewrite (inj_in_eq (@place_inj z)) //; exact: vf.
Qed.

Definition valid_pairs (s : seq (form coord R * form coord R)) :=
  all (fun r => valid_form r.1 && valid_form r.2) s.

Lemma big_pairs (s : seq (form coord R * form coord R)) (F : form coord R * form coord R -> R) :
  \sum_(r <- s) F r = \sum_(i < size s) F (nth ([::], [::]) s i).
Proof. by rewrite (big_nth ([::], [::])) big_mkord. Qed.

Lemma valid_pair s i : valid_pairs s -> (i < size s)%N ->
  valid_form (nth ([::], [::]) s i).1 /\ valid_form (nth ([::], [::]) s i).2.
Proof. by move=> /(all_nthP ([::], [::])) H iS; apply/andP; apply: H. Qed.

Lemma mat_fst es (s : seq (form coord R * form coord R)) i : mat_ok es (map fst s) ->
  (i < size s)%N ->
  vec_ok (nth [::] es i) (nth ([::], [::]) s i).1.
Proof. by case=> _ H iS; have := H i; rewrite size_map (nth_map ([::], [::])) //; apply. Qed.

Lemma mat_snd es (s : seq (form coord R * form coord R)) i : mat_ok es (map snd s) ->
  (i < size s)%N ->
  vec_ok (nth [::] es i) (nth ([::], [::]) s i).2.
Proof. by case=> _ H iS; have := H i; rewrite size_map (nth_map ([::], [::])) //; apply. Qed.

Lemma scores_places E H M h (t a : 'I_N) : at_places M h -> valid_pairs (rows H) ->
  head_ok E H -> scores_mx E M t a = numbers.relu o (score H (h t) (h a)).
Proof.
move=> Mh vr [eQ eK _ _]; rewrite mxE reluE; congr (Num.max _ _).
have sQ : size (W_Q E) = size (rows H) by case: eQ => ->; rewrite size_map.
rewrite mxE /score big_pairs sQ; apply: eq_bigr => r _; rewrite !mxE.
have [v1 v2] := valid_pair vr (ltn_ord r).
have q1 := mat_fst eQ (ltn_ord r); have q2 := mat_snd eK (ltn_ord r).
rewrite -(read_vec t Mh v1 q1) -(read_vec a Mh v2 q2).
by congr (_ * _); apply: eq_bigr => i _; rewrite !mxE.
Qed.

Lemma head_places E H M h (t : 'I_N) (j : 'I_D) c : at_places M h ->
  valid_pairs (rows H) -> valid_pairs (vals H) -> head_ok E H -> valid z c -> place z c = j ->
  head_mx E M t j =
  N%:R^-1 * \sum_(a < N) numbers.relu o (score H (h t) (h a)) * write (vals H) (h a) c.
Proof.
move=> Mh vr vv eH vc cj; rewrite /head_mx mxE; congr (_ * _); rewrite mxE.
have [_ _ eV eO] := eH.
have sV : size (W_V E) = size (vals H) by case: eV => ->; rewrite size_map.
under eq_bigr => r _ do rewrite mxE mulr_suml.
rewrite exchange_big /=; apply: eq_bigr => a _; rewrite (scores_places _ _ Mh vr eH).
under eq_bigr => r _ do rewrite -mulrA.
rewrite -mulr_sumr; congr (_ * _); rewrite /write big_pairs sV; apply: eq_bigr => r _; rewrite !mxE.
have [v1 v2] := valid_pair vv (ltn_ord r).
rewrite -(read_vec a Mh v1 (mat_fst eV (ltn_ord r))) (write_vec v2 (mat_snd eO (ltn_ord r)) vc cj).
by congr (_ * _); apply: eq_bigr => i _; rewrite !mxE.
Qed.

(* An idle MLP leaves the stream as it is. *)
Lemma idle_mx win wout (M : 'M[R]_(N, D)) : size win = 1%N -> mat_ok wout [:: [::]] ->
  mlp_mx win wout M = M.
Proof.
move=> sw [so ok0]; rewrite /mlp_mx sw (_ : rows_ _ wout 1 = 0) ?mulmx0 ?addr0 //.
by apply/matrixP => i j; rewrite !mxE ord1 (ok0 0%N isT) // /map_form entry_nil.
Qed.

Definition valid_layer (L : layer coord R) :=
  all (fun H => valid_pairs (rows H) && valid_pairs (vals H)) (heads L) && valid_pairs (units L).

Lemma layer_places E L M h : at_places M h -> valid_layer L -> layer_ok E L ->
  at_places (layer_mx E M) (run_layer N L h).
Proof.
move=> Mh /andP[vH vu] [eH eI eO].
have A : at_places (attention_mx (ehs E) M) (attention N (heads L) h).
  move=> t j c vc cj; rewrite mxE (Mh t j c) //; congr (_ + _); rewrite summxE.
  elim: (ehs E) (heads L) eH vH => [|e es IH] [|H Hs] //= eH vH; first by rewrite !big_nil.
  case: eH => e1 eH; case/andP: vH => /andP[vr vv] vH; rewrite !big_cons (IH Hs) //; congr (_ + _).
  exact: head_places.
move=> t j c vc cj; rewrite mxE (A t j c) //; congr (_ + _); rewrite mxE big_pairs.
have sI : size (W_in E) = size (units L) by case: eI => ->; rewrite size_map.
rewrite sI; apply: eq_bigr => r _; rewrite !mxE reluE.
have [v1 v2] := valid_pair vu (ltn_ord r).
rewrite -(read_vec t A v1 (mat_fst eI (ltn_ord r))) (write_vec v2 (mat_snd eO (ltn_ord r)) vc cj).
by congr (Num.max _ _ * _); apply: eq_bigr => i _; rewrite !mxE.
Qed.
End Match.

(* --- All coordinates that the compiler names are coordinates that there are --- *)

Section Valid.
Variables (R : realFieldType) (p : plan R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Notation d := (pd p).
Notation vf := (@valid_form R p).
Notation vp := (@valid_pairs R p).
Hypothesis ok : admissible o p.

Lemma all_flatten (T : Type) (a : pred T) (ss : seq (seq T)) : all a (flatten ss) = all (all a) ss.
Proof. by elim: ss => [|s ss IH] //=; rewrite all_cat IH. Qed.

Lemma vf_cat f g : vf (f ++ g) = vf f && vf g. Proof. exact: all_cat. Qed.
Lemma vp_cat f g : vp (f ++ g) = vp f && vp g. Proof. exact: all_cat. Qed.
Lemma vf_scaled a f : vf (scaled o a f) = vf f. Proof. exact: all_map. Qed.
Lemma vf_constant x : vf (constant x). Proof. by []. Qed.

Lemma vf_along c l x : (forall b, (b < l)%N -> valid z (c b)) -> vf (along o c l x).
Proof. by move=> H; rewrite /valid_form all_map; apply/allP => b; rewrite mem_iota => /H. Qed.

Lemma vp_map (I : eqType) (s : seq I) (F : I -> form coord R * form coord R) :
  (forall i, i \in s -> vf (F i).1 && vf (F i).2) -> vp [seq F i | i <- s].
Proof. by move=> H; rewrite /valid_pairs all_map; apply/allP => i /H. Qed.

Lemma vp_same c l : (forall b, (b < l)%N -> valid z (c b)) -> vp (same o c l).
Proof. by move=> H; apply: vp_map => b; rewrite mem_iota => bl; rewrite /valid_form /= H. Qed.

Lemma vp_copy from to x l : (forall u, (u < l)%N -> valid z (from u) && valid z (to u)) ->
  vp (copy o from to x l).
Proof.
move=> H; apply: vp_map => u; rewrite mem_iota => ul; rewrite /valid_form /=.
by case/andP: (H u ul) => -> ->.
Qed.

Lemma vp_own_example q : vp (own_example o z q).
Proof. by rewrite /own_example vp_cat vp_same //= vf_cat vf_along. Qed.

Lemma valid_padded hs us :
  all (fun H => vp (rows H) && vp (vals H)) hs -> vp us -> valid_layer p (padded (K p) hs us).
Proof.
by move=> vh vu; rewrite /valid_layer /padded /= all_cat vh vu andbT /= all_nseq orbT.
Qed.

Lemma valid_idle : vp idle_units. Proof. by []. Qed.

Lemma vf_f k fld feat i : (k < K p)%N ->
  (forall r u, (r <= size (slots p))%N -> (u < d)%N -> valid z (fld r u)) ->
  (forall v, (v < size (dict p))%N -> valid z (feat v)) -> vf (f_form o p k fld feat i).
Proof.
move=> kK vfld vfeat; have /and4P[_ _ _ /allP rC] := wiredP ok kK.
rewrite /f_form !vf_cat andbT /valid_form !all_map; apply/andP; split; apply/allP => q qin /=.
  have /allP/(_ _ qin)/and3P[q1 _ q3] := readable_row ok i kK.
  by apply: vfld => //; apply: operand_le.
have iC : (i < size (tC (task_of p k)))%N.
  by rewrite ltnNge; apply/negP => /(nth_default [::]) E; rewrite E in qin.
by have /allP/(_ _ qin)/andP[P_ok _] := rC _ (mem_nth [::] iC); apply: vfeat.
Qed.

Lemma valid_field tok slt r u : (forall u, (u < d)%N -> valid z (tok u)) ->
  (forall r u, (r < size (slots p))%N -> (u < d)%N -> valid z (slt r u)) ->
  (r <= size (slots p))%N -> (u < d)%N -> valid z (field tok slt r u).
Proof. by move=> vt vs; case: r => [|r] rS ud /=; [apply: vt | apply: vs]. Qed.

Lemma valid_example r u : (r <= size (slots p))%N -> (u < d)%N -> valid z (field Tok Slot r u).
Proof. by apply: valid_field => // r' u' /= -> ->. Qed.
Lemma valid_query r u : (r <= size (slots p))%N -> (u < d)%N -> valid z (field Qry QSlot r u).
Proof. by apply: valid_field => // r' u' /= -> ->. Qed.

Lemma vf_unit_gate a : vf (unit_gate o p a).
Proof. by case: a => [q|] //=; rewrite vf_cat vf_scaled vf_along. Qed.

Lemma vp_hinges fld into (s : seq (nat * (option nat * hinge R))) :
  (forall r u, (r <= size (slots p))%N -> (u < d)%N -> valid z (fld r u)) ->
  (forall v, (v < size (dict p))%N -> valid z (into v)) ->
  all (fun vu => (vu.1 < size (dict p))%N && wired_hinge p vu.2.2) s ->
  vp [seq hinge_unit o p fld into vu | vu <- s].
Proof.
move=> vfld vinto; rewrite /valid_pairs all_map; apply: sub_all => vu /= /andP[vP /allP wh].
rewrite vf_cat /valid_form all_map /= -/(vf _) vf_unit_gate !andbT vinto // andbT.
by apply/allP => q /wh/andP[qr qu] /=; apply: vfld.
Qed.

Lemma hinges_wired a :
  all (fun vu => (vu.1 < size (dict p))%N && wired_hinge p vu.2.2) (hinges_at p a).
Proof.
rewrite all_filter; apply: (@sub_all _ (fun vu => (vu.1 < size (dict p))%N && wired_hinge p vu.2.2)).
  by move=> vu /= ->; rewrite implybT.
rewrite /hinges all_flatten all_map; apply/allP => v; rewrite mem_iota add0n => /andP[_ vP] /=.
rewrite all_map; have := units_wired ok v; apply: sub_all => u /= /andP[-> _].
by rewrite vP.
Qed.

Lemma vp_to_end : vf (to_end o p).
Proof.
rewrite vf_cat vf_constant andbT /valid_form all_map; apply/allP => b.
by rewrite mem_iota.
Qed.

Lemma vp_match top scale k : (k < K p)%N ->
  vp (rows (match_head o p top scale k)) && vp (vals (match_head o p top scale k)).
Proof.
move=> kK; have dd u : u \in iota 0 d -> (u < d)%N by rewrite mem_iota.
have e_valid i : (i < d)%N -> vf (e_form o p k i).
  by move=> id; rewrite /e_form vf_cat vf_f //= ?id //; exact: valid_example.
apply/andP; split.
  rewrite /superpose_rows !vp_cat; apply/and4P; split.
  + by apply: vp_map => i /dd id /=; rewrite vf_scaled e_valid.
  + by apply: vp_map => b; rewrite mem_iota /valid_form /= => ->.
  + by apply: vp_map => b; rewrite mem_iota /valid_form /= => ->.
  + by rewrite /= /gate !vf_cat vf_scaled vf_along.
rewrite vp_cat andbC /=; apply: vp_map => i /dd id /=.
by rewrite vf_scaled vf_f //= /valid_form /= ?id //; exact: valid_query.
Qed.

Lemma compile_valid : all (valid_layer p) (compile o p).
Proof.
have dd u : u \in iota 0 d -> (u < d)%N by rewrite mem_iota.
have S_ r : r \in iota 0 (size (slots p)) -> (r < size (slots p))%N by rewrite mem_iota.
rewrite /= andbT; apply/and5P; split; [| | | |apply/and3P; split].
- apply: valid_padded => //; rewrite all_cat; apply/andP; split.
    rewrite all_map; apply/allP => r /S_ rS /=.
    by rewrite vp_own_example vp_copy // => u ud /=; rewrite rS ud.
  case: nilp => //; rewrite /= andbT vp_copy ?andbT; last by move=> u /= ->.
  by rewrite vp_cat vp_same //= vp_to_end.
- by apply: valid_padded; rewrite //= vp_own_example vp_copy //= => u ->.
- apply: valid_padded.
    rewrite /= andbT /query_rows !vp_cat vp_same //= vf_cat vf_along //= vp_copy //= => [|u -> //].
    rewrite /valid_pairs all_flatten all_map; apply/allP => r /S_ rS /=; apply: vp_copy => u ud /=.
    by rewrite rS ud.
  rewrite /dictionary_units; case: ifP => // _; rewrite /valid_pairs all_flatten all_map.
  elim: (places p) => //= a s ->; rewrite andbT -/(vp _) vp_cat.
  by rewrite !vp_hinges ?hinges_wired //; [exact: valid_query | exact: valid_example].
- apply: valid_padded => //; rewrite all_map; apply/allP => k; rewrite mem_iota => kK.
  exact: vp_match.
- apply: valid_padded => //=; rewrite /pool_rows andbT vp_cat /= !vf_cat !vf_along //= vp_copy
  //= => u ->; exact: isT.
- by apply: valid_padded => //; apply: vp_map.
- by apply: valid_padded => //=; rewrite andbT vp_copy //= => u ->.
Qed.
End Valid.
