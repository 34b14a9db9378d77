(* Bai et al. (arXiv 2306.04637), Definitions 1 to 3, on residual streams with named
   coordinates. A functional of a token is a list of (coordinate, weight).

   form C T         == a functional: a list of (coordinate, number)
   head, layer      == rows (query, key) and vals (value, direction); heads and hidden units
   padded K hs us   == the layer of the heads hs, idle ones up to K, and the units us
   ap f v           == the functional f at the token v; entry f c == its coefficient at c
   score H a b      == <Q a, K b>; write ws v c == what values or units write to coordinate c
   share N H h t c  == what the head H adds at token t to coordinate c
   attention N Hs h t c, mlp us v c, run_layer(s) N L h == Definitions 1, 2 and 3 *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* Weights as data: C names the coordinates, T are the numbers. *)
Section Data.
Variables C T : Type.
Definition form := seq (C * T).

(* rows: functionals of query and key, whose products add up to the score.
   vals: functionals of the value, each with the direction that it is written to. *)
Record head := Head { rows : seq (form * form); vals : seq (form * form) }.

(* units: functional of a hidden unit, and the direction that it is written to. *)
Record layer := Layer { heads : seq head; units : seq (form * form) }.

(* Idle heads and units are zero, with one row and one value. *)
Definition idle_head := Head [:: ([::], [::])] [:: ([::], [::])].
Definition idle_units : seq (form * form) := [:: ([::], [::])].

(* A layer of K heads: those given, and idle ones. *)
Definition padded K hs us := Layer (hs ++ nseq (K - size hs) idle_head) us.
End Data.
Arguments idle_head {C T}.
Arguments idle_units {C T}.

(* The same weights with coordinates renamed and numbers mapped. *)
Section Map.
Variables (C1 C2 T1 T2 : Type) (g : C1 -> C2) (phi : T1 -> T2).
Definition map_form (f : form C1 T1) : form C2 T2 := [seq (g p.1, phi p.2) | p <- f].
Definition map_pairs (s : seq (form C1 T1 * form C1 T1)) :=
  [seq (map_form p.1, map_form p.2) | p <- s].
Definition map_head H := Head (map_pairs (rows H)) (map_pairs (vals H)).
Definition map_layer L := Layer (map map_head (heads L)) (map_pairs (units L)).
End Map.

Section Semantics.
Variables (R : realFieldType) (C : eqType).
Implicit Types (f : form C R) (v : C -> R) (H : head C R) (L : layer C R).

Definition ap f v : R := \sum_(p <- f) p.2 * v p.1.
Definition entry f c : R := \sum_(p <- f | p.1 == c) p.2.

Definition score H a b := \sum_(r <- rows H) ap r.1 a * ap r.2 b.
Definition write (ws : seq (form C R * form C R)) v c :=
  \sum_(w <- ws) ap w.1 v * entry w.2 c.

Variable N : nat.
Implicit Types h : nat -> C -> R.
Local Notation relu := (relu (real_ops R)).

(* Definition 1: h_t <- h_t + sum_H 1/N sum_j relu(<Q h_t, K h_j>) V h_j. *)
Definition attention Hs h t c :=
  h t c + \sum_(H <- Hs) N%:R^-1 *
    \sum_(j < N) relu (score H (h t) (h j)) * write (vals H) (h j) c.

(* What one head adds. *)
Definition share H h t c := N%:R^-1 *
  \sum_(j < N) relu (score H (h t) (h j)) * write (vals H) (h j) c.

(* Definition 2: h_t <- h_t + W2 relu(W1 h_t). *)
Definition mlp (us : seq (form C R * form C R)) v c :=
  v c + \sum_(u <- us) relu (ap u.1 v) * entry u.2 c.

(* Definition 3: a layer is attention, then MLP; a transformer is its layers in order. *)
Definition run_layer L h t := mlp (units L) (attention (heads L) h t).
Definition run_layers Ls h := foldl (fun h L => run_layer L h) h Ls.

Lemma eq_big_all (I : Type) (P : pred I) (s : seq I) (F G : I -> R) :
  all P s -> (forall i, P i -> F i = G i) -> \sum_(i <- s) F i = \sum_(i <- s) G i.
Proof.
move=> Ps FG; elim: s Ps => [|i s IH] /=; first by rewrite !big_nil.
by case/andP=> Pi /IH E; rewrite !big_cons E FG.
Qed.

Lemma ler_sum_all (I : Type) (P : pred I) (s : seq I) (F G : I -> R) :
  all P s -> (forall i, P i -> F i <= G i) -> \sum_(i <- s) F i <= \sum_(i <- s) G i.
Proof.
move=> Ps FG; elim: s Ps => [|i s IH] /=; first by rewrite !big_nil.
by case/andP=> Pi /IH E; rewrite !big_cons ler_add ?FG.
Qed.

(* --- Computing with functionals --- *)

Lemma ap_cat f g v : ap (f ++ g) v = ap f v + ap g v.
Proof. by rewrite /ap big_cat. Qed.

