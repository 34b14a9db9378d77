(* The flat gate in the network, for tasks that are held within an error: the label and the
   query are fetched in one layer, and the layer that is free takes from each head what is
   above 1. The layers of `p` are those of a plan whose tasks are what the network holds, g_k;
   votes are to be those of other functions, f_k. `a` is the top of the gate.

   compile_flat o p a == the seven layers: gather, fetch, superpose, level, pool, square, divide
   flat_conditions p a == what they need besides `admissible`
   flat_weight p pr a k t == what the two heads of task k find at token t together
   near d F tau pr k i is example i is there, and ||f_k(X_i) - y_i|| <= tau
   mixture_near    is the mixture of the f_k by these votes *)
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers bai codes residual spec plan stream reading gather label.
From construct Require Import query superpose pool square divide norms.
From construct Require gate.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Weights.
Variables (T : Type) (o : ops T) (p : plan T) (a : T).

(* A single task has one head, so that its label is fetched in layer 1. *)
Definition gather_flat : layer coord T :=
  padded (K p) (gather_heads o p ++ (if K p == 1%N then [:: label_head o p] else [::])) idle_units.

Definition fetch : layer coord T :=
  padded (K p) ((if K p == 1%N then [::] else [:: label_head o p]) ++ [:: query_head o p])
    (dictionary_units o p).

Definition superpose_flat : layer coord T :=
  padded (K p) [seq match_head o p a (num o (N p)) k | k <- iota 0 (K p)] idle_units.

Definition level : layer coord T :=
  padded (K p) [seq match_head o p (sub o a (num o 1)) (opp o (num o (N p))) k
    | k <- iota 0 (K p)] idle_units.

(* relu(top - 2 (tot - v)^2), from sq, tot and one; it writes c/v. *)
Definition flat_unit top c v : form coord T * form coord T :=
  ([:: (Sq, opp o (num o 2)); (Tot, mul o (num o 4) (num o v));
       (One, sub o top (mul o (num o 2) (mul o (num o v) (num o v))))],
   [:: (Rec, mul o c (inv o (num o v)))]).

Definition eighths n : T := mul o (num o n) (inv o (num o 8)).

Definition square_flat : layer coord T :=
  padded (K p) [:: square_head o p]
    ([seq flat_unit (eighths 9) (s p) v | v <- iota 1 (M p)] ++
     [seq flat_unit (eighths 1) (opp o (s p)) v | v <- iota 1 (M p)]).

Definition compile_flat : seq (layer coord T) :=
  [:: gather_flat; fetch; superpose_flat; level; pool o p; square_flat; divide o p].

(* Heads enough in layer 1, and room off target. *)
Definition flat_conditions :=
  [&& leq_ o (num o 1) a, (gathering p + (K p == 1%N) <= K p)%N &
      all (fun k => all (fun q =>
        leq_ o (add o a (mul o (B p) (E2 o p k q))) (mul o (num o 2) (C p))) (homes_of p))
          (iota 0 (K p))].
End Weights.

