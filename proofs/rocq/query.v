(* Layer 3, query: at every token of position q, qry and qslot hold the query's token at
   q and its operands; gx and gq hold the dictionary of (tok, slot) and (qry, qslot).

   query_layer o p  == layer 3; query_head o p == its head
   hinges p         == the hinges of the dictionary, each with the number of its feature
   hinge_unit fld into vh == a hidden unit; dictionary_units p == all of them
   opnd p pr t r u  == what token t holds of operand r
   stream3a, stream3 p pr == the stream after attention, and after the layer *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai codes residual spec plan stream gather label.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Weights.
Variables (T : Type) (o : ops T) (p : plan T).
Notation z := (sizes_of p).

Definition query_rows :=
  same o Pt (lt z) ++
  [:: (constant (num o 1),
       along o Pe (le z) (pm p) ++ constant (sub o (num o 1) (num o (lt z + le z))))].

Definition query_head : head coord T :=
  Head query_rows
    (copy o Tok Qry (num o (N p)) (pd p) ++
     flatten [seq copy o (Slot r) (QSlot r) (num o (N p)) (pd p) | r <- iota 0 (size (slots p))]).

(* Hinge h of feature v, over these fields into that one: relu(<a, X> + e), times c. *)
Definition hinge_unit fld (into : nat -> coord) (vh : nat * hinge T) :
  form coord T * form coord T :=
  ([seq (fld q.1.1 q.1.2, q.2) | q <- ha vh.2] ++ constant (he vh.2),
   [:: (into vh.1, hc vh.2)]).

Definition hinges : seq (nat * hinge T) :=
  flatten [seq [seq (v, h) | h <- nth [::] (dict p) v] | v <- iota 0 (size (dict p))].

Definition dictionary_units :=
  if nilp hinges then idle_units else
  [seq hinge_unit (field Tok Slot) Gx vh | vh <- hinges] ++
  [seq hinge_unit (field Qry QSlot) Gq vh | vh <- hinges].

Definition query_layer : layer coord T := padded (K p) [:: query_head] dictionary_units.
End Weights.

Section Lemma_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Notation m := (pm p).
Hypothesis ok : admissible o p.

(* Operand r of token t: the token itself, or what its slot holds. *)
Definition opnd t r u : R := vec p pr (if r is r'.+1 then token p (ex p t) (slot p r') else t) u.

Definition stream3a t c : R :=
  match c with
  | Qry u => if live p t then vec p pr (token p m (pos p t)) u else 0
  | QSlot r u => if live p t then vec p pr (token p m (slot p r)) u else 0
  | _ => stream2 p pr t c
  end.

Definition stream3 t c : R :=
  match c with
  | Gx v => if live p t then feature_of (nth [::] (dict p) v) (opnd t) else 0
  | Gq v => if live p t then feature_of (nth [::] (dict p) v) (opnd (token p m (pos p t))) else 0
  | _ => stream3a t c
  end.

Lemma query_address vs h i j : addressed p h -> (i < N p)%N -> (j < N p)%N ->
  relu o (score (Head (query_rows o p) vs) (h i) (h j)) =
  (live p i && (j == token p m (pos p i)))%:R.
Proof.
move=> H iN jN; rewrite /score big_cat big_cons big_nil /= ap_same_pt // (ap_one _ H) // ap_cat.
rewrite ap_along_pe // (ap_one _ H) // addr0 mul1r.
case li: (live p i) => /=; last by rewrite mul0r addr0 reluE maxxx.
case lj: (live p j) => /=.
  rewrite !mul1r !mulr1 addrA address ?pos_code ?ex_code ?query_code //.
  by rewrite (tokenE ok _ _ (pos_lt ok i)) [ex p j == m]eq_sym [pos p j == _]eq_sym andbC.
rewrite !(mulr0, addr0) reluE maxxx.
case: eqP => // E; by move: lj; rewrite E token_live // pos_lt.
Qed.

Lemma query_attention h :
  holds p h (stream2 p pr) ->
  holds p (attention (N p) [:: query_head o p] h) stream3a.
Proof.
move=> H t c tN vc; rewrite attention1 H //.
have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
have aN : (token p m (pos p t) < N p)%N by rewrite token_lt // pos_lt.
case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  try (rewrite big1 ?mulr0 ?addr0 // => j _; rewrite write_cat copy_off ?copies_off ?addr0
    ?mulr0 //;
       by move=> * ).
- (* qry *)
  rewrite /= add0r; case lv: (live p t); last first.
    by rewrite big1 ?mulr0 // => j _; rewrite query_address // lv mul0r.
  rewrite (fetched (b := true) _ aN) => [|j jN]; last by rewrite query_address // lv.
  rewrite write_cat copies_off // addr0 copy_at // => [|x y [->]] //; by rewrite H.
- (* qslot *)
  case/andP: vc => rS ud; rewrite /= add0r; case lv: (live p t); last first.
    by rewrite big1 ?mulr0 // => j _; rewrite query_address // lv mul0r.
  rewrite (fetched (b := true) _ aN) => [|j jN]; last by rewrite query_address // lv.
  rewrite write_cat copy_off // add0r.
  rewrite copies_at ?iota_uniq ?mem_iota // => [|r1 r2 u1 u2 [-> ->]] //.
  rewrite H //=; last by apply/andP.
  by rewrite token_live ?pos_lt // token_ex ?pos_lt.
Qed.

