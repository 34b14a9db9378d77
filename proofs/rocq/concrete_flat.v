(* Plans with a flat gate, and prompts, of rational numbers: as concrete.v does for the plain
   one. Whether they meet the conditions of `approximate_correct`, the votes, the mixture and
   what the network answers are computed over Q, and hold in every real field.

   smooth, smooth_of o f X u == functions that sums of ReLUs approximate; what they say
   flat_plan        == a plan, the top of its gate, tau, and the functions with their eps
   flat_condition, meets_flat x s c == the conditions besides those of plans, and whether one is met
   near_at, votes_near_at, mixture_near_at x s == votes and mixture of the functions, computed
   layers_of x      == the layers that the compiler writes for it; within_at x s == whether what
                       they answer is within the sum of w_k eps_k of the mixture *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai residual spec plan stream pool norms transport.
From construct Require Import superpose flat approximate matrices network checker forward concrete.
From construct Require Import gather label query.
From construct Require gate.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Open Scope nat_scope.

(* --- Functions that are no sums of ReLUs, and some that are --- *)

(* x^2, x, x - x^2 and x + 1/4 of the first entry of the first input. *)
Inductive smooth := Square | Same | Bump | Raised.

Definition smooth_of T (o : ops T) f (X : nat -> nat -> T) (u : nat) : T :=
  let x := X 0 0 in
  match f with
  | Square => mul o x x
  | Same => x
  | Bump => sub o x (mul o x x)
  | Raised => add o x (inv o (num o 4))
  end.

Lemma smooth_map T1 T2 (o1 : ops T1) (o2 : ops T2) phi f X u : morph o1 o2 phi ->
  phi (smooth_of o1 f X u) = smooth_of o2 f (fun q v => phi (X q v)) u.
Proof.
by move=> mo; case: f; rewrite /smooth_of ?(m_sub mo, m_add mo, m_mul mo, m_inv mo, m_num mo).
Qed.

Record flat_plan := FlatPlan {
  its_plan :> plan Q;
  top : Q;
  tau : Q;
  functions : seq (smooth * Q);   (* what each task is held for, and its eps *)
}.

Section Computed.
Variables (x : flat_plan) (s : sample).
Notation p := (its_plan x).
Notation d := (pd p).
Notation m := (pm p).
Notation n := (pn p).

Definition fun_at k := (nth (Same, zero) (functions x) k).1.
Definition eps_at k := (nth (Same, zero) (functions x) k).2.
Definition F_at k X u := smooth_of o (fun_at k) X u.

Definition sq y := mul o y y.
Definition squares_at (y : nat -> Q) := sum o [seq sq (y u) | u <- iota 0 d].

Definition miss_at k i := squares_at (fun u => sub o (F_at k (input s i) u) (label_of s i u)).
Definition near_at k i := filled s i && leq_ o (miss_at k i) (sq (tau x)).
Definition votes_near_at k := count (near_at k) (iota 0 m).
Definition voters := sumn [seq votes_near_at k | k <- iota 0 (K p)].
Definition mixed (v : nat -> Q) := mul o
  (sum o [seq mul o (num o (votes_near_at k)) (v k) | k <- iota 0 (K p)])
  (inv o (num o voters)).
Definition mixture_near_at u := mixed (fun k => F_at k (query_of s) u).
Definition bound_at_ := mixed eps_at.

(* --- The conditions, one by one --- *)

Inductive flat_condition :=
  | OfPlan of condition   (* those of a plan and of the box *)
  | TopAboveOne           (* 1 <= a *)
  | HeadsForLabel         (* heads enough in layer 1 *)
  | FlatAddressMargin     (* a + B E^2 <= 2C *)
  | TauSign
  | ErrorSign
  | ErrorBelowDelta
  | MatchTop              (* B (tau + eps)^2 <= a - 1 *)
  | MismatchFloor         (* a <= B (delta - eps)^2 *)
  | Held                  (* what is held is within eps of the function at the examples *)
  | HeldAtQuery
  | Apart.                (* a label is within tau of the function, or at least delta away *)

Definition each_task (b : nat -> bool) := all b (iota 0 (K p)).
Definition each_example (b : nat -> bool) := all (fun i => filled s i ==> b i) (iota 0 m).

Definition off_at k X := squares_at (fun u => sub o (value_at (task_of p k) X u) (F_at k X u)).

Definition meets_flat c : bool :=
  match c with
  | OfPlan Separation => true
  | OfPlan c => meets p s c
  | TopAboveOne => leq_ o (num o 1) (top x)
  | HeadsForLabel => gathering p + (K p == 1) <= K p
  | FlatAddressMargin => all (fun k => all (fun q =>
      leq_ o (add o (top x) (mul o (B p) (E2 o p k q))) (mul o (num o 2) (C p))) (homes_of p))
      (iota 0 (K p))
  | TauSign => leq_ o zero (tau x)
  | ErrorSign => each_task (fun k => leq_ o zero (eps_at k))
  | ErrorBelowDelta => each_task (fun k => leq_ o (eps_at k) (delta p))
  | MatchTop => each_task (fun k =>
      leq_ o (mul o (B p) (sq (add o (tau x) (eps_at k)))) (sub o (top x) (num o 1)))
  | MismatchFloor => each_task (fun k =>
      leq_ o (top x) (mul o (B p) (sq (sub o (delta p) (eps_at k)))))
  | Held => each_task (fun k => each_example (fun i =>
      leq_ o (off_at k (input s i)) (sq (eps_at k))))
  | HeldAtQuery => each_task (fun k => leq_ o (off_at k (query_of s)) (sq (eps_at k)))
  | Apart => each_task (fun k => each_example (fun i =>
      near_at k i || leq_ o (sq (delta p)) (miss_at k i)))
  end.

(* --- The emitted network --- *)

Definition layers_of := compile_flat o p (top x).
Definition answer_flat := answer_by p s layers_of.
Definition within_at :=
  leq_ o (squares_at (fun u => sub o (nth zero answer_flat u) (mixture_near_at u))) (sq bound_at_).
End Computed.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* --- What is computed holds in every real field --- *)

