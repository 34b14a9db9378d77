(* A pass that computes only what can be positive equals the dense one. Each head has a reach,
   as src/construct/network/reach.py writes it: which tokens ask, and which of them each reads.
   Outside of it every score is at most 0 on the streams of the construction; and so is what a
   hidden unit is fed where it does not act. So a pass that leaves all of this out, idle heads and
   units too, leaves the same stream.

   place, reach     == a number, all, the own one, or several; the tokens that ask and are read
   reaches p r t j  == token t asks, and reads token j; acts_at p a t == token t is among these
   layer_in, dense L == a layer with reaches; the layer without them
   run_layers_in p Ls h == the pass restricted to the reach
   quiet L h        == outside of the reach nothing is positive on the stream h
   compile_in, compile_flat_in o p == the compiler's layers, with reaches *)
From mathcomp Require Import all_ssreflect all_algebra zify.
From construct Require Import numbers bai codes residual spec plan stream reading gather label.
From construct Require Import query superpose pool square divide theorem flat approximate.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* --- Reaches --- *)

Inductive place := All | Own | At of nat | Among of seq nat.

Definition both := (place * place)%type.   (* example, position *)
Record reach := Reach { asks : both; reads : both }.

(* Number q asks; it reads number r. Of several that ask, each reads its own of those listed. *)
Definition asking a q := match a with At r => q == r | Among qs => q \in qs | _ => true end.
Definition reading b a q r :=
  match b with
  | All => true
  | Own => r == q
  | At s => r == s
  | Among rs => if a is Among qs then r == nth 0%N rs (index q qs) else false
  end.

Section Reaches.
Variables (T : Type) (p : plan T).

Definition acts_at (a : both) t := [&& live p t, asking a.1 (ex p t) & asking a.2 (pos p t)].
Definition reaches r t j := [&& acts_at (asks r) t, live p j,
  reading (reads r).1 (asks r).1 (ex p t) (ex p j) &
  reading (reads r).2 (asks r).2 (pos p t) (pos p j)].

(* What is idle is left out altogether. *)
Definition in_reach r t j := if r is Some r' then reaches r' t j else false.
Definition in_acts a t := if a is Some a' then acts_at a' t else false.
End Reaches.

Section Layers.
Variable T : Type.

Record layer_in := LayerIn {
  heads_in : seq (head coord T * option reach);
  units_in : seq (form coord T * form coord T * option both);
}.
Definition dense L := Layer (map fst (heads_in L)) (map fst (units_in L)).

Definition padded_in K hs us := LayerIn (hs ++ nseq (K - size hs) (idle_head, None)) us.

Lemma dense_padded K hs us : dense (padded_in K hs us) = padded K (map fst hs) (map fst us).
Proof. by rewrite /dense /padded /= map_cat map_nseq size_map. Qed.
End Layers.

(* --- The layers of the compiler, with their reaches --- *)

Section Compile.
Variables (T : Type) (o : ops T) (p : plan T).
Notation z := (sizes_of p).

Definition everywhere : both := (All, All).
Definition the_answer : both := (At (pm p), At (len p).-1).

Definition slot_reach r := Reach everywhere (Own, At (slot p r)).
Definition copy_reach :=
  Reach (All, Among (iota (pn p).-1 (size (scratch p)))) (Own, Among (scratch p)).
Definition label_reach := Reach everywhere (Own, At (len p).-1).
Definition query_reach := Reach everywhere (At (pm p), Own).
Definition gate_reach k := Reach (All, At (home p k)) (Own, Own).
Definition pool_reach := Reach the_answer everywhere.
Definition square_reach := Reach the_answer the_answer.
Definition divide_reach := Reach everywhere the_answer.
Definition unit_place (a : option nat) : both := (All, if a is Some q then At q else All).

Definition idle_in : seq (form coord T * form coord T * option both) := [:: (([::], [::]), None)].

Definition gather_heads_in :=
  [seq (gather_head o p r, Some (slot_reach r)) | r <- iota 0 (size (slots p))] ++
  (if nilp (scratch p) then [::] else [:: (copy_head o p, Some copy_reach)]).
Definition label_in := (label_head o p, Some label_reach).
Definition query_in := (query_head o p, Some query_reach).

Definition dictionary_in :=
  if nilp (hinges p) then idle_in else
  flatten [seq [seq (hinge_unit o p (field Tok Slot) Gx vu, Some (unit_place a))
                  | vu <- hinges_at p a] ++
               [seq (hinge_unit o p (field Qry QSlot) Gq vu, Some (unit_place a))
                  | vu <- hinges_at p a] | a <- places p].

