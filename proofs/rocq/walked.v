(* The layers that `quick.v` computes are those of the compiler.

   rd f, pl f       == a vector by its places, written or named by coordinates
   viewsE, walkE    == a list that is walked is the list by its indices
   layers_ofE, embeddingE, placesE, unembeddingE == all that the compiler writes *)
From Coq Require Import QArith NArith.
From mathcomp Require Import all_ssreflect all_algebra zify.
From construct Require Import numbers bai codes residual spec plan stream.
From construct Require Import gather label query superpose pool square divide theorem.
From construct Require Import flat matrices network tolerance checker artifact reader binary quick.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Open Scope nat_scope.

Lemma nth_f (A B : Type) (f : A -> B) a s k : nth (f a) (map f s) k = f (nth a s k).
Proof. by elim: s k => [|x s IH] [|k] /=. Qed.

Lemma map_iota_succ (A : Type) (G : nat -> A) i l :
  map G (iota i.+1 l) = map (fun k => G k.+1) (iota i l).
Proof. by elim: l i => //= l IH i; rewrite IH. Qed.

Lemma map_zip_upto (A B : Type) (a : A) (F : bin * A -> B) (G : nat -> B) s :
  (forall i, F (BinNat.N.of_nat i, nth a s i) = G i) ->
  map F (zip (upto zero (size s)) s) = map G (iota 0 (size s)).
Proof.
have H i : (forall j, F (BinNat.N.of_nat (i + j), nth a s j) = G (i + j)) ->
    map F (zip (upto (BinNat.N.of_nat i) (size s)) s) = map G (iota i (size s)).
  elim: s i => //= x s IH i FG; rewrite -Nat2N.inj_succ IH => [|j]; last first.
    by have := FG j.+1; rewrite addnS -addSn.
  by have := FG 0; rewrite addn0 => ->.
by move=> FG; apply: (H 0).
Qed.

Section Sound.
Variable w : written_plan.
Notation o := rat_ops.
Notation p := (read_plan w).
Notation z := (sizes_of p).
Notation y := (layout_of w).

Lemma lenE : len_written w = len p.
Proof. by rewrite /len_written /len /= size_map. Qed.

Lemma sizesE : sizes_written w = z.
Proof. by rewrite /sizes_written /sizes_of lenE /= !size_map. Qed.

Lemma K_written : K p = size (wtasks w).
Proof. by rewrite /K /= size_map. Qed.

(* --- Places --- *)

Lemma from_nat k b : index_of (from_ (BinNat.N.of_nat k) b) = k + index_of b.
Proof. by rewrite /index_of N2Nat.inj_add Nat2N.id. Qed.

Lemma leE : y_le y = le z. Proof. by rewrite /= sizesE. Qed.
Lemma ltE : y_lt y = lt z. Proof. by rewrite /= sizesE. Qed.

Lemma labE u : index_of (from_ (y_lab y) u) = place z (Lab (index_of u)).
Proof. by rewrite from_nat sizesE /= addn0. Qed.
Lemma qryE u : index_of (from_ (y_qry y) u) = place z (Qry (index_of u)).
Proof. by rewrite from_nat sizesE /= addn0. Qed.
Lemma gxE u : index_of (from_ (y_gx y) u) = place z (Gx (index_of u)).
Proof. by rewrite from_nat sizesE /= addn0. Qed.
Lemma gqE u : index_of (from_ (y_gq y) u) = place z (Gq (index_of u)).
Proof. by rewrite from_nat sizesE /= addn0. Qed.
Lemma outE u : index_of (from_ (y_out y) u) = place z (Out (index_of u)).
Proof. by rewrite from_nat sizesE /= addn0. Qed.
Lemma peE u : index_of (from_ (y_pe y) u) = place z (Pe (index_of u)).
Proof. by rewrite from_nat sizesE /= addn0. Qed.
Lemma ptE u : index_of (from_ (y_pt y) u) = place z (Pt (index_of u)).
Proof. by rewrite from_nat sizesE /= addn0. Qed.
Lemma oneE : index_of (y_one y) = place z One. Proof. by rewrite index_of_nat sizesE. Qed.
Lemma ctxE : index_of (y_ctx y) = place z Ctx. Proof. by rewrite index_of_nat sizesE. Qed.
Lemma cntE : index_of (y_cnt y) = place z Cnt. Proof. by rewrite index_of_nat sizesE. Qed.
Lemma totE : index_of (y_tot y) = place z Tot. Proof. by rewrite index_of_nat sizesE. Qed.
Lemma sqE : index_of (y_sq y) = place z Sq. Proof. by rewrite index_of_nat sizesE. Qed.
Lemma recE : index_of (y_rec y) = place z Rec. Proof. by rewrite index_of_nat sizesE. Qed.
Lemma n1E : index_of (y_n1 y) = (pn p).-1. Proof. exact: index_of_nat. Qed.
Lemma lastE : index_of (y_last y) = (len p).-1.
Proof. by rewrite index_of_nat lenE. Qed.
Lemma halfE : y_half y = half_L o p. Proof. by []. Qed.
Lemma dE : index_of (y_d y) = pd p. Proof. exact: index_of_nat. Qed.
Lemma SE : index_of (y_S y) = size (slots p). Proof. by rewrite index_of_nat sizesE. Qed.
Lemma PE : index_of (y_P y) = size (dict p). Proof. by rewrite index_of_nat sizesE. Qed.

