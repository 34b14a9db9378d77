(* Layer 4, superpose: at the home token of example i, out holds the sum of f_k(X_q), and
   cnt the number, of the tasks k with that home and f_k(X_i) = y_i; elsewhere 0.

   superpose o p    == layer 4; superpose_head o p k == head k of it
   e_form o p k i   == entry i of f_k - label; gate o p k == what else the score holds
   off p pr k t j   == how far tokens t and j are off target: 0, or at most -2C
   matched p pr k t == t is the home token of an example that task k explains
   stream4 p pr     == the stream after it *)
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers bai codes residual spec plan stream gather label query.
From construct Require Import reading.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Weights.
Variables (T : Type) (o : ops T) (p : plan T).
Notation z := (sizes_of p).

Definition scaled a (f : form coord T) : form coord T := [seq (q.1, mul o a q.2) | q <- f].

(* e_k = f_k of the token's example, minus its label. *)
Definition e_form k i : form coord T :=
  f_form o p k (field Tok Slot) Gx i ++ [:: (Lab i, opp o (num o 1))].

Definition gate k : form coord T :=
  scaled (C p) (along o Pt (lt z) (home p k)) ++
  [:: (Ctx, mul o (num o 2) (C p))] ++
  constant (sub o (num o 1) (mul o (C p) (num o (le z + 2 * lt z + 2)))).

(* 1 - B <e_k(i), e_k(j)> + C (<pe_i, pe_j> - le) + C (<pt_i, pt_j> - lt)
     + C (<code of the home, pt_j> - lt) + 2C (ctx_j - 1) *)
Definition superpose_rows k :=
  [seq (scaled (opp o (B p)) (e_form k i), e_form k i) | i <- iota 0 (pd p)] ++
  [seq ([:: (Pe b, C p)], [:: (Pe b, num o 1)]) | b <- iota 0 (le z)] ++
  [seq ([:: (Pt b, C p)], [:: (Pt b, num o 1)]) | b <- iota 0 (lt z)] ++
  [:: (constant (num o 1), gate k)].

Definition superpose_head k : head coord T :=
  Head (superpose_rows k)
    ([seq (scaled (num o (N p)) (f_form o p k (field Qry QSlot) Gq i), [:: (Out i, num o 1)])
        | i <- iota 0 (pd p)] ++
     [:: (constant (num o (N p)), [:: (Cnt, num o 1)])]).

Definition superpose : layer coord T :=
  padded (K p) [seq superpose_head k | k <- iota 0 (K p)] idle_units.
End Weights.

Section Lemma_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Notation m := (pm p).
Notation n := (pn p).
Notation d := (pd p).
Hypothesis ok : admissible o p.
Variable dl : R.   (* for the bounds any distance of the labels will do *)
Hypothesis dom : in_domain d m n (tasks p) pr (Rx p) (Ry p) dl.

(* What head k finds at token t: 1 at the home of an example that task k explains; less, the
   farther the label is; 0 from B^(-1/2) on. *)
Definition weight k t : R := if (pos p t == home p k) && ctx p pr t then
  relu o (1 - B p * \sum_(i <- iota 0 d) gap (tasks p) pr k (ex p t) i ^+ 2) else 0.

(* Token t is the home of task k in an example that task k explains. *)
Definition matched k t := [&& (ex p t < m)%N, pos p t == home p k &
  explains d (tasks p) pr k (ex p t)].

Definition stream4 t c : R :=
  match c with
  | Out u => \sum_(k <- iota 0 (K p)) (matched k t)%:R * f_ (tasks p) k (query pr) u
  | Cnt => \sum_(k <- iota 0 (K p)) (matched k t)%:R
  | _ => stream3 p pr t c
  end.

(* --- What the tokens hold --- *)

Lemma Rx_ge0 : 0 <= Rx p.
Proof. by case/and5P: ok => _ _ _ _ /and4P[_ _ _ /and4P[H _ _ _]]; apply: H. Qed.
Lemma Ry_ge0 : 0 <= Ry p.
Proof. by case/and5P: ok => _ _ _ _ /and4P[_ _ _ /and4P[_ H _ _]]; apply: H. Qed.
Lemma B_ge0 : 0 <= B p.
Proof. by case/and5P: ok => _ _ _ _ /and4P[_ _ _ /and4P[_ _ H _]]; apply: H. Qed.
Lemma s_gt0 : 0 < s p.
Proof.
case/and5P: ok => _ _ _ _ /and4P[_ _ _ /and4P[_ _ _ /and3P[H _ _]]].
by rewrite real_ltNge ?num_real //; apply: H.
Qed.
Lemma B_delta : 1 <= B p * delta p ^+ 2.
Proof. by case/and5P: ok => _ _ _ _ /and4P[_ _ _ /and4P[_ _ _ /and3P[_ H _]]]; apply: H. Qed.
Lemma C_E2 k : (k < K p)%N -> 1 + B p * (\sum_(i <- iota 0 d) e_bound o p k i ^+ 2) <= 2%:R * C p.
Proof.
case/and5P: ok => _ _ _ _ /and4P[_ _ _ /and4P[_ _ _ /and3P[_ _ /allP H]]] kK.
have := H k; rewrite mem_iota => /(_ kK); rewrite /E2 sumE big_map /=.
by under eq_bigr do rewrite -expr2.
Qed.

Lemma vec_bounded t u : (u < d)%N -> `|vec p pr t u| <= R_tok o p.
Proof.
move=> ud; have Rx_tok : Rx p <= R_tok o p by rewrite /R_tok /=; case: ifP.
have Ry_tok : Ry p <= R_tok o p.
  by rewrite /R_tok /=; case: ifP => // /negbT; rewrite -real_ltNge ?num_real // => /ltW.
have tok0 : `|0 : R| <= R_tok o p by rewrite normr0 (le_trans Rx_ge0).
rewrite /vec; case: ifP => em.
  case: ifP => // us; case: ifP => qn; first by apply: le_trans Rx_tok; apply: (X_bound dom).
  by apply: le_trans Ry_tok; apply: (Y_bound dom).
by case: ifP => // /andP[_ qn]; apply: le_trans Rx_tok; apply: (query_bound dom).
Qed.

(* An input, wherever it stands. *)
Lemma input_bounded i q u : (i <= m)%N -> (q < n.-1)%N -> (u < d)%N ->
  `|vec p pr (token p i q) u| <= Rx p.
Proof.
move=> im qn ud; have qn' : (q < n)%N by rewrite (leq_trans qn) ?leq_pred.
rewrite /vec token_ex // token_pos // qn andbT.
case: ifP => [im'|_]; first by case: ifP => us; [apply: (X_bound dom) | rewrite normr0 Rx_ge0].
by case: ifP => _; [apply: (query_bound dom) | rewrite normr0 Rx_ge0].
Qed.

Lemma opnd_bounded t : live p t -> bounded p (opnd p pr t).
Proof.
move=> lv [|r] u rS ud; first exact: vec_bounded.
by rewrite /opnd input_bounded ?slots_ok // -ltnS ex_lt.
Qed.

Lemma label_bounded i u : (u < d)%N -> (i <= m)%N -> `|vec p pr (token p i n.-1) u| <= Ry p.
Proof.
move=> ud im; have nn : (n.-1 < n)%N by rewrite prednK ?(n_gt0 ok).
rewrite /vec token_ex // token_pos // ltnn andbF.
case: ifP => [im'|_]; last by rewrite normr0 Ry_ge0.
by case: ifP => us; [apply: (Y_bound dom) | rewrite normr0 Ry_ge0].
Qed.

(* The inputs of the example that token t belongs to. *)
Definition inputs t q u := vec p pr (token p (ex p t) q) u.

Lemma reads_opnd k t : live p t -> pos p t = home p k -> reads_inputs p k (opnd p pr t) (inputs t).
Proof.
move=> lv ph q u + qn ud; rewrite /operand /inputs.
case: eqP => [-> _|_ /= qs] /=.
  by rewrite /opnd -ph /token /ex /pos -divn_eq.
by rewrite /opnd /slot nth_index.
Qed.

Section Stream3.
Variable h : nat -> coord -> R.
Hypothesis H : holds p h (stream3 p pr).

Lemma addressed3 : addressed p h.
Proof. by split=> [t' b|t' b|t'] *; rewrite H. Qed.

Lemma holds_example t : (t < N p)%N -> live p t ->
  holds_operands p (h t) (field Tok Slot) Gx (opnd p pr t).
Proof.
move=> tN lv; split=> [[|r] u rS ud|i iP|]; rewrite H //= ?lv //; exact/andP.
Qed.

Lemma holds_query t : (t < N p)%N -> live p t ->
  holds_operands p (h t) (field Qry QSlot) Gq (opnd p pr (token p m (pos p t))).
Proof.
move=> tN lv; split=> [[|r] u rS ud|i iP|]; rewrite H //= ?lv //; last exact/andP.
by rewrite /opnd token_ex // pos_lt.
Qed.

Lemma eE k i t : (t < N p)%N -> (i < d)%N ->
  ap (e_form o p k i) (h t) = ap (f_form o p k (field Tok Slot) Gx i) (h t) - h t (Lab i).
Proof. by move=> tN id; rewrite /e_form ap_cat ap1 mulN1r. Qed.

Lemma e_bounded k i t : (k < K p)%N -> (t < N p)%N -> live p t -> (i < d)%N ->
  `|ap (e_form o p k i) (h t)| <= e_bound o p k i.
Proof.
move=> kK tN lv id; rewrite eE //.
apply: le_trans (f_bounded ok i kK (opnd_bounded lv) (holds_example tN lv)).
apply: le_trans (ler_norm_sub _ _) _; rewrite ler_add2l H //= lv.
by apply: label_bounded => //; rewrite -ltnS ex_lt.
Qed.

(* At the home token of an example e_k is what its label is off by. *)
Lemma e_home k i t : (k < K p)%N -> (t < N p)%N -> ctx p pr t -> pos p t = home p k -> (i < d)%N ->
  ap (e_form o p k i) (h t) = gap (tasks p) pr k (ex p t) i.
Proof.
move=> kK tN /andP[em us] ph id.
have lv : live p t.
  by rewrite /live -ltn_divLR ?(n_gt0 ok) // ltnW.
rewrite eE // (read_f ok i kK (holds_example tN lv) (reads_opnd lv ph)) /gap; congr (_ - _).
  apply: f_eq => // q u qn ud; have qn' := leq_trans qn (leq_pred n).
  by rewrite /inputs /vec token_ex // token_pos // em us qn.
have nn : (n.-1 < n)%N by rewrite prednK ?(n_gt0 ok).
by rewrite H //= lv /vec token_ex // token_pos // em us ltnn.
Qed.

Lemma f_query k i t : (k < K p)%N -> (t < N p)%N -> live p t -> pos p t = home p k ->
  ap (f_form o p k (field Qry QSlot) Gq i) (h t) = f_ (tasks p) k (query pr) i.
Proof.
move=> kK tN lv ph; have tn : (pos p t < n)%N by apply: pos_lt.
have lq : live p (token p m (pos p t)) by apply: token_live.
have pq : pos p (token p m (pos p t)) = home p k by rewrite token_pos.
rewrite (read_f ok i kK (holds_query tN lv) (reads_opnd lq pq)).
apply: f_eq => // q u qn ud; have qn' := leq_trans qn (leq_pred n).
by rewrite /inputs token_ex // /vec token_ex // token_pos // ltnn eqxx qn.
Qed.

(* Padding reads nothing. *)
Lemma e_dead k i t : (k < K p)%N -> (t < N p)%N -> live p t = false -> (i < d)%N ->
  ap (e_form o p k i) (h t) = 0.
Proof.
move=> kK tN dead id; have /and4P[_ _ _ /allP rC] := wiredP ok kK.
rewrite eE // /f_form !ap_cat !ap_map ap1 !H //= dead mulr0 addr0 subr0.
rewrite [X in _ + X]big_seq [X in _ + X]big1 ?addr0 => [|q qC].
  rewrite big_seq big1 // => q /(allP (readable_row ok i kK))/and3P[q1 _ ud].
  have rS := operand_le q1; move: (operand _ _ _) rS => [|r] rS; rewrite H //=; last exact/andP.
    by rewrite (vec_dead pr ok _ dead) mulr0.
  by rewrite dead mulr0.
have iC : (i < size (tC (task_of p k)))%N.
  by rewrite ltnNge; apply/negP => /(nth_default [::]) E; rewrite E in qC.
have /allP/(_ _ qC)/andP[P_ok _] := rC _ (mem_nth [::] iC).
by rewrite H //= dead mulr0.
Qed.

Lemma ap_scaled a (f : form coord R) v : ap (scaled o a f) v = a * ap f v.
Proof. exact: ap_scale. Qed.

(* How far a pair of tokens is off target: 0 on it, else at most -2C. *)
Definition off k t j := C p * (dot R (le z) (ex p t) (ex p j) - (le z)%:R) +
  C p * (dot R (lt z) (pos p t) (pos p j) - (lt z)%:R) +
  C p * (dot R (lt z) (home p k) (pos p j) - (lt z)%:R) + 2%:R * C p * ((ctx p pr j)%:R - 1).

Lemma gate_dead k j : (j < N p)%N -> live p j = false -> ap (gate o p k) (h j) = 0.
Proof.
move=> jN dead; rewrite /gate !ap_cat ap_scaled (ap_along_pt _ addressed3) // dead ap1.
rewrite (ap_one _ addressed3) // dead H //= (_ : ctx p pr j = false) ?mulr0 ?addr0 //.
apply/negP => /andP[em _]; move/negP: (negbT dead); apply.
by rewrite /live -ltn_divLR ?(n_gt0 ok) // ltnW.
Qed.

Lemma ap_gate k j : (j < N p)%N -> live p j ->
  ap (gate o p k) (h j) = C p * dot R (lt z) (home p k) (pos p j) + 2%:R * C p * (ctx p pr j)%:R +
    (1 - C p * (le z + 2 * lt z + 2)%:R).
Proof.
move=> jN lj; rewrite /gate !ap_cat ap_scaled (ap_along_pt _ addressed3) // lj ap1.
by rewrite (ap_one _ addressed3) // lj mulr1 H //= addrA.
Qed.

Lemma superpose_score k t j : (k < K p)%N -> (t < N p)%N -> (j < N p)%N ->
  score (superpose_head o p k) (h t) (h j) =
  if live p t && live p j then
    1 - B p * (\sum_(i <- iota 0 d) ap (e_form o p k i) (h t) * ap (e_form o p k i) (h j)) +
    off k t j
  else 0.
Proof.
move=> kK tN jN; rewrite /score /= /superpose_rows !big_cat !big_map big_cons big_nil /= addr0.
rewrite (ap_one _ addressed3) //.
under eq_bigr do rewrite ap_scaled -mulrA; rewrite -mulr_sumr.
under [X in _ + (X + _)]eq_bigr do rewrite !ap1 mul1r -mulrA; rewrite -mulr_sumr.
under [X in _ + (_ + (X + _))]eq_bigr do rewrite !ap1 mul1r -mulrA; rewrite -mulr_sumr.
have := ap_same_pe addressed3 tN jN; rewrite big_map; under eq_bigr do rewrite !ap1 !mul1r.
move=> ->; have := ap_same_pt addressed3 tN jN; rewrite big_map.
under eq_bigr do rewrite !ap1 !mul1r; move=> ->.
case lt_: (live p t) => /=; last first.
  rewrite !mulr0 mul0r !addr0 big_seq big1 ?mulr0 // => i; rewrite mem_iota => id.
  by rewrite e_dead ?mul0r.
case lj: (live p j) => /=; last first.
  rewrite !mulr0 mul1r gate_dead // !mulr0 !addr0 big_seq big1 ?mulr0 // => i.
  by rewrite mem_iota => id; rewrite (e_dead kK jN) ?mulr0.
rewrite !mul1r ap_gate // /off natrD natrD natrM; ring.
Qed.

Lemma sum_le (F G : nat -> R) : (forall i, (i < d)%N -> F i <= G i) ->
  \sum_(i <- iota 0 d) F i <= \sum_(i <- iota 0 d) G i.
Proof. by move=> FG; rewrite !big_seq; apply: ler_sum => i; rewrite mem_iota => /FG. Qed.

(* By the bounds on e_k, whatever the tokens. *)
Lemma cross k t j : (k < K p)%N -> (t < N p)%N -> (j < N p)%N -> live p t -> live p j ->
  - (\sum_(i <- iota 0 d) ap (e_form o p k i) (h t) * ap (e_form o p k i) (h j)) <=
  \sum_(i <- iota 0 d) e_bound o p k i ^+ 2.
Proof.
move=> kK tN jN lt_ lj; rewrite -sumrN; apply: sum_le => i id.
apply: le_trans (ler_norm _) _; rewrite normrN normrM expr2.
by apply: ler_pmul; rewrite ?normr_ge0 // e_bounded.
Qed.

Lemma C_ge0 k : (k < K p)%N -> 0 <= C p.
Proof.
move=> kK; rewrite -(pmulr_rge0 _ (ltr0n R 2)); apply: le_trans (C_E2 kK).
rewrite addr_ge0 ?ler01 // mulr_ge0 ?B_ge0 // sumr_ge0 // => i _; exact: sqr_ge0.
Qed.

Lemma off_target k t j : (k < K p)%N -> live p t -> live p j ->
  ~~ [&& j == t, pos p t == home p k & ctx p pr t] -> off k t j <= - (2%:R * C p).
Proof.
move=> kK lt_ lj nt; have C0 := C_ge0 kK.
have le_e : (ex p t < 2 ^ le z)%N by apply: ex_code. have le_e' :
  (ex p j < 2 ^ le z)%N by apply: ex_code.
have hk : (home p k < 2 ^ lt z)%N.
  have /and4P[hn _ _ _] := wiredP ok kK.
  by apply: clogP; rewrite (leq_trans hn) ?leq_pred.
have near l x y : C p * (dot R l x y - l%:R) <= 0.
  by rewrite mulr_ge0_le0 // subr_le0 dot_le.
have far l x y : (x < 2 ^ l)%N -> (y < 2 ^ l)%N -> x != y ->
  C p * (dot R l x y - l%:R) <= - (2%:R * C p).
  move=> xl yl /eqP xy; rewrite mulrC -mulNr ler_wpmul2r // ler_subl_addl.
  exact: dot_other.
have ctx_le : 2%:R * C p * ((ctx p pr j)%:R - 1) <= 0.
  by rewrite mulr_ge0_le0 ?mulr_ge0 ?ler0n // subr_le0; case: ctx; rewrite ?ler01 ?lexx.
have sum4 a b c e x : a <= 0 -> b <= 0 -> c <= 0 -> e <= 0 ->
    (a <= x) || (b <= x) || (c <= x) || (e <= x) -> a + b + c + e <= x :> R.
  move=> a0 b0 c0 e0 /orP[/orP[/orP[]|]|] H1.
  - by rewrite -[x]addr0 ler_add // -[x]addr0 ler_add // -[x]addr0 ler_add.
  - by rewrite -[x]addr0 ler_add // -[x]addr0 ler_add // -[x]add0r ler_add.
  - by rewrite -[x]addr0 ler_add // -[x]add0r ler_add // -[0]addr0 ler_add.
  - by rewrite -[x]add0r ler_add // -[0]addr0 ler_add // -[0]addr0 ler_add.
rewrite /off; apply: sum4; rewrite ?near //.
case: (ex p t =P ex p j) => [Ee|/eqP Ee]; last by rewrite far.
case: (pos p t =P pos p j) => [Ep|/eqP Ep]; last by rewrite (far (lt z) (pos p t) (pos p j))
  ?orbT ?pos_code.
have jt : j = t by rewrite (divn_eq j n) (divn_eq t n) -/(ex p j) -/(pos p j) -Ee -Ep.
subst j; rewrite eqxx /= in nt.
case: (pos p t =P home p k) nt => [Eh /= nc|/eqP Eh _]; last first.
  by rewrite (far (lt z) (home p k)) ?orbT ?pos_code // eq_sym.
by rewrite (negPf nc) sub0r mulrN1 lexx !orbT.
Qed.

(* Head k looks from a token at itself, if it is the home of a real example, and at nothing
   else. *)
Lemma superpose_weight k t j : (k < K p)%N -> (t < N p)%N -> (j < N p)%N ->
  relu o (score (superpose_head o p k) (h t) (h j)) = weight k t * (j == t)%:R.
Proof.
move=> kK tN jN; rewrite superpose_score // reluE.
case: ifP => [/andP[lt_ lj]|dead]; last first.
  rewrite maxxx; case: eqP => [jt|_]; rewrite ?mulr0 // mulr1 /weight.
  case: ifP => // /andP[_ /andP[em _]].
  by move: dead; rewrite jt andbb /live -ltn_divLR ?(n_gt0 ok) // ltnW.
case: (boolP [&& j == t, pos p t == home p k & ctx p pr t]) => [/and3P[/eqP jt /eqP ph cx]|nt].
  subst j; rewrite eqxx mulr1 /weight ph eqxx cx /= reluE.
  have -> : off k t t = 0 by rewrite /off -ph !dot_same !subrr cx /= subrr !mulr0 !addr0.
  rewrite addr0; congr (Num.max (1 - _ * _) _); apply: eq_big_seq => i.
  by rewrite mem_iota => id; rewrite e_home // expr2.
have -> : weight k t * (j == t)%:R = 0.
  case: eqP => [jt|_]; rewrite ?mulr0 // mulr1 /weight; case: ifP => // /andP[ph cx].
  by case/negP: nt; rewrite jt eqxx ph cx.
apply/max_idPr; have G := off_target kK lt_ lj nt.
have X := cross kK tN jN lt_ lj; have E := C_E2 kK.
apply: le_trans (ler_add (le_trans _ E) G) _; last by rewrite subrr.
by rewrite ler_add2l -mulrN ler_wpmul2l ?B_ge0.
Qed.
End Stream3.

(* What the layer leaves, whatever the labels. *)
Definition stream4w t c : R :=
  match c with
  | Out u => \sum_(k <- iota 0 (K p)) weight k t * f_ (tasks p) k (query pr) u
  | Cnt => \sum_(k <- iota 0 (K p)) weight k t
  | _ => stream3 p pr t c
  end.

Lemma superpose_weighs h :
  holds p h (stream3 p pr) ->
  holds p (run_layer (N p) (superpose o p) h) stream4w.
Proof.
move=> H t c tN vc; rewrite run_idle /attention big_map H //.
have given k c' : (k < K p)%N ->
    (N p)%:R^-1 * (\sum_(j < N p) relu o (score (superpose_head o p k) (h t) (h j)) *
      write (vals (superpose_head o p k)) (h j) c') =
    weight k t * ((N p)%:R^-1 * write (vals (superpose_head o p k)) (h t) c').
  move=> kK; rewrite (bigD1 (Ordinal tN)) //= superpose_weight // eqxx mulr1 mulrCA.
  rewrite big1 ?addr0 // => j jt; rewrite superpose_weight // (_ : (j == t :> nat) = false).
    by rewrite mulr0 mul0r.
  exact: negPf jt.
have live_weight k : ~~ live p t -> weight k t = 0.
  rewrite /weight => dead; case: ifP => // /andP[_ /andP[em _]]; case/negP: dead.
  by rewrite /live -ltn_divLR ?(n_gt0 ok) // ltnW.
have home_weight k : pos p t != home p k -> weight k t = 0.
  by rewrite /weight => /negPf->.
case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  try (rewrite big1 ?addr0 // => k _; rewrite big1 ?mulr0 // => j _;
       rewrite write_cat write_map0 // /write big_cons big_nil /= entry1 /= mulr0 !addr0 mulr0 //).
- rewrite /= add0r; apply: eq_big_seq => k; rewrite mem_iota => kK; rewrite given //.
  case: (boolP (live p t)) => [lv|dead]; last by rewrite live_weight // !mul0r.
  case: (pos p t =P home p k) => [ph|/eqP np]; last by rewrite home_weight // !mul0r.
  rewrite write_cat [X in _ + X]/write big_cons big_nil /= entry1 /= mulr0 !addr0.
  rewrite write_map1 ?iota_uniq ?mem_iota // => [|x y [->]] //.
  by rewrite ap_scaled mulKf ?N_neq0 // (f_query H).
- rewrite /= add0r; apply: eq_big_seq => k; rewrite mem_iota => kK; rewrite given //.
  case: (boolP (live p t)) => [lv|dead]; last by rewrite live_weight // !mul0r.
  rewrite write_cat write_map0 // add0r /write big_cons big_nil /= entry1 eqxx addr0 mulr1.
  by rewrite ap1 H //= lv mulr1 mulVf ?N_neq0 // mulr1.
Qed.

(* --- On the domain the weights are 1 and 0 --- *)

Hypothesis far : 1 <= B p * dl ^+ 2.

Lemma weight_matched k t : (k < K p)%N -> weight k t = (matched k t)%:R.
Proof.
move=> kK; rewrite /weight /matched /ctx; case: (boolP (pos p t == home p k)) => ph; last first.
  by rewrite andbF.
case: (boolP (ex p t < m)%N) => //= em.
case: (boolP (used pr (ex p t))) => us; last by rewrite /explains (negPf us).
rewrite reluE; case: (separated dom kK em us) => [ex_|sep].
  rewrite ex_ big_seq big1 ?mulr0 ?subr0 => [|i]; first by apply/max_idPl; apply: ler01.
  by rewrite mem_iota => id; case/andP: ex_ => _ /allP/(_ i);
    rewrite mem_iota id => /(_ isT)/eqP->; rewrite expr0n.
have sep' : 1 <= B p * \sum_(i <- iota 0 d) gap (tasks p) pr k (ex p t) i ^+ 2.
  apply: le_trans far _; rewrite ler_wpmul2l ?B_ge0 //.
  by rewrite -(big_mkord xpredT (fun i => gap (tasks p) pr k (ex p t) i ^+ 2)) /index_iota
    subn0 in sep.
have -> : explains d (tasks p) pr k (ex p t) = false.
  apply/negP => /andP[_ /allP al]; move: sep'; rewrite big_seq big1 ?mulr0 ?ler10 //.
  by move=> i /al/eqP->; rewrite expr0n.
by apply/max_idPr; rewrite subr_le0.
Qed.
End Lemma_.

Section Gate.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Hypothesis ok : admissible o p.
Hypothesis dom : in_domain (pd p) (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p).

(* The gate: head k looks from a token at itself, if it is the home of an example that
   task k explains, and at nothing else. *)
Lemma superpose_gate h k t j : holds p h (stream3 p pr) ->
  (k < K p)%N -> (t < N p)%N -> (j < N p)%N ->
  relu o (score (superpose_head o p k) (h t) (h j)) = (matched p pr k t && (j == t))%:R.
Proof.
move=> H kK tN jN; rewrite (superpose_weight ok dom H) //.
by rewrite (weight_matched ok dom (B_delta ok)) // -natrM mulnb.
Qed.

Lemma superpose_correct h :
  holds p h (stream3 p pr) ->
  holds p (run_layer (N p) (superpose o p) h) (stream4 p pr).
Proof.
move=> H t c tN vc; rewrite (superpose_weighs ok dom H) //.
have w k : k \in iota 0 (K p) -> weight p pr k t = (matched p pr k t)%:R.
  by rewrite mem_iota => kK; rewrite (weight_matched ok dom (B_delta ok)).
case: c vc => //= [u _|_]; apply: eq_big_seq => k /w->; done.
Qed.
End Gate.