Definition matches_in top scale :=
  padded_in (K p) [seq (match_head o p top scale k, Some (gate_reach k)) | k <- iota 0 (K p)]
    idle_in.
Definition square_in us :=
  padded_in (K p) [:: (square_head o p, Some square_reach)] [seq (u, Some the_answer) | u <- us].
Definition pool_in := padded_in (K p) [:: (pool_head o p, Some pool_reach)] idle_in.
Definition divide_in := padded_in (K p) [:: (divide_head o p, Some divide_reach)] idle_in.

Definition table := [seq table_unit o p v | v <- iota 1 (M p)].
Definition flat_table :=
  [seq flat_unit o (eighths o 9) (s p) v | v <- iota 1 (M p)] ++
  [seq flat_unit o (eighths o 1) (opp o (s p)) v | v <- iota 1 (M p)].

Definition compile_in := [:: padded_in (K p) gather_heads_in idle_in;
  padded_in (K p) [:: label_in] idle_in; padded_in (K p) [:: query_in] dictionary_in;
  matches_in (num o 1) (num o (N p)); pool_in; square_in table; divide_in].

Variable a : T.

Definition gather_flat_in := padded_in (K p)
  (gather_heads_in ++ (if K p == 1%N then [:: label_in] else [::])) idle_in.
Definition fetch_in := padded_in (K p)
  ((if K p == 1%N then [::] else [:: label_in]) ++ [:: query_in]) dictionary_in.
Definition compile_flat_in := [:: gather_flat_in; fetch_in; matches_in a (num o (N p));
  matches_in (sub o a (num o 1)) (opp o (num o (N p))); pool_in; square_in flat_table; divide_in].

(* Without the reaches they are the layers of the compiler. *)
Lemma gather_heads_dense : map fst gather_heads_in = gather_heads o p.
Proof. by rewrite map_cat -map_comp; congr (_ ++ _); case: nilp. Qed.

Lemma dictionary_dense : map fst dictionary_in = dictionary_units o p.
Proof.
rewrite /dictionary_in /dictionary_units; case: nilp => //.
rewrite map_flatten -map_comp; congr flatten; apply: eq_map => b.
by rewrite /= map_cat -!map_comp.
Qed.

Lemma matches_dense top scale : dense (matches_in top scale) =
  padded (K p) [seq match_head o p top scale k | k <- iota 0 (K p)] idle_units.
Proof. by rewrite /matches_in dense_padded -map_comp. Qed.

Lemma square_dense us : dense (square_in us) = padded (K p) [:: square_head o p] us.
Proof. by rewrite /square_in dense_padded -map_comp map_id. Qed.

Theorem compile_in_dense : map (@dense T) compile_in = compile o p.
Proof.
rewrite /compile_in !map_cons matches_dense square_dense /pool_in /divide_in !dense_padded.
by rewrite gather_heads_dense dictionary_dense.
Qed.

Theorem compile_flat_in_dense : map (@dense T) compile_flat_in = compile_flat o p a.
Proof.
rewrite /compile_flat_in !map_cons !matches_dense square_dense /pool_in /divide_in.
have G hs : map fst (gather_heads_in ++ hs) = gather_heads o p ++ map fst hs.
  by rewrite map_cat gather_heads_dense.
rewrite /gather_flat_in /fetch_in !dense_padded G dictionary_dense.
by rewrite /compile_flat /gather_flat /fetch; case: eqP.
Qed.
End Compile.

(* --- The pass --- *)

Section Pass.
Variables (R : realFieldType) (p : plan R).
Notation N := (N p).
Notation relu := (relu (real_ops R)).
Implicit Types (h : nat -> coord -> R) (L : layer_in R).

Definition attention_in (Hs : seq (head coord R * option reach)) h t c := h t c +
  \sum_(H <- Hs) N%:R^-1 * \sum_(j < N | in_reach p H.2 t j)
    relu (score H.1 (h t) (h j)) * write (vals H.1) (h j) c.
Definition mlp_in (us : seq (form coord R * form coord R * option both)) t (v : coord -> R) c :=
  v c + \sum_(u <- us | in_acts p u.2 t) relu (ap u.1.1 v) * entry u.1.2 c.
