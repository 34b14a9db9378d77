(* The theorem in one file. Each definition that it stands on is written out again; that it
   is the one of the development is checked (`by []`: both sides compute to the same).

   Notation, for readers of other systems: `seq T` is a list; `nth x0 s i` its entry i, or x0;
   `[seq F x | x <- s]` a map; `iota 0 n` is 0, ..., n-1; `'I_n` are the numbers below n;
   `%:R` a natural number in the field; `\sum_(i < n)` a sum; `'M_(N, D)` are matrices, `*m`
   is their product, `a *: M` a multiple; `x / 0 = 0`. All counting is from 0.
   A `realFieldType` is an ordered field: the rationals Q, real numbers, ... *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers residual spec plan stream matrices network.
From construct Require Import transport tolerance checker artifact.
From construct Require theorem bai enough concrete sharpness instances margins thresholds.
From construct Require norms gate flat approximate chord polynomials ridges error
  wiring_exists.
From construct Require concrete_flat instances_flat sharpness_flat reach wirings.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* --- What the tasks say: spec.v --- *)

Section Specification.
Variables (R : realFieldType) (d m n : nat) (ts : seq (task R)) (pr : prompt R).

(* f(X) = sum_p A_p x_p + C g(X) + b: row i of A lists its entries as (position p, entry u of
   x_p, number), row i of C as (feature, number); g_v is a sum of hinges c max(<a, X> + e, 0). *)
Fact linear_is (a : linear R) X : linear_of a X = \sum_(q <- a) q.2 * X q.1.1 q.1.2.
Proof. by []. Qed.

Fact f_is (t : task R) X i : f t X i =
  linear_of (nth [::] (tA t) i) X +
  \sum_(q <- nth [::] (tC t) i) q.2 * feature_of (nth [::] (tg t) q.1) X + nth 0 (tb t) i.
Proof. by []. Qed.

Fact feature_is (g : seq (hinge R)) X :
  feature_of g X = \sum_(h <- g) hc h * Num.max (linear_of (ha h) X + he h) 0.
Proof. by []. Qed.

(* f_k is task k of the list. *)
Fact f_k_is k : f_ ts k = f (nth (Task [::] [::] [::] [::]) ts k).
Proof. by []. Qed.

(* Task k explains example i: the example is there, and f_k(X_i) = y_i entry by entry. *)
Fact explains_is k i : explains d ts pr k i =
  used pr i && all (fun u => f_ ts k (X pr i) u - Y pr i u == 0) (iota 0 d).
Proof. by []. Qed.

(* c_k: how many of the m examples task k explains; and the mixture. *)
Fact votes_are k : votes d m ts pr k = count (explains d ts pr k) (iota 0 m).
Proof. by []. Qed.

Fact mixture_is u : mixture d m ts pr u =
  (\sum_(k < size ts) (votes d m ts pr k)%:R * f_ ts k (query pr) u) /
  (\sum_(k < size ts) votes d m ts pr k)%:R.
Proof. by []. Qed.