Section Sound.
Variables (R : realFieldType) (x : flat_plan) (s : sample).
Notation phi := (@q2r R).
Notation mo := (q2r_morph R).
Notation p := (its_plan x).
Notation P := (map_plan phi p).
Notation pr := (prompt_of R s).
Notation d := (pd p).
Notation squares y := (norm2 (iota 0 d) y).

Definition F_of k := smooth_of (real_ops R) (fun_at x k).
Definition eps_of k := phi (eps_at x k).

Lemma sqE y : phi (sq y) = phi y ^+ 2. Proof. by rewrite (m_mul mo). Qed.

Lemma squares_atE y : phi (squares_at x y) = squares (fun u => phi (y u)).
Proof.
by rewrite (m_sum mo) sumE !big_map; apply: eq_bigr => u _; rewrite sqE.
Qed.

Lemma leE a b : leq_ o a b = (phi a <= phi b). Proof. exact: m_leq mo a b. Qed.

Lemma F_atE k X u : F_of k (fun q v => phi (X q v)) u = phi (F_at x k X u).
Proof. by rewrite (smooth_map _ _ _ mo). Qed.

Lemma miss_atE k i : phi (miss_at x s k i) = squares (fun u => F_of k (X pr i) u - Y pr i u).
Proof. by rewrite squares_atE; apply: eq_norm2 => u; rewrite (m_sub mo) -F_atE. Qed.

Lemma near_atE k i : near P pr (phi (tau x)) F_of k i = near_at x s k i.
Proof. by rewrite /near /near_at leE miss_atE sqE. Qed.

Lemma votes_near_atE k :
  votes_of P (near P pr (phi (tau x)) F_of) k = votes_near_at x s k.
Proof. by apply: eq_count => i; apply: near_atE. Qed.

Lemma mixedE v : phi (mixed x s v) =
  (\sum_(k < K P) (votes_near_at x s k)%:R * phi (v k)) /
  (\sum_(k < K P) votes_near_at x s k)%:R.