Definition run_layer_in L h t := mlp_in (units_in L) t (attention_in (heads_in L) h t).
Definition run_layers_in Ls h := foldl (fun h L => run_layer_in L h) h Ls.

(* Outside of the reach nothing is positive. *)
Definition quiet_head h (H : head coord R * option reach) :=
  [forall t : 'I_N, forall j : 'I_N, in_reach p H.2 t j || (score H.1 (h t) (h j) <= 0)].
Definition quiet_unit h (u : form coord R * form coord R * option both) :=
  [forall t : 'I_N, in_acts p u.2 t || (ap u.1.1 (h t) <= 0)].
Definition quiet L h := all (quiet_head h) (heads_in L) &&
  all (quiet_unit (attention N (map fst (heads_in L)) h)) (units_in L).

Fixpoint all_quiet Ls h : Prop :=
  if Ls is L :: Ls' then quiet L h /\ all_quiet Ls' (run_layer N (dense L) h) else True.

Definition agree h h' := forall t c, (t < N)%N -> h t c = h' t c.

Lemma eq_ap (f : form coord R) v v' : (forall c, v c = v' c) -> ap f v = ap f v'.
Proof. by move=> E; apply: eq_bigr => q _; rewrite E. Qed.

Lemma eq_score (H : head coord R) v v' w w' : (forall c, v c = v' c) -> (forall c, w c = w' c) ->
  score H v w = score H v' w'.
Proof. by move=> E E'; apply: eq_bigr => r _; rewrite (eq_ap _ E) (eq_ap _ E'). Qed.

Lemma eq_write (ws : seq (form coord R * form coord R)) v v' c : (forall c, v c = v' c) ->
  write ws v c = write ws v' c.
Proof. by move=> E; apply: eq_bigr => r _; rewrite (eq_ap _ E). Qed.

Lemma relu_0 x : x <= 0 -> relu x = 0.
Proof. by rewrite reluE => /max_idPr. Qed.

Lemma relu_eq0 x : relu x = 0 -> x <= 0.
Proof. by rewrite reluE => /max_idPr. Qed.

