(* The theorem about the emitted network: flat matrices with the entries of the compiler
   map every prompt of the domain to the mixture of the K tasks.

   tokens p pr      == the prompt as a matrix: each token's vector, and its flag *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai codes residual spec plan stream.
From construct Require Import gather label query reading superpose pool square divide theorem.
From construct Require Import matrices.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Network.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Notation D := (D z).
Notation N := (N p).
Notation d := (pd p).
Hypothesis ok : admissible o p.

(* The tokens of a prompt: n a example, label last; then the query and an empty token. *)
Definition tokens : 'M[R]_(N, d.+1) :=
  \matrix_(t, u) if (u < d)%N then vec p pr t u else (ctx p pr t)%:R.

Lemma entry_cat (f g : form coord R) c : entry (f ++ g) c = entry f c + entry g c.
Proof. by rewrite /entry big_cat. Qed.

Lemma entry_along (at_ : nat -> coord) l x b : injective at_ -> (b < l)%N ->
  entry (along o at_ l x) (at_ b) = code o x b.
Proof.
move=> inj bl; rewrite /entry big_map big_mkcond (bigD1_seq b) ?mem_iota ?iota_uniq //= eqxx.
by rewrite big1 ?addr0 // => b'; rewrite (inj_eq inj) => /negPf->.
Qed.

Lemma entry_along0 (at_ : nat -> coord) l x c : (forall b, at_ b != c) ->
  entry (along o at_ l x) c = 0.
Proof. by move=> no; rewrite /entry big_map big1 // => b; rewrite (negPf (no b)). Qed.

Definition place_form t := if live p t then
  along o Pe (le z) (ex p t) ++ along o Pt (lt z) (pos p t) ++ constant 1 ++
  scratch_form o p (pos p t) else [::].

Lemma place_form_valid t : valid_form p (place_form t).
Proof.
rewrite /place_form; case: ifP => // _; rewrite !vf_cat !vf_along //= /scratch_form.
by case: ifP => // _; case: ifP.
Qed.

Lemma place_formE t c : valid z c -> entry (place_form t) c =
  match c with
  | Pe b => if live p t then code o (ex p t) b else 0
  | Pt b => if live p t then code o (pos p t) b else 0
  | One => (live p t)%:R
  | Sq => sq0 p t
  | Rec => rec0 p t
  | _ => 0
  end.
Proof.
have sE c' : (if c' is Sq then false else true) -> (if c' is Rec then false else true) ->
    entry (scratch_form o p (pos p t)) c' = 0.
  rewrite /scratch_form; case: ifP => _; first by rewrite entry_nil.
  by case: c' => // *; case: ifP => _; rewrite /entry !big_cons big_nil.
rewrite /place_form /sq0 /rec0; case: (live p t); last by rewrite entry_nil; case: c.
case: c => [u|r u|u|u|r u|v|v|u|b|b||||||] vc; rewrite !entry_cat /constant entry1 /=;
  try by rewrite ?entry_along ?entry_along0 ?sE ?addr0 ?add0r // => x y [].
- rewrite !entry_along0 // !add0r /scratch_form; case: (boolP (nilp _)) => [none|some].
    by rewrite entry_nil /is_scratch /len (nilP none) addn0 leqNgt andNb.
  by case: (is_scratch p _); rewrite /entry !big_cons big_nil ?addr0.
- rewrite !entry_along0 // !add0r /scratch_form; case: (boolP (nilp _)) => [none|some].
    by rewrite entry_nil.
  by case: (is_scratch p _); rewrite /entry !big_cons big_nil ?addr0 ?sub0r.
Qed.

Lemma embed_places Ls E : emitted_by p Ls E -> at_places (embed_mx D E tokens) (stream0 p pr).
Proof.
case=> [eE eP _ _] t j c vc cj; rewrite /embed_mx !mxE.
have -> : entry (nth [::] (W_pos E) t) j = entry (place_form t) c.
  case: eP => sP eP; have tP : (t < size (places_of o p))%N by rewrite size_map size_iota.
  rewrite (write_vec (f := place_form t) (c := c)) ?place_form_valid //.
  by have := eP t tP; rewrite (nth_map 0%N) ?size_iota // nth_iota.
rewrite place_formE //; case: eE; rewrite size_cat size_map size_iota addn1 => sE eE.
have tok (u : 'I_d.+1) : entry (nth [::] (W_E E) u) j =
    entry (if (u < d)%N then [:: (Tok u, 1)] else [:: (Ctx, 1)]) c.
  apply: write_vec => //; first by rewrite /valid_form; case: ifP => //= ->.
  have := eE u (ltn_ord u); rewrite nth_cat size_map size_iota; case: ifP => ud.
    by rewrite (nth_map 0%N) ?size_iota // nth_iota.
  by have -> : (u - d = 0)%N; first by apply/eqP; rewrite subn_eq0 -ltnS.
under eq_bigr => u _ do rewrite !mxE tok.
rewrite big_ord_recr /= ltnn entry1.
under eq_bigr => u _ do rewrite (ltn_ord u) entry1.
case: c vc cj tok => [u|r u|u|u|r u|v|v|u|b|b||||||] vc cj tok /=;
  try (rewrite mulr0 addr0 big1 ?add0r // => i _; rewrite mulr0 //).
- rewrite mulr0 !addr0 (bigD1 (Ordinal vc)) //= eqxx mulr1 big1 ?addr0 // => i iu.
  by rewrite ifN ?mulr0 //; apply: contraNneq iu => -[iu]; apply/eqP/val_inj.
- by rewrite big1 => [|i _]; rewrite ?mulr0 // add0r mulr1 addr0.
Qed.

(* --- Layer by layer --- *)

Lemma all_ok_take (A B : Type) (P : A -> B -> Prop) s t l :
  all_ok P s t -> all_ok P (take l s) (take l t).
Proof. by elim: s t l => [|x s IH] [|y t] [|l] //= [xy /IH]. Qed.

Lemma all_ok_size (A B : Type) (P : A -> B -> Prop) s t : all_ok P s t -> size s = size t.
Proof. by elim: s t => [|x s IH] [|y t] //= [_ /IH->]. Qed.

Lemma all_ok_at (A B : Type) (P : A -> B -> Prop) a b s t i :
  all_ok P s t -> (i < size t)%N -> P (nth a s i) (nth b t i).
Proof. by elim: s t i => [|x s IH] [|y t] [|i] //= [xy /IH]; last apply. Qed.

Lemma layers_places Ls : forall es (M : 'M[R]_(N, D)) h, at_places M h -> all (valid_layer p) Ls ->
  all_ok (@layer_ok R p) es Ls ->
  at_places (foldl (fun h0 L => layer_mx L h0) M es) (run_layers N Ls h).
Proof.
elim: Ls => [|L Ls IH] [|e es] //= M h Mh /andP[vL vLs] [e1 e2].
by apply: IH => //; apply: layer_places.
Qed.

(* The answer is what the layers leave in tok at the answer token. *)
Lemma layers_answer Ls E (t : 'I_N) (u : 'I_d) : all (valid_layer p) Ls ->
  emitted_by p Ls E -> t = answer p :> nat ->
  answer_mx D E tokens t ord0 u = run_layers N Ls (stream0 p pr) (answer p) (Tok u).
Proof.
move=> vL eo ta; have [_ _ eU eL] := eo.
have A := layers_places (embed_places eo) vL eL; rewrite !mxE.
have [sU okU] := eU; have uU : (u < size (unembedding o p))%N by rewrite size_map size_iota.
have := okU u uU; rewrite (nth_map 0%N) ?size_iota // nth_iota // add0n => vU; rewrite -ta.
have := read_vec t A (_ : valid_form p [:: (Tok u, 1)]) vU.
rewrite /valid_form /= ltn_ord => /(_ isT); rewrite ap1 mul1r => <-.
by apply: eq_bigr => i _; rewrite !mxE.
Qed.

Lemma answer_places E (t : 'I_N) (u : 'I_d) : emitted_ok p E -> t = answer p :> nat ->
  answer_mx D E tokens t ord0 u =
  run_layers N (compile o p) (stream0 p pr) (answer p) (Tok u).
Proof. exact: layers_answer (compile_valid ok). Qed.

(* The emitted weights compute the mixture. *)
Theorem network_correct E (t : 'I_N) :
  in_domain d (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p) -> emitted_ok p E ->
  t = answer p :> nat ->
  answer_mx D E tokens t = \row_u mixture d (pm p) (tasks p) pr u.
Proof.
move=> dom eo ta; apply/rowP => u; rewrite (answer_places _ eo ta) mxE.
exact: (construction_correct ok dom (h := stream0 p pr)).
Qed.

(* --- The votes --- *)

(* What head k of layer l gives: its scores on the stream that the layers before leave. *)
Lemma given_by Ls E l k (t : 'I_N) H : all (valid_layer p) Ls -> emitted_by p Ls E ->
  (l < size Ls)%N -> (k < size (heads (nth (Layer [::] [::]) Ls l)))%N ->
  nth idle_head (heads (nth (Layer [::] [::]) Ls l)) k = H ->
  let h := run_layers N (take l Ls) (stream0 p pr) in
  given_mx D E tokens l k t = \sum_(j < N) relu o (score H (h t) (h j)).
Proof.
move=> vL eo lL kH HE h; have [_ _ _ eL] := eo.
have vl : all (valid_layer p) (take l Ls).
  by move: vL; rewrite -{1}(cat_take_drop l Ls) all_cat => /andP[].
have A := layers_places (embed_places eo) vl (all_ok_take l eL).
have [el _ _] := all_ok_at no_layer (Layer [::] [::]) eL lL.
have eH := all_ok_at no_head idle_head el kH; rewrite HE in eH.
have vH : valid_pairs p (rows H).
  have /(all_nthP (Layer [::] [::]))/(_ l lL)/andP[vh _] := vL.
  by have /(all_nthP idle_head)/(_ k kH)/andP[+ _] := vh; rewrite HE.
by apply: eq_bigr => j _; exact: scores_places A vH eH.
Qed.

Notation hit := (explains d (tasks p) pr).

(* Head k of layer 4 gives 1 at the home tokens of the examples that task k explains. *)
Lemma given_matched E k (t : 'I_N) :
  in_domain d (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p) -> emitted_ok p E ->
  (k < K p)%N -> given_mx D E tokens 3 k t = (matched p hit k t)%:R.
Proof.
move=> dom eo kK; have H1 := gather_correct (pr := pr) ok (fun _ _ _ _ => erefl).
have H3 := query_correct ok dom (label_correct ok H1).
rewrite (given_by (l := 3) (H := superpose_head o p k) t (compile_valid ok) eo) //; first last.
- by rewrite nth_cat size_map size_iota kK (nth_map 0%N) ?size_iota // nth_iota.
- by rewrite size_cat size_map size_iota ltn_addr.
under eq_bigr => j _ do rewrite (superpose_gate ok dom H3 kK) //.
rewrite (bigD1 t) //= eqxx andbT big1 ?addr0 // => j jt.
by rewrite (_ : (j == t :> nat) = false) ?andbF //; apply: negPf jt.
Qed.

(* ... once for each such example. *)
Lemma example_matched hit_ k i : (k < K p)%N -> (i < pm p)%N ->
  \sum_(t < N | ex p t == i) (matched p hit_ k t)%:R = (hit_ k i)%:R :> R.
Proof.
move=> kK im; have hn : (home p k < len p)%N.
  by have /and4P[H _ _ _] := wiredP ok kK; rewrite (leq_trans H) ?leq_pred.
have tN : (token p i (home p k) < N)%N by rewrite token_lt // ltnW.
rewrite (bigD1 (Ordinal tN)) /=; last by rewrite token_ex.
rewrite /matched token_ex // token_pos // im eqxx big1 ?addr0 // => t /andP[/eqP et nt].
rewrite et im /=; case: (pos p t =P home p k) => [pt|] //; case/negP: nt.
by apply/eqP/val_inj/eqP; rewrite /= (tokenE ok) // et pt !eqxx.
Qed.

(* What head k gives: at the tokens of example i whether task k explains it; at all tokens
   together, the votes. *)
Theorem votes_correct E k :
  in_domain d (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p) -> emitted_ok p E ->
  (k < K p)%N ->
  (forall i, (i < pm p)%N -> \sum_(t < N | ex p t == i) given_mx D E tokens 3 k t =
    (explains d (tasks p) pr k i)%:R) /\
  \sum_t given_mx D E tokens 3 k t = (votes d (pm p) (tasks p) pr k)%:R.
Proof.
move=> dom eo kK; split=> [i im|].
  under eq_bigr do rewrite given_matched //; exact: example_matched.
under eq_bigr do rewrite given_matched //; exact: (sum_matched hit ok).
Qed.
End Network.
