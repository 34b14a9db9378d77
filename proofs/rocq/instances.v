(* The theorem is not empty: for every kind of task there is a plan and a prompt that meet
   all its hypotheses, with votes, and a mixture that is not 0. The plans are those that
   the Python compiler chooses for the tasks in the comments (m = 3), written as `construct
   prove` writes them, with shorter numbers; homes, slots, dictionary and margins are its
   own. Each prompt has an example that its task explains, one that no task explains, and
   a blank one; two kinds have two tasks, a vote for either, and one of the other two.

   That the tasks are what their kinds say is proved too: `tasks_are_of_their_kinds`.

   kind, instance_of k == the kinds of tasks; for each a plan, a prompt and the mixture
   votes_for x      == each task has a vote, and the mixture is as stated and not 0
   is_instance R x, is_answered R x == all hypotheses hold; the network says that mixture
   meaning R k j X i == what task j of the plan for the kind k says *)
From Coq Require Import QArith List.
From construct Require Import spec plan reader concrete.
Import ListNotations.

(* affine("f", {1: [[1, 2], [0, -1]], 2: [[0, 0], [1, 0]]}, [1/2, 0]) *)
Definition planAffine : plan Q := plain_plan 0 2%nat 3%nat 3%nat [read_task [[(0%N, 0%N, 1);
  (0%N, 1%N, 2)]; [(0%N, 1%N, (-1)); (1%N, 0%N, 1)]] [[]; []] [(1#2); 0] []] [1%nat] [0%nat]
  (map (map read_hinge) []) [[]] 16%nat 2 8192 4 4 16 1.
Definition sampleAffine := Sample [Some ([[1; 1]; [2; 0]], [7#2; 1]); Some ([[1; 1]; [2; 0]],
  [7#2; -1]); None] [[0; 1]; [1; 1]].
Definition answerAffine := [5#2; 0].

(* permutation("f", [2, 3, 1]); permutation("g", [2, 1, 3], signs=[1, -1, 1]) *)
Definition planPermutation : plan Q := plain_plan 0 3%nat 3%nat 2%nat [read_task [[(0%N, 1%N, 1)];
  [(0%N, 2%N, 1)]; [(0%N, 0%N, 1)]] [[]; []; []] [0; 0; 0] []; read_task [[(0%N, 1%N, 1)];
  [(0%N, 0%N, (-1))]; [(0%N, 2%N, 1)]] [[]; []; []] [0; 0; 0] []] [] [0%nat; 0%nat]
  (map (map read_hinge) []) [[]; []] 8%nat 2 4096 8 4 16 1.
Definition samplePermutation := Sample [Some ([[1; 2; 3]], [2; 3; 1]); Some ([[1; 0; 2]], [0; -1;
  2]); None] [[1; 2; 4]].
Definition answerPermutation := [2; 3#2; 5#2].

(* retrieval("f", 1, d=1); retrieval("g", 2, d=1) *)
Definition planRetrieval : plan Q := plain_plan 0 1%nat 3%nat 3%nat [read_task [[(0%N, 0%N, 1)]] [[]] [0]
  []; read_task [[(1%N, 0%N, 1)]] [[]] [0] []] [] [0%nat; 1%nat] (map (map read_hinge) []) [[];
  []] 16%nat 2 2048 8 4 16 1.
Definition sampleRetrieval := Sample [Some ([[1]; [3]], [1]); Some ([[1]; [3]], [3]); Some ([[1];
  [3]], [-1])] [[2]; [4]].
Definition answerRetrieval := [3].

(* shift("f", [1, -2]) *)
Definition planShift : plan Q := plain_plan 0 2%nat 3%nat 2%nat [read_task [[(0%N, 0%N, 1)];
  [(0%N, 1%N, 1)]] [[]; []] [1; (-2)] []] [] [0%nat] (map (map read_hinge) []) [[]] 8%nat 2 4096 4
  4 16 1.
Definition sampleShift := Sample [Some ([[0; 1]], [1; -1]); Some ([[0; 1]], [0; 1]); None] [[2;
  3]].
Definition answerShift := [3; 1].

(* shift("f", 1, modulo=3) *)
Definition planShiftModulo : plan Q := plain_plan 0 3%nat 3%nat 2%nat [read_task [[(0%N, 2%N, 1)];
  [(0%N, 0%N, 1)]; [(0%N, 1%N, 1)]] [[]; []; []] [0; 0; 0] []] [] [0%nat] (map (map read_hinge)
  []) [[]] 8%nat 1 8 4 1 1 1.
Definition sampleShiftModulo := Sample [Some ([[1; 0; 0]], [0; 1; 0]); Some ([[0; 1; 0]], [1; 0;
  0]); None] [[0; 0; 1]].
Definition answerShiftModulo := [1; 0; 0].

(* add("f", [1, 2], d=1) *)
Definition planSum : plan Q := plain_plan 0 1%nat 3%nat 3%nat [read_task [[(0%N, 0%N, 1); (1%N, 0%N, 1)]]
  [[]] [0] []] [1%nat] [0%nat] (map (map read_hinge) []) [[]] 16%nat 2 2048 4 4 16 1.
Definition sampleSum := Sample [Some ([[1]; [3]], [4]); Some ([[1]; [3]], [2]); None] [[2]; [-3]].
Definition answerSum := [-1].

(* lookup("f", {"France": "Paris"}, vocabulary=words) *)
Definition planLookup : plan Q := plain_plan 0 3%nat 3%nat 2%nat [read_task [[]; [(0%N, 0%N, 1)]; []] [[];
  []; []] [0; 0; 0] []] [] [0%nat] (map (map read_hinge) []) [[]] 8%nat 1 4 4 1 1 1.
Definition sampleLookup := Sample [Some ([[1; 0; 0]], [0; 1; 0]); Some ([[0; 0; 1]], [0; 1; 0]);
  None] [[1; 0; 0]].
Definition answerLookup := [0; 1; 0].

(* lookup("f", {("a", "a"): "b", ("a", "b"): "b", ("b", "b"): "c"}, vocabulary=words) *)
Definition planLookupPairs : plan Q := plain_plan 0 3%nat 3%nat 3%nat [read_task [[]; []; []] [[];
  [(0%N, 1)]; [(1%N, 1)]] [0; 0; 0] [[(1, [(0%N, 0%N, 1); (1%N, 0%N, 1); (1%N, 1%N, 1)], (-1))];
  [(1, [(0%N, 1%N, 1); (1%N, 1%N, 1)], (-1))]]] [1%nat] [0%nat] (map (map read_hinge) [[(1,
  [(0%N, 0%N, 1); (1%N, 0%N, 1); (1%N, 1%N, 1)], (-1))]; [(1, [(0%N, 1%N, 1); (1%N, 1%N, 1)],
  (-1))]]) [[0%nat; 1%nat]] 16%nat 1 32 4 1 1 1.
Definition sampleLookupPairs := Sample [Some ([[1; 0; 0]; [0; 1; 0]], [0; 1; 0]); Some ([[0; 0;
  1]; [1; 0; 0]], [0; 1; 0]); None] [[0; 1; 0]; [0; 1; 0]].
Definition answerLookupPairs := [0; 0; 1].

(* word_sum("f", {"a": 1, "b": 2}, {2: "b", 3: "c"}, vocabulary=words) *)
Definition planWordSum : plan Q := plain_plan 0 3%nat 3%nat 3%nat [read_task [[]; []; []] [[]; [(0%N, 1);
  (1%N, (-2)); (2%N, 1)]; [(1%N, 1); (2%N, (-2)); (3%N, 1)]] [0; 0; 0] [[(1, [(0%N, 0%N, 2);
  (0%N, 1%N, 3); (1%N, 0%N, 2); (1%N, 1%N, 3)], (-3))]; [(1, [(0%N, 0%N, 2); (0%N, 1%N, 3);
  (1%N, 0%N, 2); (1%N, 1%N, 3)], (-4))]; [(1, [(0%N, 0%N, 2); (0%N, 1%N, 3); (1%N, 0%N, 2);
  (1%N, 1%N, 3)], (-5))]; [(1, [(0%N, 0%N, 2); (0%N, 1%N, 3); (1%N, 0%N, 2); (1%N, 1%N, 3)],
  (-6))]]] [1%nat] [0%nat] (map (map read_hinge) [[(1, [(0%N, 0%N, 2); (0%N, 1%N, 3);
  (1%N, 0%N, 2); (1%N, 1%N, 3)], (-3))]; [(1, [(0%N, 0%N, 2); (0%N, 1%N, 3); (1%N, 0%N, 2);
  (1%N, 1%N, 3)], (-4))]; [(1, [(0%N, 0%N, 2); (0%N, 1%N, 3); (1%N, 0%N, 2); (1%N, 1%N, 3)],
  (-5))]; [(1, [(0%N, 0%N, 2); (0%N, 1%N, 3); (1%N, 0%N, 2); (1%N, 1%N, 3)], (-6))]]) [[0%nat;
  1%nat; 2%nat; 3%nat]] 16%nat 1 4096 4 1 1 1.
Definition sampleWordSum := Sample [Some ([[1; 0; 0]; [1; 0; 0]], [0; 1; 0]); Some ([[1; 0; 0];
  [0; 0; 1]], [0; 1; 0]); None] [[0; 1; 0]; [1; 0; 0]].
Definition answerWordSum := [0; 0; 1].

(* relu_sum("f", [[{"a": [1], "e": -1}, {"c": -2, "a": [2]}]], [[1]], [[2]], [1]) *)
Definition planReluSum : plan Q := plain_plan 0 1%nat 3%nat 2%nat [read_task [[(0%N, 0%N, 2)]]
  [[(0%N, 1)]] [1] [[((-2), [(0%N, 0%N, 2)], 0); (1, [(0%N, 0%N, 1)], (-1))]]] [] [0%nat]
  (map (map read_hinge) [[((-2), [(0%N, 0%N, 2)], 0); (1, [(0%N, 0%N, 1)], (-1))]]) [[0%nat]]
  8%nat 2 32768 4 4 16 1.
Definition sampleReluSum := Sample [Some ([[1]], [-1]); Some ([[-1]], [3]); None] [[2]].
Definition answerReluSum := [-2].

(* absolute("f", d=2) *)
Definition planAbsolute : plan Q := plain_plan 0 2%nat 3%nat 2%nat [read_task [[]; []] [[(0%N, 1)];
  [(1%N, 1)]] [0; 0] [[(1, [(0%N, 0%N, (-1))], 0); (1, [(0%N, 0%N, 1)], 0)]; [(1,
  [(0%N, 1%N, (-1))], 0); (1, [(0%N, 1%N, 1)], 0)]]] [] [0%nat] (map (map read_hinge) [[(1,
  [(0%N, 0%N, (-1))], 0); (1, [(0%N, 0%N, 1)], 0)]; [(1, [(0%N, 1%N, (-1))], 0); (1,
  [(0%N, 1%N, 1)], 0)]]) [[0%nat; 1%nat]] 8%nat 2 8192 4 4 16 1.
Definition sampleAbsolute := Sample [Some ([[-2; 1]], [2; 1]); Some ([[-2; 1]], [-2; 1]); None]
  [[-3; 1#2]].
Definition answerAbsolute := [3; 1#2].

(* relu("f", d=1) *)
Definition planRelu : plan Q := plain_plan 0 1%nat 3%nat 2%nat [read_task [[]] [[(0%N, 1)]] [0] [[(1,
  [(0%N, 0%N, 1)], 0)]]] [] [0%nat] (map (map read_hinge) [[(1, [(0%N, 0%N, 1)], 0)]]) [[0%nat]]
  8%nat 2 2048 4 4 16 1.
Definition sampleRelu := Sample [Some ([[-1]], [0]); Some ([[-1]], [-1]); None] [[2]].
Definition answerRelu := [2].

(* maximum("f", d=1) *)
Definition planMaximum : plan Q := plain_plan 0 1%nat 3%nat 3%nat [read_task [[(0%N, 0%N, 1)]]
  [[(0%N, 1)]] [0] [[(1, [(0%N, 0%N, (-1)); (1%N, 0%N, 1)], 0)]]] [1%nat] [0%nat]
  (map (map read_hinge) [[(1, [(0%N, 0%N, (-1)); (1%N, 0%N, 1)], 0)]]) [[0%nat]] 16%nat 2 4096 4 4
  16 1.
Definition sampleMaximum := Sample [Some ([[1]; [3]], [3]); Some ([[1]; [3]], [1]); None] [[2];
  [-1]].
Definition answerMaximum := [2].

(* minimum("f", d=1) *)
Definition planMinimum : plan Q := plain_plan 0 1%nat 3%nat 3%nat [read_task [[(0%N, 0%N, 1)]]
  [[(0%N, (-1))]] [0] [[(1, [(0%N, 0%N, 1); (1%N, 0%N, (-1))], 0)]]] [1%nat] [0%nat]
  (map (map read_hinge) [[(1, [(0%N, 0%N, 1); (1%N, 0%N, (-1))], 0)]]) [[0%nat]] 16%nat 2 4096 4 4
  16 1.
Definition sampleMinimum := Sample [Some ([[1]; [3]], [1]); Some ([[1]; [3]], [3]); None] [[2];
  [1]].
Definition answerMinimum := [1].

(* clip("f", -1/2, 3/2, d=1) *)
Definition planClip : plan Q := plain_plan 0 1%nat 3%nat 2%nat [read_task [[]] [[(0%N, 1)]] [(-1#2)]
  [[((-1), [(0%N, 0%N, 1)], (-3#2)); (1, [(0%N, 0%N, 1)], (1#2))]]] [] [0%nat]
  (map (map read_hinge) [[((-1), [(0%N, 0%N, 1)], (-3#2)); (1, [(0%N, 0%N, 1)], (1#2))]])
  [[0%nat]] 8%nat 2 4096 4 4 16 1.
Definition sampleClip := Sample [Some ([[4]], [3#2]); Some ([[4]], [4]); None] [[-3]].
Definition answerClip := [-1#2].
(* --- By kind --- *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers residual spec plan stream transport matrices network.
From construct Require Import tolerance checker artifact concrete.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Inductive kind := Affine | Permutation | Retrieval | Shift | ShiftModulo | Sum | Lookup |
  LookupPairs | WordSum | ReluSum | Absolute | Relu | Maximum | Minimum | Clip.

(* A plan, a prompt, and the mixture. *)
Record instance := Instance { its : plan Q; at_ : sample; says : seq Q }.

Definition instance_of k :=
  match k with
  | Affine => Instance planAffine sampleAffine answerAffine
  | Permutation => Instance planPermutation samplePermutation answerPermutation
  | Retrieval => Instance planRetrieval sampleRetrieval answerRetrieval
  | Shift => Instance planShift sampleShift answerShift
  | ShiftModulo => Instance planShiftModulo sampleShiftModulo answerShiftModulo
  | Sum => Instance planSum sampleSum answerSum
  | Lookup => Instance planLookup sampleLookup answerLookup
  | LookupPairs => Instance planLookupPairs sampleLookupPairs answerLookupPairs
  | WordSum => Instance planWordSum sampleWordSum answerWordSum
  | ReluSum => Instance planReluSum sampleReluSum answerReluSum
  | Absolute => Instance planAbsolute sampleAbsolute answerAbsolute
  | Relu => Instance planRelu sampleRelu answerRelu
  | Maximum => Instance planMaximum sampleMaximum answerMaximum
  | Minimum => Instance planMinimum sampleMinimum answerMinimum
  | Clip => Instance planClip sampleClip answerClip
  end.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* --- All hypotheses hold --- *)

(* Each task has a vote, the mixture is as stated, and it is not 0. *)
Definition votes_for (x : instance) :=
  [&& all (fun k => 0 < votes_at (its x) (at_ x) k)%N (iota 0 (K (its x))),
      all (fun u => eqb o (mixture_at (its x) (at_ x) u) (nth zero (says x) u))
        (iota 0 (pd (its x))) &
      has (fun u => ~~ eqb o (nth zero (says x) u) zero) (iota 0 (pd (its x)))].

Lemma meets_all k c : meets (its (instance_of k)) (at_ (instance_of k)) c.
Proof. by case: k; case: c; vm_compute. Qed.

Lemma votes_for_all k : votes_for (instance_of k).
Proof. by case: k; vm_compute. Qed.

Section Instance.
Variables (R : realFieldType) (x : instance).
Notation p := (map_plan (@q2r R) (its x)).
Notation prompt := (prompt_of R (at_ x)).
Notation domain := (in_domain (pd p) (pm p) (pn p) (tasks p) prompt (Rx p) (Ry p) (delta p)).
Notation answer := (\row_(u < pd p) q2r R (nth zero (says x) u)).

(* The hypotheses hold, every task has a vote, and the mixture is as stated and not 0. *)
Definition is_instance :=
  [/\ admissible (real_ops R) p, domain,
      forall j, (j < K p)%N -> (0 < votes (pd p) (pm p) (tasks p) prompt j)%N,
      \row_u mixture (pd p) (pm p) (tasks p) prompt u = answer & answer != 0].

(* The network that is emitted for the plan answers with just that. *)
Definition is_answered := forall t : 'I_(N (its x)), t = stream.answer (its x) :> nat ->
  answer_mx (D (sizes_of (its x))) (map_emitted (@q2r R) (emit (its x))) (tokens p prompt) t =
  answer.

Lemma computed_instance : (forall c, meets (its x) (at_ x) c) -> votes_for x -> is_instance.
Proof.
move=> /(conditions_are_the_hypotheses R)[ok dom].
move=> /and3P[/all_iotaP vs /all_iotaP mix /hasP[u + nonzero]].
rewrite mem_iota => ud; split=> //.
- by move=> j jK; rewrite votes_atE vs // -(K_map (@q2r R)).
- apply/rowP => v; rewrite !mxE mixture_atE; apply/eqP.
  by have := mix v (ltn_ord v); rewrite -(eqb_map (q2r_morph R)) /eqb /= -eq_le.
- apply: contra nonzero => /eqP/rowP/(_ (Ordinal ud)); rewrite !mxE /= => E.
  by rewrite -(eqb_map (q2r_morph R)) E phi0 /eqb /= lexx.
Qed.

Lemma computed_answer : fits (D (sizes_of (its x))) (emit (its x)) -> is_instance -> is_answered.
Proof.
rewrite /is_answered => wide [ok dom _ <- _] t.
have none : differences o (its x) None (emit (its x)) = [::].
  by rewrite (emit_differs (its x) None) /conditions_for andbT -(admissible_map (q2r_morph R)) ok.
have := the_answer (on_every_prompt (checked wide none) dom).
by rewrite sizes_map; apply.
Qed.
End Instance.

Theorem every_kind_has_an_instance R k : is_instance R (instance_of k).
Proof. exact: computed_instance (meets_all k) (votes_for_all k). Qed.

Lemma fits_all k : fits (D (sizes_of (its (instance_of k)))) (emit (its (instance_of k))).
Proof. by case: k; vm_compute. Qed.

Theorem every_instance_is_answered R k : is_answered R (instance_of k).
Proof. exact: computed_answer (@fits_all k) (every_kind_has_an_instance R k). Qed.

(* --- The tasks are what their kinds say --- *)

Section Kinds.
Variable R : realFieldType.

(* 1 at 0, and 0 from 1 on. *)
Definition tent (x : R) := Num.max (1 - `|x|) 0.

(* Entry i of task j on the inputs X. *)
Definition meaning k j (X : nat -> nat -> R) i : R :=
  match k with
  | Affine => nth 0 [:: X 0%N 0%N + 2 * X 0%N 1%N + 2^-1; X 1%N 0%N - X 0%N 1%N] i
  | Permutation => if j == 0%N then X 0%N (nth 0 [:: 1; 2; 0] i)%N
                   else nth 0 [:: X 0%N 1%N; - X 0%N 0%N; X 0%N 2%N] i
  | Retrieval => X j i
  | Shift => X 0%N i + nth 0 [:: 1; -2] i
  | ShiftModulo => X 0%N ((i + 2) %% 3)%N
  | Sum => X 0%N i + X 1%N i
  | Lookup => nth 0 [:: 0; X 0%N 0%N; 0] i
  | LookupPairs => nth 0 [:: 0; Num.max (X 0%N 0%N + (X 1%N 0%N + X 1%N 1%N) - 1) 0;
                               Num.max (X 0%N 1%N + X 1%N 1%N - 1) 0] i
  | WordSum =>
      let s := 2 * X 0%N 0%N + 3 * X 0%N 1%N + (2 * X 1%N 0%N + 3 * X 1%N 1%N) in
      nth 0 [:: 0; tent (s - 4); tent (s - 5)] i
  | ReluSum => 2 * X 0%N i + Num.max (X 0%N i - 1) 0 - 2 * Num.max (2 * X 0%N i) 0 + 1
  | Absolute => `|X 0%N i|
  | Relu => Num.max (X 0%N i) 0
  | Maximum => Num.max (X 0%N i) (X 1%N i)
  | Minimum => Num.min (X 0%N i) (X 1%N i)
  | Clip => Num.min (Num.max (X 0%N i) (-2^-1)) (3 / 2)
  end.

Lemma hinges_absolute (x : R) : Num.max (- x) 0 + Num.max x 0 = `|x|.
Proof.
case: (lerP 0 x) => x0; first by rewrite max_r ?oppr_le0 // add0r ger0_norm.
by rewrite max_l ?oppr_ge0 ?ltW // addr0 ltr0_norm.
Qed.

Lemma hinge_maximum (x y : R) : x + Num.max (- x + y) 0 = Num.max x y.
Proof. by rewrite addr_maxr addrA subrr add0r addr0 maxC. Qed.

Lemma hinge_minimum (x y : R) : x - Num.max (x - y) 0 = Num.min x y.
Proof. by rewrite oppr_max addr_minr oppr0 addr0 opprB addrC subrK minC. Qed.

Lemma hinges_tent (x : R) :
  Num.max (x + 1) 0 - 2 * Num.max x 0 + Num.max (x - 1) 0 = tent x.
Proof.
rewrite /tent; have [x0 | x0] := ltrP x 0; last first.
  rewrite (ger0_norm x0) [Num.max (x + 1) 0]max_l ?addr_ge0 ?ler01 //.
  case: (lerP x 1) => x1.
    by rewrite [Num.max (x - 1) 0]max_r ?subr_le0 // max_l ?subr_ge0 //; ring.
  by rewrite [Num.max (x - 1) 0]max_l ?subr_ge0 ?ltW // max_r ?subr_le0 ?ltW //; ring.
rewrite (ltr0_norm x0) opprK [1 + x]addrC mulr0 subr0.
by rewrite [Num.max (x - 1) 0]max_r ?addr0 // subr_le0 ltW ?(lt_trans x0 ltr01).
Qed.

Lemma hinges_tent_at (s t a b : R) : a = t - 1 -> b = t + 1 ->
  Num.max (s - a) 0 + (- 2 * Num.max (s - t) 0 + Num.max (s - b) 0) = tent (s - t).
Proof.
move=> -> ->; rewrite -hinges_tent mulNr addrA; congr (Num.max _ _ + _ + Num.max _ _); ring.
Qed.

(* A tent at a sum is 1 there and 0 at all others, which are whole numbers away. *)
Lemma tent_whole (z : int) : tent z%:~R = (z == 0)%:R.
Proof.
rewrite /tent; case: eqP => [-> | /eqP z0]; first by rewrite normr0 subr0 max_l ?ler01.
by rewrite max_r // subr_le0 -intr_norm (ler_int _ 1) -gtz0_ge1 normr_gt0.
Qed.

(* The hinge of a box of words: 1 where each operand is one of its words, and else 0. *)
Lemma box_all (bs : seq bool) :
  Num.max (\sum_(b <- bs) b%:R + (1 - (size bs)%:R)) 0 = (all id bs)%:R :> R.
Proof.
have -> : \sum_(b <- bs) b%:R = (count id bs)%:R :> R.
  by elim: bs => [|b bs IH]; rewrite ?big_nil // big_cons IH /= natrD.
rewrite all_count; case: eqP => [-> | /eqP ne]; first by rewrite addrCA subrr addr0 max_l ?ler01.
by rewrite max_r // addrA subr_le0 -(natrD _ _ 1) addn1 ler_nat ltn_neqAle ne count_size.
Qed.
Lemma hinges_clip (x a b : R) : - b <= a ->
  - Num.max (x + - a) 0 + Num.max (x + b) 0 - b = Num.min (Num.max x (- b)) a.
Proof.
move=> ba; have -> : Num.max x (- b) = Num.max (x + b) 0 - b by rewrite addr_maxl addrK add0r.
rewrite -addrA addrC -hinge_minimum; congr (_ - _).
case: (lerP 0 (x + b)) => H; first by rewrite addrK.
rewrite add0r !max_r // subr_le0 //.
by apply: le_trans ba; rewrite -subr_le0 opprK ltW.
Qed.

Theorem tasks_are_of_their_kinds k j X i : let p := map_plan (@q2r R) (its (instance_of k)) in
  (j < K p)%N -> (i < pd p)%N -> f_ (tasks p) j X i = meaning k j X i.
Proof.
move=> p; rewrite {}/p; case: k; case: j => [|[|j]] // _; case: i => [|[|[|i]]] // _.
all: rewrite /f_ /f /linear_of /= ?(big_cons, big_nil) /=.
all: rewrite /feature_of /hinge_of /linear_of /= ?(big_cons, big_nil) /=.
all: rewrite /q2r /z2r /= -?[Pos.to_nat 1]/1%N -?[Pos.to_nat 2]/2%N -?[Pos.to_nat 3]/3%N.
all: rewrite -?[Pos.to_nat 4]/4%N -?[Pos.to_nat 5]/5%N -?[Pos.to_nat 6]/6%N.
all: rewrite -?pmulrn ?(divr1, mulr1z, mul0r, mul1r, mulN1r, add0r, addr0) //.
- by rewrite addrC.
- by rewrite [2 * _ + (3 * _ + _)]addrA; apply: hinges_tent_at; ring.
- by rewrite [2 * _ + (3 * _ + _)]addrA; apply: hinges_tent_at; ring.
- by rewrite mulNr [- _ + _]addrC addrA.
- exact: hinges_absolute.
- exact: hinges_absolute.
- exact: hinge_maximum.
- exact: hinge_minimum.
- rewrite mulNr; apply: hinges_clip.
  by apply: (@le_trans _ _ 0); rewrite ?oppr_le0 ?invr_ge0 ?divr_ge0 ?ler0n.
Qed.
End Kinds.