(* A hinge unit over fields that hold the operands x of a live token. *)
Lemma hinge_unit_on fld into (v : coord -> R) x (lv : bool) i h : wired_hinge p h ->
  v One = lv%:R ->
  (forall r u, (r <= size (slots p))%N -> (u < pd p)%N -> v (fld r u) = if lv then x r u else 0) ->
  relu o (ap (hinge_unit fld into (i, h)).1 v) =
  if lv then Num.max (linear_of (ha h) x + he h) 0 else 0.
Proof.
move=> /allP wh one on; rewrite /= ap_cat ap_map ap1 one reluE.
have -> : \sum_(q <- ha h) q.2 * v (fld q.1.1 q.1.2) = if lv then linear_of (ha h) x else 0.
  case: lv one on => one on; last first.
    rewrite big_seq big1 // => q /wh/andP[? ?]; by rewrite on // mulr0.
  rewrite /linear_of !big_seq; apply: eq_bigr => q /wh/andP[? ?]; by rewrite on.
by case: lv {one on}; rewrite ?mulr1 // mulr0 addr0 maxxx.
Qed.

Lemma dictionary_mlp (v : coord -> R) c : mlp (dictionary_units p) v c = v c +
  (\sum_(vh <- hinges p) relu o (ap (hinge_unit (field Tok Slot) Gx vh).1 v) *
     entry [:: (Gx vh.1, hc vh.2)] c +
   \sum_(vh <- hinges p) relu o (ap (hinge_unit (field Qry QSlot) Gq vh).1 v) *
     entry [:: (Gq vh.1, hc vh.2)] c).
Proof.
rewrite /dictionary_units; case: nilP => [->|_].
  by rewrite mlp_idle !big_nil !addr0.
by rewrite /mlp big_cat !big_map.
Qed.

(* Only the hinges of feature v are written to its coordinate. *)
Lemma sum_hinges (F : hinge R -> R) (into : nat -> coord) v :
  injective into -> (v < size (dict p))%N ->
  \sum_(vh <- hinges p) F vh.2 * entry [:: (into vh.1, hc vh.2)] (into v) =
  \sum_(h <- nth [::] (dict p) v) hc h * F h.
Proof.
move=> inj vP; rewrite big_flatten big_map (bigD1_seq v) ?iota_uniq ?mem_iota //=.
rewrite big_map [X in _ + X]big1 ?addr0 => [|v' v'v].
  by apply: eq_bigr => h _; rewrite entry1 eqxx mulrC.
rewrite big_map big1 // => h _; rewrite entry1 (inj_eq inj) /= (negPf v'v); exact: mulr0.
Qed.

Lemma query_correct h :
  holds p h (stream2 p pr) ->
  holds p (run_layer (N p) (query_layer o p) h) stream3.
Proof.
move=> H t c tN vc; rewrite run_padded dictionary_mlp.
have H3 := query_attention H; rewrite H3 //.
have dict_ok : all (all (wired_hinge p)) (dict p) by case/and5P: ok => _ _ _ _ /and4P[].
have off i (F : nat * hinge R -> R) (into : nat -> coord) : (forall v, into v != c) ->
    \sum_(vh <- i) F vh * entry [:: (into vh.1, hc vh.2)] c = 0.
  by move=> nc; rewrite big1 // => vh _; rewrite entry1 (negPf (nc _)) mulr0.
have on (fld : nat -> nat -> coord) into v x : injective into -> (v < size (dict p))%N ->
    (forall r u, (r <= size (slots p))%N -> (u < pd p)%N ->
      attention (N p) [:: query_head o p] h t (fld r u) = if live p t then x r u else 0) ->
    \sum_(vh <- hinges p) relu o (ap (hinge_unit fld into vh).1
        (attention (N p) [:: query_head o p] h t)) *
      entry [:: (into vh.1, hc vh.2)] (into v) =
    if live p t then feature_of (nth [::] (dict p) v) x else 0.
  move=> inj vP holdsx.
  rewrite (sum_hinges (fun h0 => relu o (ap (hinge_unit fld into (v, h0)).1 _)) inj vP).
  have wf : all (wired_hinge p) (nth [::] (dict p) v) by move/all_nthP: dict_ok; apply.
  have one : attention (N p) [:: query_head o p] h t One = (live p t)%:R by rewrite H3.
  rewrite [RHS](_ : _ = \sum_(h0 <- nth [::] (dict p) v)
      hc h0 * (if live p t then Num.max (linear_of (ha h0) x + he h0) 0 else 0)); last first.
    case: ifP => _; first by [].
    by rewrite big1 // => h0 _; rewrite mulr0.
  apply: (eq_big_all wf) => h0 wh0; rewrite -(hinge_unit_on into v wh0 one holdsx) //.
case: c vc off => [u|r u|u|u|r u|v|v|u|b|b||||||] vc off;
  try by rewrite !off ?addr0 //.
- rewrite (off _ _ Gq) // addr0 (on _ _ _ (opnd t)) //= ?add0r // => [x y [] //|].
  case=> [|r] u rS ud; rewrite H3 //=; last by apply/andP.
  by case: ifP => // /(vec_dead pr ok) ->.
- rewrite (off _ _ Gx) // add0r (on _ _ _ (opnd (token p m (pos p t)))) //= ?add0r // => [x y []
  //|].
  case=> [|r] u rS ud; rewrite H3 //=; last by apply/andP.
  by case: ifP => // lv; rewrite /opnd token_ex // pos_lt.
Qed.
End Lemma_.