Section Layers.
Variables (R : realFieldType) (p : plan R) (pr : prompt R) (a : R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Hypothesis ok : admissible o p.
Hypothesis flat : flat_conditions o p a.
Hypothesis inbox : in_box (pd p) (pm p) (pn p) pr (Rx p) (Ry p).

Definition flat_weight k t : R := weight p pr a k t - weight p pr (a - 1) k t.

(* With one head for the label alone there are no slots and no scratch tokens. *)
Lemma nothing_gathered h : K p = 1%N -> holds p h (stream0 p pr) -> holds p h (stream1 p pr).
Proof.
move=> K1 H t c tN vc; rewrite H //.
have G : gathering p = 0%N.
  by have /and3P[_ + _] := flat; rewrite K1 eqxx addn1 ltnS leqn0 => /eqP.
have [S0 W0] : size (slots p) = 0%N /\ nilp (scratch p).
  by move: G; rewrite /gathering; case: nilp => /=; rewrite ?addn0 ?addn1.
case: c vc => //= [u _|r u]; last by rewrite S0.
by rewrite tok1E /is_scratch /len (nilP W0) addn0 leqNgt andNb.
Qed.

Lemma flat_stream3 h : holds p h (stream0 p pr) ->
  holds p (run_layer (N p) (fetch o p) (run_layer (N p) (gather_flat o p) h)) (stream3 p pr).
Proof.
move=> H; rewrite /fetch /gather_flat; case: (K p =P 1%N) => [K1|_].
  have H1 := nothing_gathered K1 H.
  have G : gather_heads o p = [::].
    have /and3P[_ + _] := flat; rewrite K1 eqxx addn1 ltnS leqn0 /gathering /gather_heads.
    by case: (slots p) => [|? ?] //=; case: nilp.
  have H2 := label_correct ok H1; rewrite /label in H2.
  by rewrite G; apply: (query_correct ok inbox H2).
rewrite cats0; have H1 := gather_correct ok H => t c tN vc; rewrite run_padded.
apply: (dictionary_correct ok inbox) => // {t tN} {c vc} t c tN vc.
rewrite attentionE /= !big_cons big_nil addr0 H1 //.
have Hb : holds_but p is_lab (run_layer (N p) (gather o p) h) (stream1 p pr).
  by move=> ? ? ? ? _; apply: H1.
have := label_share ok Hb tN vc; have := query_share ok Hb tN vc.
rewrite /gather => -> ->.
by case: c vc => //= *; rewrite ?addr0 ?add0r ?addr0.
Qed.

Lemma top_C k q : (k < K p)%N -> q \in homes_of p ->
  a + B p * (\sum_(i <- iota 0 (pd p)) e_bound o p k q i ^+ 2) <= 2%:R * C p.
Proof.
have /and3P[_ _ /allP H] := flat => kK qh.
have := H k; rewrite mem_iota => /(_ kK)/allP/(_ _ qh); rewrite /E2 sumE big_map /=.
by under eq_bigr do rewrite -expr2.
Qed.

Lemma below_C k q : (k < K p)%N -> q \in homes_of p ->
  a - 1 + B p * (\sum_(i <- iota 0 (pd p)) e_bound o p k q i ^+ 2) <= 2%:R * C p.
Proof.
move=> kK qh; apply: le_trans (top_C kK qh).
by rewrite ler_add2r ler_subl_addr ler_addl ler01.
Qed.

(* A layer of such heads adds their weights to what there is. *)
Lemma heads_add top sg w h :
  (forall k q, (k < K p)%N -> q \in homes_of p ->
    top + B p * (\sum_(i <- iota 0 (pd p)) e_bound o p k q i ^+ 2) <= 2%:R * C p) ->
  holds p h (stream4w p pr w) ->
  holds p (run_layer (N p) (padded (K p) [seq match_head o p top (sg * (N p)%:R) k
      | k <- iota 0 (K p)] idle_units) h)
    (stream4w p pr (fun k t => w k t + sg * weight p pr top k t)).
Proof.
move=> tops H t c tN vc; rewrite run_idle attentionE big_map H //.
have Hb : holds_but p is_found h (stream3 p pr).
  by move=> t' c' t'N vc' nf; rewrite H //; case: c' vc' nf.
rewrite big_seq (eq_bigr (fun k => match c with
    | Out u => sg * weight p pr top k t * f_ (tasks p) k (query pr) u
    | Cnt => sg * weight p pr top k t | _ => 0 end)) => [|k]; last first.
  rewrite mem_iota => kK; rewrite (match_share ok inbox Hb) //; last by move=> q; apply: tops.
  by rewrite [sg * _]mulrC mulKf ?N_neq0.
rewrite -big_seq; case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  try by rewrite big1 ?addr0.
  by rewrite /= -big_split; apply: eq_bigr => k _; rewrite mulrDl.
by rewrite /= -big_split.
Qed.

Lemma holds_w w w' h : (forall k t, w k t = w' k t) ->
  holds p h (stream4w p pr w) -> holds p h (stream4w p pr w').
Proof.
move=> ww H t c tN vc; rewrite H //; case: c {vc} => //= [u|].
  by apply: eq_bigr => k _; rewrite ww.
by apply: eq_bigr => k _; rewrite ww.
Qed.

(* The two layers together leave the differences. *)
Lemma gates_weigh h : holds p h (stream3 p pr) ->
  holds p (run_layer (N p) (level o p a) (run_layer (N p) (superpose_flat o p a) h))
    (stream4w p pr flat_weight).
Proof.
move=> H; have H0 : holds p h (stream4w p pr (fun _ _ => 0)).
  move=> t c tN vc; rewrite H //; case: c {vc} => //= [u|].
    by rewrite big1 // => k _; rewrite mul0r.
  by rewrite big1.
have H4 := heads_add 1 (fun k q => @top_C k q) H0; rewrite mul1r in H4.
have H5 := heads_add (-1) (fun k q => @below_C k q) H4; rewrite mulN1r in H5.
by apply: holds_w H5 => k t; rewrite add0r mul1r mulN1r.
Qed.

(* The flat table on whole numbers. *)
Lemma flat_spike (x v : nat) :
  relu o (9%:R / 8%:R - 2%:R * (x%:R - v%:R) ^+ 2) - relu o (1 / 8%:R - 2%:R * (x%:R - v%:R) ^+ 2) =
  (x == v)%:R.
Proof.
have e8 : 0 < 8%:R :> R by rewrite ltr0n.
rewrite !reluE; case: (x =P v) => [->|xv].
  rewrite subrr expr0n mulr0 !subr0 !max_l ?divr_ge0 ?ler0n ?ler01 //.
  by rewrite -mulrBl -(natrB _ (isT : (1 <= 9)%N)) divff ?gt_eqF.
have one : 1 <= (x%:R - v%:R) ^+ 2 :> R.
  have := @spike R x v; rewrite reluE; move/eqP: xv => /negPf-> /max_idPr.
  by rewrite subr_le0.
have two : 2%:R <= 2%:R * (x%:R - v%:R) ^+ 2 :> R by rewrite ler_pmulr ?ltr0n.
by rewrite !max_r ?subrr // subr_le0 (le_trans _ two) // ler_pdivr_mulr // -?natrM ?ler_nat ?ler1n.
Qed.

Section Hits.
Variable hit : nat -> nat -> bool.
Hypothesis decided : decides p hit flat_weight.
Notation total := (total p hit).

Lemma square_flat_correct h : holds p h (stream5 p pr hit) ->
  holds p (run_layer (N p) (square_flat o p) h) (stream6 p pr hit).
Proof.
move=> H t c tN vc; rewrite run_padded /mlp big_cat !big_map [GRing.add_monoid _ _ _]/=.
have S := square_attention ok H tN; rewrite S //.
set x := attention (N p) [:: square_head o p] h t in S *.
have none top c' : c != Rec -> \sum_(v <- iota 1 (M p)) relu o (ap (flat_unit o top c' v).1 x) *
    entry (flat_unit o top c' v).2 c = 0.
  by move=> nc; rewrite big1 // => v _; rewrite entry1 eq_sym (negPf nc) mulr0.
case: c vc none => [u|r u|u|u|r u|v|v|u|b|b||||||] vc none; try by rewrite !none ?addr0.
rewrite -[stream6 _ _ _ _ _]/(if t == answer p then s p / total%:R else rec0 p t).
rewrite -[if Rec == Sq then _ else _]/(rec0 p t).
have unitE top v c' : ap (flat_unit o top c' v).1 x =
    if t == answer p then top - 2%:R * (total%:R - v%:R) ^+ 2
    else - 2%:R * sq0 p t + (top - 2%:R * (v%:R * v%:R)) * (live p t)%:R.
  rewrite !ap_cons ap_nil !S //=; case: eqP => [->|_]; last by rewrite mulr0 add0r addr0.
  rewrite answer_live // -[true%:R]/(1 : R) -/total natrX.
  by move: total => tt; ring.
