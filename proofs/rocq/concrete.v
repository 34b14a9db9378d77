(* Plans and prompts of rational numbers. Whether they meet the conditions of the theorem,
   the votes, the mixture and the answer of the emitted network are computed over Q; here
   is proved that what is computed is what holds in every real field.

   sample           == a prompt as lists of rationals; prompt_of R s == that prompt in R
   votes_at, mixture_at p s == votes and mixture, computed
   condition, meets p s c == the nineteen conditions, and whether one is met
   emit p, emit_by p Ls == the weights that the compiler writes for the plan p, for these layers
   answer_at p s, answer_by p s Ls == what they answer, computed
   answer_is_mixture p s == whether that is right *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai residual spec plan stream theorem.
From construct Require Import transport matrices network tolerance checker forward.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Notation o := rat_ops.
Notation zero := (num rat_ops 0).

Local Open Scope nat_scope.

(* --- A prompt as lists: the m places for examples, None where one is blank --- *)

Record sample := Sample {
  given : seq (option (seq (seq Q) * seq Q));   (* inputs and label *)
  asked : seq (seq Q);                          (* the query's inputs *)
}.

Section Computed.
Variables (p : plan Q) (s : sample).
Notation d := (pd p).
Notation m := (pm p).
Notation n := (pn p).

Definition filled i := isSome (nth None (given s) i).
Definition input i q u : Q :=
  if nth None (given s) i is Some e then nth zero (nth [::] e.1 q) u else zero.
Definition label_of i u : Q := if nth None (given s) i is Some e then nth zero e.2 u else zero.
Definition query_of q u : Q := nth zero (nth [::] (asked s) q) u.

(* --- The specification --- *)

Definition linear_at (a : linear Q) X := sum o [seq mul o q.2 (X q.1.1 q.1.2) | q <- a].
Definition hinge_at h X := mul o (hc h) (relu o (add o (linear_at (ha h) X) (he h))).
Definition feature_at g X := sum o [seq hinge_at h X | h <- g].
Definition value_at (t : task Q) X i :=
  add o (add o (linear_at (nth [::] (tA t) i) X)
    (sum o [seq mul o q.2 (feature_at (nth [::] (tg t) q.1) X) | q <- nth [::] (tC t) i]))
  (nth zero (tb t) i).

Definition gap_at k i u := sub o (value_at (task_of p k) (input i) u) (label_of i u).
Definition explains_at k i := filled i && all (fun u => eqb o (gap_at k i u) zero) (iota 0 d).
Definition votes_at k := count (explains_at k) (iota 0 m).
Definition mixture_at u :=
  mul o (sum o [seq mul o (num o (votes_at k)) (value_at (task_of p k) query_of u)
                  | k <- iota 0 (K p)])
        (inv o (num o (sumn [seq votes_at k | k <- iota 0 (K p)]))).

(* --- The conditions of the theorem, one by one --- *)

Inductive condition :=
  | LabelAndInput         (* an example has an input and a label *)
  | RoomForTokens         (* N is at least the number of tokens *)
  | SomeTask
  | HeadsForSlots         (* heads enough for slots and scratch tokens *)
  | SlotsHoldInputs
  | ScratchHoldsInputs
  | DictionaryReads       (* the dictionary reads operands that there are, at homes *)
  | TasksWired            (* homes, slots and dictionary say what the tasks say *)
  | InputSign             (* 0 <= Rx *)
  | LabelSign             (* 0 <= Ry *)
  | MatchSign             (* 0 <= B *)
  | ReciprocalSign        (* 0 < s *)
  | MatchMargin           (* 1 <= B delta^2 *)
  | GateMargin            (* a gate outweighs its hinge *)
  | AddressMargin         (* 1 + B E^2 <= 2C *)
  | InputBound            (* |x| <= Rx *)
  | LabelBound            (* |y| <= Ry *)
  | QueryBound            (* |x| <= Rx in the query *)
  | Separation.           (* a label is on a task, or at least delta away *)

Definition meets c : bool :=
  match c with
  | LabelAndInput => 1 < n
  | RoomForTokens => m.+1 * len p <= N p
  | SomeTask => 0 < K p
  | HeadsForSlots => gathering p <= K p
  | SlotsHoldInputs => all (fun q => q < n.-1) (slots p)
  | ScratchHoldsInputs => all (fun q => q < n.-1) (scratch p)
  | DictionaryReads => all (all (wired_unit p)) (dict p)
  | TasksWired => all (wired o p) (iota 0 (K p))
  | InputSign => leq_ o zero (Rx p)
  | LabelSign => leq_ o zero (Ry p)
  | MatchSign => leq_ o zero (B p)
  | ReciprocalSign => ~~ leq_ o (plan.s p) zero
  | MatchMargin => leq_ o (num o 1) (mul o (B p) (mul o (delta p) (delta p)))
  | GateMargin => all (all (gated o p)) (dict p)
  | AddressMargin => all (fun k => all (fun q =>
      leq_ o (add o (num o 1) (mul o (B p) (E2 o p k q))) (mul o (num o 2) (C p))) (homes_of p))
      (iota 0 (K p))
  | InputBound => all (fun i => filled i ==> all (fun q => all (fun u =>
      leq_ o (abs o (input i q u)) (Rx p)) (iota 0 d)) (iota 0 n.-1)) (iota 0 m)
  | LabelBound => all (fun i => filled i ==> all (fun u =>
      leq_ o (abs o (label_of i u)) (Ry p)) (iota 0 d)) (iota 0 m)
  | QueryBound => all (fun q => all (fun u =>
      leq_ o (abs o (query_of q u)) (Rx p)) (iota 0 d)) (iota 0 n.-1)
  | Separation => all (fun k => all (fun i => filled i ==> (explains_at k i ||
      leq_ o (mul o (delta p) (delta p))
        (sum o [seq mul o (gap_at k i u) (gap_at k i u) | u <- iota 0 d]))) (iota 0 m))
      (iota 0 (K p))
  end.

(* --- The emitted network --- *)

Notation z := (sizes_of p).

Definition emit_vectors (fs : seq (form coord Q)) : vectors Q :=
  [seq bai.map_form (place z) id f | f <- fs].
Definition emit_head (H : head coord Q) := EmittedHead
  (emit_vectors (map fst (rows H))) (emit_vectors (map snd (rows H)))
  (emit_vectors (map fst (vals H))) (emit_vectors (map snd (vals H))).
Definition emit_layer (L : layer coord Q) := EmittedLayer (map emit_head (heads L))
  (emit_vectors (map fst (units L))) (emit_vectors (map snd (units L))).
Definition emit_by Ls := Emitted (emit_vectors (embedding o p)) (emit_vectors (places_of o p))
  (emit_vectors (unembedding o p)) (map emit_layer Ls).
Definition emit := emit_by (compile o p).

(* --- Its answer --- *)

Definition vec_at t u : Q :=
  if ex p t < m then
    if filled (ex p t) then
      if pos p t < n.-1 then input (ex p t) (pos p t) u else
      if pos p t == (len p).-1 then label_of (ex p t) u else zero
    else zero
  else if (ex p t == m) && (pos p t < n.-1) then query_of (pos p t) u else zero.
Definition token_at t :=
  rcons [seq vec_at t u | u <- iota 0 d] (num o ((ex p t < m) && filled (ex p t))).

Definition answer_by Ls : seq Q :=
  let h := forward_list o (D z) (N p) (emit_by Ls) [seq token_at t | t <- iota 0 (N p)] in
  project o (D z) (W_U (emit_by Ls)) (nth [::] h (answer p)).
Definition answer_at := answer_by (compile o p).

Definition answer_is_mixture :=
  all (fun u => eqb o (nth zero answer_at u) (mixture_at u)) (iota 0 d).
End Computed.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* --- What is computed holds in every real field --- *)

Section Sound.
Variables (R : realFieldType) (p : plan Q) (s : sample).
Notation phi := (@q2r R).
Notation mo := (q2r_morph R).
Notation P := (map_plan phi p).
Notation d := (pd p).
Notation m := (pm p).
Notation n := (pn p).
Notation z := (sizes_of p).

Definition prompt_of : prompt R := Prompt (filled s)
  (fun i q u => phi (input s i q u)) (fun i u => phi (label_of s i u))
  (fun q u => phi (query_of s q u)).

Lemma phi0 : phi zero = 0. Proof. exact: m_num mo 0%N. Qed.

Lemma nth_phi0 v i : nth 0 (map phi v) i = phi (nth zero v i).
Proof. by rewrite -(nth_phi mo) (_ : num _ 0 = 0). Qed.

Lemma linear_atE a X : linear_of (map_linear phi a) (fun q u => phi (X q u)) = phi (linear_at a X).
Proof.
rewrite /linear_of /linear_at (m_sum mo) sumE !big_map.
by apply: eq_bigr => x _; rewrite (m_mul mo).
Qed.

Lemma feature_atE g X :
  feature_of (map (map_hinge phi) g) (fun q u => phi (X q u)) = phi (feature_at g X).
Proof.
rewrite /feature_of /feature_at (m_sum mo) sumE !big_map; apply: eq_bigr => h _.
rewrite /hinge_of /hinge_at (m_mul mo) (m_relu mo) (m_add mo) reluE /=.
by rewrite -linear_atE.
Qed.

Lemma value_atE t X i : f (map_task phi t) (fun q u => phi (X q u)) i = phi (value_at t X i).
Proof.
rewrite /f /value_at !(m_add mo) /= nth_phi0; congr (_ + _ + _).
  rewrite -linear_atE; congr linear_of.
  case: (ltnP i (size (tA t))) => iA; last by rewrite !nth_default ?size_map.
  by rewrite (nth_map [::]).
rewrite (m_sum mo) sumE.
have -> : nth [::] [seq [seq (x.1, phi x.2) | x <- r] | r <- tC t] i =
    [seq (x.1, phi x.2) | x <- nth [::] (tC t) i].
  case: (ltnP i (size (tC t))) => iA; last by rewrite !nth_default ?size_map.
  by rewrite (nth_map [::]).
rewrite !big_map; apply: eq_bigr => x _ /=.
by rewrite (m_mul mo) nth_map_features feature_atE.
Qed.

Lemma f_atE k X u : f_ (tasks P) k (fun q u => phi (X q u)) u = phi (value_at (task_of p k) X u).
Proof. by rewrite /f_ -value_atE -task_map. Qed.

Lemma gap_atE k i u : gap (tasks P) prompt_of k i u = phi (gap_at p s k i u).
Proof. by rewrite /gap f_atE (m_sub mo). Qed.

Lemma explains_atE k i : explains d (tasks P) prompt_of k i = explains_at p s k i.
Proof.
congr (_ && _); apply: eq_all => u.
by rewrite gap_atE -phi0 -(eqb_map mo) /eqb /= -eq_le.
Qed.

Lemma votes_atE k : votes d m (tasks P) prompt_of k = votes_at p s k.
Proof. by apply: eq_count => i; apply: explains_atE. Qed.

Lemma big_iota (A : Type) idx (op : A -> A -> A) k (F : nat -> A) :
  \big[op/idx]_(i <- iota 0 k) F i = \big[op/idx]_(i < k) F i.
Proof. by rewrite -{1}(subn0 k) big_mkord. Qed.

Lemma mixture_atE u : mixture d m (tasks P) prompt_of u = phi (mixture_at p s u).
Proof.
rewrite /mixture /mixture_at (m_mul mo) (m_inv mo) (m_num mo) (m_sum mo) sumE.
rewrite [size (tasks P)]size_map.
congr (_ / _); last first.
  by congr _%:R; rewrite sumnE !big_map big_iota; apply: eq_bigr => k _; rewrite votes_atE.
rewrite !big_map big_iota; apply: eq_bigr => k _; rewrite votes_atE (m_mul mo) (m_num mo).
by rewrite -f_atE.
Qed.

Lemma sum_gap k i : \sum_(u < d) gap (tasks P) prompt_of k i u ^+ 2 =
  phi (sum o [seq mul o (gap_at p s k i u) (gap_at p s k i u) | u <- iota 0 d]).
Proof.
rewrite (m_sum mo) sumE !big_map big_iota; apply: eq_bigr => u _.
by rewrite gap_atE (m_mul mo) expr2.
Qed.

(* --- The conditions --- *)

Lemma all_iotaP k (b : nat -> bool) : reflect (forall i, (i < k)%N -> b i) (all b (iota 0 k)).
Proof.
by apply: (iffP allP) => H i; [move=> ik; apply: H | rewrite mem_iota => /H]; rewrite ?mem_iota.
Qed.

Lemma bound_at x b : leq_ o (abs o x) b = (`|phi x| <= phi b).
Proof. by rewrite (m_leq mo) (m_abs mo) absE. Qed.

Lemma admissible_at : admissible (real_ops R) P =
  [&& meets p s LabelAndInput, meets p s RoomForTokens, meets p s SomeTask,
      meets p s HeadsForSlots, meets p s SlotsHoldInputs, meets p s ScratchHoldsInputs,
      meets p s DictionaryReads, meets p s TasksWired, meets p s InputSign, meets p s LabelSign,
      meets p s MatchSign, meets p s ReciprocalSign, meets p s MatchMargin,
      meets p s GateMargin & meets p s AddressMargin].
Proof. by rewrite (admissible_map mo). Qed.

Lemma in_domain_at :
  in_domain d m n (tasks P) prompt_of (Rx P) (Ry P) (delta P) <->
  [&& meets p s InputBound, meets p s LabelBound, meets p s QueryBound & meets p s Separation].
Proof.
split=> [[[HX HY HQ] HS]|/and4P[HX HY HQ HS]].
- apply/and4P; split.
  + apply/all_iotaP => i im; apply/implyP => iu; apply/all_iotaP => q qn; apply/all_iotaP => u ud.
    by rewrite bound_at; apply: HX.
  + apply/all_iotaP => i im; apply/implyP => iu; apply/all_iotaP => u ud.
    by rewrite bound_at; apply: HY.
  + by apply/all_iotaP => q qn; apply/all_iotaP => u ud; rewrite bound_at; apply: HQ.
  + apply/all_iotaP => k kK; apply/all_iotaP => i im; apply/implyP => iu.
    have := HS k i; rewrite size_map => /(_ kK im iu).
    rewrite explains_atE => -[->//|far]; apply/orP; right.
    by rewrite (m_leq mo) (m_mul mo) -sum_gap.
- split; first split=> [i q u im iu qn ud|i u im iu ud|q u qn ud] /=; last move=> k i kK im iu.
  + move/all_iotaP/(_ _ im)/implyP/(_ iu)/all_iotaP/(_ _ qn)/all_iotaP/(_ _ ud): HX.
    by rewrite bound_at.
  + by move/all_iotaP/(_ _ im)/implyP/(_ iu)/all_iotaP/(_ _ ud): HY; rewrite bound_at.
  + by move/all_iotaP/(_ _ qn)/all_iotaP/(_ _ ud): HQ; rewrite bound_at.
  + rewrite size_map in kK; move/all_iotaP/(_ _ kK)/all_iotaP/(_ _ im)/implyP/(_ iu): HS.
    rewrite (m_leq mo) (m_mul mo) -sum_gap explains_atE expr2.
    by case/orP=> H; [left | right].
Qed.

(* All of them together are the hypotheses of the theorem. *)
Theorem conditions_are_the_hypotheses :
  (forall c, meets p s c) <->
  admissible (real_ops R) P /\
  in_domain d m n (tasks P) prompt_of (Rx P) (Ry P) (delta P).
Proof.
rewrite admissible_at; split=> [H|[+ /in_domain_at]].
  by split; [rewrite !H | apply/in_domain_at; rewrite !H].
by do 14![case/andP=> ?] => ? /and4P[? ? ? ?] [].
Qed.

(* --- The emitted network --- *)

Lemma vec_atE t u : vec P prompt_of t u = phi (vec_at p s t u).
Proof. by rewrite /vec /vec_at /=; do 4?case: ifP => _ //; rewrite phi0. Qed.

Lemma tokens_atE :
  is_matrix [seq map phi (token_at p s t) | t <- iota 0 (N p)] (tokens P prompt_of).
Proof.
apply: (is_matrix_map (a0 := 0%N)); first by rewrite size_iota.
move=> t; rewrite nth_iota // add0n; split; first by rewrite size_map size_rcons size_map size_iota.
move=> u; rewrite mxE nth_phi0 nth_rcons size_map size_iota; case: ifP => [ud|/negbT].
  by rewrite (nth_map 0%N) ?size_iota // nth_iota // vec_atE.
rewrite -leqNgt => du; have := ltn_ord u; rewrite ltnS => ud.
have -> : u == d :> nat by rewrite eqn_leq ud du.
by rewrite (m_num mo).
Qed.

Lemma emit_shaped Ls : all (@shaped_layer R) (elayers (map_emitted phi (emit_by p Ls))).
Proof.
rewrite /= !all_map.
rewrite (eq_all (a2 := xpredT)) ?all_predT // => L /=.
rewrite /shaped_layer /= !size_map eqxx andbT !all_map.
rewrite (eq_all (a2 := xpredT)) ?all_predT // => H /=.
by rewrite /shaped /= !size_map !eqxx.
Qed.

Lemma answer_reads DD NN dd E (x : 'M[R]_(NN, dd.+1)) t u :
  answer_mx DD E x t ord0 u = \sum_i forward DD E x t i * entry (nth [::] (W_U E) u) i.
Proof.
rewrite /answer_mx; move: (forward DD E x) => M.
by rewrite mxE; apply: eq_bigr => i _; rewrite !mxE.
Qed.

Lemma answer_byE Ls (t : 'I_(N p)) : t = answer p :> nat ->
  answer_mx (D z) (map_emitted phi (emit_by p Ls)) (tokens P prompt_of) t =
  \row_u phi (nth zero (answer_by p s Ls) u).
Proof.
move=> ta; have F : is_matrix
    (forward_list (real_ops R) (D z) (N p) (map_emitted phi (emit_by p Ls))
      (map (map phi) [seq token_at p s t | t <- iota 0 (N p)]))
    (forward (D z) (map_emitted phi (emit_by p Ls)) (tokens P prompt_of)).
  apply: forward_listE; first exact: emit_shaped.
  - by rewrite !size_map size_cat size_map size_iota addn1.
  - by rewrite !size_map size_iota.
  - by rewrite -map_comp; apply: tokens_atE.
have [sF rF] := F; apply/matrixP => i u.
have sU : size (W_U (map_emitted phi (emit_by p Ls))) = d by rewrite !size_map size_iota.
have [_ /(_ u) E] := projectE (rF t) sU.
rewrite ord1 answer_reads [RHS]mxE -E /answer_by ta (forward_map _ _ mo).
have -> h : nth [::] (map (map phi) h) (answer p) = map phi (nth [::] h (answer p)).
  case: (ltnP (answer p) (size h)) => ih; first by rewrite (nth_map [::]).
  by rewrite !nth_default ?size_map.
by rewrite (project_map _ mo) nth_phi0.
Qed.

(* Whether the network answers with the mixture is computed. *)
Theorem answer_computes (t : 'I_(N p)) : t = answer p :> nat ->
  (answer_mx (D z) (map_emitted phi (emit p)) (tokens P prompt_of) t ==
   \row_u mixture d m (tasks P) prompt_of u) = answer_is_mixture p s.
Proof.
move=> ta; rewrite (answer_byE _ ta); apply/eqP/all_iotaP => [/rowP E u ud|H].
  by have := E (Ordinal ud); rewrite !mxE mixture_atE -(eqb_map mo) /eqb /= -eq_le => ->.
apply/rowP => u; rewrite !mxE mixture_atE; apply/eqP.
by have := H u (ltn_ord u); rewrite -(eqb_map mo) /eqb /= -eq_le.
Qed.
End Sound.

(* --- What is emitted is what the compiler writes --- *)

Lemma eqb_refl x : eqb o x x.
Proof. by rewrite /eqb /= andbb; apply/Qle_bool_iff/Qle_refl. Qed.

Lemma same_vector p (f : form coord Q) :
  vector_differs o p (bai.map_form (place (sizes_of p)) id f) f = [::].
Proof. by rewrite /vector_differs; elim: (_ ++ _) => //= j js ->; rewrite eqb_refl. Qed.

Lemma flatten_none (A : Type) (F : nat -> seq A) l :
  (forall i, (i < l)%N -> F i = [::]) -> flatten [seq F i | i <- iota 0 l] = [::].
Proof.
move=> E; have : all (fun i => i < l)%N (iota 0 l) by apply/allP => i; rewrite mem_iota.
by elim: (iota 0 l) => //= i s IH /andP[/E-> /IH].
Qed.

Lemma same_tensor p t fs : tensor_differs o p t (emit_vectors p fs) fs = [::].
Proof.
rewrite /tensor_differs size_map eqxx /=; apply: flatten_none => r rs.
by rewrite (nth_map [::]) // same_vector.
Qed.

Lemma same_head p l k H : head_differs o p l k (emit_head p H) H = [::].
Proof. by rewrite /head_differs !same_tensor. Qed.

Lemma same_layer p l L : layer_differs o p l (emit_layer p L) L = [::].
Proof.
rewrite /layer_differs !same_tensor !cats0 size_map eqxx; apply: flatten_none => k kH.
by rewrite (nth_map idle_head) // same_head.
Qed.

Theorem emit_differs p g : differences o p g (emit_by p (layers_for o p g)) =
  if conditions_for o p g then [::] else [:: Conditions].
Proof.
rewrite /differences !same_tensor /= !cats0 size_map eqxx.
rewrite flatten_none ?cats0 // => l lL.
by rewrite (nth_map (Layer [::] [::])) // same_layer.
Qed.