Lemma agree_layer L h h' : agree h h' -> agree (run_layer_in L h) (run_layer_in L h').
Proof.
move=> E t c tN; have A c' : attention_in (heads_in L) h t c' = attention_in (heads_in L) h' t c'.
  rewrite /attention_in E //; congr (_ + _); apply: eq_bigr => H _; congr (_ * _).
  apply: eq_bigr => j _; congr (relu _ * _); last by apply: eq_write => c2; apply: E.
  by apply: eq_score => c2; apply: E.
rewrite /run_layer_in /mlp_in A; congr (_ + _); apply: eq_bigr => u _.
by rewrite (eq_ap _ A).
Qed.

Lemma quiet_layer L h : quiet L h -> agree (run_layer_in L h) (run_layer N (dense L) h).
Proof.
case/andP=> qH qU t c tN; set tt := Ordinal tN.
have A c' : attention_in (heads_in L) h t c' = attention N (map fst (heads_in L)) h t c'.
  rewrite /attention_in /attention big_map; congr (_ + _).
  apply: (eq_big_all qH) => H /forallP/(_ tt)/forallP q; congr (_ * _).
  rewrite big_mkcond; apply: eq_bigr => j _; case: ifP => // out.
  by have := q j; rewrite /= out => /relu_0->; rewrite mul0r.
rewrite /run_layer_in /run_layer /mlp_in /mlp A /= big_map; congr (_ + _).
rewrite big_mkcond; apply: (eq_big_all qU) => u /forallP/(_ tt) q.
rewrite (eq_ap _ A); case: ifP => // out.
by move: q; rewrite /= out => /relu_0->; rewrite mul0r.
Qed.

Lemma quiet_layers Ls h h' : agree h' h -> all_quiet Ls h ->
  agree (run_layers_in Ls h') (run_layers N (map (@dense R) Ls) h).
Proof.
elim: Ls h h' => [|L Ls IH] h h' E //= [q qs]; apply: IH => // t c tN.
by rewrite (agree_layer L E) // quiet_layer.
Qed.

Lemma quiet_headP h H r : (forall t j, (t < N)%N -> (j < N)%N -> ~~ in_reach p r t j ->
  relu (score H (h t) (h j)) = 0) -> quiet_head h (H, r).
Proof.
move=> E; apply/forallP => t; apply/forallP => j; case: (boolP (in_reach p r t j)) => //= out.
by apply: relu_eq0; apply: E.
Qed.

Lemma quiet_unitP h u a : (forall t, (t < N)%N -> ~~ in_acts p a t -> relu (ap u.1 (h t)) = 0) ->
  quiet_unit h (u, a).
Proof.
move=> E; apply/forallP => t; case: (boolP (in_acts p a t)) => //= out.
by apply: relu_eq0; apply: E.
Qed.

(* Idle heads and units are quiet. *)
Lemma quiet_padded K hs us h : all (quiet_head h) hs ->
  all (quiet_unit (attention N (map fst hs) h)) us -> quiet (padded_in K hs us) h.
Proof.
move=> qH qU; rewrite /quiet all_cat qH all_nseq /=; apply/andP; split.
  by rewrite orbC quiet_headP // => t j _ _ _; rewrite score_idle reluE maxxx.
apply: sub_all qU => -[u a] q; apply/forallP => t; move/forallP/(_ t): q => /=.
rewrite map_cat map_nseq (@eq_ap _ _ (attention N (map fst hs) h t)) // => c.
exact: attention_idle.
Qed.

Lemma quiet_idle h : all (quiet_unit h) (idle_in R).
Proof. by rewrite /= andbT quiet_unitP // => t _ _; rewrite ap_nil reluE maxxx. Qed.
End Pass.

(* --- The layers are quiet on the streams of the construction --- *)

Section Quiet.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Notation relu := (relu o).
Hypothesis ok : admissible o p.
Hypothesis inbox : in_box (pd p) (pm p) (pn p) pr (Rx p) (Ry p).

Lemma live_ex t : live p t = (ex p t < (pm p).+1)%N.
Proof. by rewrite /live /ex ltn_divLR ?(len_gt0 ok). Qed.

Lemma quiet_own q h vs r : addressed p h -> (q < len p)%N -> r = Reach everywhere (Own, At q) ->
  quiet_head p h (Head (own_example o z q) vs, Some r).
Proof.
move=> A ql ->; apply: quiet_headP => t j tN jN out; rewrite own_address // (tokenE ok _ _ ql).
case: (boolP (live p t)) => //= lv; case: andP => // -[/eqP ej /eqP pj]; case/negP: out.
by rewrite /= /reaches /acts_at /= lv live_ex ej -live_ex lv pj !eqxx.
Qed.

Lemma quiet_copy h : holds p h (stream0 p pr) -> ~~ nilp (scratch p) ->
  quiet_head p h (copy_head o p, Some (copy_reach p)).
Proof.
move=> H some; apply: quiet_headP => t j tN jN out; rewrite (copy_address ok H) //.
have sl := source_lt ok (pos_lt ok t); rewrite (tokenE ok _ _ sl).
case: (boolP (live p t)) => //= lv; case: (boolP (is_scratch p _)) => //= sc.
case: andP => // -[/eqP ej /eqP pj]; case/negP: out.
have /andP[q1 q2] := sc; have n1 := n_gt1 ok.
have inw : (pos p t - (pn p).-1 < size (scratch p))%N by move: q1 q2; rewrite /len; lia.
have qE : pos p t = nth 0%N (iota (pn p).-1 (size (scratch p))) (pos p t - (pn p).-1).
  by rewrite nth_iota // subnKC.
rewrite /= /reaches /acts_at /= lv live_ex ej -live_ex lv pj eqxx mem_iota q1 /=.
rewrite {3}qE index_uniq ?size_iota ?iota_uniq // /source sc eqxx andbT.
by move: q2; rewrite /len; lia.
Qed.

Lemma quiet_gather_heads h : holds p h (stream0 p pr) -> all (quiet_head p h) (gather_heads_in o p).
Proof.
move=> H; have A := addressed0 H; rewrite all_cat all_map; apply/andP; split.
  by apply/allP => r; rewrite mem_iota => rS; apply: quiet_own => //; apply: slot_lt.
by case: (boolP (nilp (scratch p))) => //= some; rewrite quiet_copy.
Qed.

Lemma quiet_label h : addressed p h -> quiet_head p h (label_in o p).
Proof. by move=> A; apply: quiet_own => //; apply: label_lt. Qed.

Lemma quiet_query h : addressed p h -> quiet_head p h (query_in o p).
Proof.
move=> A; apply: quiet_headP => t j tN jN out; rewrite query_address //.
rewrite (tokenE ok _ _ (pos_lt ok t)).
case: (boolP (live p t)) => //= lv; case: andP => // -[/eqP ej /eqP pj]; case/negP: out.
by rewrite /= /reaches /acts_at /= lv live_ex ej ltnSn pj !eqxx.
Qed.

Lemma hinges_fit : all (fun vu => wired_unit p vu.2 && gated o p vu.2) (hinges p).
Proof.
rewrite /hinges; elim: (iota _ _) => [|v vs IH] //=; rewrite all_cat IH andbT all_map.
by rewrite (eq_all (a2 := predI (wired_unit p) (gated o p))) // all_predI units_wired ?units_gated.
Qed.

(* A gated hinge is fed nothing positive at other positions. *)
Lemma quiet_hinges h fld into x a : addressed p h ->
  (forall t, live p t -> bounded p (x t)) ->
  (forall t r e, (t < N p)%N -> (r <= size (slots p))%N -> (e < pd p)%N ->
    h t (fld r e) = if live p t then x t r e else 0) ->
  all (quiet_unit p h)
    [seq (hinge_unit o p fld into vu, Some (unit_place a)) | vu <- hinges_at p a].
Proof.
move=> A bx on; rewrite all_map all_filter; apply: sub_all hinges_fit => -[i u] /= /andP[wu gu].
apply/implyP => pl; apply: quiet_unitP => t tN out.
rewrite (hinge_unit_on ok into i A tN wu gu (bx t)) => [|r e rS ed]; last exact: on.
case: ifP => // /andP[lv act]; case/negP: out.
rewrite /= /acts_at /= lv /=; move: pl act; rewrite /unit_place /=.
by case: a => [q|] //; case: u.1 => //= q' /eqP-> /eqP->.
Qed.

Lemma quiet_dictionary h : holds p h (stream3a p pr) -> all (quiet_unit p h) (dictionary_in o p).
Proof.
move=> H; have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
rewrite /dictionary_in; case: nilp; first exact: quiet_idle.
elim: (places p) => [|a s IH] //=; rewrite all_cat IH andbT all_cat; apply/andP; split.
  apply: (quiet_hinges _ _ A (x := opnd p pr)) => [t|t [|r] e tN rS ed].
  - exact: opnd_bounded.
  - by rewrite H //=; case: ifP => // /(tok1_dead pr ok) ->.
  - by rewrite H //=; apply/andP.
apply: (quiet_hinges _ _ A (x := fun t => opnd p pr (token p (pm p) (pos p t)))).
- by move=> t lv; apply: opnd_bounded => //; rewrite token_live // pos_lt.
- move=> t [|r] e tN rS ed; rewrite H //=; last by apply/andP.
  by case: ifP => // lv; rewrite /opnd token_ex // pos_lt.
Qed.

Lemma quiet_match h top scale k : holds_but p is_found h (stream3 p pr) -> (k < K p)%N ->
  (forall q, q \in homes_of p ->
    top + B p * (\sum_(i <- iota 0 (pd p)) e_bound o p k q i ^+ 2) <= 2%:R * C p) ->
  quiet_head p h (match_head o p top scale k, Some (gate_reach p k)).
Proof.
move=> H kK tops; apply: quiet_headP => t j tN jN out.
rewrite (superpose_weight ok inbox H) //; case: eqP => [jt|_]; last exact: mulr0.
case: (boolP (live p t)) => [lv|dead]; last by rewrite live_weight // mul0r.
rewrite mulr1 /weight; case: eqP => // ph; case/negP: out.
by rewrite jt /= /reaches /acts_at /= lv ph !eqxx.
Qed.

Lemma quiet_matches h top scale : holds_but p is_found h (stream3 p pr) ->
  (forall k q, (k < K p)%N -> q \in homes_of p ->
    top + B p * (\sum_(i <- iota 0 (pd p)) e_bound o p k q i ^+ 2) <= 2%:R * C p) ->
  quiet p (matches_in o p top scale) h.
Proof.
move=> H tops; apply: quiet_padded; last exact: quiet_idle.
rewrite all_map; apply/allP => k; rewrite mem_iota => kK.
by apply: quiet_match => // q; apply: tops.
Qed.

Lemma quiet_pool h : addressed p h -> quiet p (pool_in o p) h.
Proof.
move=> A; apply: quiet_padded; last exact: quiet_idle; rewrite /= andbT.
apply: quiet_headP => t j tN jN out; rewrite (pool_gate ok) //; case: andP => // -[/eqP ta lj].
by case/negP: out; rewrite ta /= /reaches /acts_at /= answer_live // lj answer_ex // answer_pos //
  !eqxx.
Qed.

Section Hits.
Variable hit : nat -> nat -> bool.

Lemma acts_answer t : acts_at p (the_answer p) t = (t == answer p).
Proof.
rewrite /acts_at /= [RHS](tokenE ok) ?label_lt //; case: (boolP (live p t)) => //= dead.
by apply/esym/andP => -[/eqP E _]; case/negP: dead; rewrite live_ex E.
Qed.

(* A unit that is fed nothing positive but at the answer token. *)
Definition waits h (u : form coord R * form coord R) := [forall t : 'I_(N p),
  (t == answer p :> nat) || (ap u.1 (attention (N p) [:: square_head o p] h t) <= 0)].

Lemma quiet_square us h : holds p h (stream5 p pr hit) -> all (waits h) us ->
  quiet p (square_in o p us) h.
Proof.
move=> H wait; apply: quiet_padded; last first.
  rewrite all_map; apply: sub_all wait => u /forallP w; apply/forallP => t.
  by have := w t; rewrite /= acts_answer.
rewrite /= andbT; apply/forallP => t; apply/forallP => j.
rewrite /= /reaches acts_answer /score /= big_cons big_nil addr0 !ap1 !mul1r !H ?ltn_ord //=.
case: (t =P answer p :> nat) => [_|_]; last by rewrite mul0r lexx orbT.
case: (j =P answer p :> nat) => [->|_]; last by rewrite mulr0 lexx orbT.
by rewrite answer_live // answer_ex // answer_pos // !eqxx.
Qed.

Section Units.
Variable h : nat -> coord -> R.
Hypothesis H : holds p h (stream5 p pr hit).

(* What the units of a table are fed at other tokens. *)
Lemma fed (t : 'I_(N p)) a b c : t != answer p :> nat ->
  ap [:: (Sq, a); (Tot, b); (One, c)] (attention (N p) [:: square_head o p] h t) =
  a * sq0 p t + c * (live p t)%:R.
Proof.
move=> /negPf nt; have S := square_attention ok H (ltn_ord t).
by rewrite !ap_cons ap_nil !S //= nt mulr0 add0r addr0.
Qed.

Lemma fed_le0 (t : 'I_(N p)) a c : a <= 0 -> c <= 0 -> a * sq0 p t + c * (live p t)%:R <= 0.
Proof.
by move=> a0 c0; rewrite -(addr0 0) ler_add // mulr_le0_ge0 ?sq0_ge0 ?ler0n.
Qed.

Lemma table_waits : all (waits h) (table o p).
Proof.
rewrite all_map; apply/allP => v; rewrite mem_iota => /andP[v0 _]; apply/forallP => t.
case: (boolP (t == answer p :> nat)) => //= nt; rewrite fed //; apply: fed_le0.
  by rewrite oppr_le0 ler01.
by rewrite subr_le0 -natrM ler1n muln_gt0 v0.
Qed.

Lemma flat_waits top c : top <= 2%:R -> all (waits h) [seq flat_unit o top c v | v <- iota 1 (M p)].
Proof.
move=> t2; rewrite all_map; apply/allP => v; rewrite mem_iota => /andP[v0 _]; apply/forallP => t.
case: (boolP (t == answer p :> nat)) => //= nt; rewrite fed //; apply: fed_le0.
  by rewrite oppr_le0 ler0n.
by rewrite subr_le0 (le_trans t2) // ler_pmulr ?ltr0n // -natrM ler1n muln_gt0 v0.
Qed.

Lemma flat_table_waits : all (waits h) (flat_table o p).
Proof.
have e8 : 0 < 8%:R :> R by rewrite ltr0n.
by rewrite all_cat !flat_waits // /eighths /= ler_pdivr_mulr // -natrM ler_nat.
Qed.
End Units.

Lemma quiet_divide h : holds p h (stream6 p pr hit) -> quiet p (divide_in o p) h.
Proof.
move=> H; have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
apply: quiet_padded; last exact: quiet_idle; rewrite /= andbT.
apply/forallP => t; apply/forallP => j; apply/orP.
case: (boolP (live p t)) => [lv|dead]; last first.
  right; rewrite /score /= big_cons big_nil addr0 (ap_one _ A) ?ltn_ord // (negPf dead).
  by rewrite mulr0 mul0r.
case: (j =P answer p :> nat) => [ja|nj].
  by left; rewrite /= /reaches /acts_at /= lv ja answer_live // answer_ex // answer_pos // !eqxx.
right; rewrite /score /= big_cons big_nil addr0 (ap_one _ A) ?ltn_ord // lv ap1 H ?ltn_ord //=.
by move/eqP: nj => /negPf->; rewrite !mul1r rec0_le0.
Qed.
End Hits.

Lemma same_addresses h g : addressed p g -> holds p h g -> addressed p h.
Proof. by case=> pe pt on G; split=> *; rewrite G // (pe, pt, on). Qed.

Lemma gather_dense : dense (padded_in (K p) (gather_heads_in o p) (idle_in R)) = gather o p.
Proof. by rewrite dense_padded gather_heads_dense. Qed.
Lemma label_dense : dense (padded_in (K p) [:: label_in o p] (idle_in R)) = label o p.
Proof. by rewrite dense_padded. Qed.
Lemma query_dense :
  dense (padded_in (K p) [:: query_in o p] (dictionary_in o p)) = query_layer o p.
Proof. by rewrite dense_padded dictionary_dense. Qed.
Lemma superpose_dense : dense (matches_in o p (num o 1) (num o (N p))) = superpose o p.
Proof. by rewrite matches_dense. Qed.
Lemma pool_dense : dense (pool_in o p) = pool o p.
Proof. by rewrite /pool_in dense_padded. Qed.
Lemma table_dense : dense (square_in o p (table o p)) = square o p.
Proof. by rewrite square_dense. Qed.

(* From layer 4 on, whoever votes. *)
Lemma quiet_tail hit us h : holds p h (stream4 p pr hit) ->
  (forall h', holds p h' (stream5 p pr hit) -> all (waits h') us) ->
  (forall h', holds p h' (stream5 p pr hit) ->
    holds p (run_layer (N p) (padded (K p) [:: square_head o p] us) h') (stream6 p pr hit)) ->
  all_quiet p [:: pool_in o p; square_in o p us; divide_in o p] h.
Proof.
move=> H4 wait sq_; have H5 := pool_correct ok H4.
split; first by apply: quiet_pool; split=> [t' b|t' b|t'] *; rewrite H4.
rewrite pool_dense; split; first exact: quiet_square H5 (wait _ H5).
rewrite square_dense; split=> //.
exact: quiet_divide (sq_ _ H5).
Qed.

(* --- The pass is the same --- *)

Theorem reach_is_enough h t c :
  in_domain (pd p) (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p) ->
  holds p h (stream0 p pr) -> (t < N p)%N ->
  run_layers_in p (compile_in o p) h t c = run_layers (N p) (compile o p) h t c.
Proof.
move=> dom H0 tN; rewrite -compile_in_dense.
suff Q : all_quiet p (compile_in o p) h by apply: (quiet_layers (h := h)) tN.
have H1 := gather_correct ok H0; have H2 := label_correct ok H1.
have H3 := query_correct ok inbox H2; have H4 := superpose_correct ok dom H3.
split; first by apply: quiet_padded; [exact: quiet_gather_heads | exact: quiet_idle].
rewrite gather_dense; split.
  apply: quiet_padded; last exact: quiet_idle.
  by rewrite /= andbT; apply: quiet_label; split=> [t' b|t' b|t'] *; rewrite H1.
rewrite label_dense; split.
  apply: quiet_padded; last exact: quiet_dictionary (query_attention ok H2).
  by rewrite /= andbT; apply: quiet_query; split=> [t' b|t' b|t'] *; rewrite H2.
rewrite query_dense; split.
  by apply: quiet_matches => [? ? ? ? _|k q]; [exact: H3 | exact: (C_E2 ok)].
rewrite superpose_dense; apply: (quiet_tail H4) => h' H'; first exact: table_waits H'.
exact: square_correct.
Qed.

(* --- And so it is with a flat gate --- *)

Variables (a : R) (hit : nat -> nat -> bool).
Hypothesis flat : flat_conditions o p a.
Hypothesis decided : decides p hit (flat_weight p pr a).

Lemma gather_flat_dense : dense (gather_flat_in o p) = gather_flat o p.
Proof.
rewrite /gather_flat_in dense_padded map_cat gather_heads_dense /gather_flat.
by case: eqP.
Qed.

Lemma fetch_dense : dense (fetch_in o p) = fetch o p.
Proof. by rewrite /fetch_in dense_padded dictionary_dense /fetch; case: eqP. Qed.

Lemma quiet_fetch h : holds p h (stream0 p pr) ->
  quiet p (gather_flat_in o p) h /\
  quiet p (fetch_in o p) (run_layer (N p) (gather_flat o p) h).
Proof.
move=> H; have A := addressed0 H; split.
  apply: quiet_padded; last exact: quiet_idle.
  rewrite all_cat quiet_gather_heads //=; case: eqP => //= _.
  by rewrite andbT quiet_label.
rewrite /fetch_in /gather_flat; case: (K p =P 1%N) => [K1|_].
  have H1 := nothing_gathered flat K1 H.
  have G : gather_heads o p = [::].
    have /and3P[_ + _] := flat; rewrite K1 eqxx addn1 ltnS leqn0 /gathering /gather_heads.
    by case: (slots p) => [|? ?] //=; case: nilp.
  have H2 := label_correct ok H1; rewrite /label in H2.
  rewrite G; apply: quiet_padded; last exact: quiet_dictionary (query_attention ok H2).
  by rewrite /= andbT; apply: quiet_query; split=> [t' b|t' b|t'] *; rewrite H2.
rewrite cats0; have H1 := gather_correct ok H; rewrite /gather in H1.
have A1 : addressed p (run_layer (N p) (padded (K p) (gather_heads o p) idle_units) h).
  by split=> [t' b|t' b|t'] *; rewrite H1.
apply: quiet_padded; first by rewrite /= quiet_label // quiet_query.
apply: quiet_dictionary => t c tN vc; rewrite attentionE /= !big_cons big_nil addr0 H1 //.
have Hb : holds_but p is_lab (run_layer (N p) (padded (K p) (gather_heads o p) idle_units) h)
    (stream1 p pr) by move=> ? ? ? ? _; apply: H1.
rewrite (label_share ok Hb tN vc) (query_share ok Hb tN vc).
by case: c vc => //= *; rewrite ?addr0 ?add0r ?addr0.
Qed.

Theorem reach_is_enough_flat h t c : holds p h (stream0 p pr) -> (t < N p)%N ->
  run_layers_in p (compile_flat_in o p a) h t c = run_layers (N p) (compile_flat o p a) h t c.
Proof.
move=> H0 tN; rewrite -compile_flat_in_dense.
suff Q : all_quiet p (compile_flat_in o p a) h by apply: (quiet_layers (h := h)) tN.
have [q1 q2] := quiet_fetch H0; have H3 := flat_stream3 ok flat inbox H0.
split; first exact: q1; rewrite gather_flat_dense.
split; first exact: q2; rewrite fetch_dense.
have Hw : holds p (run_layer (N p) (fetch o p) (run_layer (N p) (gather_flat o p) h))
    (stream4w p pr (fun _ _ => 0)).
  move=> t' c' t'N vc; rewrite H3 //; case: c' {vc} => //= [u|].
    by rewrite big1 // => k _; rewrite mul0r.
  by rewrite big1.
have H4 := heads_add ok inbox 1 (fun k q => @top_C _ _ _ flat k q) Hw; rewrite mul1r in H4.
have H5 := stream4_decided decided (gates_weigh ok flat inbox H3).
split; first by apply: quiet_matches => [? ? ? ? _|k q]; [exact: H3 | exact: top_C flat k q].
rewrite matches_dense; split.
  apply: quiet_matches => [t' c' t'N vc nf|k q]; last exact: below_C flat k q.
  by rewrite H4 //; case: c' vc nf.
rewrite matches_dense; apply: (quiet_tail H5) => h' H'; first exact: flat_table_waits H'.
exact: square_flat_correct H'.
Qed.
End Quiet.

(* With the hypotheses of `approximate_correct`. *)
Theorem reach_is_enough_within (R : realFieldType) (p : plan R) pr a tau F eps h t c :
  admissible (real_ops R) p -> flat_conditions (real_ops R) p a -> held_within p pr a tau F eps ->
  holds p h (stream0 p pr) -> (t < N p)%N ->
  run_layers_in p (compile_flat_in (real_ops R) p a) h t c =
  run_layers (N p) (compile_flat (real_ops R) p a) h t c.
Proof.
move=> ok fl held; apply: (reach_is_enough_flat ok (the_box held) fl).
exact: near_decides held.
Qed.
