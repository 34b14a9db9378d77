(* The conditions of the flat gate are needed: for each of nine there is a plan and a prompt that
   meet all the others, and the network that the compiler writes for it answers with something
   that is not within the sum of w_k eps_k of the mixture (`flat_conditions_are_needed`). And for
   delta <= tau + 2 eps no network is right, whatever its weights (`no_network`).

   Of the other conditions, besides those of a plan (sharpness.v)
   - 1 <= a follows from the rest (`flat_follow`);
   - without HeadsForLabel layer 1 has not K heads (`flat_not_K_heads`).

   flat_table       == the counterexamples *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers bai residual spec plan stream theorem.
From construct Require Import transport matrices network checker concrete norms pool.
From construct Require Import sharpness flat approximate concrete_flat.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

(* All conditions but c hold, c does not, and the answer is too far from the mixture. *)
Definition needs_flat c (x : flat_plan) (s : sample) :=
  (forall c', meets_flat x s c' = true <-> c' <> c) /\
  forall (R : realFieldType) (t : 'I_(N x)), t = answer x :> nat ->
    let p := map_plan (@q2r R) x in let pr := prompt_of R s in
    let answer_ := answer_mx (D (sizes_of x)) (map_emitted (@q2r R) (emit_by x (layers_of x)))
      (tokens p pr) t in
    ~ (norm2 (iota 0 (pd x)) (fun u => (if insub u is Some v then answer_ ord0 v else 0) -
         mixture_near p pr (q2r R (tau x)) (@F_of R x) u) <=
       (\sum_(k < K p) share_near p pr (q2r R (tau x)) (@F_of R x) k * eps_of R x k) ^+ 2)%R.

(* --- One task: what is held is x, for x + 1/4, x^2 or itself --- *)

Local Open Scope Q_scope.

Definition held_as f eps B C a tau Rx Ry delta : flat_plan :=
  FlatPlan (plain_plan 0 1 2 2 [:: identity] [::] [:: 0%N] [::] [:: [::]] 8 B C 2 Rx Ry delta)
    a tau [:: (f, eps)].

Record flat_counterexample :=
  FlatCounterexample { without : flat_condition; of_plan : flat_plan; asks : sample }.

Definition flat_table : seq flat_counterexample := [::
  (* a - 1 = 1/4 where B eps^2 = 1/2: a match has 3/4 of a vote. *)
  FlatCounterexample MatchTop (held_as Raised (1#4) 8 100 (5#4) 0 2 2 1)
    (Sample [:: pair 1 (5#4); None] [:: [:: 1]]);
  (* Half of B = 2, which a = 9/8 needs: a label at distance 1 has 9/16 of a vote. *)
  FlatCounterexample MismatchFloor (held_as Raised (1#4) 1 100 (9#8) 0 2 2 1)
    (Sample [:: pair 1 (1#4); None] [:: [:: 1]]);
  (* 2C = 33, as the plain gate needs, where a = 4 needs 36: wrong labels give each other votes. *)
  FlatCounterexample FlatAddressMargin (held_as Raised (1#4) 8 (33#2) 4 0 1 1 1)
    (Sample [:: pair 1 (-1); pair (-1) 1] [:: [:: 1]]);
  (* x is 2 from x^2 at -1, where the label is: no vote. *)
  FlatCounterexample Held (held_as Square 0 2 100 (9#8) 0 2 2 1)
    (Sample [:: pair (-1) 1; None] [:: [:: 1]]);
  (* The same at the query. *)
  FlatCounterexample HeldAtQuery (held_as Square 0 2 100 (9#8) 0 2 2 1)
    (Sample [:: pair 1 1; None] [:: [:: -1]]);
  (* A label at distance 1/2, where tau = 0 and delta = 1: what is held is 1/4 from it. *)
  FlatCounterexample Apart (held_as Raised (1#4) 2 100 (9#8) 0 2 2 1)
    (Sample [:: pair 1 (3#4); None] [:: [:: 1]]);
  (* Signs: the conditions on a and B are about tau + eps and delta - eps. *)
  FlatCounterexample ErrorSign (held_as Raised (-1#4) 1 100 (9#8) 0 2 2 1)
    (Sample [:: pair 1 (1#4); None] [:: [:: 1]]);
  FlatCounterexample TauSign (held_as Raised (1#4) 2 100 (9#8) (-1#2) 2 2 1)
    (Sample [:: pair 1 (7#4); None] [:: [:: 1]]);
  FlatCounterexample ErrorBelowDelta (held_as Raised (1#4) 1 100 (9#8) 0 2 2 (-1))
    (Sample [:: pair 1 (1#4); None] [:: [:: 1]])].

(* A slot and the label, for a task with one head. *)
Definition one_head_too_many : flat_plan :=
  FlatPlan (plain_plan 0 1 2 3 [:: identity] [:: 1%N] [:: 0%N] [::] [:: [::]] 16 2 100 2 2 2 1)
    (9#8) 0 [:: (Same, 0)].

(* What the network answers, the mixture, and how far from it the answer may be. *)
Lemma flat_answers : [seq (answer_flat (of_plan y) (asks y), mixture_near_at (of_plan y) (asks y) 0,
    bound_at_ (of_plan y) (asks y)) | y <- flat_table] =
  [:: ([:: 3#4], 5#4, 1#4); ([:: 855#2048], 0, 0); ([:: 1], 0, 0); ([:: 0], 1, 0);
      ([:: -1], 1, 0); ([:: 1], 0, 0); ([:: 855#2048], 0, 0); ([:: 0], 5#4, 1#4);
      ([:: 855#2048], 0, 0)].
Proof. by vm_compute. Qed.

(* --- They are counterexamples --- *)

Local Close Scope Q_scope.
Local Open Scope nat_scope.

Scheme Equality for flat_condition.

Definition all_flat_conditions := [seq OfPlan c | c <- all_conditions] ++ [:: TopAboveOne;
  HeadsForLabel; FlatAddressMargin; TauSign; ErrorSign; ErrorBelowDelta; MatchTop; MismatchFloor;
  Held; HeldAtQuery; Apart].

Definition isolates_flat x s c :=
  all (fun c' => meets_flat x s c' != flat_condition_beq c' c) all_flat_conditions.

Lemma all_flat_conditionsP (P : flat_condition -> bool) : all P all_flat_conditions ->
  forall c, P c.
Proof.
rewrite all_cat all_map => /andP[/all_conditionsP plans rest]; case; first exact: plans.
all: by move: rest; do 10![case/andP=> ?] => /andP[? _].
Qed.

Lemma isolates_flatP x s c : isolates_flat x s c ->
  forall c', meets_flat x s c' = true <-> c' <> c.
Proof.
move=> /all_flat_conditionsP H c'; have := H c'.
case: (flat_condition_eq_dec c' c) => [->|cc].
  by rewrite internal_flat_condition_dec_lb //; case: meets_flat; split.
case E: (flat_condition_beq c' c); first by case: cc; apply: internal_flat_condition_dec_bl.
by case: meets_flat; split.
Qed.

Definition refutes_flat y :=
  isolates_flat (of_plan y) (asks y) (without y) && ~~ within_at (of_plan y) (asks y).

Lemma refutes_flatP y : refutes_flat y -> needs_flat (without y) (of_plan y) (asks y).
Proof.
case/andP=> /isolates_flatP cs wrong; split=> // R t ta /=.
by rewrite within_computes // (negPf wrong).
Qed.

Theorem flat_counterexamples :
  List.Forall (fun y => needs_flat (without y) (of_plan y) (asks y)) flat_table.
Proof.
have : all refutes_flat flat_table by vm_compute.
by elim: flat_table => [|y ys IH] //= /andP[/refutes_flatP yn /IH ysn]; constructor.
Qed.

(* Each of these nine conditions is needed, whatever else holds. *)
Theorem flat_conditions_are_needed c :
  List.In c [:: MatchTop; MismatchFloor; FlatAddressMargin; Held; HeldAtQuery; Apart; ErrorSign;
                TauSign; ErrorBelowDelta] ->
  exists x s, needs_flat c x s.
Proof.
move=> cs; have ct : List.In c (map without flat_table) by move: cs => /=; tauto.
have [y [<- yt]] := proj1 (List.in_map_iff without flat_table c) ct.
by exists (of_plan y), (asks y); apply: (proj1 (List.Forall_forall _ _) flat_counterexamples).
Qed.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Theorem flat_follow (x : flat_plan) s : (0 < K x)%N -> meets_flat x s (OfPlan MatchSign) ->
  meets_flat x s MatchTop -> meets_flat x s TopAboveOne.
Proof.
have mo := q2r_morph [realFieldType of rat].
rewrite /meets_flat /meets => K0 + /all_iotaP/(_ _ K0).
rewrite /sq !(m_leq mo) (m_sub mo) !(m_mul mo) !(m_num mo) => B0 top_.
suff : 0 <= q2r [realFieldType of rat] (top x) - 1 by rewrite subr_ge0.
by apply: le_trans top_; apply: mulr_ge0 => //=; rewrite -expr2 sqr_ge0.
Qed.

(* Without HeadsForLabel, but with all other conditions. *)
Theorem flat_not_K_heads : exists x s, (forall c, meets_flat x s c = true <-> c <> HeadsForLabel) /\
  ~~ all (fun L => size (heads L) == K x) (layers_of x).
Proof.
exists one_head_too_many, one_triple.
by split; first by apply: isolates_flatP; vm_compute.
Qed.

(* --- delta <= tau + 2 eps --- *)

Section NoNetwork.
Variables (R : realFieldType) (tau eps delta : R).
Hypotheses (tau0 : 0 <= tau) (eps0 : 0 < eps) (delta0 : 0 <= delta).

(* One task, held as x; and one example. *)
Definition held_task : task R := Task [:: [:: (0%N, 0%N, 1)]] [:: [::]] [:: 0] [::].
Definition one_task : plan R :=
  plain_plan 0 1 1 2 [:: held_task] [::] [:: 0%N] [::] [:: [::]] 4 0 0 1 0 0 delta.

Notation F_type := (nat -> (nat -> nat -> R) -> nat -> R).
Implicit Types (F : F_type) (pr : prompt R).

Definition held_everywhere F := forall X,
  norm2 (iota 0 1) (fun u => f_ (tasks one_task) 0 X u - F 0%N X u) <= eps ^+ 2.
Definition told_apart F pr := near one_task pr tau F 0 0 \/
  delta ^+ 2 <= norm2 (iota 0 1) (fun u => F 0%N (X pr 0) u - Y pr 0 u).
Definition is_right F pr y := `|y - mixture_near one_task pr tau F 0| <=
  \sum_(k < K one_task) share_near one_task pr tau F k * eps.

(* x + c, for an error c within eps. *)
Definition moved c : F_type := fun _ X _ => X 0%N 0%N + c.

Lemma moved_held c : `|c| <= eps -> held_everywhere (moved c).
Proof.
move=> ce X; rewrite /norm2 big_cons big_nil addr0 /f_ /f /linear_of /= !(big_cons, big_nil).
rewrite /= mul1r !addr0 opprD addNKr sqrrN.
by rewrite -[c ^+ 2]real_normK ?num_real // ler_sqr ?nnegrE ?normr_ge0 // ltW.
Qed.

(* One prompt, and two functions that the network holds equally well: of one the label is a match,
   of the other it is a mismatch, and no answer is right for both. *)
Theorem no_network : delta <= tau + 2 * eps -> exists pr F F',
  [/\ held_everywhere F, held_everywhere F', told_apart F pr, told_apart F' pr &
    forall y, ~ (is_right F pr y /\ is_right F' pr y)].
Proof.
move=> small; pose pr := Prompt xpredT (fun _ _ _ => 0) (fun _ _ => eps + tau) (fun _ _ => eps).
have e0 := ltW eps0; exists pr, (moved eps), (moved (- eps)).
have on : near one_task pr tau (moved eps) 0 0.
  rewrite /near /norm2 /= big_cons big_nil addr0 /moved /= add0r opprD addNKr sqrrN lexx.
  by [].
have far : (tau + 2 * eps) ^+ 2 =
    norm2 (iota 0 1) (fun u => moved (- eps) 0%N (X pr 0) u - Y pr 0 u).
  by rewrite /norm2 big_cons big_nil addr0 /moved /=; ring.
have off : near one_task pr tau (moved (- eps)) 0 0 = false.
  rewrite /near -far /= lt_geF // ltr_sqr ?nnegrE ?addr_ge0 ?mulr_ge0 ?ler0n //.
  by rewrite ltr_addl mulr_gt0 ?ltr0n.
split; try by apply: moved_held; rewrite ?normrN ger0_norm.
- by left.
- by right; rewrite -far ler_sqr ?nnegrE ?addr_ge0 ?mulr_ge0 ?ler0n.
move=> y []; rewrite /is_right /mixture_near /share_near /K /= !big_ord1 /pool.votes_of /= !addn0.
rewrite -/(near one_task pr tau (moved eps) 0 0) -/(near one_task pr tau (moved (- eps)) 0 0).
rewrite on off /= /moved /= !(mul1r, mul0r, divr1) subr0 => right_ /(le_trans _)-/(_ _ (lexx _)).
rewrite normr_le0 => /eqP y0; move: right_; rewrite y0 sub0r normrN ger0_norm ?addr_ge0 //.
by rewrite invr1 mul1r ger_addl leNgt eps0.
Qed.
End NoNetwork.
