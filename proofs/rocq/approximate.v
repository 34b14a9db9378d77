(* The theorem for tasks that are held within an error. f_k are any functions; what the network
   holds, g_k, is within eps_k of f_k on the inputs of the prompt. If delta > tau + 2 eps_k, as
   the conditions on a and B have it, the votes are those of the f_k, exactly, and the answer is
   within sum_k w_k eps_k of their mixture, w_k being the shares of the votes.

   near F tau pr d k i == example i is there, and ||f_k(X_i) - y_i|| <= tau
   mixture_near     == the mixture of the f_k by these votes; share_near k == w_k
   held_within      == the hypotheses on the prompt, the f_k and eps_k
   given_flat E k t == what the heads of task k give at token t: layer 3 less layer 4
   approximate_correct is on named coordinates; approximate_network and approximate_votes are
   for flat matrices *)
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers bai codes residual spec plan stream reading gather label.
From construct Require Import query superpose pool square divide theorem norms flat.
From construct Require Import matrices network.
From construct Require gate.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Approximate.
Variables (R : realFieldType) (p : plan R) (pr : prompt R) (a tau : R).
Variables (F : nat -> (nat -> nat -> R) -> nat -> R) (eps : nat -> R).
Notation o := (real_ops R).
Notation d := (pd p).
Notation squares x := (norm2 (iota 0 d) x).

Definition near k i :=
  used pr i && (squares (fun u => F k (X pr i) u - Y pr i u) <= tau ^+ 2).
Definition share_near k : R :=
  (votes_of p near k)%:R / (\sum_(j < K p) votes_of p near j)%:R.
Definition mixture_near u : R :=
  (\sum_(k < K p) (votes_of p near k)%:R * F k (query pr) u) /
  (\sum_(k < K p) votes_of p near k)%:R.

Record held_within : Prop := HeldWithin {
  the_box : in_box d (pm p) (pn p) pr (Rx p) (Ry p);
  tau_ge0 : 0 <= tau;
  eps_ge0 : forall k, (k < K p)%N -> 0 <= eps k;
  the_gate : forall k, (k < K p)%N -> gate.exact_for a (B p) tau (eps k) (delta p);
  close : forall k i, (k < K p)%N -> (i < pm p)%N -> used pr i ->
    squares (fun u => f_ (tasks p) k (X pr i) u - F k (X pr i) u) <= eps k ^+ 2;
  close_query : forall k, (k < K p)%N ->
    squares (fun u => f_ (tasks p) k (query pr) u - F k (query pr) u) <= eps k ^+ 2;
  apart : forall k i, (k < K p)%N -> (i < pm p)%N -> used pr i -> near k i \/
    delta p ^+ 2 <= squares (fun u => F k (X pr i) u - Y pr i u);
}.

Hypothesis ok : admissible o p.
Hypothesis flat : flat_conditions o p a.
Hypothesis held : held_within.

(* The two heads of a task decide as f_k does. *)
Lemma near_decides : decides p near (flat_weight p pr a).
Proof.
move=> k t kK; rewrite /flat_weight /weight /matched /ctx.
case: (boolP (pos p t == home p k)) => ph; last by rewrite andbF subrr.
case: (boolP (ex p t < pm p)%N) => em /=; last by rewrite subrr.
case: (boolP (used pr (ex p t))) => us; last by rewrite /near (negPf us) subrr.
set i := ex p t in em us *; set Q := \sum_(j <- _) _.
have QE : Q = squares (fun u => F k (X pr i) u +
    (f_ (tasks p) k (X pr i) u - F k (X pr i) u) - Y pr i u).
  by apply: eq_bigr => u _; rewrite addrCA subrr addr0.
have [yes no] := @gate.flat_gate R nat (iota 0 d) a (B p) tau (eps k) (delta p)
  (F k (X pr i)) (Y pr i) (fun u => f_ (tasks p) k (X pr i) u - F k (X pr i) u)
  (the_gate held kK) (tau_ge0 held) (eps_ge0 held kK) (close held kK em us).
rewrite -[LHS]/(gate.vote a (B p) Q) QE.
case: (boolP (near k i)) => [/andP[_ n1]|nn]; first exact: yes.
by case: (apart held kK em us) => [n1|]; [rewrite n1 in nn | exact: no].
Qed.