Lemma ap_cons p f v : ap (p :: f) v = p.2 * v p.1 + ap f v.
Proof. by rewrite /ap big_cons. Qed.

Lemma ap_nil v : ap [::] v = 0.
Proof. by rewrite /ap big_nil. Qed.

Lemma ap1 c a v : ap [:: (c, a)] v = a * v c.
Proof. by rewrite ap_cons ap_nil addr0. Qed.

Lemma ap_map (I : Type) (s : seq I) (F : I -> C * R) v :
  ap [seq F i | i <- s] v = \sum_(i <- s) (F i).2 * v (F i).1.
Proof. by rewrite /ap big_map. Qed.

Lemma ap_scale a f v : ap [seq (p.1, a * p.2) | p <- f] v = a * ap f v.
Proof. by rewrite ap_map /ap mulr_sumr; apply: eq_bigr => p _; rewrite mulrA. Qed.

Lemma entry1 c a c' : entry [:: (c, a)] c' = if c == c' then a else 0.
Proof. by rewrite /entry big_cons big_nil /=; case: eqP; rewrite ?addr0. Qed.

Lemma entry_nil c : entry [::] c = 0.
Proof. by rewrite /entry big_nil. Qed.

Lemma write_cat ws ws' v c : write (ws ++ ws') v c = write ws v c + write ws' v c.
Proof. by rewrite /write big_cat. Qed.

Lemma write_nil v c : write [::] v c = 0.
Proof. by rewrite /write big_nil. Qed.

(* A family of values, each written to a coordinate of its own. *)
Lemma write_map (I : eqType) (s : seq I) (F : I -> form C R) (G : I -> C) v c :
  write [seq (F i, [:: (G i, 1)]) | i <- s] v c = \sum_(i <- s | G i == c) ap (F i) v.
Proof.
rewrite /write big_map [RHS]big_mkcond; apply: eq_bigr => i _ /=.
by rewrite entry1; case: eqP; rewrite ?mulr1 ?mulr0.
Qed.

(* ... none of which is c; or exactly one of which is c. *)
Lemma write_map0 (I : eqType) (s : seq I) (F : I -> form C R) (G : I -> C) v c :
  (forall i, G i != c) -> write [seq (F i, [:: (G i, 1)]) | i <- s] v c = 0.
Proof. by move=> G0; rewrite write_map big1 // => i; rewrite (negPf (G0 i)). Qed.

Lemma write_map1 (I : eqType) (s : seq I) (F : I -> form C R) (G : I -> C) v i :
  injective G -> uniq s -> i \in s ->
  write [seq (F i, [:: (G i, 1)]) | i <- s] v (G i) = ap (F i) v.
Proof.
move=> inj us si; rewrite write_map big_mkcond (bigD1_seq i) //= eqxx big1 ?addr0 // => j.
by rewrite (inj_eq inj) => /negPf->.
Qed.

(* --- Idle heads --- *)

Lemma score_idle a b : score idle_head a b = 0.
Proof. by rewrite /score /= big_cons big_nil !ap_nil mul0r addr0. Qed.

Lemma attention_idle Hs k h t c :
  attention (Hs ++ nseq k idle_head) h t c = attention Hs h t c.
Proof.
rewrite /attention big_cat /= [X in _ + X]addrC; set tail := \big[_/_]_(_ <- nseq _ _) _.
suff -> : tail = 0 by rewrite add0r.
rewrite {}/tail; elim: k => [|k IH] /=; first by rewrite big_nil.
rewrite big_cons {}IH addr0 big1 ?mulr0 // => j _.
by rewrite score_idle reluE maxxx mul0r.
Qed.

Lemma mlp_idle v c : mlp idle_units v c = v c.
Proof. by rewrite /mlp big_cons big_nil /= entry_nil mulr0 !addr0. Qed.

Lemma run_padded K hs us h t c :
  run_layer (padded K hs us) h t c = mlp us (attention hs h t) c.
Proof.
have E c' : attention (hs ++ nseq (K - size hs) idle_head) h t c' = attention hs h t c'.
  exact: attention_idle.
rewrite /run_layer /mlp /= E; congr (_ + _); apply: eq_bigr => u _; congr (relu _ * _).
by apply: eq_bigr => q _; rewrite E.
Qed.

Lemma run_idle K hs h t c : run_layer (padded K hs idle_units) h t c = attention hs h t c.
Proof. by rewrite run_padded mlp_idle. Qed.

Lemma attentionE Hs h t c : attention Hs h t c = h t c + \sum_(H <- Hs) share H h t c.
Proof. by []. Qed.

(* One head alone. *)
Lemma attention1 H h t c : attention [:: H] h t c =
  h t c + N%:R^-1 * \sum_(j < N) relu (score H (h t) (h j)) * write (vals H) (h j) c.
Proof. by rewrite /attention big_cons big_nil addr0. Qed.
End Semantics.