Lemma is_scratchE q : q_is_scratch w q = is_scratch p (index_of q).
Proof.
rewrite /q_is_scratch /is_scratch index_ltb index_of_nat lenE; congr (_ && _).
by rewrite BinNat.N.leb_antisym index_ltb index_of_nat -leqNgt.
Qed.

Lemma index_sub a b : index_of (BinNat.N.sub a b) = index_of a - index_of b.
Proof. by rewrite /index_of; lia. Qed.

Lemma sourceE q : index_of (q_source w (table zero (wscratch w)) q) = source p (index_of q).
Proof.
rewrite /q_source is_scratchE /source; case: ifP => // _.
by rewrite look_table index_sub index_of_nat -(nth_f index_of).
Qed.

Lemma operand_xE r u :
  index_of (operand_x y r u) = place z (field Tok Slot (index_of r) (index_of u)).
Proof.
have -> : index_of (operand_x y r u) = index_of r * wd w + index_of u.
  by rewrite /index_of /operand_x N2Nat.inj_add N2Nat.inj_mul Nat2N.id.
by case: (index_of r) => [|r'] /=; rewrite ?mul0n.
Qed.

Lemma operand_qE r u :
  index_of (operand_q y r u) = place z (field Qry QSlot (index_of r) (index_of u)).
Proof.
have -> : index_of (operand_q y r u) = (2 + size (slots p) + index_of r) * wd w + index_of u.
  rewrite /index_of /operand_q N2Nat.inj_add N2Nat.inj_mul N2Nat.inj_add !Nat2N.id.
  by rewrite sizesE.
by case: (index_of r) => [|r'] /=; rewrite ?addn0 ?addnS.
Qed.

(* --- Vectors and layers by places --- *)

Local Opaque layout_of.

Definition rd (f : vector) : seq (nat * Q) := map_form index_of id f.
Definition pl (f : form coord Q) : seq (nat * Q) := map_form (place z) id f.
Notation rds := (@map_pairs bin nat Q Q index_of id).
Notation pls := (@map_pairs coord nat Q Q (place z) id).
Notation rdh := (@map_head bin nat Q Q index_of id).
Notation plh := (@map_head coord nat Q Q (place z) id).
Notation rdl := (@map_layer bin nat Q Q index_of id).
Notation pll := (@map_layer coord nat Q Q (place z) id).

Lemma rd_cat f g : rd (f ++ g) = rd f ++ rd g. Proof. exact: map_cat. Qed.
Lemma pl_cat f g : pl (f ++ g) = pl f ++ pl g. Proof. exact: map_cat. Qed.
Lemma rds_cat f g : rds (f ++ g) = rds f ++ rds g. Proof. exact: map_cat. Qed.
Lemma pls_cat f g : pls (f ++ g) = pls f ++ pls g. Proof. exact: map_cat. Qed.

Lemma constantE x : rd (q_constant y x) = pl (constant x).
Proof. by rewrite /rd /q_constant /= oneE. Qed.

Lemma alongE b c l x : (forall i, index_of (from_ b i) = place z (c (index_of i))) ->
  rd (q_along b l x) = pl (along o c l (index_of x)).
Proof.
move=> bc; rewrite /rd /pl /bai.map_form -!map_comp; apply: (@map_upto _ _ _ zero) => i /=.
by rewrite bc bit_codeE.
Qed.

Lemma sameE b c l : (forall i, index_of (from_ b i) = place z (c (index_of i))) ->
  rds (q_same b l) = pls (stream.same o c l).
Proof.
move=> bc; rewrite /bai.map_pairs -!map_comp; apply: (@map_upto _ _ _ zero) => i /=.
by rewrite bc.
Qed.

Lemma copyE f t c c' x : (forall i, index_of (f i) = place z (c (index_of i))) ->
  (forall i, index_of (t i) = place z (c' (index_of i))) ->
  rds (q_copy w f t x) = pls (copy o c c' x (pd p)).
Proof.
move=> fc tc; rewrite /bai.map_pairs -!map_comp; apply: (@map_upto _ _ _ zero) => i /=.
by rewrite fc tc.
Qed.

Lemma rd_scaled a f : rd (q_scaled a f) = [seq (q.1, mul o a q.2) | q <- rd f].
Proof. by rewrite /rd /bai.map_form -!map_comp. Qed.
Lemma pl_scaled a f : pl (scaled o a f) = [seq (q.1, mul o a q.2) | q <- pl f].
Proof. by rewrite /pl /bai.map_form -!map_comp. Qed.

Lemma ownE q : rds (q_own y q) = pls (own_example o z (index_of q)).
Proof.
rewrite /q_own /own_example rds_cat pls_cat leE ltE (sameE _ peE); congr (_ ++ [:: (_, _)]).
  exact: constantE.
by rewrite -/(rd _) -/(pl _) rd_cat pl_cat (alongE _ _ ptE) constantE.
Qed.

Lemma paddedE hs us hs' us' : map rdh hs = map plh hs' -> rds us = pls us' ->
  rdl (padded (size (wtasks w)) hs us) = pll (padded (K p) hs' us').
Proof.
move=> hh uu; have sh : size hs = size hs' by rewrite -(size_map rdh) hh size_map.
by rewrite /padded /bai.map_layer /= uu K_written sh !map_cat hh !map_nseq.
Qed.

Lemma idleE : rds idle_units = pls idle_units. Proof. by []. Qed.

Lemma numberE i : q_number i = num o (index_of i).
Proof. by rewrite /q_number /= /index_of N_nat_Z. Qed.

Lemma copy_headE : rdh (q_copy_head w y) = plh (copy_head o p).
Proof.
rewrite /bai.map_head /q_copy_head /copy_head /=; congr Head; last exact: copyE.
rewrite /copy_rows rds_cat pls_cat leE (sameE _ peE).
congr (_ ++ [:: (_, _); (_, _); (_, _)]).
- exact: constantE.
- by rewrite /bai.map_form /= recE oneE.
- by rewrite /bai.map_form /= recE.
- exact: constantE.
- by rewrite /bai.map_form /= sqE.
rewrite -!/(rd _) -!/(pl _) /q_to_end rd_cat pl_cat constantE numberE lastE ltE; congr (_ ++ _).
rewrite /rd /pl /bai.map_form -!map_comp; apply: (@map_upto _ _ _ zero) => b.
by rewrite /comp ptE.
Qed.

Lemma gather_headsE : map rdh (q_gather_heads w y) = map plh (gather_heads o p).
Proof.
rewrite /q_gather_heads /gather_heads !map_cat; congr (_ ++ _); last first.
  by rewrite /nilp /= size_map; case: eqP => // _; rewrite /= copy_headE.
rewrite -!map_comp /= size_map.
apply: (map_zip_upto (a := zero)) => r /=; rewrite /bai.map_head /=; congr Head.
  by rewrite ownE /slot /= (nth_f index_of zero).
apply: (copyE (c := Tok) (c' := Slot r)) => // i.
by rewrite operand_xE index_succ index_of_nat.
Qed.

Lemma gatherE : rdl (q_gather w y) = pll (gather o p).
Proof. exact: paddedE gather_headsE idleE. Qed.

Lemma label_headE : rdh (q_label_head w y) = plh (label_head o p).
Proof.
rewrite /bai.map_head /= ownE lastE; congr Head.
exact: (copyE (c := Tok) _ _ labE).
Qed.

Lemma labelE : rdl (q_label w y) = pll (label o p).
Proof. by apply: paddedE => //=; rewrite label_headE. Qed.

Lemma unit_gateE a : rd (q_unit_gate y a) = pl (unit_gate o p (omap index_of a)).
Proof.
case: a => [q|] //; rewrite -[omap _ _]/(Some (index_of q)) /q_unit_gate /unit_gate.
by rewrite rd_cat pl_cat rd_scaled pl_scaled (alongE _ _ ptE) constantE ltE halfE.
Qed.

Lemma hinge_unitE fld b f (into : nat -> coord) i u :
  (forall r u, index_of (fld r u) = place z (f (index_of r) (index_of u))) ->
  (forall u, index_of (from_ b u) = place z (into (index_of u))) ->
  let r := q_unit y fld b (i, u) in
  let c := hinge_unit o p f into (index_of i, read_unit u) in (rd r.1, rd r.2) = (pl c.1, pl c.2).
Proof.
move=> ff bi; rewrite /q_unit /hinge_unit.
rewrite !rd_cat !pl_cat unit_gateE constantE; congr (_ ++ _, [:: (_, _)]).
  by rewrite /rd /pl /bai.map_form -!map_comp; apply: eq_map => q /=; rewrite ff.
by rewrite bi.
Qed.

Notation read_vu vu := (index_of vu.1, read_unit vu.2).

Lemma hingesE : hinges p = [seq read_vu vu | vu <- q_hinges w].
Proof.
rewrite /hinges /q_hinges map_flatten -map_comp /= size_map; congr flatten; symmetry.
apply: (map_zip_upto (a := [::])) => v /=.
by rewrite -map_comp (nth_f (map read_unit) [::]) -map_comp; apply: eq_map => h /=;
  rewrite index_of_nat.
Qed.

Lemma same_placeE a b : q_same_place a b = same_place (omap index_of a) (omap index_of b).
Proof. by case: a b => [q|] [r|] //=; rewrite index_eqb. Qed.

Lemma hinges_atE a : hinges_at p (omap index_of a) =
  [seq read_vu vu | vu <- [seq vu <- q_hinges w | q_same_place a vu.2.1]].
Proof.
rewrite /hinges_at hingesE filter_map; congr map; apply: eq_filter => vu /=.
by rewrite same_placeE.
Qed.

Lemma unitsE : rds (q_units w y) = pls (dictionary_units o p).
Proof.
rewrite /q_units /dictionary_units hingesE /nilp size_map; case: eqP => // _.
have at_ a : rds (map (q_unit y (operand_x y) (y_gx y)) [seq vu <- q_hinges w | q_same_place a vu.2.1] ++
      map (q_unit y (operand_q y) (y_gq y)) [seq vu <- q_hinges w | q_same_place a vu.2.1]) =
    pls ([seq hinge_unit o p (field Tok Slot) Gx vu | vu <- hinges_at p (omap index_of a)] ++
      [seq hinge_unit o p (field Qry QSlot) Gq vu | vu <- hinges_at p (omap index_of a)]).
  rewrite hinges_atE rds_cat pls_cat /bai.map_pairs -!map_comp; congr (_ ++ _);
    apply: eq_map => -[v u] /=.
  - by have := hinge_unitE v u operand_xE gxE.
  - by have := hinge_unitE v u operand_qE gqE.
have -> : places p = [seq omap index_of a | a <- None :: [seq Some q | q <- upto zero (len_written w)]].
  rewrite /places lenE /=; congr (_ :: _); rewrite -map_comp.
  by symmetry; apply: (@map_upto _ _ _ zero).
rewrite lenE -[in RHS]map_comp; elim: (_ :: _) => //= a s IH.
by rewrite rds_cat pls_cat IH; congr (_ ++ _); exact: at_.
Qed.

Lemma query_headE : rdh (q_query_head w y) = plh (query_head o p).
Proof.
rewrite /bai.map_head /= leE ltE; congr Head; rewrite rds_cat pls_cat.
  rewrite (sameE _ ptE); congr (_ ++ [:: (_, _)]); first exact: constantE.
  by rewrite -/(rd _) -/(pl _) rd_cat pl_cat (alongE _ _ peE) constantE index_of_nat.
rewrite (copyE (c := Tok) _ _ qryE) // /bai.map_pairs !map_flatten -!map_comp size_map.
congr (_ ++ flatten _); apply: (@map_upto _ _ _ zero) => r /=.
rewrite -/(rds _) -/(pls _).
by apply: copyE => i; [rewrite operand_xE | rewrite operand_qE]; rewrite index_succ.
Qed.

Lemma queryE : rdl (q_query w y) = pll (query_layer o p).
Proof. by apply: paddedE; [rewrite /= query_headE | exact: unitsE]. Qed.

(* --- The tasks, walked once --- *)

Definition no_task := WrittenTask [::] [::] [::] [::].
Notation task_ k := (nth no_task (wtasks w) k).
Notation home_ k := (nth zero (whomes w) k).
Notation view_ k := (view_of w (task_ k) (home_ k) (nth [::] (wreads w) k)).
Notation row_ k i :=
  (Row (BinNat.N.of_nat i) (nth [::] (wA (task_ k)) i) (nth [::] (wC (task_ k)) i)
       (nth q0 (wb (task_ k)) i)).

Lemma viewsE (A : Type) (F : view -> A) (G : nat -> A) :
  (forall k, F (view_ k) = G k) -> map F (views w) = map G (iota 0 (K p)).
Proof.
rewrite K_written /views; elim: (wtasks w) (whomes w) (wreads w) G => //= t ts IH hs rs G FG.
have := FG 0; rewrite /= !nth0 => ->; rewrite map_iota_succ; congr (_ :: _).
by apply: IH => k; have := FG k.+1; rewrite /= -!nth_behead.
Qed.

Lemma walkE (A : Type) (F : row -> A) (G : nat -> A) k :
  (forall i, F (row_ k i) = G i) -> map F (v_rows (view_ k)) = map G (iota 0 (pd p)).
Proof.
move=> FG; rewrite /= -[zero]/(BinNat.N.of_nat 0).
move: (wA _) (wC _) (wb _) (wd w) FG => a c b l.
have H i a0 c0 b0 : (forall j, F (Row (BinNat.N.of_nat (i + j)) (nth [::] a0 j)
      (nth [::] c0 j) (nth q0 b0 j)) = G (i + j)) ->
    map F (walk (BinNat.N.of_nat i) l a0 c0 b0) = map G (iota i l).
  elim: l i a0 c0 b0 => //= l IH i a0 c0 b0 FG; rewrite -Nat2N.inj_succ IH => [|j].
    by have := FG 0; rewrite addn0 !nth0 => ->.
  by have := FG j.+1; rewrite addnS -addSn -!nth_behead.
by move=> FG; apply: H.
Qed.

Lemma task_read k : task_of p k = read_written (task_ k).
Proof. exact: (nth_f read_written no_task). Qed.
Lemma home_read k : home p k = index_of (home_ k).
Proof. exact: (nth_f index_of zero). Qed.
Lemma input_read k : home_input p k = index_of (v_input (view_ k)).
Proof. by rewrite /home_input home_read -sourceE. Qed.
Lemma reads_read k v : nth 0 (nth [::] (reads p) k) (index_of v) =
  index_of (look zero (v_reads (view_ k)) v).
Proof. by rewrite /= (nth_f (map index_of) [::]) (nth_f index_of zero) look_table. Qed.

Lemma operandE h q : index_of (operand_of w h q) = operand p (index_of h) (index_of q).
Proof.
have H i ss : index_of (slot_after i ss q) = index_of i + index (index_of q) (map index_of ss).
  elim: ss i => [|s ss IH] i /=; first by rewrite addn0.
  by rewrite index_eqb; case: eqP => _; rewrite ?addn0 // IH index_succ addSnnS.
by rewrite /operand_of /operand -index_eqb; case: ifP => // _; rewrite index_succ H.
Qed.

Lemma formE k i fld b f feat :
  (forall r u, index_of (fld r u) = place z (f (index_of r) (index_of u))) ->
  (forall u, index_of (from_ b u) = place z (feat (index_of u))) ->
  rd (q_form w y fld b (view_ k) (row_ k i)) = pl (f_form o p k f feat i).
Proof.
move=> ff bf; rewrite /q_form /f_form task_read !rd_cat !pl_cat constantE /=.
congr (_ ++ (_ ++ _)); rewrite /rd /pl /bai.map_form -!map_comp.
  rewrite (nth_f read_linear [::]) -map_comp; apply: eq_map => q /=.
  by rewrite ff operandE input_read.
rewrite (nth_f read_entries [::]) -map_comp; apply: eq_map => q /=.
by rewrite bf -reads_read.
Qed.

Lemma errorE k i : rd (q_error w y (view_ k) (row_ k i)) = pl (e_form o p k i).
Proof.
rewrite /q_error /e_form rd_cat pl_cat (formE _ _ operand_xE gxE); congr (_ ++ _).
by rewrite /rd /pl /= labE index_of_nat.
Qed.

Lemma gateE top k : rd (q_gate w y top (view_ k)) = pl (gate o p top k).
Proof.
rewrite /q_gate /gate !rd_cat !pl_cat constantE rd_scaled pl_scaled leE ltE.
by rewrite (alongE _ _ ptE) home_read /rd /pl /= ctxE.
Qed.

Lemma codeE b c l : (forall i, index_of (from_ b i) = place z (c (index_of i))) ->
  rds (q_code w b l) = pls [seq ([:: (c i, C p)], [:: (c i, num o 1)]) | i <- iota 0 l].
Proof.
move=> bc; rewrite /bai.map_pairs -!map_comp; apply: (@map_upto _ _ _ zero) => i /=.
by rewrite bc.
Qed.

Lemma tasksE top scale : rdl (q_tasks w y (views w) top scale) =
  pll (padded (K p) [seq match_head o p top scale k | k <- iota 0 (K p)] idle_units).
Proof.
apply: paddedE => //; rewrite -!map_comp; apply: viewsE => k /=.
rewrite /bai.map_head /= leE ltE; congr Head; rewrite !rds_cat !pls_cat.
  congr (_ ++ _).
    rewrite /bai.map_pairs -!map_comp; apply: walkE => i /=.
    by rewrite -!/(rd _) -!/(pl _) rd_scaled pl_scaled errorE.
  rewrite (codeE _ peE) (codeE _ ptE); congr (_ ++ (_ ++ [:: (_, _)])); first exact: constantE.
  exact: gateE.
congr (_ ++ [:: (_, _)]); last by rewrite /bai.map_form /= cntE.
  rewrite /bai.map_pairs -!map_comp; apply: walkE => i /=.
  rewrite -!/(rd _) -!/(pl _) rd_scaled pl_scaled (formE _ _ operand_qE gqE); congr (_, _).
  by rewrite /rd /= outE index_of_nat.
exact: constantE.
Qed.

(* --- The other layers, and the ends --- *)

Lemma poolE : rdl (q_pool w y) = pll (pool o p).
Proof.
apply: paddedE => //; rewrite /= /bai.map_head /= leE ltE; congr [:: Head [:: (_, _)] _].
- rewrite -!/(rd _) -!/(pl _) !rd_cat !pl_cat (alongE _ _ peE) (alongE _ _ ptE) constantE.
  by rewrite lastE index_of_nat.
- exact: constantE.
- by rewrite rds_cat pls_cat (copyE _ outE outE) /= cntE totE.
Qed.

Lemma square_headE : rdh (q_square_head y) = plh (square_head o p).
Proof. by rewrite /bai.map_head /= totE sqE oneE. Qed.

Lemma squareE : rdl (q_square w y) = pll (square o p).
Proof.
apply: paddedE; first by rewrite /= square_headE.
rewrite /M K_written /bai.map_pairs -!map_comp.
apply: (@map_upto _ _ _ (BinNat.N.succ zero)) => i; rewrite /comp /q_table numberE.
by rewrite /bai.map_form /= sqE totE oneE recE.
Qed.

Lemma divideE : rdl (q_divide w y) = pll (divide o p).
Proof.
apply: paddedE => //; rewrite /= /bai.map_head /= oneE recE; congr [:: Head _ _].
exact: (copyE (c' := Tok) _ outE).
Qed.

Lemma gather_flatE : rdl (q_gather_flat w y) = pll (gather_flat o p).
Proof.
apply: paddedE => //; rewrite [LHS]map_cat [RHS]map_cat gather_headsE -K_written.
congr (_ ++ _).
by case: ifP => //= _; rewrite label_headE.
Qed.

Lemma fetchE : rdl (q_fetch w y) = pll (fetch o p).
Proof.
apply: paddedE; last exact: unitsE.
rewrite [LHS]map_cat [RHS]map_cat -K_written; congr (_ ++ _); last by rewrite /= query_headE.
by case: ifP => //= _; rewrite label_headE.
Qed.

Lemma square_flatE : rdl (q_square_flat w y) = pll (square_flat o p).
Proof.
have table top c : rds [seq q_flat_table y top c i | i <- upto (BinNat.N.succ zero) (wm w * size (wtasks w))] =
    pls [seq flat_unit o top c v | v <- iota 1 (M p)].
  rewrite /M K_written /bai.map_pairs -!map_comp.
  apply: (@map_upto _ _ _ (BinNat.N.succ zero)) => i; rewrite /comp /q_flat_table numberE.
  by rewrite /bai.map_form /= sqE totE oneE recE.
apply: paddedE; first by rewrite /= square_headE.
by rewrite rds_cat pls_cat !table.
Qed.

Lemma layers_ofE g : map rdl (layers_of w y (views w) g) = map pll (layers_for o p g).
Proof.
case: g => [g|]; last by rewrite /= gatherE labelE queryE tasksE poolE squareE divideE.
by rewrite /= gather_flatE fetchE !tasksE poolE square_flatE divideE.
Qed.

Lemma unembeddingE : map rd (q_unembedding w) = map pl (unembedding o p).
Proof. by rewrite -!map_comp; apply: (@map_upto _ _ _ zero). Qed.

Lemma embeddingE : map rd (q_embedding w y) = map pl (embedding o p).
Proof.
by rewrite /q_embedding /embedding !map_cat unembeddingE /= /rd /pl /= ctxE.
Qed.

Lemma div_mod t n : 0 < n ->
  index_of (BinNat.N.div t (BinNat.N.of_nat n)) = (index_of t %/ n)%N /\
  index_of (BinNat.N.modulo t (BinNat.N.of_nat n)) = (index_of t %% n)%N.
Proof.
move=> n0; have nz : BinNat.N.of_nat n <> BinNums.N0 by lia.
have := BinNat.N.div_mod t _ nz; have := BinNat.N.mod_lt t _ nz.
set a := BinNat.N.div _ _; set b := BinNat.N.modulo _ _ => bn E.
have bn' : index_of b < n by rewrite /index_of; lia.
have -> : index_of t = index_of a * n + index_of b.
  by rewrite E /index_of N2Nat.inj_add N2Nat.inj_mul Nat2N.id mulnC.
by rewrite divnMDl // modnMDl divn_small // modn_small // addn0.
Qed.

Lemma scratch_formE q :
  rd (q_scratch_form w y (table zero (wscratch w)) q) = pl (scratch_form o p (index_of q)).
Proof.
have markE : index_of (BinNat.N.sub (y_last y) (q_source w (table zero (wscratch w)) q)) =
    mark p (index_of q) by rewrite index_sub lastE sourceE.
have sqrE i : index_of (BinNat.N.mul i i) = index_of i ^ 2.
  by rewrite -mulnn /index_of N2Nat.inj_mul.
rewrite /q_scratch_form /scratch_form is_scratchE !numberE sqrE markE.
have -> : nilp (scratch p) = nilp (wscratch w) by rewrite /nilp size_map.
case: nilp => //; move: (num o (mark p _)) (sub o _ _) (opp o _) => a b c.
by case: is_scratch; rewrite /rd /pl /bai.map_form /= recE ?sqE.
Qed.

Lemma placesE : map rd (q_places w y) = map pl (places_of o p).
Proof.
rewrite /q_places /places_of; cbv zeta.
rewrite -!map_comp; apply: (@map_upto _ _ _ zero) => t; rewrite /comp.
rewrite index_ltb index_of_nat lenE -[(wm w).+1 * len p]/((pm p).+1 * len p).
rewrite /live; case: ltnP => // lt_t.
have n0 : 0 < len p by move: lt_t; case: (len p) => //; rewrite muln0.
have [dE mE] := div_mod t n0.
rewrite !rd_cat !pl_cat (alongE _ _ peE) (alongE _ _ ptE) constantE scratch_formE dE mE leE ltE.
by [].
Qed.
End Sound.