Lemma mixture_shares (G : nat -> R) :
  (\sum_(k < K p) (votes_of p near k)%:R * G k) / (\sum_(k < K p) votes_of p near k)%:R =
  \sum_(k < K p) share_near k * G k.
Proof. by rewrite mulr_suml; apply: eq_bigr => k _; rewrite mulrAC. Qed.

Lemma mixtures_close :
  squares (fun u => mixture_of p pr near u - mixture_near u) <=
  (\sum_(k < K p) share_near k * eps k) ^+ 2.
Proof.
have := @sum_within R nat 'I_(K p) (iota 0 d) (index_enum _) (fun k => share_near k)
  (fun k => eps k) (fun k u => F k (query pr) u) (fun k u => f_ (tasks p) k (query pr) u).
move=> H; rewrite (_ : squares _ = squares (fun u => \sum_(k < K p) share_near k *
  f_ (tasks p) k (query pr) u - \sum_(k < K p) share_near k * F k (query pr) u)).
  by apply: H => k; [rewrite divr_ge0 ?ler0n | exact: (eps_ge0 held) | exact: (close_query held)].
apply: eq_norm2 => u; rewrite /mixture_of /mixture_near.
rewrite (mixture_shares (fun k => f_ (tasks p) k (query pr) u)).
by rewrite (mixture_shares (fun k => F k (query pr) u)).
Qed.

(* Votes are those of f, what is mixed is g, and that is near the mixture of f. *)
Theorem approximate_correct h : holds p h (stream0 p pr) ->
  let answer_ u := run_layers (N p) (compile_flat o p a) h (answer p) (Tok u) in
  [/\ forall k, (k < K p)%N -> \sum_(t < N p) flat_weight p pr a k t = (votes_of p near k)%:R,
      forall u, (u < d)%N -> answer_ u = mixture_of p pr near u &
      squares (fun u => answer_ u - mixture_near u) <= (\sum_(k < K p) share_near k * eps k) ^+ 2].
Proof.
move=> H answer_; have A u : (u < d)%N -> answer_ u = mixture_of p pr near u.
  exact: (flat_correct ok flat (the_box held) near_decides H).
split=> //; first by move=> k kK; apply: (flat_votes ok near_decides).
apply: le_trans _ mixtures_close; rewrite le_eqVlt; apply/orP; left; apply/eqP.
by apply: eq_big_seq => u; rewrite mem_iota => /A->.
Qed.

(* --- Flat matrices --- *)

Lemma flat_valid : all (valid_layer p) (compile_flat o p a).
Proof.
have := compile_valid ok; rewrite /compile /compile_flat /=.
case/and5P => v1 v2 v3 v4 /and4P[v5 v6 v7 _]; rewrite v5 v7 !andbT.
have cat hs hs' us : valid_layer p (padded (K p) hs idle_units) ->
    valid_layer p (padded (K p) hs' us) -> valid_layer p (padded (K p) (hs ++ hs') us).
  rewrite /valid_layer /padded /= !all_cat => /andP[/andP[-> _] _] /andP[/andP[-> _] ->].
  by rewrite andbT all_nseq orbT.
have heads_ top c : valid_layer p (padded (K p) [seq match_head o p top c k | k <- iota 0 (K p)]
    idle_units).
  apply: valid_padded => //; rewrite all_map; apply/allP => k; rewrite mem_iota => kK.
  exact: vp_match.
have idle_none : valid_layer p (padded (K p) [::] idle_units) by apply: valid_padded.
apply/and5P; split=> //.
- by rewrite /gather_flat; case: ifP => _; apply: cat.
- by rewrite /fetch; case: ifP => _; [exact: v3 | apply: cat].
- exact: heads_.
- exact: heads_.
rewrite andTb /square_flat; apply: valid_padded => //.
by rewrite vp_cat; apply/andP; split; apply: vp_map.
Qed.