Proof.
rewrite /mixed (m_mul mo) (m_inv mo) (m_num mo) (m_sum mo) sumE K_map.
congr (_ / _); last by congr _%:R; rewrite /voters sumnE !big_map big_iota.
by rewrite !big_map big_iota; apply: eq_bigr => k _; rewrite (m_mul mo) (m_num mo).
Qed.

Lemma mixture_near_atE u :
  mixture_near P pr (phi (tau x)) F_of u = phi (mixture_near_at x s u).
Proof.
rewrite mixedE /mixture_near; congr (_ / _).
  by apply: eq_bigr => k _; rewrite votes_near_atE -F_atE.
by congr _%:R; apply: eq_bigr => k _; rewrite votes_near_atE.
Qed.

Lemma bound_atE : \sum_(k < K P) share_near P pr (phi (tau x)) F_of k * eps_of k =
  phi (bound_at_ x s).
Proof.
rewrite mixedE mulr_suml; apply: eq_bigr => k _; rewrite /share_near votes_near_atE mulrAC.
by congr (_ * _ / _%:R); apply: eq_bigr => j _; rewrite votes_near_atE.
Qed.

Lemma off_atE k X : phi (off_at x k X) =
  squares (fun u => f_ (tasks P) k (fun q v => phi (X q v)) u - F_of k (fun q v => phi (X q v)) u).
Proof. by rewrite squares_atE; apply: eq_norm2 => u; rewrite (m_sub mo) f_atE F_atE. Qed.

Lemma flat_conditions_at : flat_conditions (real_ops R) P (phi (top x)) =
  [&& meets_flat x s TopAboveOne, meets_flat x s HeadsForLabel & meets_flat x s FlatAddressMargin].
Proof.
rewrite /flat_conditions /meets_flat K_map (m_leq mo) (m_num mo); congr [&& _, _ & _].
apply: eq_all => k; rewrite homes_of_map; apply: eq_all => q.
by rewrite (m_leq mo) (E2_map mo) (m_add mo) !(m_mul mo) (m_num mo).
Qed.

Lemma each_taskP (b : nat -> bool) : reflect (forall k, (k < K P)%N -> b k) (each_task x b).
Proof. by rewrite K_map; apply: all_iotaP. Qed.

Lemma each_exampleP (b : nat -> bool) :
  reflect (forall i, (i < pm P)%N -> used pr i -> b i) (each_example x s b).
Proof.
apply: (iffP idP) => [/all_iotaP H i im us|H]; first by have /implyP := H i im; apply.
by apply/all_iotaP => i im; apply/implyP; apply: H.
Qed.

(* All of them together are the hypotheses. *)
Theorem flat_conditions_are_the_hypotheses : (forall c, meets_flat x s c) <->
  [/\ admissible (real_ops R) P, flat_conditions (real_ops R) P (phi (top x)) &
    held_within P pr (phi (top x)) (phi (tau x)) F_of eps_of].
