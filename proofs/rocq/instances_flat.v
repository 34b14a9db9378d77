(* Instances of what issues from scratch tokens and from the flat gate, as instances.v has them
   for each kind of task: plans and prompts that meet all hypotheses, with votes, and answers.

   scratch_instance == two homes, one at a scratch token, and hinges that act at one of them each
   flat_kind, flat_instance_of k == plans with a flat gate: of two tasks, of a single task, and
                       with scratch tokens; tasks are x^2 and x - x^2, held by chords
   flat_kinds_have_instances: all hypotheses of `approximate_correct` hold, every task has a vote,
                       some vote is for a label that what is held does not give, and the mixture
                       is as stated, and not 0 *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers residual spec plan stream transport matrices network.
From construct Require Import reader checker concrete instances pool flat approximate concrete_flat.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Open Scope Q_scope.

(* --- Scratch tokens, two homes, gated hinges --- *)

Definition hinge_at_input (c a e : Q) : hinge Q := Hinge c [:: (0%N, 0%N, a)] e.
Definition up := hinge_at_input 1 1 0.
Definition down := hinge_at_input 1 (-1) 0.
Definition one_feature (a b : Q) c (g : seq (hinge Q)) : task Q :=
  Task [:: [:: (0%N, 0%N, a)]] [:: [:: (0%N, c)]] [:: b] [:: g].
Definition gated_at q (g : seq (hinge Q)) : seq (option nat * hinge Q) :=
  [seq (Some q, h) | h <- g].

(* relu("f", d=1); absolute("g", d=1), with a scratch token, as the Python compiler has it. *)
Definition scratch_instance := Instance
  (Plan 1%nat 3%nat 2%nat [:: one_feature 0 0 1 [:: up]; one_feature 0 0 1 [:: down; up]] [::]
    [:: 0%N; 1%N] [:: 0%N] [:: gated_at 0 [:: up] ++ gated_at 1 [:: down; up]]
    [:: [:: 0%N]; [:: 0%N]] 16%nat 2 64 8 4 2 2 1)
  (Sample [:: Some ([:: [:: -1]], [:: 0]); Some ([:: [:: -2]], [:: 2]); Some ([:: [:: 1]], [:: 0])]
    [:: [:: -1]])
  [:: 1#2].

(* --- Flat gates --- *)

(* Chords of x^2 between whole numbers from -2 to 2, lowered by 1/8: so they are off by 1/8. *)
Definition bends := [:: hinge_at_input 2 1 1; hinge_at_input 2 1 0; hinge_at_input 2 1 (-1)].
Definition chords := one_feature (-3) (-17#8) 1 bends.
Definition bump := one_feature 4 (17#8) (-1) bends.
Definition same_value : task Q := Task [:: [:: (0%N, 0%N, 1)]] [:: [::]] [:: 0] [::].

Definition with_flat_gate ts homes scratch dict reads functions : flat_plan :=
  FlatPlan (Plan 1%nat 3%nat 2%nat ts [::] homes scratch dict reads 16%nat 2 4096 8 8 2 4 1)
    (9#8) 0 functions.

Definition ungated (g : seq (hinge Q)) : seq (option nat * hinge Q) := [seq (None, h) | h <- g].
Definition labelled (x y : Q) := Some ([:: [:: x]], [:: y]).

Inductive flat_kind := TwoTasks | SingleTask | WithScratch.

Definition flat_plan_of k := match k with
  | TwoTasks => with_flat_gate [:: chords; same_value] [:: 0%N; 0%N] [::] [:: ungated bends]
      [:: [:: 0%N]; [::]] [:: (Square, 1#8); (Same, 0)]
  | SingleTask => with_flat_gate [:: chords] [:: 0%N] [::] [:: ungated bends] [:: [:: 0%N]]
      [:: (Square, 1#8)]
  | WithScratch => with_flat_gate [:: chords; bump] [:: 0%N; 1%N] [:: 0%N]
      [:: gated_at 0 bends ++ gated_at 1 bends] [:: [:: 0%N]; [:: 0%N]]
      [:: (Square, 1#8); (Bump, 1#8)]
  end.

(* A label on each task, and one that none explains; and the query. *)
Definition flat_sample_of k := match k with
  | TwoTasks => Sample [:: labelled (-3#2) (9#4); labelled (-3#2) (-3#2); labelled 0 (-2)]
      [:: [:: 1#2]]
  | SingleTask => Sample [:: labelled (-3#2) (9#4); None; labelled 0 (-2)] [:: [:: 1#2]]
  | WithScratch => Sample [:: labelled (-3#2) (9#4); labelled (-3#2) (-15#4); labelled 0 (-2)]
      [:: [:: 3#2]]
  end.

(* The mixture of the functions, and what the network answers. *)
Definition mixture_says k : Q := match k with
  | TwoTasks => 3#8 | SingleTask => 1#4 | WithScratch => 3#4 end.
Definition network_says k : Q := match k with
  | TwoTasks => 7#16 | SingleTask => 3#8 | WithScratch => 3#4 end.

Local Close Scope Q_scope.

Lemma scratch_meets c : meets (its scratch_instance) (at_ scratch_instance) c.
Proof. by case: c; vm_compute. Qed.

Lemma flat_meets k c : meets_flat (flat_plan_of k) (flat_sample_of k) c.
Proof. by case: k; case: c; try case; vm_compute. Qed.

(* Each task has a vote; one of them is for a label that what is held does not give. *)
Definition flat_votes_for k := let x := flat_plan_of k in let s := flat_sample_of k in
  [&& all (fun j => 0 < votes_near_at x s j)%N (iota 0 (K x)),
      has (fun i => near_at x s 0 i && ~~ explains_at x s 0 i) (iota 0 (pm x)),
      eqb o (mixture_near_at x s 0) (mixture_says k),
      eqb o (nth zero (answer_flat x s) 0) (network_says k) & ~~ eqb o (mixture_says k) zero].

Lemma flat_votes k : flat_votes_for k.
Proof. by case: k; vm_compute. Qed.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* The hypotheses of the theorem hold with a scratch token; both homes have votes, no hinge acts
   at both, and no more features are written than one task needs. *)
Theorem scratch_has_an_instance (R : realFieldType) :
  [/\ is_instance R scratch_instance, is_answered R scratch_instance &
    let p := its scratch_instance in
    [/\ size (scratch p) = 1%N, homes_of p = [:: 0; 1]%N, size (dict p) = 1%N &
      all (fun u => isSome u.1) (nth [::] (dict p) 0)]].
Proof.
have i : is_instance R scratch_instance.
  by apply: computed_instance; [exact: scratch_meets | vm_compute].
by split=> //; apply: computed_answer => //; vm_compute.
Qed.

(* What its tasks are. *)
Lemma scratch_tasks (R : realFieldType) X :
  let ts := tasks (map_plan (@q2r R) (its scratch_instance)) in
  f_ ts 0 X 0 = Num.max (X 0%N 0%N) 0 /\ f_ ts 1 X 0 = `|X 0%N 0%N|.
Proof.
split; rewrite /f_ /f /linear_of /= ?(big_cons, big_nil) /=.
all: rewrite /feature_of /hinge_of /linear_of /= ?(big_cons, big_nil) /=.
all: rewrite /q2r /z2r /= -?[Pos.to_nat 1]/1%N -?pmulrn.
all: rewrite ?(divr1, mulr1z, mul0r, mul1r, mulN1r, add0r, addr0) //.
exact: hinges_absolute.
Qed.

Section Flat.
Variables (R : realFieldType) (k : flat_kind).
Notation phi := (@q2r R).
Notation x := (flat_plan_of k).
Notation p := (map_plan phi x).
Notation pr := (prompt_of R (flat_sample_of k)).
Notation near_ := (near p pr (phi (tau x)) (@F_of R x)).

Theorem flat_kinds_have_instances :
  [/\ admissible (real_ops R) p, flat_conditions (real_ops R) p (phi (top x)),
      held_within p pr (phi (top x)) (phi (tau x)) (@F_of R x) (eps_of R x),
      forall j, (j < K p)%N -> (0 < votes_of p near_ j)%N &
      [/\ exists i, near_ 0%N i /\ ~~ explains (pd p) (tasks p) pr 0 i,
        mixture_near p pr (phi (tau x)) (@F_of R x) 0 = phi (mixture_says k) &
        phi (mixture_says k) != 0]].
Proof.
have [ok fl held] := proj1 (flat_conditions_are_the_hypotheses R _ _) (@flat_meets k).
have /and5P[/all_iotaP vs /hasP[i _ /andP[n1 n2]] mix _ nz] := flat_votes k.
split=> //; first by move=> j jK; rewrite votes_near_atE vs // -(K_map phi).
split; first by exists i; rewrite near_atE explains_atE.
  rewrite mixture_near_atE; apply/eqP.
  by move: mix; rewrite -(eqb_map (q2r_morph R)) /eqb /= -eq_le.
by move: nz; rewrite -(eqb_map (q2r_morph R)) /eqb /= -eq_le phi0.
Qed.

(* What the network that is emitted for it says. *)
Theorem flat_instances_are_answered (t : 'I_(N x)) : t = answer x :> nat ->
  answer_mx (D (sizes_of x)) (map_emitted phi (emit_by x (layers_of x))) (tokens p pr) t =
  \row_u phi (network_says k).
Proof.
move=> ta; rewrite (answer_byE _ _ _ ta); apply/rowP => u; rewrite !mxE.
have d1 j : (pd (flat_plan_of j) <= 1)%N by case: j.
have -> : u = 0%N :> nat.
  by apply/eqP; rewrite -leqn0 -ltnS; apply: leq_trans (ltn_ord u) (d1 k).
have /and5P[_ _ _ say _] := flat_votes k; apply/eqP.
by move: say; rewrite -(eqb_map (q2r_morph R)) /eqb /= -eq_le.
Qed.
End Flat.
