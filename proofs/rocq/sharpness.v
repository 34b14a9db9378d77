(* The conditions of the theorem are needed. For each of ten conditions there is a plan
   and a prompt that meet all the others, and the network that is emitted for the plan
   answers this prompt with something else than the mixture, in every real field:
   `conditions_are_needed`. The numbers that it answers with: `answers`.

   Of the other nine conditions
   - three follow from the rest (`follow`);
   - without RoomForTokens the context has no answer token (`no_answer_token`);
   - without SomeTask or HeadsForSlots the layers have not K heads (`not_K_heads`);
   - for SlotsHoldInputs, DictionaryReads and ScratchHoldsInputs nothing is proved here. What
     the first two exclude is a slot or a feature that TasksWired lets no task read.

   needs c p s      == the plan p and the prompt s meet all conditions but c, and the network
                       answers with something else than the mixture, in every real field
   table            == the counterexamples
   own_features_are_not_enough: C must see what acts at the homes of other tasks *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai residual spec plan stream theorem.
From construct Require Import transport matrices network tolerance checker concrete.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

(* The conditions of the theorem but c hold, c does not, and the answer is wrong. *)
Definition needs c (p : plan Q) (s : sample) :=
  (forall c', meets p s c' = true <-> c' <> c) /\
  forall (R : realFieldType) (t : 'I_(N p)), t = answer p :> nat ->
    answer_mx (D (sizes_of p)) (map_emitted (@q2r R) (emit p))
      (tokens (map_plan (@q2r R) p) (prompt_of R s)) t <>
    (\row_u mixture (pd p) (pm p) (tasks (map_plan (@q2r R) p)) (prompt_of R s) u)%R.

(* --- Plans on numbers: one task, two examples, delta = 1 --- *)

Local Open Scope Q_scope.

(* f(x) = a x + b, and f(x) = max(a x, 0). *)
Definition line (a b : Q) : task Q :=
  Task [:: [:: (0%N, 0%N, a)]] [:: [::]] [:: b] [::].
Definition hinge1 (a : Q) : hinge Q := Hinge 1 [:: (0%N, 0%N, a)] 0.
Definition bend (a : Q) : task Q :=
  Task [:: [::]] [:: [:: (0%N, 1)]] [:: 0] [:: [:: hinge1 a]].
Definition identity := line 1 0.

Definition simple t B C s Rx Ry : plan Q :=
  plain_plan 0 1 2 2 [:: t] [::] [:: 0%N] [::] [:: [::]] 8 B C s Rx Ry 1.

(* The same with the margins that the identity needs, and other wiring. *)
Definition wired_ n ts slots home dict reads : plan Q :=
  plain_plan 0 1 2 n ts slots [:: home] dict [:: reads] 16 1 (5#2) 2 1 1 1.

Definition pair (x y : Q) := Some ([:: [:: x]], [:: y]).
Definition one_pair := Sample [:: pair 1 1; None] [:: [:: 1]].
Definition one_triple := Sample [:: Some ([:: [:: 1]; [:: 0]], [:: 1]); None] [:: [:: 1]; [:: 0]].

(* Two tasks, each with a feature of one hinge: c_0 g_0 and c_1 g_1. The second lives at a scratch
   token. *)
Definition feature_task (c : Q) (h : hinge Q) : task Q :=
  Task [:: [::]] [:: [:: (0%N, c)]] [:: 0] [:: [:: h]].
Definition two_homes c0 h0 c1 h1 B C L Rx Ry : plan Q :=
  Plan 1 2 2 [:: feature_task c0 h0; feature_task c1 h1] [::] [:: 0%N; 1%N] [:: 0%N]
    [:: [:: (Some 0%N, h0); (Some 1%N, h1)]] [:: [:: 0%N]; [:: 0%N]] 16 B C 2 L Rx Ry 1.

Record counterexample := Counterexample { dropped : condition; its : plan Q; at_ : sample }.

Definition table : seq counterexample := [::
  (* The home is no position of an example: no token tests the task. *)
  Counterexample TasksWired (wired_ 3 [:: identity] [:: 0%N] 3 [::] [::]) one_triple;
  (* The task reads a position that is neither its home nor in a slot. *)
  Counterexample TasksWired (wired_ 3 [:: identity] [::] 1 [::] [::]) one_triple;
  (* The dictionary holds max(-x, 0) where the task has max(x, 0). *)
  Counterexample TasksWired (wired_ 2 [:: bend 1] [::] 0 [:: [:: hinge1 (-1)]] [:: 0%N]) one_pair;
  (* Labels bounded by -6: C then need not exceed 1/2, and blank examples vote. *)
  Counterexample LabelSign (simple (line 1 (-2)) 1 (7#6) 2 4 (-6))
    (Sample [:: None; None] [:: [:: 4]]);
  (* Reciprocals are scaled by 0. *)
  Counterexample ReciprocalSign (simple identity 1 (5#2) 0 1 1) one_pair;
  (* B = 1/2 at delta = 1: a label at distance 1 has half a vote. *)
  Counterexample MatchMargin (simple identity (1#2) (3#2) 2 1 1)
    (Sample [:: pair 1 0; None] [:: [:: 1]]);
  (* C = 9/4 where 5/2 is needed: two wrong labels give each other half a vote. *)
  Counterexample AddressMargin (simple identity 1 (9#4) 2 1 1)
    (Sample [:: pair 1 (-1); pair (-1) 1] [:: [:: 1]]);
  (* L = 7/8 where 1 is needed: max(-x, 0), at home at the scratch token, is 1/8 at the input. *)
  Counterexample GateMargin (two_homes 1 (hinge1 1) 1 (hinge1 (-1)) 1 4 (7#8) 1 1)
    (Sample [:: pair (-1) 0; None] [:: [:: 1]]);
  (* An input of -3/2 where 1 is the bound: they give each other a vote. *)
  Counterexample InputBound (simple identity 1 (5#2) 2 1 1)
    (Sample [:: pair 1 (-1); pair (-3#2) 1] [:: [:: 1]]);
  (* The same with a label of 3/2. *)
  Counterexample LabelBound (simple identity 1 (5#2) 2 1 1)
    (Sample [:: pair 1 (-1); pair (-1) (3#2)] [:: [:: 1]]);
  (* A query of 5/2 where 1 is the bound: it votes with a wrong label. *)
  Counterexample QueryBound (simple identity 1 (5#2) 2 1 1)
    (Sample [:: pair (-1) 1; None] [:: [:: 5#2]]);
  (* A label at distance 1/2 where 1 is the least: it has 3/4 of a vote. *)
  Counterexample Separation (simple identity 1 (5#2) 2 1 1)
    (Sample [:: pair 1 (1#2); None] [:: [:: 1]])].

(* Task 0 is 64 times a feature that is max(x/64, 0) at its home, and max(x, 0) at the other one;
   2C = 180, where 65 would do for each task at its own home. *)
Definition own_features := Counterexample AddressMargin
  (two_homes 64 (Hinge (1#64) [:: (0%N, 0%N, 1)] 0) 1 (hinge1 1) 1 90 4 1 4)
  (Sample [:: pair 1 4; None] [:: [:: 1]]).

(* What the network answers, and the mixture. *)
Lemma answers : [seq (answer_at (its x) (at_ x), mixture_at (its x) (at_ x) 0) | x <- table] =
  [:: ([:: 0], 1); ([:: 0], 1); ([:: 0], 1); ([:: 8#3], 0); ([:: 0], 1); ([:: 3#8], 0);
      ([:: 1], 0); ([:: 257985#262144], 1); ([:: 1], 0); ([:: 1], 0); ([:: 5#2], 0);
      ([:: 45#64], 0)].
Proof. by vm_compute. Qed.

(* --- They are counterexamples --- *)

Local Close Scope Q_scope.
Local Open Scope nat_scope.

Scheme Equality for condition.

Definition all_conditions := [:: LabelAndInput; RoomForTokens; SomeTask; HeadsForSlots;
  SlotsHoldInputs; ScratchHoldsInputs; DictionaryReads; TasksWired; InputSign; LabelSign; MatchSign;
  ReciprocalSign; MatchMargin; GateMargin; AddressMargin; InputBound; LabelBound; QueryBound; Separation].

Definition isolates p s c := all (fun c' => meets p s c' != condition_beq c' c) all_conditions.

Lemma all_conditionsP (P : condition -> bool) : all P all_conditions -> forall c, P c.
Proof.
move=> H c; have : has (condition_beq c) all_conditions by case: c.
elim: all_conditions H => [|a cs IH] //= /andP[Pa /IH Pcs] /orP[ca|/Pcs//].
by rewrite (internal_condition_dec_bl ca).
Qed.

Lemma isolatesP p s c : isolates p s c -> forall c', meets p s c' = true <-> c' <> c.
Proof.
move=> /all_conditionsP H c'; have := H c'.
case: (condition_eq_dec c' c) => [->|cc].
  by rewrite internal_condition_dec_lb //; case: meets; split.
case E: (condition_beq c' c); first by case: cc; apply: internal_condition_dec_bl.
by case: meets; split.
Qed.

Definition refutes x :=
  isolates (its x) (at_ x) (dropped x) && ~~ answer_is_mixture (its x) (at_ x).

Lemma refutesP x : refutes x -> needs (dropped x) (its x) (at_ x).
Proof.
case/andP=> /isolatesP cs wrong; split=> // R t ta /eqP.
by rewrite answer_computes // (negPf wrong).
Qed.

Theorem counterexamples : List.Forall (fun x => needs (dropped x) (its x) (at_ x)) table.
Proof.
have : all refutes table by vm_compute.
by elim: table => [|x xs IH] //= /andP[/refutesP xn /IH xsn]; constructor.
Qed.

(* Each of these ten conditions is needed, whatever else holds. *)
Theorem conditions_are_needed c :
  List.In c [:: TasksWired; LabelSign; ReciprocalSign; MatchMargin; AddressMargin; GateMargin;
                InputBound; LabelBound; QueryBound; Separation] ->
  exists p s, needs c p s.
Proof.
move=> cs; have ct : List.In c (map dropped table) by move: cs => /=; tauto.
have [x [<- xt]] := proj1 (List.in_map_iff dropped table c) ct.
by exists (its x), (at_ x); apply: (proj1 (List.Forall_forall _ _) counterexamples).
Qed.

(* It is not enough that C is large for each task with the features of its own home. *)
Theorem own_features_are_not_enough : exists p s, needs AddressMargin p s /\
  all (fun k => leq_ o (add o (num o 1) (mul o (B p) (E2 o p k (home p k))))
    (mul o (num o 2) (C p))) (iota 0 (K p)).
Proof.
exists (its own_features), (at_ own_features); split; last by vm_compute.
by apply: (@refutesP own_features); vm_compute.
Qed.

(* The weights are the compiler's: the checker finds nothing but the plan's conditions. *)
Lemma weights_are_the_compilers x : differences o (its x) None (emit (its x)) =
  if admissible o (its x) then [::] else [:: Conditions].
Proof. by rewrite (emit_differs (its x) None) /conditions_for andbT. Qed.

(* --- The other conditions --- *)

Import GRing.Theory Num.Theory Order.TTheory.

Theorem follow p s :
  (meets p s SomeTask -> meets p s ScratchHoldsInputs -> meets p s TasksWired ->
   meets p s LabelAndInput) /\
  (meets p s MatchMargin -> meets p s MatchSign) /\
  (0 < pd p -> meets p s LabelAndInput -> meets p s QueryBound -> meets p s InputSign).
Proof.
have mo := q2r_morph [realFieldType of rat]; split; [|split].
- rewrite /= => K0 + /all_iotaP/(_ _ K0)/and4P[+ _ _ _]; rewrite /len.
  by case: (scratch p) => [|q qs] /=; [rewrite addn0|]; case: (pn p) => [|[]].
- rewrite /meets !(m_leq mo) !(m_mul mo) !(m_num mo) /= => H.
  rewrite leNgt; apply/negP => B0; have := lt_le_trans ltr01 H.
  by rewrite nmulr_rgt0 // ltNge -expr2 sqr_ge0.
- rewrite /meets => d0 n1 /all_iotaP/(_ 0) H; have n0 : 0 < (pn p).-1 by case: (pn p) n1 => [|[]].
  have /all_iotaP/(_ _ d0) := H n0; rewrite (bound_at [realFieldType of rat]).
  by rewrite (m_leq mo) (m_num mo); apply: le_trans; apply: normr_ge0.
Qed.

Theorem no_answer_token (p : plan Q) : 0 < len p -> N p < (pm p).+1 * len p ->
  forall t : 'I_(N p), t <> answer p :> nat.
Proof.
move=> n0 tooFew t ta; have := ltn_ord t; rewrite ta /answer /token ltnNge => /negP; apply.
by rewrite -ltnS (leq_trans tooFew) // mulSn addnC -addnS prednK.
Qed.

(* Without SomeTask, or without HeadsForSlots, but with all other conditions. *)
Theorem not_K_heads c : c = SomeTask \/ c = HeadsForSlots ->
  exists p s, (forall c', meets p s c' = true <-> c' <> c) /\
    ~~ all (fun L => size (heads L) == K p) (compile o p).
Proof.
case=> ->.
  exists (wired_ 3 [::] [::] 0 [::] [::]), one_triple.
  by split; first by apply: isolatesP; vm_compute.
exists (wired_ 3 [:: identity] [:: 0; 1] 0 [::] [::]), one_triple.
by split; first by apply: isolatesP; vm_compute.
Qed.