Proof.
have sign c : leq_ o zero c = (0 <= phi c) by rewrite leE phi0.
rewrite flat_conditions_at (admissible_at _ _ s); split=> [H|[ok /and3P[f1 f2 f3] held]].
  have Hp c : c <> Separation -> meets p s c by move=> nc; have := H (OfPlan c); case: c nc.
  split; [by rewrite !Hp | by rewrite !H |]; split.
    have /all_iotaP HX := Hp InputBound ltac:(by []).
    have /all_iotaP HY := Hp LabelBound ltac:(by []).
    have /all_iotaP HQ := Hp QueryBound ltac:(by []).
    split=> [i q u im us qn ud|i u im us ud|q u qn ud].
    + by have /implyP/(_ us)/all_iotaP/(_ _ qn)/all_iotaP/(_ _ ud) := HX _ im; rewrite (bound_at R).
    + by have /implyP/(_ us)/all_iotaP/(_ _ ud) := HY _ im; rewrite (bound_at R).
    + by have /all_iotaP/(_ _ ud) := HQ _ qn; rewrite (bound_at R).
  - by rewrite -sign; apply: (H TauSign).
  - by move=> k kK; have /each_taskP/(_ _ kK) := H ErrorSign; rewrite sign.
  - move=> k kK; apply/and4P; split.
    + by rewrite -sign; apply: (Hp MatchSign).
    + by have /each_taskP/(_ _ kK) := H ErrorBelowDelta; rewrite leE.
    + have /each_taskP/(_ _ kK) := H MatchTop.
      by rewrite leE (m_mul mo) sqE (m_add mo) (m_sub mo) (m_num mo).
    + have /each_taskP/(_ _ kK) := H MismatchFloor.
      by rewrite leE (m_mul mo) sqE (m_sub mo).
  - move=> k i kK im us; have /each_taskP/(_ _ kK)/each_exampleP/(_ _ im us) := H Held.
    by rewrite leE off_atE sqE.
  - by move=> k kK; have /each_taskP/(_ _ kK) := H HeldAtQuery; rewrite leE off_atE sqE.
  - move=> k i kK im us; have /each_taskP/(_ _ kK)/each_exampleP/(_ _ im us) := H Apart.
    by rewrite near_atE leE miss_atE sqE => /orP.
case: held => box t0 e0 ex cl clq ap.
have tasksP (b : nat -> bool) : (forall k, (k < K P)%N -> b k) -> each_task x b by move/each_taskP.
have examplesP (b : nat -> bool) :
    (forall i, (i < pm P)%N -> used pr i -> b i) -> each_example x s b.
  by move/each_exampleP.
case=> //.
- case: box => HX HY HQ; move: ok; do 14![case/andP=> ?] => ?; case=> //.
  + apply/all_iotaP => i im; apply/implyP => us; apply/all_iotaP => q qn; apply/all_iotaP => u ud.
    by rewrite (bound_at R); apply: HX.
  + apply/all_iotaP => i im; apply/implyP => us; apply/all_iotaP => u ud.
    by rewrite (bound_at R); apply: HY.
  + by apply/all_iotaP => q qn; apply/all_iotaP => u ud; rewrite (bound_at R); apply: HQ.
- by rewrite /meets_flat sign.
- by apply: tasksP => k /e0; rewrite sign.
- by apply: tasksP => k /ex/and4P[_ + _ _]; rewrite leE.
- apply: tasksP => k /ex/and4P[_ _ + _].
  by rewrite leE (m_mul mo) sqE (m_add mo) (m_sub mo) (m_num mo).
- by apply: tasksP => k /ex/and4P[_ _ _]; rewrite leE (m_mul mo) sqE (m_sub mo).
- apply: tasksP => k kK; apply: examplesP => i im us; have := cl k i kK im us.
  by rewrite leE off_atE sqE.
- by apply: tasksP => k kK; have := clq k kK; rewrite leE off_atE sqE.
- apply: tasksP => k kK; apply: examplesP => i im us; have := ap k i kK im us.
  by rewrite near_atE leE miss_atE sqE => /orP.
Qed.

(* --- The emitted network --- *)

Notation E_flat := (map_emitted phi (emit_by p (layers_of x))).
Notation answer_ t := (answer_mx (D (sizes_of p)) E_flat (tokens P pr) t).

(* Whether the answer is within the sum of w_k eps_k of the mixture is computed. *)
Theorem within_computes (t : 'I_(N p)) : t = answer p :> nat ->
  (squares (fun u => (if insub u is Some v then answer_ t ord0 v else 0) -
      mixture_near P pr (phi (tau x)) F_of u) <=
    (\sum_(k < K P) share_near P pr (phi (tau x)) F_of k * eps_of k) ^+ 2) = within_at x s.
Proof.
move=> ta; rewrite bound_atE /within_at leE sqE squares_atE; congr (_ <= _).
apply: eq_big_seq => u; rewrite mem_iota add0n => /= ud.
by rewrite insubT /= (answer_byE _ _ _ ta) mxE mixture_near_atE (m_sub mo).
Qed.
End Sound.
