(* Layer 4, superpose: at the home token of example i, out holds the sum of f_k(X_q), and
   cnt the number, of the tasks k with that home and f_k(X_i) = y_i; elsewhere 0.

   superpose o p    == layer 4; superpose_head o p k == head k of it
   match_head o p top scale k == a head that gives `top` on a match, and writes times scale / N
   e_form o p k i   == entry i of f_k - label; gate o p top k == what else the score holds
   off p pr k t j   == how far tokens t and j are off target: 0, or at most -2C
   weight p pr top k t == what such a head finds at token t
   hit k i          is a choice of the examples i that are to vote for task k
   matched p hit k t == t is the home token of such an example
   decides p pr hit == the heads find 1 at the home tokens of such examples, and else 0
   stream4 p pr hit == the stream after it *)
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

(* e_k = f_k of the token's example, minus its label. *)
Definition e_form k i : form coord T :=
  f_form o p k (field Tok Slot) Gx i ++ [:: (Lab i, opp o (num o 1))].

Definition gate top k : form coord T :=
  scaled o (C p) (along o Pt (lt z) (home p k)) ++
  [:: (Ctx, mul o (num o 2) (C p))] ++
  constant (sub o top (mul o (C p) (num o (le z + 2 * lt z + 2)))).

(* top - B <e_k(i), e_k(j)> + C (<pe_i, pe_j> - le) + C (<pt_i, pt_j> - lt)
     + C (<code of the home, pt_j> - lt) + 2C (ctx_j - 1) *)
Definition superpose_rows top k :=
  [seq (scaled o (opp o (B p)) (e_form k i), e_form k i) | i <- iota 0 (pd p)] ++
  [seq ([:: (Pe b, C p)], [:: (Pe b, num o 1)]) | b <- iota 0 (le z)] ++
  [seq ([:: (Pt b, C p)], [:: (Pt b, num o 1)]) | b <- iota 0 (lt z)] ++
  [:: (constant (num o 1), gate top k)].

Definition match_head top scale k : head coord T :=
  Head (superpose_rows top k)
    ([seq (scaled o scale (f_form o p k (field Qry QSlot) Gq i), [:: (Out i, num o 1)])
        | i <- iota 0 (pd p)] ++
     [:: (constant scale, [:: (Cnt, num o 1)])]).

Definition superpose_head k := match_head (num o 1) (num o (N p)) k.

Definition superpose : layer coord T :=
  padded (K p) [seq superpose_head k | k <- iota 0 (K p)] idle_units.
End Weights.

Definition is_found c := match c with Out _ | Cnt => true | _ => false end.

Section Lemma_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Notation m := (pm p).
Notation n := (pn p).
Notation d := (pd p).
Hypothesis ok : admissible o p.
Hypothesis inbox : in_box d m n pr (Rx p) (Ry p).

(* What a head of task k finds at token t: `top` at the home of an example that the task
   explains; less, the farther the label is. *)
Definition weight top k t : R := if (pos p t == home p k) && ctx p pr t then
  relu o (top - B p * \sum_(i <- iota 0 d) gap (tasks p) pr k (ex p t) i ^+ 2) else 0.

(* --- What the tokens hold --- *)

(* The inputs of the example that token t belongs to. *)
Definition inputs t q u := vec p pr (token p (ex p t) q) u.

Lemma reads_opnd k t : pos p t = home p k -> reads_inputs p k (opnd p pr t) (inputs t).
Proof.
move=> ph r q u sf + qn ud; rewrite /inputs => /orP ex_.
have slot_ : q \in slots p -> opnd p pr t (index q (slots p)).+1 u = vec p pr (token p (ex p t) q) u.
  by move=> qs; rewrite /opnd /slot nth_index.
case/orP: sf => [/eqP<-|/andP[qs /eqP<-]]; last exact: slot_.
rewrite /operand; case: (q =P home_input p k) ex_ => [-> _|_]; first by rewrite /opnd /tok1 ph.
by case=> // /slot_.
Qed.

Section Stream3.
Variable h : nat -> coord -> R.
Hypothesis H : holds_but p is_found h (stream3 p pr).

Lemma addressed3 : addressed p h.
Proof. by split=> [t' b|t' b|t'] *; rewrite H. Qed.

Lemma holds_example t : (t < N p)%N -> live p t ->
  holds_operands p (pos p t) (h t) (field Tok Slot) Gx (opnd p pr t).
Proof.
move=> tN lv; split=> [[|r] u rS ud|i iP|]; rewrite H //= ?lv //; exact/andP.
Qed.

Lemma holds_query t : (t < N p)%N -> live p t ->
  holds_operands p (pos p t) (h t) (field Qry QSlot) Gq (opnd p pr (token p m (pos p t))).
Proof.
move=> tN lv; split=> [[|r] u rS ud|i iP|]; rewrite H //= ?lv //; last exact/andP.
by rewrite /opnd token_ex // pos_lt.
Qed.

Lemma eE k i t : (t < N p)%N -> (i < d)%N ->
  ap (e_form o p k i) (h t) = ap (f_form o p k (field Tok Slot) Gx i) (h t) - h t (Lab i).
Proof. by move=> tN id; rewrite /e_form ap_cat ap1 mulN1r. Qed.

Lemma e_bounded k i t : (k < K p)%N -> (t < N p)%N -> live p t -> (i < d)%N ->
  `|ap (e_form o p k i) (h t)| <= e_bound o p k (pos p t) i.
Proof.
move=> kK tN lv id; rewrite eE //.
apply: le_trans (f_bounded ok i kK (opnd_bounded ok inbox lv) (holds_example tN lv)).
apply: le_trans (ler_norm_sub _ _) _; rewrite ler_add2l H //= lv.
by apply: label_bounded => //; rewrite -ltnS ex_lt.
Qed.

(* At the home token of an example e_k is what its label is off by. *)
Lemma e_home k i t : (k < K p)%N -> (t < N p)%N -> ctx p pr t -> pos p t = home p k -> (i < d)%N ->
  ap (e_form o p k i) (h t) = gap (tasks p) pr k (ex p t) i.
Proof.
move=> kK tN /andP[em us] ph id; have lv := ctx_live ok em.
have HE := holds_example tN lv; rewrite ph in HE.
rewrite eE // (read_f ok i kK HE (reads_opnd ph)) /gap; congr (_ - _).
  apply: f_eq => // q u qn ud; have qn' := input_lt ok qn.
  by rewrite /inputs /vec token_ex // token_pos // em us qn.
rewrite H //= lv /lab_at /vec token_ex ?label_lt // token_pos ?label_lt // em us eqxx.
by rewrite [(_ < n.-1)%N]ltnNge (inputs_le ok).
Qed.

Lemma f_query k i t : (k < K p)%N -> (t < N p)%N -> live p t -> pos p t = home p k ->
  ap (f_form o p k (field Qry QSlot) Gq i) (h t) = f_ (tasks p) k (query pr) i.
Proof.
move=> kK tN lv ph; have tn : (pos p t < len p)%N by apply: pos_lt.
have pq : pos p (token p m (pos p t)) = home p k by rewrite token_pos.
have HQ := holds_query tN lv; rewrite {1}ph in HQ.
rewrite (read_f ok i kK HQ (reads_opnd pq)).
apply: f_eq => // q u qn ud; have qn' := input_lt ok qn.
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
    by rewrite (tok1_dead pr ok _ dead) mulr0.
  by rewrite dead mulr0.
have iC : (i < size (tC (task_of p k)))%N.
  by rewrite ltnNge; apply/negP => /(nth_default [::]) E; rewrite E in qC.
have /allP/(_ _ qC)/andP[P_ok _] := rC _ (mem_nth [::] iC).
by rewrite H //= dead mulr0.
Qed.

(* How far a pair of tokens is off target: 0 on it, else at most -2C. *)
Definition off k t j := C p * (dot R (le z) (ex p t) (ex p j) - (le z)%:R) +
  C p * (dot R (lt z) (pos p t) (pos p j) - (lt z)%:R) +
  C p * (dot R (lt z) (home p k) (pos p j) - (lt z)%:R) + 2%:R * C p * ((ctx p pr j)%:R - 1).

Lemma gate_dead top k j : (j < N p)%N -> live p j = false -> ap (gate o p top k) (h j) = 0.
Proof.
move=> jN dead; rewrite /gate !ap_cat ap_scaled (ap_along_pt _ addressed3) // dead ap1.
rewrite (ap_one _ addressed3) // dead H //= (_ : ctx p pr j = false) ?mulr0 ?addr0 //.
by apply/negP => /andP[/(ctx_live ok)]; rewrite dead.
Qed.

Lemma ap_gate top k j : (j < N p)%N -> live p j ->
  ap (gate o p top k) (h j) = C p * dot R (lt z) (home p k) (pos p j) +
    2%:R * C p * (ctx p pr j)%:R + (top - C p * (le z + 2 * lt z + 2)%:R).
Proof.
move=> jN lj; rewrite /gate !ap_cat ap_scaled (ap_along_pt _ addressed3) // lj ap1.
by rewrite (ap_one _ addressed3) // lj mulr1 H //= addrA.
Qed.

Lemma superpose_score top s k t j : (k < K p)%N -> (t < N p)%N -> (j < N p)%N ->
  score (match_head o p top s k) (h t) (h j) =
  if live p t && live p j then
    top - B p * (\sum_(i <- iota 0 d) ap (e_form o p k i) (h t) * ap (e_form o p k i) (h j)) +
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

(* The sum of squares is bounded as at some home. *)
Lemma e2_bounded k t : (k < K p)%N -> (t < N p)%N -> live p t ->
  exists2 q, q \in homes_of p &
    \sum_(i <- iota 0 d) ap (e_form o p k i) (h t) ^+ 2 <=
    \sum_(i <- iota 0 d) e_bound o p k q i ^+ 2.
Proof.
move=> kK tN lv; have [q qh le_q] := e_bound_home ok (pos p t) kK; exists q => //.
apply: sum_le => i id; have E := le_trans (e_bounded kK tN lv id) (le_q i).
rewrite -real_normK ?num_real // ler_pexpn2r // ?nnegrE ?normr_ge0 //.
exact: le_trans (normr_ge0 _) E.
Qed.

(* By the bounds on e_k, whatever the tokens. *)
Lemma cross top k t j : (k < K p)%N -> (t < N p)%N -> (j < N p)%N -> live p t -> live p j ->
  (forall q, q \in homes_of p ->
    top + B p * (\sum_(i <- iota 0 d) e_bound o p k q i ^+ 2) <= 2%:R * C p) ->
  top - B p * (\sum_(i <- iota 0 d) ap (e_form o p k i) (h t) * ap (e_form o p k i) (h j)) <=
  2%:R * C p.
Proof.
move=> kK tN jN lt_ lj tops.
have [q1 /tops t1 s1] := e2_bounded kK tN lt_; have [q2 /tops t2 s2] := e2_bounded kK jN lj.
have b0 := B_ge0 ok; have two : 0 < 2%:R :> R by rewrite ltr0n.
set S := \sum_(i <- _) _ * _.
set S1 := \sum_(i <- _) _ in s1; set S2 := \sum_(i <- _) _ in s2.
rewrite -(ler_pmul2l two).
apply: le_trans (_ : (top + B p * S1) + (top + B p * S2) <= _).
  rewrite -subr_ge0 [X in 0 <= X](_ : _ = B p * (S1 + S2 + 2%:R * S)).
    2: by move: S S1 S2 {s1 s2} => S S1 S2; ring.
  rewrite mulr_ge0 // mulr_sumr -!big_split /= sumr_ge0 // => i _; move: (ap _ _) (ap _ _) => x y.
  by rewrite (_ : _ + _ = (x + y) ^+ 2) ?sqr_ge0 //; ring.
rewrite -[2%:R * (2%:R * C p)]/((1 + 1) * (2%:R * C p)) mulrDl mul1r ler_add //.
  by apply: le_trans t1; rewrite ler_add2l ler_wpmul2l.
by apply: le_trans t2; rewrite ler_add2l ler_wpmul2l.
Qed.

Lemma C_ge0 k : (k < K p)%N -> 0 <= C p.
Proof.
move=> kK; rewrite -(pmulr_rge0 _ (ltr0n R 2)); apply: le_trans (C_E2 ok kK (home_in kK)).
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
have jt : j = t by rewrite (divn_eq j (len p)) (divn_eq t (len p)) -/(ex p j) -/(pos p j) -Ee -Ep.
subst j; rewrite eqxx /= in nt.
case: (pos p t =P home p k) nt => [Eh /= nc|/eqP Eh _]; last first.
  by rewrite (far (lt z) (home p k)) ?orbT ?pos_code // eq_sym.
by rewrite (negPf nc) sub0r mulrN1 lexx !orbT.
Qed.

(* A head of task k looks from a token at itself, if it is the home of a real example, and at
   nothing else. *)
Lemma superpose_weight top s k t j : (k < K p)%N -> (t < N p)%N -> (j < N p)%N ->
  (forall q, q \in homes_of p ->
    top + B p * (\sum_(i <- iota 0 d) e_bound o p k q i ^+ 2) <= 2%:R * C p) ->
  relu o (score (match_head o p top s k) (h t) (h j)) = weight top k t * (j == t)%:R.
Proof.
move=> kK tN jN tops; rewrite superpose_score // reluE.
case: ifP => [/andP[lt_ lj]|dead]; last first.
  rewrite maxxx; case: eqP => [jt|_]; rewrite ?mulr0 // mulr1 /weight.
  case: ifP => // /andP[_ /andP[em _]].
  by move: dead; rewrite jt andbb (ctx_live ok em).
case: (boolP [&& j == t, pos p t == home p k & ctx p pr t]) => [/and3P[/eqP jt /eqP ph cx]|nt].
  subst j; rewrite eqxx mulr1 /weight ph eqxx cx /= reluE.
  have -> : off k t t = 0 by rewrite /off -ph !dot_same !subrr cx /= subrr !mulr0 !addr0.
  rewrite addr0; congr (Num.max (top - _ * _) _); apply: eq_big_seq => i.
  by rewrite mem_iota => id; rewrite e_home // expr2.
have -> : weight top k t * (j == t)%:R = 0.
  case: eqP => [jt|_]; rewrite ?mulr0 // mulr1 /weight; case: ifP => // /andP[ph cx].
  by case/negP: nt; rewrite jt eqxx ph cx.
apply/max_idPr; have G := off_target kK lt_ lj nt.
by apply: le_trans (ler_add (cross kK tN jN lt_ lj tops) G) _; rewrite subrr.
Qed.

Lemma live_weight top k t : ~~ live p t -> weight top k t = 0.
Proof.
rewrite /weight => dead; case: ifP => // /andP[_ /andP[em _]]; case/negP: dead.
exact: ctx_live em.
Qed.

(* What such a head adds. *)
Lemma match_share top s k t c : (k < K p)%N -> (t < N p)%N -> valid z c ->
  (forall q, q \in homes_of p ->
    top + B p * (\sum_(i <- iota 0 d) e_bound o p k q i ^+ 2) <= 2%:R * C p) ->
  share (N p) (match_head o p top s k) h t c =
  match c with
  | Out u => (N p)%:R^-1 * s * weight top k t * f_ (tasks p) k (query pr) u
  | Cnt => (N p)%:R^-1 * s * weight top k t
  | _ => 0
  end.
Proof.
move=> kK tN vc tops.
have given c' : share (N p) (match_head o p top s k) h t c' =
    weight top k t * ((N p)%:R^-1 * write (vals (match_head o p top s k)) (h t) c').
  rewrite /share (bigD1 (Ordinal tN)) //= superpose_weight // eqxx mulr1 mulrCA.
  rewrite big1 ?addr0 // => j jt; rewrite superpose_weight // (_ : (j == t :> nat) = false).
    by rewrite mulr0 mul0r.
  exact: negPf jt.
case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  try (rewrite share0 // => j;
       by rewrite write_cat write_map0 // /write big_cons big_nil /= entry1 /= mulr0 !addr0).
- rewrite given; case: (boolP (live p t)) => [lv|dead]; last first.
    by rewrite live_weight // !(mulr0, mul0r).
  case: (pos p t =P home p k) => [ph|/eqP np]; last first.
    by rewrite /weight (negPf np) !(mulr0, mul0r).
  rewrite write_cat [X in _ + X]/write big_cons big_nil /= entry1 /= mulr0 !addr0.
  rewrite write_map1 ?iota_uniq ?mem_iota // => [|x y [->]] //.
  rewrite ap_scaled f_query //; move: (_^-1) (weight _ _ _) (f_ _ _ _ _) => a b c.
  by rewrite !mulrA [b * a]mulrC -[_ * b * s]mulrA [b * s]mulrC !mulrA.
- rewrite given; case: (boolP (live p t)) => [lv|dead]; last first.
    by rewrite live_weight // !(mulr0, mul0r).
  rewrite write_cat write_map0 // add0r /write big_cons big_nil /= entry1 eqxx addr0 mulr1.
  by rewrite (ap_one _ addressed3) // lv mulr1 mulrC.
Qed.
End Stream3.

(* A stream after layer 3, in which the heads have left these weights. *)
Definition stream4w (w : nat -> nat -> R) t c : R :=
  match c with
  | Out u => \sum_(k <- iota 0 (K p)) w k t * f_ (tasks p) k (query pr) u
  | Cnt => \sum_(k <- iota 0 (K p)) w k t
  | _ => stream3 p pr t c
  end.

Lemma superpose_weighs h :
  holds p h (stream3 p pr) ->
  holds p (run_layer (N p) (superpose o p) h) (stream4w (weight 1)).
Proof.
move=> H t c tN vc; rewrite run_idle attentionE big_map H //.
have Hb : holds_but p is_found h (stream3 p pr) by move=> ? ? ? ? _; apply: H.
rewrite big_seq (eq_bigr (fun k => match c with
    | Out u => weight 1 k t * f_ (tasks p) k (query pr) u
    | Cnt => weight 1 k t | _ => 0 end)) => [|k]; last first.
  rewrite mem_iota => kK; rewrite (match_share Hb) //; last by move=> q; apply: C_E2.
  by rewrite mulVf ?N_neq0 //; case: c {vc} => // *; rewrite mul1r.
rewrite -big_seq; case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  by [rewrite /= add0r | rewrite big1 ?addr0].
Qed.

(* --- Where the weights are 1 and 0 --- *)

Section Hits.
Variable hit : nat -> nat -> bool.

(* Token t is the home of task k in an example that is to vote for it. *)
Definition matched k t := [&& (ex p t < m)%N, pos p t == home p k & hit k (ex p t)].

Definition stream4 t c : R :=
  match c with
  | Out u => \sum_(k <- iota 0 (K p)) (matched k t)%:R * f_ (tasks p) k (query pr) u
  | Cnt => \sum_(k <- iota 0 (K p)) (matched k t)%:R
  | _ => stream3 p pr t c
  end.

Definition decides (w : nat -> nat -> R) := forall k t, (k < K p)%N -> w k t = (matched k t)%:R.

Lemma stream4_decided w h : decides w -> holds p h (stream4w w) -> holds p h stream4.
Proof.
move=> dw H t c tN vc; rewrite H //.
have {}dw k : k \in iota 0 (K p) -> w k t = (matched k t)%:R by rewrite mem_iota => /dw.
case: c vc => //= [u _|_]; apply: eq_big_seq => k /dw->; done.
Qed.
End Hits.
End Lemma_.

Section Gate.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Hypothesis ok : admissible o p.
Hypothesis dom : in_domain (pd p) (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p).
Notation hit := (explains (pd p) (tasks p) pr).

(* On the domain the weights are 1 on a match, and 0 elsewhere. *)
Lemma weight_matched : decides p hit (weight p pr 1).
Proof.
move=> k t kK; rewrite /weight /matched /ctx; case: (boolP (pos p t == home p k)) => ph.
  2: by rewrite andbF.
case: (boolP (ex p t < pm p)%N) => //= em.
case: (boolP (used pr (ex p t))) => us; last by rewrite /explains (negPf us).
rewrite reluE; case: (separated dom kK em us) => [ex_|sep].
  rewrite ex_ big_seq big1 ?mulr0 ?subr0 => [|i]; first by apply/max_idPl; apply: ler01.
  by rewrite mem_iota => id; case/andP: ex_ => _ /allP/(_ i);
    rewrite mem_iota id => /(_ isT)/eqP->; rewrite expr0n.
have sep' : 1 <= B p * \sum_(i <- iota 0 (pd p)) gap (tasks p) pr k (ex p t) i ^+ 2.
  apply: le_trans (B_delta ok) _; rewrite ler_wpmul2l ?B_ge0 //.
  by rewrite -(big_mkord xpredT (fun i => gap (tasks p) pr k (ex p t) i ^+ 2)) /index_iota
    subn0 in sep.
have -> : explains (pd p) (tasks p) pr k (ex p t) = false.
  apply/negP => /andP[_ /allP al]; move: sep'; rewrite big_seq big1 ?mulr0 ?ler10 //.
  by move=> i /al/eqP->; rewrite expr0n.
by apply/max_idPr; rewrite subr_le0.
Qed.

(* The gate: head k looks from a token at itself, if it is the home of an example that
   task k explains, and at nothing else. *)
Lemma superpose_gate h k t j : holds p h (stream3 p pr) ->
  (k < K p)%N -> (t < N p)%N -> (j < N p)%N ->
  relu o (score (superpose_head o p k) (h t) (h j)) = (matched p hit k t && (j == t))%:R.
Proof.
move=> H kK tN jN; rewrite (superpose_weight ok dom (h := h)) //.
- by rewrite weight_matched // -natrM mulnb.
- by move=> ? ? ? ? _; apply: H.
- by move=> q; apply: C_E2.
Qed.

Lemma superpose_correct h :
  holds p h (stream3 p pr) ->
  holds p (run_layer (N p) (superpose o p) h) (stream4 p pr hit).
Proof. by move=> /(superpose_weighs ok dom); apply: stream4_decided weight_matched. Qed.
End Gate.
