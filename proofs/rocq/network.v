(* The theorem about the emitted network: flat matrices with the entries of the compiler
   map every prompt of the domain to the mixture of the K tasks. *)
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
  along o Pe (le z) (ex p t) ++ along o Pt (lt z) (pos p t) ++ constant 1 else [::].

Lemma place_form_valid t : valid_form p (place_form t).
Proof. by rewrite /place_form; case: ifP => // _; rewrite !vf_cat !vf_along. Qed.

Lemma place_formE t c : valid z c -> entry (place_form t) c =
  match c with
  | Pe b => if live p t then code o (ex p t) b else 0
  | Pt b => if live p t then code o (pos p t) b else 0
  | One => (live p t)%:R
  | _ => 0
  end.
Proof.
rewrite /place_form; case: (live p t); last by rewrite entry_nil; case: c.
by case: c => [u|r u|u|u|r u|v|v|u|b|b||||||] /= vc;
  rewrite !entry_cat entry1 /= ?entry_along ?entry_along0 ?addr0 ?add0r // => x y [].
Qed.

Lemma embed_places E : emitted_ok p E -> at_places (embed_mx D E tokens) (stream0 p pr).
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

(* The emitted weights compute the mixture. *)
Theorem network_correct E (t : 'I_N) :
  in_domain d (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p) -> emitted_ok p E ->
  t = answer p :> nat ->
  answer_mx D E tokens t = \row_u mixture d (pm p) (tasks p) pr u.
Proof.
move=> dom eo ta; have [_ _ eU eL] := eo.
have all_layers Ls : forall es (M : 'M[R]_(N, D)) h, at_places M h -> all (valid_layer p) Ls ->
    all_ok (@layer_ok R p) es Ls ->
    at_places (foldl (fun h0 L => layer_mx L h0) M es) (run_layers N Ls h).
  elim: Ls => [|L Ls IH] [|e es] //= M h Mh /andP[vL vLs] [e1 e2].
  by apply: IH => //; apply: layer_places.
have A := all_layers _ _ _ _ (embed_places eo) (compile_valid ok) eL.
apply/rowP => u; rewrite !mxE.
have [sU okU] := eU; have uU : (u < size (unembedding o p))%N by rewrite size_map size_iota.
have := okU u uU; rewrite (nth_map 0%N) ?size_iota // nth_iota // add0n => vU.
rewrite -(construction_correct ok dom (h := stream0 p pr)) ?ltn_ord // -ta.
have := read_vec t A (_ : valid_form p [:: (Tok u, 1)]) vU.
rewrite /valid_form /= ltn_ord => /(_ isT); rewrite ap1 mul1r => <-.
by apply: eq_bigr => i _; rewrite !mxE.
Qed.
End Network.