(* Matrices with the entries of these layers. *)
Theorem approximate_network E (t : 'I_(N p)) : emitted_by p (compile_flat o p a) E ->
  t = answer p :> nat ->
  answer_mx (D (sizes_of p)) E (tokens p pr) t = \row_u mixture_of p pr near u /\
  squares (fun u => mixture_of p pr near u - mixture_near u) <=
    (\sum_(k < K p) share_near k * eps k) ^+ 2.
Proof.
move=> eo ta; split; last exact: mixtures_close.
apply/rowP => u; rewrite (@layers_answer R p pr (compile_flat o p a) E t u flat_valid eo ta) mxE.
exact: (flat_correct ok flat (the_box held) near_decides (h := stream0 p pr)).
Qed.

(* What the heads of task k give at token t, in layer 3 less in layer 4. *)
Definition given_flat E k (t : 'I_(N p)) : R :=
  given_mx (D (sizes_of p)) E (tokens p pr) 2 k t - given_mx (D (sizes_of p)) E (tokens p pr) 3 k t.

Lemma given_top E l top c h k (t : 'I_(N p)) :
  emitted_by p (compile_flat o p a) E -> (l < 7)%N ->
  nth (Layer [::] [::]) (compile_flat o p a) l =
    padded (K p) [seq match_head o p top c j | j <- iota 0 (K p)] idle_units ->
  h = run_layers (N p) (take l (compile_flat o p a)) (stream0 p pr) ->
  holds_but p is_found h (stream3 p pr) ->
  (forall q, q \in homes_of p ->
    top + B p * (\sum_(i <- iota 0 d) e_bound o p k q i ^+ 2) <= 2%:R * C p) ->
  (k < K p)%N -> given_mx (D (sizes_of p)) E (tokens p pr) l k t = weight p pr top k t.
Proof.
move=> eo l7 lE hE H room kK.
rewrite (@given_by R p pr _ E l k t (match_head o p top c k) flat_valid eo l7) ?lE //; first last.
- by rewrite nth_cat size_map size_iota kK (nth_map 0%N) ?size_iota // nth_iota.
- by rewrite size_cat size_map size_iota ltn_addr.
rewrite -hE; under eq_bigr => j _ do rewrite (superpose_weight ok (the_box held) H) //.
rewrite (bigD1 t) //= eqxx mulr1 big1 ?addr0 // => j jt.
by rewrite (_ : (j == t :> nat) = false) ?mulr0 //; apply: negPf jt.
Qed.

Lemma given_near E k (t : 'I_(N p)) : emitted_by p (compile_flat o p a) E -> (k < K p)%N ->
  given_flat E k t = (matched p near k t)%:R.
Proof.
move=> eo kK; rewrite -(near_decides t kK) /given_flat /flat_weight.
have H3 : holds p (run_layers (N p) (take 2 (compile_flat o p a)) (stream0 p pr)) (stream3 p pr).
  by apply: (flat_stream3 ok flat (the_box held)).
have H0 : holds p (run_layers (N p) (take 2 (compile_flat o p a)) (stream0 p pr))
    (stream4w p pr (fun _ _ => 0)).
  move=> t' c' tN vc; rewrite (H3 t' c') //; case: c' {vc} => //= [u|].
    by rewrite big1 // => j _; rewrite mul0r.
  by rewrite big1.
have H4 := heads_add ok (the_box held) 1 (fun j q => @top_C _ _ _ flat j q) H0.
rewrite (given_top (l := 2) (top := a) t eo _ erefl erefl _ _ kK) //; first last.
- by move=> q; apply: top_C.
- by move=> t' c' tN vc _; apply: H3.
rewrite (given_top (l := 3) (top := a - 1) t eo _ erefl erefl _ _ kK) //; last first.
  by move=> q; apply: below_C.
move=> t' c' tN vc nf; have := H4 t' c' tN vc; rewrite mul1r => E4.
by rewrite [LHS]E4; case: c' vc nf E4.
Qed.

(* They are the votes of the f_k: example by example, and all together. *)
Theorem approximate_votes E k : emitted_by p (compile_flat o p a) E -> (k < K p)%N ->
  (forall i, (i < pm p)%N -> \sum_(t < N p | ex p t == i) given_flat E k t = (near k i)%:R) /\
  \sum_t given_flat E k t = (votes_of p near k)%:R.
Proof.
move=> eo kK; split=> [i im|]; under eq_bigr do rewrite given_near //.
  exact: (example_matched ok near).
exact: (sum_matched near ok).
Qed.
End Approximate.