case E: (t == answer p); last first.
  have off top c' v : (0 < v)%N -> top <= 2%:R -> relu o (ap (flat_unit o top c' v).1 x) = 0.
    move=> v0 t2; rewrite unitE E reluE; apply/max_idPr; apply: ler_naddl.
      by rewrite mulNr oppr_le0 mulr_ge0 ?ler0n ?sq0_ge0.
    case: (live p t); rewrite ?mulr0 // mulr1 subr_le0 (le_trans t2) // ler_pmulr ?ltr0n //.
    by rewrite -natrM ler1n muln_gt0 v0.
  have e8 : 0 < 8%:R :> R by rewrite ltr0n.
  rewrite !big_seq !big1 ?addr0 // => v; rewrite mem_iota => /andP[v0 _];
    by rewrite off ?mul0r // ler_pdivr_mulr // -natrM ler_nat.
rewrite [rec0 p t](_ : _ = 0); last by rewrite (eqP E) rec0_answer.
rewrite add0r -big_split /=.
have pair v : relu o (ap (flat_unit o (eighths o 9) (s p) v).1 x) *
      entry [:: (Rec, s p / v%:R)] Rec +
    relu o (ap (flat_unit o (eighths o 1) (- s p) v).1 x) * entry [:: (Rec, - s p / v%:R)] Rec =
    (total == v)%:R * (s p / v%:R).
  rewrite !unitE E !entry1 eqxx -flat_spike /eighths /= mulNr mulrN -mulrBl.
  by rewrite -[1%:R]/(1 : R).
under eq_bigr do rewrite pair.
case: (posnP total) => [->|t0].
  rewrite invr0 mulr0 big_seq big1 // => v; rewrite mem_iota => /andP[v0 _].
  by rewrite ltn_eqF // mul0r.
rewrite (bigD1_seq total) ?iota_uniq ?mem_iota ?t0 ?add1n ?ltnS ?total_le //=.
rewrite eqxx mul1r big1 ?addr0 // => v; by rewrite eq_sym => /negPf->; rewrite mul0r.
Qed.

Theorem flat_correct h u : holds p h (stream0 p pr) -> (u < pd p)%N ->
  run_layers (N p) (compile_flat o p a) h (answer p) (Tok u) = mixture_of p pr hit u.
Proof.
move=> H0 ud; rewrite /run_layers /=.
have H4 := stream4_decided decided (gates_weigh (flat_stream3 H0)).
have H6 := square_flat_correct (pool_correct ok H4).
rewrite (divide_correct ok H6) ?answer_lt //=.
by rewrite answer_live // tok1_answer // add0r.
Qed.

(* What the heads of task k give, of the first layer less the second: its votes. *)
Lemma flat_votes k : (k < K p)%N ->
  \sum_(t < N p) flat_weight k t = (votes_of p hit k)%:R.
Proof. by move=> kK; under eq_bigr do rewrite decided //; exact: sum_matched. Qed.
End Hits.
End Layers.