(* The domain: entries are bounded, and a label is on a task or at least delta from it. *)
Fact domain_is Rx Ry delta : in_domain d m n ts pr Rx Ry delta <->
  [/\ forall i q u, (i < m)%N -> used pr i -> (q < n.-1)%N -> (u < d)%N -> `|X pr i q u| <= Rx,
      forall i u, (i < m)%N -> used pr i -> (u < d)%N -> `|Y pr i u| <= Ry,
      forall q u, (q < n.-1)%N -> (u < d)%N -> `|query pr q u| <= Rx &
      forall k i, (k < size ts)%N -> (i < m)%N -> used pr i -> explains d ts pr k i \/
        delta ^+ 2 <= \sum_(u < d) (f_ ts k (X pr i) u - Y pr i u) ^+ 2].
Proof. by split=> [[[]]|[]]. Qed.
End Specification.

(* --- What the weights do: matrices.v --- *)

Section Transformer.
Variables (R : realFieldType) (D N d : nat) (E : emitted R) (x : 'M[R]_(N, d.+1)).

(* A tensor is a list of vectors along the D coordinates of the residual stream, each a list
   of its non-zeros (place, number). *)
Fact columns_are (vs : vectors R) r i j :
  columns D vs r i j = \sum_(e <- nth [::] vs j | e.1 == i) e.2.
Proof. by rewrite mxE. Qed.

Fact rows_are (vs : vectors R) r i j :
  rows_ D vs r i j = \sum_(e <- nth [::] vs i | e.1 == j) e.2.
Proof. by rewrite mxE. Qed.

Fact relu_is r c (A : 'M[R]_(r, c)) i j : relu_mx A i j = Num.max (A i j) 0.
Proof. by rewrite mxE. Qed.

Fact scores_are (H : emitted_head R) (h : 'M_(N, D)) : scores_mx H h =
  relu_mx ((h *m columns D (W_Q H) (size (W_Q H))) *m (h *m columns D (W_K H) (size (W_Q H)))^T).
Proof. by []. Qed.

Fact head_is (H : emitted_head R) (h : 'M_(N, D)) : head_mx H h =
  N%:R^-1 *: (scores_mx H h *m (h *m columns D (W_V H) (size (W_V H))) *m
              rows_ D (W_O H) (size (W_V H))).
Proof. by []. Qed.

(* A layer: all heads at once, then the MLP; both are added to the stream. *)
Fact layer_is (L : emitted_layer R) (h : 'M_(N, D)) : layer_mx L h =
  let a := h + \sum_(H <- ehs L) head_mx H h in
  a + relu_mx (a *m columns D (W_in L) (size (W_in L))) *m rows_ D (W_out L) (size (W_in L)).
Proof. by []. Qed.

Fact pass_is : forward D E x =
  foldl (fun h L => layer_mx L h) (x *m rows_ D (W_E E) d.+1 + rows_ D (W_pos E) N) (elayers E).
Proof. by []. Qed.

Fact answer_is t : answer_mx D E x t = row t (forward D E x) *m columns D (W_U E) d.
Proof. by []. Qed.

(* What head k of layer l gives at token t: the sum of its scores over all tokens. *)
Fact given_is l k t : given_mx D E x l k t = \sum_j scores_mx
  (nth no_head (ehs (nth no_layer (elayers E) l)) k)
  (foldl (fun h L => layer_mx L h) (embed_mx D E x) (take l (elayers E))) t j.
Proof. by []. Qed.
End Transformer.

(* How a prompt becomes tokens: its vectors, with a flag that is 1 in examples. Token t is in
   position t mod l of example t / l, where l = n + w: n - 1 inputs, w scratch tokens, which are
   empty, and the label; the last of the query is empty, and is the answer's. *)
Fact tokens_are (R : realFieldType) (p : plan R) pr t u : tokens p pr t u =
  if (u < pd p)%N then vec p pr t u else ((t %/ len p < pm p)%N && used pr (t %/ len p))%:R.
Proof. by rewrite mxE. Qed.

(* The vector of token t; blank examples, the empty last token and padding are 0. *)
Fact vec_is (R : realFieldType) (p : plan R) pr t u : vec p pr t u =
  let i := (t %/ len p)%N in let q := (t %% len p)%N in
  if (i < pm p)%N then
    if used pr i then
      if (q < (pn p).-1)%N then X pr i q u else if (q == (len p).-1)%N then Y pr i u else 0
    else 0
  else if (i == pm p) && (q < (pn p).-1)%N then query pr q u else 0.
Proof. by []. Qed.

Fact length_is (R : realFieldType) (p : plan R) : len p = (pn p + size (scratch p))%N.
Proof. by []. Qed.

Fact answer_token_is (R : realFieldType) (p : plan R) : answer p = (pm p * len p + (len p).-1)%N.
Proof. by []. Qed.

(* --- The theorem --- *)

(* For all tasks, sizes, domains, margins (p) and weights E in which the checker finds no
   difference to those of the construction, and that lie within the width:
   (`map_plan (q2r R) p` and `map_emitted (q2r R) E` are p and E with their rational numbers
   taken for numbers of R; what `differences` computes need not be read: it is proved enough.)
   E has seven layers of K heads, width (4+2S)d + 2P + ceil(log2(m+1)) + ceil(log2(n+w)) + 6
   with w scratch tokens,
   two hidden units for each hinge of the dictionary in layer 3, mK in layer 6, and one in
   each other layer, where the MLP adds nothing; and in every ordered field, on every prompt
   of the domain, the answer is the mixture, what the heads give in layer 4 are the votes
   c_k, and their shares c_k / sum_j c_j. *)
Theorem an_artifact_computes_the_mixture (p : plan Q) (E : emitted Q) :
  fits (D (sizes_of p)) E -> differences rat_ops p None E = [::] ->
  [/\ [seq size (ehs L) | L <- elayers E] = nseq 7 (K p),
      D (sizes_of p) = ((4 + 2 * size (slots p)) * pd p + 2 * size (dict p) +
        up_log 2 (pm p).+1 + up_log 2 (pn p + size (scratch p)) + 6)%N,
      [seq size (W_in L) | L <- elayers E] =
        [:: 1; 1; maxn 1 (2 * sumn (map size (dict p))); 1; 1; pm p * K p; 1]%N,
      forall (R : realFieldType) l, (l < 7)%N -> l != 2%N -> l != 5%N ->
        let L := nth no_layer (elayers (map_emitted (@q2r R) E)) l in
        forall h : 'M_(N p, D (sizes_of (map_plan (@q2r R) p))), mlp_mx (W_in L) (W_out L) h = h &
      forall (R : realFieldType) (pr : prompt R),
        let q := map_plan (@q2r R) p in let Eq := map_emitted (@q2r R) E in
        let c := votes (pd q) (pm q) (tasks q) pr in
        let given k := \sum_t given_mx (D (sizes_of q)) Eq (tokens q pr) 3 k t in
        in_domain (pd q) (pm q) (pn q) (tasks q) pr (Rx q) (Ry q) (delta q) ->
        [/\ forall t : 'I_(N q), t = answer q :> nat ->
              answer_mx (D (sizes_of q)) Eq (tokens q pr) t =
              \row_u mixture (pd q) (pm q) (tasks q) pr u,
            forall k, (k < K q)%N -> given k = (c k)%:R &
            forall k, (k < K q)%N ->
              given k / (\sum_(j < K q) given j) = (c k)%:R / (\sum_(j < K q) c j)%:R]].
Proof.
move=> wide none; have [[h1 h2 _ idle] every] := checked wide none; split=> //.
  by move=> R l l7 l2 l5 L h; apply: (idle R l h); apply/and3P.
by move=> R pr q Eq c given dom; have [? ? ? _] := every R pr dom; split.
Qed.

(* --- Tasks that are held within an error: approximate.v --- *)

Section Approximate.
Import approximate flat superpose pool divide.
Variables (R : realFieldType) (p : plan R) (pr : prompt R) (a tau : R).
Variables (F : nat -> (nat -> nat -> R) -> nat -> R) (eps : nat -> R).
Notation d := (pd p).
Notation squares x := (\sum_(u <- iota 0 d) x u ^+ 2).

(* F k is any function; the tasks of the plan are what the network holds of it. *)
Fact near_is k i : near p pr tau F k i =
  used pr i && (squares (fun u => F k (X pr i) u - Y pr i u) <= tau ^+ 2).
Proof. by []. Qed.

Fact votes_of_is hit k : votes_of p hit k = count (hit k) (iota 0 (pm p)).
Proof. by []. Qed.

Fact share_near_is k : share_near p pr tau F k =
  (votes_of p (near p pr tau F) k)%:R / (\sum_(j < K p) votes_of p (near p pr tau F) j)%:R.
Proof. by []. Qed.

Fact mixture_near_is u : mixture_near p pr tau F u =
  (\sum_(k < K p) (votes_of p (near p pr tau F) k)%:R * F k (query pr) u) /
  (\sum_(k < K p) votes_of p (near p pr tau F) k)%:R.
Proof. by []. Qed.

Fact mixture_of_is hit u : mixture_of p pr hit u =
  (\sum_(k < K p) (votes_of p hit k)%:R * f_ (tasks p) k (query pr) u) /
  (\sum_(k < K p) votes_of p hit k)%:R.
Proof. by []. Qed.

(* The hypotheses: the box, the gate, how near the held tasks are, and how far labels are. *)
Fact held_within_is : held_within p pr a tau F eps <->
  [/\ in_box d (pm p) (pn p) pr (Rx p) (Ry p), 0 <= tau,
      forall k, (k < K p)%N -> [/\ 0 <= eps k, 0 <= B p, eps k <= delta p,
        B p * (tau + eps k) ^+ 2 <= a - 1 & a <= B p * (delta p - eps k) ^+ 2],
      forall k, (k < K p)%N ->
        (forall i, (i < pm p)%N -> used pr i ->
          squares (fun u => f_ (tasks p) k (X pr i) u - F k (X pr i) u) <= eps k ^+ 2) /\
        squares (fun u => f_ (tasks p) k (query pr) u - F k (query pr) u) <= eps k ^+ 2 &
      forall k i, (k < K p)%N -> (i < pm p)%N -> used pr i -> near p pr tau F k i \/
        delta p ^+ 2 <= squares (fun u => F k (X pr i) u - Y pr i u)].
Proof.
split=> [[H1 H2 H3 H4 H5 H6 H7]|[H1 H2 H3 H4 H5]].
  split=> // k kK; last by split; [move=> i; apply: H5 | apply: H6].
  by have /and4P[? ? ? ?] := H4 k kK; split=> //; apply: H3.
split=> //.
- by move=> k /H3[].
- by move=> k /H3[*]; apply/and4P.
- by move=> k i /H4[H _]; apply: H.
- by move=> k /H4[].
Qed.

(* The answer of flat matrices with the entries of the layers. *)
Theorem the_flat_gate_answers_within_eps E (t : 'I_(N p)) :
  admissible (real_ops R) p -> flat_conditions (real_ops R) p a ->
  held_within p pr a tau F eps ->
  emitted_by p (compile_flat (real_ops R) p a) E -> t = answer p :> nat ->
  squares (fun u => (if insub u is Some v then
      answer_mx (D (sizes_of p)) E (tokens p pr) t ord0 v else 0) - mixture_near p pr tau F u) <=
    (\sum_(k < K p) share_near p pr tau F k * eps k) ^+ 2.
Proof.
move=> ok flat_ held eo ta.
have [-> close] := approximate_network ok flat_ held eo ta.
apply: le_trans close; rewrite le_eqVlt; apply/orP; left; apply/eqP.
apply: eq_big_seq => u; rewrite mem_iota add0n => /= ud.
by rewrite insubT /= mxE.
Qed.
End Approximate.

(* The same for weights in which the checker finds no difference to the layers of the flat gate,
   whose top, tau and eps_k are g. Labels have room: delta > tau + 2 eps_k. In every ordered field,
   on every prompt of the box, and for all functions F_k that the tasks are held within eps_k of
   at its examples and its query, if each label is within tau of F_k or at least delta away: what
   the heads of task k give in layer 3, less what they give in layer 4, are the votes of F_k, one
   for each label within tau; and the answer is within the sum of w_k eps_k of the mixture of the
   F_k by the shares w_k of these votes. *)
Theorem an_artifact_computes_within (p : plan Q) (g : tolerance Q) (E : emitted Q) :
  fits (D (sizes_of p)) E -> differences rat_ops p (Some g) E = [::] ->
  [/\ [seq size (ehs L) | L <- elayers E] = nseq 7 (K p),
      D (sizes_of p) = ((4 + 2 * size (slots p)) * pd p + 2 * size (dict p) +
        up_log 2 (pm p).+1 + up_log 2 (pn p + size (scratch p)) + 6)%N,
      [seq size (W_in L) | L <- elayers E] =
        [:: 1; maxn 1 (2 * sumn (map size (dict p))); 1; 1; 1; 2 * (pm p * K p); 1]%N,
      forall (R : realFieldType) l, (l < 7)%N -> l != 1%N -> l != 5%N ->
        let L := nth no_layer (elayers (map_emitted (@q2r R) E)) l in
        forall h : 'M_(N p, D (sizes_of (map_plan (@q2r R) p))), mlp_mx (W_in L) (W_out L) h = h &
      forall (R : realFieldType) (pr : prompt R) (F : nat -> (nat -> nat -> R) -> nat -> R),
        let q := map_plan (@q2r R) p in let Eq := map_emitted (@q2r R) E in
        let tau := q2r R (tau g) in let eps k := nth 0 (map (@q2r R) (errors g)) k in
        let squares (x : nat -> R) := \sum_(u < pd q) x u ^+ 2 in
        let c k := pool.votes_of q (approximate.near q pr tau F) k in
        let w := approximate.share_near q pr tau F in
        let given k := \sum_t (given_mx (D (sizes_of q)) Eq (tokens q pr) 2 k t -
                               given_mx (D (sizes_of q)) Eq (tokens q pr) 3 k t) in
        [/\ size (errors g) = K p,
          forall k, (k < K q)%N -> tau + 2%:R * eps k < delta q &
          in_box (pd q) (pm q) (pn q) pr (Rx q) (Ry q) ->
          (forall k i, (k < K q)%N -> (i < pm q)%N -> used pr i ->
            squares (fun u => f_ (tasks q) k (X pr i) u - F k (X pr i) u) <= eps k ^+ 2) ->
          (forall k, (k < K q)%N ->
            squares (fun u => f_ (tasks q) k (query pr) u - F k (query pr) u) <= eps k ^+ 2) ->
          (forall k i, (k < K q)%N -> (i < pm q)%N -> used pr i ->
            squares (fun u => F k (X pr i) u - Y pr i u) <= tau ^+ 2 \/
            delta q ^+ 2 <= squares (fun u => F k (X pr i) u - Y pr i u)) ->
          [/\ forall k, (k < K q)%N -> given k = (c k)%:R,
              forall k, (k < K q)%N -> given k / (\sum_(j < K q) given j) = w k &
              forall t : 'I_(N q), t = answer q :> nat ->
                let answer u := answer_mx (D (sizes_of q)) Eq (tokens q pr) t ord0 u in
                \sum_(u < pd q) (answer u - approximate.mixture_near q pr tau F u) ^+ 2 <=
                  (\sum_(k < K q) w k * eps k) ^+ 2]]].
Proof.
move=> wide none; have [[h1 h2 _ idle] sz room every] := checked_within wide none; split=> //.
  by move=> R l l7 l2 l5 L h; apply: (idle R l h); apply/and3P.
move=> R pr F q Eq tau eps squares c w given; have [_ r] := room R.
split=> // [k /r[] //|box cl clq ap].
by have [V W _ _ A] := every R pr F
  (@HeldOn R q (map_tolerance (@q2r R) g) pr F box cl clq ap); split.
Qed.

(* --- Every main statement, and the axioms that it rests on: none --- *)

Print Assumptions residual.places.
Print Assumptions residual.width.
Print Assumptions theorem.construction_correct.
Print Assumptions transport.compile_map.
Print Assumptions transport.admissible_map.
Print Assumptions network.network_correct.
Print Assumptions network.votes_correct.
Print Assumptions tolerance.layers_map.
Print Assumptions tolerance.conditions_map.
Print Assumptions checker.accepted.
Print Assumptions artifact.checked.
Print Assumptions artifact.checked_within.
Print Assumptions enough.quick_is_enough.
Print Assumptions enough.quick_within_is_enough.
Print Assumptions concrete.conditions_are_the_hypotheses.
Print Assumptions concrete.answer_computes.
Print Assumptions concrete.emit_differs.
Print Assumptions sharpness.counterexamples.
Print Assumptions sharpness.conditions_are_needed.
Print Assumptions sharpness.follow.
Print Assumptions sharpness.no_answer_token.
Print Assumptions sharpness.not_K_heads.
Print Assumptions instances.every_kind_has_an_instance.
Print Assumptions instances.every_instance_is_answered.
Print Assumptions instances.tasks_are_of_their_kinds.
Print Assumptions margins.margins_exist.
Print Assumptions thresholds.B_is_sharp.
Print Assumptions main.an_artifact_computes_the_mixture.
Print Assumptions main.the_flat_gate_answers_within_eps.
Print Assumptions main.an_artifact_computes_within.
Print Assumptions gate.flat_gate.
Print Assumptions gate.gate_exists.
Print Assumptions gate.no_gate.
Print Assumptions gate.thresholds_are_needed.
Print Assumptions gate.table_reads.
Print Assumptions gate.rounded_votes_are_read.
Print Assumptions norms.sum_within.
Print Assumptions norms.sum_within_entry.
Print Assumptions flat.flat_correct.
Print Assumptions approximate.approximate_correct.
Print Assumptions approximate.approximate_network.
Print Assumptions approximate.approximate_votes.
Print Assumptions chord.hinges_are_broken.
Print Assumptions chord.interpolant_on_piece.
Print Assumptions chord.squares_by_hinges.
Print Assumptions chord.lowered_squares.
Print Assumptions chord.products_by_hinges.
Print Assumptions chord.products_on_knots.
Print Assumptions chord.products_on_even_knots.
Print Assumptions polynomials.polynomial_chord.
Print Assumptions polynomials.polynomials_by_hinges.
Print Assumptions polynomials.chord_by_second_derivative.
Print Assumptions wiring_exists.homes_exist.
Print Assumptions wiring_exists.wiring_exists.
Print Assumptions ridges.ridge_sum.
Print Assumptions ridges.polarisation.
Print Assumptions ridges.monomial_of_powers.
Print Assumptions error.error_checked.
Print Assumptions concrete_flat.flat_conditions_are_the_hypotheses.
Print Assumptions concrete_flat.within_computes.
Print Assumptions instances_flat.scratch_has_an_instance.
Print Assumptions instances_flat.flat_kinds_have_instances.
Print Assumptions instances_flat.flat_instances_are_answered.
Print Assumptions sharpness.own_features_are_not_enough.
Print Assumptions sharpness_flat.flat_counterexamples.
Print Assumptions sharpness_flat.flat_conditions_are_needed.
Print Assumptions sharpness_flat.flat_follow.
Print Assumptions sharpness_flat.flat_not_K_heads.
Print Assumptions sharpness_flat.no_network.
Print Assumptions reach.compile_in_dense.
Print Assumptions reach.compile_flat_in_dense.
Print Assumptions reach.reach_is_enough.
Print Assumptions reach.reach_is_enough_flat.
Print Assumptions reach.reach_is_enough_within.
Print Assumptions wirings.plan_exists.
Print Assumptions wirings.narrow_plan_exists.
Print Assumptions wirings.every_list_has_a_plan.
