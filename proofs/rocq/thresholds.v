(* B >= 1/delta^2 is sharp: below this threshold every positive B is wrong, in every real
   field and for every delta. There is a plan that meets all other conditions, and a prompt
   of its domain, whose only example misses the task by just delta: it has 1 - B delta^2 of
   a vote, and the network answers with something else than 0.

   other_margins p  == the conditions on margins and domain but 1 <= B delta^2; what else is in
                       `admissible` is `well_wired`, in margins.v (`other_conditions`)
   plan_ b dl c x   == the plan, with C = c and a domain of distance x; missed dl == the prompt *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai residual spec plan stream gather label query.
From construct Require Import superpose pool square divide tail theorem matrices network margins.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Definition other_margins (R : realFieldType) (p : plan R) :=
  [&& 0 <= Rx p, 0 <= Ry p, 0 <= B p, 0 < s p, all (all (gated (real_ops R) p)) (dict p) &
      all (fun k => all (fun q => 1 + B p * E2 (real_ops R) p k q <= 2%:R * C p) (homes_of p))
        (iota 0 (K p))].

Lemma other_conditions (R : realFieldType) (p : plan R) :
  admissible (real_ops R) p = [&& well_wired p, other_margins p & 1 <= B p * (delta p * delta p)].
Proof.
rewrite /admissible /well_wired /other_margins /margins_hold /= -ltNge.
case: (1 < pn p)%N => //=; case: ((pm p).+1 * len p <= N p)%N => //=.
case: (0 < K p)%N => //=; case: (gathering p <= K p)%N => //=.
case: (all (fun q => q < (pn p).-1)%N (slots p)) => //=.
case: (all (fun q => q < (pn p).-1)%N (scratch p)) => //=.
case: (all (all (wired_unit p)) (dict p)) => //=; case: (all (wired _ p) _) => //=.
case: (0 <= Rx p) => //=; case: (0 <= Ry p) => //=; case: (0 <= B p) => //=.
by case: (0 < s p) => //=; rewrite andbC -andbA.
Qed.

Section Below.
Variables (R : realFieldType) (b dl : R).
Hypotheses (b0 : 0 < b) (d0 : dl != 0) (below : b * dl ^+ 2 < 1).
Notation o := (real_ops R).

(* The task f(x) = x, one example, x = delta labelled 0, and the query 1. *)
Definition same : task R := Task [:: [:: (0%N, 0%N, 1)]] [:: [::]] [:: 0] [::].
Definition plan_ c x :=
  plain_plan 0 1 1 2 [:: same] [::] [:: 0%N] [::] [:: [::]] 4 b c 1 (1 + `|dl|) 0 x.
Definition least_C := 2%:R^-1 * (1 + b * E2 o (plan_ 0 0) 0 0%N).
Notation p := (plan_ least_C dl).
Definition missed : prompt R :=
  Prompt (fun _ => true) (fun _ _ _ => dl) (fun _ _ => 0) (fun _ _ => 1).

Lemma wired_x c x : well_wired (plan_ c x).
Proof. by []. Qed.

Lemma other_x x : other_margins (plan_ least_C x).
Proof.
rewrite /other_margins /= lexx ltr01 (ltW b0) addr_ge0 ?ler01 ?normr_ge0 //= andbT.
by rewrite /homes_of /= /least_C mulrA mulfV ?pnatr_eq0 // mul1r lexx.
Qed.

(* The same weights, in a domain in which they would be right. *)
Notation p' := (plan_ least_C (1 + b^-1)).
Lemma ok' : admissible o p'.
Proof.
rewrite other_conditions wired_x other_x /= -[X in X <= _](mulfV (lt0r_neq0 b0)) ler_pmul2l //.
have c0 : 0 <= b^-1 by rewrite invr_ge0 ltW.
by rewrite mulrDl mul1r ler_paddr ?ler_addr ?ler01 // mulr_ge0 // addr_ge0 ?ler01.
Qed.

Lemma in_domain_ : in_domain 1 1 2 (tasks p) missed (Rx p) (Ry p) dl.
Proof.
split; [split=> [i q u _ _ _ _|i u _ _ _|q u _ _] /= | move=> [|k] i //= _ _ _].
- by rewrite ler_addr ler01.
- by rewrite normr0.
- by rewrite normr1 ler_addl.
right; rewrite big_ord1 /gap /f_ /f /linear_of /= big_cons !big_nil mul1r.
by rewrite !addr0 subr0.
Qed.

Lemma in_domain' : in_domain 1 1 2 (tasks p') missed (Rx p') (Ry p') dl.
Proof. exact: in_domain_. Qed.

Lemma gapE i : gap (tasks p) missed 0 i 0 = dl.
Proof. by rewrite /gap /f_ /f /linear_of /= big_cons !big_nil mul1r !addr0 subr0. Qed.

Lemma no_vote u : mixture 1 1 (tasks p) missed u = 0.
Proof.
rewrite /mixture !big_ord1 (_ : votes _ _ _ _ _ = 0%N) ?mul0r //.
by rewrite /votes /= /explains /= gapE (negPf d0).
Qed.

Notation v := (1 - b * dl ^+ 2).

Lemma weightE t : (t < 4)%N -> weight p' missed 1 0 t = (t == 0%N)%:R * v.
Proof.
case: t => [|[|[|[|]]]] // _; rewrite /weight /pos /ctx /ex /= ?mul0r //.
rewrite big_cons big_nil gapE addr0 mul1r reluE; apply/max_idPl.
by rewrite subr_ge0 ltW.
Qed.

Lemma w0 : 0 < b * dl ^+ 2.
Proof. by rewrite mulr_gt0 // lt_def sqrf_eq0 d0 sqr_ge0. Qed.

Lemma less_than_one : 1 - (v - 1) ^+ 2 = 1 - (b * dl ^+ 2) ^+ 2.
Proof. by rewrite addrAC subrr add0r sqrrN. Qed.

Lemma answers_v : run_layers (N p) (compile o p) (stream0 p missed) (answer p) (Tok 0) =
  v * (1 - (v - 1) ^+ 2).
Proof.
have H1 := gather_correct (pr := missed) ok' (fun _ _ _ _ => erefl).
have H3 := query_correct ok' in_domain' (label_correct ok' H1).
have H4 := superpose_weighs ok' in_domain' H3.
pose cnt t := \sum_(k <- iota 0 1) weight p' missed 1 k t.
pose out t (u : nat) :=
  \sum_(k <- iota 0 1) weight p' missed 1 k t * f_ (tasks p') k (query missed) u.
have dead t : live p' t = false -> weight p' missed 1 0 t = 0.
  rewrite /live /weight /ctx /ex /= => /negbT; rewrite -leqNgt => t4.
  have t2 : (2 <= t %/ 2)%N by rewrite leq_divRL.
  by rewrite ltnNge (ltnW t2) andbF.
have out_dead t u : live p' t = false -> out t u = 0.
  by move=> /dead E; rewrite /out big_cons big_nil E mul0r addr0.
have cnt_dead t : live p' t = false -> cnt t = 0.
  by move=> /dead E; rewrite /cnt big_cons big_nil E addr0.
have out_answer u : out (answer p') u = 0.
  by rewrite /out big_cons big_nil weightE // mul0r mul0r addr0.
have T := tail_answers ok' out_dead cnt_dead out_answer H4 (isT : (0 < 1)%N).
transitivity (sum_out p' out 0 * recip p' (sum_cnt p' cnt)); first exact: T.
have -> : sum_cnt p' cnt = v.
  rewrite /sum_cnt (eq_bigr (fun j : 'I_4 => ((j : nat) == 0%N)%:R * v)) => [|j _].
    by rewrite !big_ord_recl big_ord0 /= mul1r !mul0r !addr0.
  by rewrite /cnt big_cons big_nil addr0 weightE.
have -> : sum_out p' out 0 = v.
  rewrite /sum_out (eq_bigr (fun j : 'I_4 => ((j : nat) == 0%N)%:R * v)) => [|j _].
    by rewrite !big_ord_recl big_ord0 /= mul1r !mul0r !addr0.
  rewrite /out big_cons big_nil addr0 weightE // -[RHS]mulr1; congr (_ * _).
  by rewrite /f_ /f /linear_of /= big_cons !big_nil mul1r !addr0.
rewrite /recip /= big_cons big_nil addr0 divr1 reluE; congr (_ * _); apply/max_idPl.
by rewrite -[1%:R]/(1 : R) less_than_one subr_ge0 exprn_ile1 ?(ltW w0) ?(ltW below).
Qed.

(* The layers, and the flat matrices with their entries, for each positive B below 1/delta^2. *)
Theorem B_is_sharp : exists (p : plan R) (pr : prompt R),
  [/\ B p = b, delta p = dl, well_wired p, other_margins p &
      in_domain (pd p) (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p)] /\
  run_layers (N p) (compile o p) (stream0 p pr) (answer p) (Tok 0) !=
    mixture (pd p) (pm p) (tasks p) pr 0 /\
  forall E (t : 'I_(N p)), emitted_ok p E -> t = answer p :> nat ->
    answer_mx (D (sizes_of p)) E (tokens p pr) t <>
    \row_u mixture (pd p) (pm p) (tasks p) pr u.
Proof.
have wrong : run_layers (N p) (compile o p) (stream0 p missed) (answer p) (Tok 0) !=
    mixture 1 1 (tasks p) missed 0.
  rewrite no_vote answers_v less_than_one mulf_neq0 // gt_eqF // subr_gt0 //.
  by rewrite exprn_ilt1 ?(ltW w0).
exists p, missed; split; first by split=> //; [exact: other_x | exact: in_domain_].
split=> // E t eo ta same_; case/eqP: wrong.
have A := answer_places missed ok' (ord0 : 'I_(pd p')) eo ta.
by rewrite -[LHS]A same_ mxE.
Qed.
End Below.
