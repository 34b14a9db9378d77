(* The forward pass on lists, which computes over the rationals; over a real field it is
   the pass on matrices, and a map of numbers carries one to the other.

   forward_list o D N E x == the stream after all layers, as a list of rows
   is_row v F, is_matrix h M == the list v holds the row F, the lists h the matrix M
   shaped_layer L   == as many keys as queries, rows as values, outputs as units *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai residual spec plan stream transport matrices network.
From construct Require Import checker.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Section Lists.
Variables (T : Type) (o : ops T) (D N : nat).
Notation zero := (num o 0).

Definition entry_at (e : seq (nat * T)) j := sum o [seq q.2 | q <- e & q.1 == j].
Definition read_at (v : seq T) (e : seq (nat * T)) :=
  sum o [seq mul o (nth zero v q.1) q.2 | q <- e & (q.1 < D)%N].
Definition project (vs : vectors T) (v : seq T) := map (read_at v) vs.
Definition dot_list (a b : seq T) := sum o [seq mul o x.1 x.2 | x <- zip a b].

(* What is written along D: the sum of x_r times vector r. *)
Definition spread (ws : vectors T) (xs : seq T) j :=
  sum o [seq mul o x.1 (entry_at x.2 j) | x <- zip xs ws].

(* sum_j w_j v_j, of which only the tokens with a score count. *)
Definition weighted (ws : seq T) (vs : seq (seq T)) r :=
  sum o [seq mul o x.1 (nth zero x.2 r) | x <- zip ws vs & ~~ eqb o x.1 zero].

Definition head_list (H : emitted_head T) (h : seq (seq T)) : seq (seq T) :=
  let ks := map (project (W_K H)) h in
  let vs := map (project (W_V H)) h in
  [seq let ws := [seq relu o (dot_list (project (W_Q H) t) k) | k <- ks] in
       let a := [seq weighted ws vs r | r <- iota 0 (size (W_V H))] in
       [seq mul o (inv o (num o N)) (spread (W_O H) a j) | j <- iota 0 D]
  | t <- h].

Definition add_lists (a b : seq T) := [seq add o x.1 x.2 | x <- zip a b].
Definition attention_list Hs h :=
  foldl (fun acc H => [seq add_lists x.1 x.2 | x <- zip acc (head_list H h)]) h Hs.

Definition mlp_list (win wout : vectors T) (v : seq T) :=
  let a := map (relu o) (project win v) in
  add_lists v [seq spread wout a j | j <- iota 0 D].

Definition layer_list h L := map (mlp_list (W_in L) (W_out L)) (attention_list (ehs L) h).

Definition embed_list E (x : seq (seq T)) :=
  [seq [seq add o (spread (W_E E) y.1 j) (entry_at y.2 j) | j <- iota 0 D] | y <- zip x (W_pos E)].

Definition forward_list E x := foldl layer_list (embed_list E x) (elayers E).
End Lists.

(* --- Over a real field: the matrices --- *)

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Correct.
Variables (R : realFieldType) (D N : nat).
Notation o := (real_ops R).

(* The list v holds the row t of M. *)
Definition is_row (c : nat) (v : seq R) (F : 'I_c -> R) :=
  size v = c /\ forall j : 'I_c, nth 0 v j = F j.

Definition is_matrix (c : nat) (h : seq (seq R)) (M : 'M[R]_(N, c)) :=
  size h = N /\ forall t : 'I_N, is_row (nth [::] h t) (M t).

Lemma entry_atE e j : entry_at o e j = entry e j.
Proof. by rewrite /entry_at sumE big_map big_filter. Qed.

Lemma read_atE v (F : 'I_D -> R) e : is_row v F -> read_at o D v e = \sum_(i < D) F i * entry e i.
Proof.
case=> sv vF; rewrite /read_at sumE big_map big_filter.
under [RHS]eq_bigr => i _ do rewrite /entry big_mkcond mulr_sumr.
rewrite [RHS]exchange_big [LHS]big_mkcond; apply: eq_bigr => q _ /=; case: ifP => [qD|/negbT nq].
  rewrite (bigD1 (Ordinal qD)) //= eqxx (vF (Ordinal qD)) big1 ?addr0 // => i iq.
  rewrite (_ : (q.1 == i) = false) ?mulr0 //.
  by apply: contraNF iq => /eqP E; apply/eqP/val_inj.
rewrite big1 // => i _; rewrite (_ : (q.1 == i) = false) ?mulr0 //.
by apply: contraNF nq => /eqP->.
Qed.

Lemma mapE (A : Type) (c : nat) (F : A -> R) (s : seq A) (a : A) (j : 'I_c) : size s = c ->
  nth 0 (map F s) j = F (nth a s j).
Proof. by move=> sc; rewrite (nth_map a) // sc. Qed.

Lemma projectE v (F : 'I_D -> R) vs c : is_row v F -> size vs = c ->
  is_row (project o D vs v) (fun r : 'I_c => \sum_i F i * entry (nth [::] vs r) i).
Proof.
move=> vF sc; split; first by rewrite size_map.
by move=> r; rewrite (mapE _ [::]) // (read_atE _ vF).
Qed.

Lemma sum_zip (A B : Type) (a0 : A) (b0 : B) c s t (F : A -> B -> R) : size s = c -> size t = c ->
  sum o [seq F x.1 x.2 | x <- zip s t] = \sum_(i < c) F (nth a0 s i) (nth b0 t i).
Proof.
move=> sc tc; have zc : size (zip s t) = c by rewrite size_zip sc tc minnn.
rewrite sumE big_map (big_nth (a0, b0)) zc big_mkord; apply: eq_bigr => i _.
by rewrite nth_zip ?sc ?tc.
Qed.

Lemma spreadE ws xs c (F : 'I_c -> R) j : size ws = c -> is_row xs F ->
  spread o ws xs j = \sum_(r < c) F r * entry (nth [::] ws r) j.
Proof.
move=> wc [xc xF]; rewrite /spread (sum_zip 0 [::] (fun x w => x * entry_at o w j) xc wc).
by apply: eq_bigr => r _; rewrite xF entry_atE.
Qed.

Lemma weightedE ws vs c (W : 'I_N -> R) (V : 'M[R]_(N, c)) (r : 'I_c) :
  is_row ws W -> is_matrix vs V -> weighted o ws vs r = \sum_(j < N) W j * V j r.
Proof.
case=> sw wW [sv vV]; rewrite /weighted sumE big_map big_filter.
rewrite (big_nth (0, [::])) size_zip sw sv minnn big_mkord [RHS](bigID (fun j => W j == 0)) /=.
rewrite [X in X + _]big1 ?add0r => [|j /eqP->]; last by rewrite mul0r.
apply: eq_big => [j|j _]; rewrite nth_zip ?sw ?sv //=; last by case: (vV j) => _ ->; rewrite wW.
by rewrite wW /eqb /= -eq_le.
Qed.

Lemma is_rowP (c : nat) v (F G : 'I_c -> R) : (forall j, F j = G j) -> is_row v F -> is_row v G.
Proof. by move=> FG [sv vF]; split=> // j; rewrite vF. Qed.

Lemma is_row_iota (c : nat) (F : nat -> R) : is_row [seq F j | j <- iota 0 c] (fun j : 'I_c => F j).
Proof.
by split=> [|j]; rewrite ?size_map ?size_iota // (nth_map 0%N) ?size_iota // nth_iota.
Qed.

Lemma is_matrix_map (A : Type) c (s : seq A) (a0 : A) (F : A -> seq R) (M : 'M[R]_(N, c)) :
  size s = N -> (forall t : 'I_N, is_row (F (nth a0 s t)) (M t)) -> is_matrix (map F s) M.
Proof.
by move=> sN H; split=> [|t]; rewrite ?size_map // (nth_map a0) ?sN.
Qed.

Definition shaped (H : emitted_head R) :=
  (size (W_K H) == size (W_Q H)) && (size (W_O H) == size (W_V H)).

Lemma head_listE H h (M : 'M[R]_(N, D)) : shaped H -> is_matrix h M ->
  is_matrix (head_list o D N H h) (head_mx H M).
Proof.
case/andP=> /eqP sK /eqP sO [sh hM].
apply: (is_matrix_map (a0 := [::]) sh) => t.
apply: is_rowP; last exact: is_row_iota.
move=> j /=; rewrite /head_mx /scores_mx [RHS]mxE; congr (_ * _); rewrite [RHS]mxE.
set ws := [seq relu o _ | k <- _]; set acc := [seq weighted o ws _ r | r <- _].
have rQ (a : 'I_N) : is_row (project o D (W_Q H) (nth [::] h a))
    ((M *m columns D (W_Q H) (size (W_Q H))) a).
  by apply: is_rowP (projectE (hM a) erefl) => r; rewrite !mxE; apply: eq_bigr => i _; rewrite mxE.
have rK (a : 'I_N) : is_row (project o D (W_K H) (nth [::] h a))
    ((M *m columns D (W_K H) (size (W_Q H))) a).
  by apply: is_rowP (projectE (hM a) sK) => r; rewrite !mxE; apply: eq_bigr => i _; rewrite mxE.
have rV : is_matrix (map (project o D (W_V H)) h) (M *m columns D (W_V H) (size (W_V H))).
  apply: (is_matrix_map (a0 := [::]) sh) => a.
  by apply: is_rowP (projectE (hM a) erefl) => r; rewrite !mxE; apply: eq_bigr => i _; rewrite mxE.
have rw : is_row ws (relu_mx ((M *m columns D (W_Q H) (size (W_Q H))) *m
    (M *m columns D (W_K H) (size (W_Q H)))^T) t).
  split=> [|a]; rewrite ?size_map // (nth_map [::]) ?size_map ?sh // (nth_map [::]) ?sh //.
  rewrite !mxE reluE; congr (Num.max _ _); have [sq q_] := rQ t; have [sk k_] := rK a.
  rewrite /dot_list (sum_zip 0 0 (fun x y => mul o x y) sq sk); apply: eq_bigr => r _.
  by rewrite q_ k_ [_^T _ _]mxE.
have ra : is_row acc ((relu_mx ((M *m columns D (W_Q H) (size (W_Q H))) *m
    (M *m columns D (W_K H) (size (W_Q H)))^T) *m (M *m columns D (W_V H) (size (W_V H)))) t).
  apply: is_rowP; last exact: is_row_iota.
  by move=> r /=; rewrite (weightedE _ rw rV) [RHS]mxE.
by rewrite (spreadE _ sO ra); apply: eq_bigr => r _; rewrite [rows_ _ _ _ _ _]mxE.
Qed.

Lemma add_listsE c a b (F G : 'I_c -> R) : is_row a F -> is_row b G ->
  is_row (add_lists o a b) (fun j => F j + G j).
Proof.
case=> sa aF [sb bG]; split; first by rewrite size_map size_zip sa sb minnn.
by move=> j; rewrite (nth_map (0, 0)) ?size_zip ?sa ?sb ?minnn // nth_zip ?sa ?sb //= aF bG.
Qed.

Lemma attention_listE Hs h (M : 'M[R]_(N, D)) : all shaped Hs -> is_matrix h M ->
  is_matrix (attention_list o D N Hs h) (attention_mx Hs M).
Proof.
move=> sH hM; rewrite /attention_list /attention_mx.
suff : forall acc A, is_matrix acc A -> is_matrix
    (foldl (fun a H => [seq add_lists o x.1 x.2 | x <- zip a (head_list o D N H h)]) acc Hs)
    (A + \sum_(H <- Hs) head_mx H M) by apply.
elim: Hs sH => [|H Hs IH] /= sH acc A accA; first by rewrite big_nil addr0.
case/andP: sH => s1 /IH {}IH; rewrite big_cons addrA; apply: IH.
have [sa ra] := accA; have [sb rb] := head_listE s1 hM.
apply: (is_matrix_map (a0 := ([::], [::]))); first by rewrite size_zip sa sb minnn.
by move=> t; rewrite nth_zip ?sa ?sb //; apply: is_rowP (add_listsE (ra t) (rb t)) => j;
  rewrite [RHS]mxE.
Qed.

Lemma mlp_listE win wout h (M : 'M[R]_(N, D)) : size wout = size win -> is_matrix h M ->
  is_matrix (map (mlp_list o D win wout) h) (mlp_mx win wout M).
Proof.
move=> so [sh hM]; apply: (is_matrix_map (a0 := [::]) sh) => t.
apply: is_rowP; last exact: add_listsE (hM t) (is_row_iota _ _).
move=> j /=; rewrite [RHS]mxE; congr (_ + _).
have ra : is_row (map (relu o) (project o D win (nth [::] h t)))
    (relu_mx (M *m columns D win (size win)) t).
  have [sp pE] := projectE (hM t) (erefl (size win)).
  split=> [|r]; rewrite ?size_map // (nth_map 0) ?size_map // pE !mxE reluE.
  by congr (Num.max _ _); apply: eq_bigr => i _; rewrite mxE.
by rewrite (spreadE _ so ra) mxE; apply: eq_bigr => r _; rewrite [rows_ _ _ _ _ _]mxE.
Qed.

Definition shaped_layer (L : emitted_layer R) :=
  all shaped (ehs L) && (size (W_out L) == size (W_in L)).

Lemma forward_listE d E x (X : 'M[R]_(N, d.+1)) : all shaped_layer (elayers E) ->
  size (W_E E) = d.+1 -> size (W_pos E) = N -> is_matrix x X ->
  is_matrix (forward_list o D N E x) (forward D E X).
Proof.
move=> sL sE sP [sx xX]; rewrite /forward_list /forward.
have : is_matrix (embed_list o D E x) (embed_mx D E X).
  apply: (is_matrix_map (a0 := ([::], [::]))); first by rewrite size_zip sx sP minnn.
  move=> t; rewrite nth_zip ?sx ?sP //; apply: is_rowP; last exact: is_row_iota.
  move=> j /=; rewrite (spreadE _ sE (xX t)) entry_atE !mxE; congr (_ + _).
  by apply: eq_bigr => u _; rewrite mxE.
elim: (elayers E) (embed_list _ _ _ _) (embed_mx _ _ _) sL => [|L Ls IH] //= h M.
case/andP=> /andP[s1 /eqP s2] sL hM; apply: IH => //.
by apply: mlp_listE => //; apply: attention_listE.
Qed.
End Correct.

(* --- From one number type to another --- *)

Section Carry.
Variables (T1 T2 : Type) (o1 : ops T1) (o2 : ops T2) (phi : T1 -> T2) (D N : nat).
Hypothesis mo : morph o1 o2 phi.
Notation mv := (map phi).
Notation mm := (map (map phi)).
Notation vec := [eta map (fun q : nat * T1 => (q.1, phi q.2))].

Lemma entry_at_map e j : entry_at o2 (vec e) j = phi (entry_at o1 e j).
Proof. by rewrite /entry_at (m_sum mo) filter_map -!map_comp. Qed.

Lemma nth_phi v i : nth (num o2 0) (mv v) i = phi (nth (num o1 0) v i).
Proof.
case: (ltnP i (size v)) => iv; first by rewrite (nth_map (num o1 0)).
by rewrite !nth_default ?size_map // (m_num mo).
Qed.

Lemma read_at_map v e : read_at o2 D (mv v) (vec e) = phi (read_at o1 D v e).
Proof.
rewrite /read_at (m_sum mo) filter_map -!map_comp; congr sum; apply: eq_map => q /=.
by rewrite nth_phi (m_mul mo).
Qed.

Lemma project_map vs v : project o2 D (map_vectors phi vs) (mv v) = mv (project o1 D vs v).
Proof. by rewrite /project -!map_comp; apply: eq_map => e /=; rewrite read_at_map. Qed.

Lemma sum_zip_map (A1 A2 B1 B2 : Type) (fa : A1 -> A2) (fb : B1 -> B2) F1 F2 s t :
  (forall a b, F2 (fa a) (fb b) = phi (F1 a b)) ->
  sum o2 [seq F2 x.1 x.2 | x <- zip (map fa s) (map fb t)] =
  phi (sum o1 [seq F1 x.1 x.2 | x <- zip s t]).
Proof.
move=> FF; rewrite (m_sum mo); congr sum.
by elim: s t => [|a s IH] [|b t] //=; rewrite IH FF.
Qed.

Lemma dot_map a b : dot_list o2 (mv a) (mv b) = phi (dot_list o1 a b).
Proof. by apply: sum_zip_map => x y; rewrite (m_mul mo). Qed.

Lemma spread_map ws xs j : spread o2 (map_vectors phi ws) (mv xs) j = phi (spread o1 ws xs j).
Proof.
apply: (sum_zip_map (fa := phi) (fb := fun w => [seq (q.1, phi q.2) | q <- w])
  (F1 := fun x w => mul o1 x (entry_at o1 w j)) (F2 := fun x w => mul o2 x (entry_at o2 w j))).
by move=> x w; rewrite (entry_at_map w) (m_mul mo).
Qed.

Lemma weighted_map ws vs r : weighted o2 (mv ws) (mm vs) r = phi (weighted o1 ws vs r).
Proof.
rewrite /weighted (m_sum mo); congr sum.
elim: ws vs => [|w ws IH] [|v vs] //=; rewrite -(m_num mo) (eqb_map mo) (m_num mo).
by case: ifP => _ //=; rewrite IH nth_phi (m_mul mo).
Qed.

Lemma head_map H h : head_list o2 D N (map_ehead phi H) (mm h) = mm (head_list o1 D N H h).
Proof.
rewrite /head_list -[LHS]map_comp -[RHS]map_comp; apply: eq_map => t /=;
  rewrite size_map -[RHS]map_comp.
apply: eq_map => j /=; rewrite (m_mul mo) (m_inv mo) (m_num mo); congr mul; rewrite -spread_map.
congr spread; rewrite -[RHS]map_comp; apply: eq_map => r /=; rewrite -weighted_map.
congr weighted; rewrite -!map_comp; apply: eq_map => k /=; last by rewrite project_map.
by rewrite !project_map dot_map (m_relu mo).
Qed.

Lemma add_lists_map a b : add_lists o2 (mv a) (mv b) = mv (add_lists o1 a b).
Proof. by rewrite /add_lists; elim: a b => [|x a IH] [|y b] //=; rewrite IH (m_add mo). Qed.

Lemma attention_map Hs h :
  attention_list o2 D N (map (map_ehead phi) Hs) (mm h) = mm (attention_list o1 D N Hs h).
Proof.
rewrite /attention_list.
suff : forall acc, foldl (fun acc H => [seq add_lists o2 x.1 x.2 | x <- zip acc (head_list o2 D
  N H (mm h))])
    (mm acc) (map (map_ehead phi) Hs) =
  mm (foldl (fun acc H => [seq add_lists o1 x.1 x.2 | x <- zip acc (head_list o1 D N H h)]) acc
    Hs) by apply.
elim: Hs => [|H Hs IH] acc //=; rewrite head_map -IH; congr foldl.
by elim: acc (head_list _ _ _ _ _) => [|x acc IHa] [|y hs] //=; rewrite IHa add_lists_map.
Qed.

Lemma mlp_map win wout v :
  mlp_list o2 D (map_vectors phi win) (map_vectors phi wout) (mv v) = mv (mlp_list o1 D win wout v).
Proof.
rewrite /mlp_list -add_lists_map; congr add_lists; rewrite -map_comp; apply: eq_map => j /=.
rewrite -spread_map; congr spread; rewrite project_map -!map_comp.
by apply: eq_map => x /=; rewrite (m_relu mo).
Qed.

Lemma forward_map E x :
  forward_list o2 D N (map_emitted phi E) (mm x) = mm (forward_list o1 D N E x).
Proof.
rewrite /forward_list /=.
have -> : embed_list o2 D (map_emitted phi E) (mm x) = mm (embed_list o1 D E x).
  rewrite /embed_list /= /map_vectors; elim: x (W_pos E) => [|a x IH] [|b ps] //=; rewrite IH.
  congr cons; rewrite -map_comp; apply: eq_map => j /=.
  by rewrite (m_add mo) -spread_map entry_at_map.
elim: (elayers E) (embed_list _ _ _ _) => [|L Ls IH] h //=; rewrite -IH; congr foldl.
rewrite /layer_list /= attention_map -!map_comp; apply: eq_map => v /=.
by rewrite mlp_map.
Qed.
End Carry.
