(* Layer 3, query: at every token of position q, qry and qslot hold the query's token at
   q and its operands; gx and gq hold the dictionary of (tok, slot) and (qry, qslot), of which
   at position q only the hinges act that have no position of their own, or this one.

   query_layer o p  == layer 3; query_head o p == its head
   hinges p         == the hinges of the dictionary, each with the number of its feature
   places p, hinges_at p a == where hinges act: everywhere, or at one position; those there
   unit_gate o p a  == 0 at the position a, at most -L at any other, as a functional of a token
   hinge_unit o p fld into vu == a hidden unit; dictionary_units o p == all of them
   opnd p pr t r u  == what token t holds of operand r
   stream3a, stream3 p pr == the stream after attention, and after the layer *)
From mathcomp Require Import all_ssreflect all_algebra ring.
From construct Require Import numbers bai codes residual spec plan stream reading gather label.

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

(* -(L/2)(lt - <code of a, pt>) *)
Definition half_L := mul o (inv o (num o 2)) (L p).
Definition unit_gate (a : option nat) : form coord T :=
  if a is Some q then
    scaled o half_L (along o Pt (lt z) q) ++ constant (opp o (mul o half_L (num o (lt z))))
  else [::].

(* A hinge of feature v, over these fields into that one: relu(<a, X> + e - gate), times c. *)
Definition hinge_unit fld (into : nat -> coord) (vu : nat * (option nat * hinge T)) :
  form coord T * form coord T :=
  ([seq (fld q.1.1 q.1.2, q.2) | q <- ha vu.2.2] ++ constant (he vu.2.2) ++ unit_gate vu.2.1,
   [:: (into vu.1, hc vu.2.2)]).

Definition hinges : seq (nat * (option nat * hinge T)) :=
  flatten [seq [seq (v, u) | u <- nth [::] (dict p) v] | v <- iota 0 (size (dict p))].

(* Those that act everywhere come first, then those of each position. *)
Definition same_place (a b : option nat) :=
  match a, b with Some q, Some r => q == r | None, None => true | _, _ => false end.
Definition places : seq (option nat) := None :: [seq Some q | q <- iota 0 (len p)].
Definition hinges_at a := [seq vu <- hinges | same_place a vu.2.1].
Definition dictionary_units :=
  if nilp hinges then idle_units else
  flatten [seq [seq hinge_unit (field Tok Slot) Gx vu | vu <- hinges_at a] ++
               [seq hinge_unit (field Qry QSlot) Gq vu | vu <- hinges_at a] | a <- places].

Definition query_layer : layer coord T := padded (K p) [:: query_head] dictionary_units.
End Weights.

Section Lemma_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Notation m := (pm p).
Notation n := (pn p).
Notation d := (pd p).
Hypothesis ok : admissible o p.
Hypothesis inbox : in_box d m n pr (Rx p) (Ry p).

(* Operand r of token t: the token itself, or what its slot holds. *)
Definition opnd t r u : R :=
  if r is r'.+1 then vec p pr (token p (ex p t) (slot p r')) u else tok1 p pr t u.

Definition stream3a t c : R :=
  match c with
  | Qry u => if live p t then tok1 p pr (token p m (pos p t)) u else 0
  | QSlot r u => if live p t then vec p pr (token p m (slot p r)) u else 0
  | _ => stream2 p pr t c
  end.

Definition stream3 t c : R :=
  match c with
  | Gx v => if live p t then feature_of (dict_at p (pos p t) v) (opnd t) else 0
  | Gq v =>
      if live p t then feature_of (dict_at p (pos p t) v) (opnd (token p m (pos p t))) else 0
  | _ => stream3a t c
  end.

(* --- Bounds on what tokens hold --- *)

Lemma vec_bounded t u : (u < d)%N -> `|vec p pr t u| <= R_tok o p.
Proof.
move=> ud; have Rx_tok : Rx p <= R_tok o p by rewrite /R_tok /=; case: ifP.
have Ry_tok : Ry p <= R_tok o p.
  by rewrite /R_tok /=; case: ifP => // /negbT; rewrite -real_ltNge ?num_real // => /ltW.
have tok0 : `|0 : R| <= R_tok o p by rewrite normr0 (le_trans (Rx_ge0 ok)).
rewrite /vec; case: ifP => em.
  case: ifP => // us; case: ifP => qn; first by apply: le_trans Rx_tok; apply: (X_bound inbox).
  by case: ifP => // _; apply: le_trans Ry_tok; apply: (Y_bound inbox).
by case: ifP => // /andP[_ qn]; apply: le_trans Rx_tok; apply: (query_bound inbox).
Qed.

(* An input, wherever it stands. *)
Lemma input_bounded i q u : (i <= m)%N -> (q < n.-1)%N -> (u < d)%N ->
  `|vec p pr (token p i q) u| <= Rx p.
Proof.
move=> im qn ud; have qn' := input_lt ok qn.
rewrite /vec token_ex // token_pos // qn andbT.
case: ifP => [im'|_].
  by case: ifP => us; [apply: (X_bound inbox) | rewrite normr0 (Rx_ge0 ok)].
by case: ifP => _; [apply: (query_bound inbox) | rewrite normr0 (Rx_ge0 ok)].
Qed.

Lemma opnd_bounded t : live p t -> bounded p (opnd t).
Proof.
move=> lv [|r] u rS ud; first exact: vec_bounded.
by rewrite /opnd input_bounded ?slots_ok // -ltnS ex_lt.
Qed.

Lemma label_bounded i u : (u < d)%N -> (i <= m)%N -> `|vec p pr (token p i (len p).-1) u| <= Ry p.
Proof.
move=> ud im; have nn := label_lt ok.
rewrite /vec token_ex // token_pos // eqxx [(_ < n.-1)%N]ltnNge (inputs_le ok) andbF.
case: ifP => [im'|_]; last by rewrite normr0 (Ry_ge0 ok).
by case: ifP => us; [apply: (Y_bound inbox) | rewrite normr0 (Ry_ge0 ok)].
Qed.

(* --- Attention --- *)

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

Lemma query_share h t c :
  holds_but p is_lab h (stream1 p pr) -> (t < N p)%N -> valid z c ->
  share (N p) (query_head o p) h t c =
  match c with
  | Qry u => if live p t then tok1 p pr (token p m (pos p t)) u else 0
  | QSlot r u => if live p t then vec p pr (token p m (slot p r)) u else 0
  | _ => 0
  end.
Proof.
move=> H tN vc; have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
have aN : (token p m (pos p t) < N p)%N by rewrite token_lt // pos_lt.
case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  try (by rewrite share0 // => j; rewrite write_cat copy_off // copies_off ?addr0).
- case lv: (live p t); last first.
    by rewrite /share big1 ?mulr0 // => j _; rewrite query_address // lv mul0r.
  rewrite (fetches (b := true) _ aN) => [|j jN]; last by rewrite query_address // lv.
  by rewrite write_cat copies_off // addr0 copy_at // => [|x y [->]] //; rewrite H.
- case/andP: vc => rS ud; case lv: (live p t); last first.
    by rewrite /share big1 ?mulr0 // => j _; rewrite query_address // lv mul0r.
  rewrite (fetches (b := true) _ aN) => [|j jN]; last by rewrite query_address // lv.
  rewrite write_cat copy_off // add0r.
  rewrite copies_at ?iota_uniq ?mem_iota // => [|r1 r2 u1 u2 [-> ->]] //.
  rewrite H //=; last by apply/andP.
  by rewrite token_live ?pos_lt // token_ex ?pos_lt.
Qed.

Lemma query_attention h :
  holds p h (stream2 p pr) ->
  holds p (attention (N p) [:: query_head o p] h) stream3a.
Proof.
move=> H t c tN vc; rewrite attentionE big_cons big_nil addr0 H // query_share //.
  by case: c vc => //= *; rewrite ?addr0 ?add0r.
by move=> t' c' t'N vc' nl; rewrite H //; case: c' vc' nl.
Qed.

(* --- The dictionary --- *)

(* A gate is 0 at its position, and at most -L elsewhere. *)
Lemma unit_gate_on h a t : addressed p h -> (t < N p)%N -> live p t ->
  (if a is Some q then (q < len p)%N else true) ->
  if acts (pos p t) a then ap (unit_gate o p a) (h t) = 0
  else 0 <= L p -> ap (unit_gate o p a) (h t) <= - L p.
Proof.
move=> A tN lv; case: a => [q|] /=; last by rewrite ap_nil.
move=> ql; rewrite ap_cat ap_scaled ap_along_pt // (ap_one _ A) // lv mulr1 -mulrBr.
case: eqP => [->|qp]; first by rewrite dot_same subrr mulr0.
move=> L0; have d2 : dot R (lt z) q (pos p t) - (lt z)%:R <= - 2%:R.
  by rewrite ler_subl_addl; apply: dot_other; rewrite ?pos_code // clogP.
apply: le_trans (_ : 2%:R^-1 * L p * - 2%:R <= _).
  by rewrite ler_wpmul2l // mulr_ge0 ?invr_ge0 ?ler0n.
by rewrite mulrN mulrAC mulVf ?pnatr_eq0 // mul1r.
Qed.

(* A hinge unit over fields that hold the operands x of a live token. *)
Lemma hinge_unit_on fld into h t x i u : addressed p h -> (t < N p)%N ->
  wired_unit p u -> gated o p u -> (live p t -> bounded p x) ->
  (forall r e, (r <= size (slots p))%N -> (e < d)%N ->
    h t (fld r e) = if live p t then x r e else 0) ->
  relu o (ap (hinge_unit o p fld into (i, u)).1 (h t)) =
  if live p t && acts (pos p t) u.1 then Num.max (linear_of (ha u.2) x + he u.2) 0 else 0.
Proof.
move=> A tN /andP[wh ah] gu bx on; have /allP wh' := wh.
rewrite /= ap_cat ap_map ap_cons (h_one A) //= reluE.
have -> : \sum_(q <- ha u.2) q.2 * h t (fld q.1.1 q.1.2) =
    if live p t then linear_of (ha u.2) x else 0.
  case lv: (live p t) on => on; last first.
    rewrite big_seq big1 // => q /wh'/andP[? ?]; by rewrite on // mulr0.
  rewrite /linear_of !big_seq; apply: eq_bigr => q /wh'/andP[? ?]; by rewrite on.
case lv: (live p t) bx => bx /=; last first.
  rewrite mulr0 !add0r (_ : ap _ _ = 0) ?maxxx //.
  case: u.1 => [q|] /=; last by rewrite ap_nil.
  by rewrite ap_cat ap_scaled ap_along_pt // (ap_one _ A) // lv !mulr0 addr0.
have in_len : is_true (if u.1 is Some q then (q < len p)%N else true).
  case: u.1 ah => [q|] //; rewrite mem_undup => /mapP[k]; rewrite mem_iota => kK ->.
  by have /and4P[hn _ _ _] := wiredP ok kK; rewrite (leq_trans hn) ?leq_pred.
rewrite mulr1; have := unit_gate_on A tN lv in_len; case: ifP => [_ ->|off G].
  by rewrite addr0.
apply/max_idPr; have : hinge_bound o p u.2 <= L p.
  by move: gu off; rewrite /gated; case: u.1 => [q|] //=.
move=> bL; have L0 := le_trans (hinge_bound_ge0 ok u.2) bL.
rewrite addrA -[X in _ <= X](subrr (L p)) ler_add ?G //.
by apply: le_trans (ler_norm _) (le_trans (hinge_bounded (bx isT) wh) bL).
Qed.

Lemma hinges_placed :
  all (fun vu => if vu.2.1 is Some q then (q < len p)%N else true) (hinges p).
Proof.
rewrite /hinges; elim: (iota _ _) => [|v vs IH] //=; rewrite all_cat IH andbT all_map.
apply: sub_all (units_wired ok v) => u /= /andP[_]; case: u.1 => [q|] //.
rewrite mem_undup => /mapP[k]; rewrite mem_iota => kK ->.
by have /and4P[hn _ _ _] := wiredP ok kK; rewrite (leq_trans hn) ?leq_pred.
Qed.

(* Each hinge has one place. *)
Lemma sum_places (F : nat * (option nat * hinge R) -> R) :
  \sum_(a <- places p) \sum_(vu <- hinges_at p a) F vu = \sum_(vu <- hinges p) F vu.
Proof.
under eq_bigr => a _ do rewrite big_filter big_mkcond.
rewrite exchange_big /=; apply: (eq_big_all hinges_placed) => -[v [[q|] u]] /= ql.
  rewrite big_cons /= add0r big_map (bigD1_seq q) ?iota_uniq ?mem_iota //= eqxx.
  by rewrite big1 ?addr0 // => r /negPf->.
by rewrite big_cons /= big_map big1 ?addr0.
Qed.

Lemma dictionary_mlp (v : coord -> R) c : mlp (dictionary_units o p) v c = v c +
  (\sum_(vu <- hinges p) relu o (ap (hinge_unit o p (field Tok Slot) Gx vu).1 v) *
     entry [:: (Gx vu.1, hc vu.2.2)] c +
   \sum_(vu <- hinges p) relu o (ap (hinge_unit o p (field Qry QSlot) Gq vu).1 v) *
     entry [:: (Gq vu.1, hc vu.2.2)] c).
Proof.
rewrite /dictionary_units; case: nilP => [->|_].
  by rewrite mlp_idle !big_nil !addr0.
rewrite /mlp big_flatten big_map; congr (_ + _).
rewrite -[X in _ = X + _]sum_places -[X in _ = _ + X]sum_places -big_split.
by apply: eq_bigr => a _; rewrite big_cat !big_map.
Qed.

(* Only the hinges of feature v are written to its coordinate. *)
Lemma sum_hinges (F : option nat * hinge R -> R) (into : nat -> coord) v :
  injective into -> (v < size (dict p))%N ->
  \sum_(vu <- hinges p) F vu.2 * entry [:: (into vu.1, hc vu.2.2)] (into v) =
  \sum_(u <- nth [::] (dict p) v) hc u.2 * F u.
Proof.
move=> inj vP; rewrite big_flatten big_map (bigD1_seq v) ?iota_uniq ?mem_iota //=.
rewrite big_map [X in _ + X]big1 ?addr0 => [|v' v'v].
  by apply: eq_bigr => u _; rewrite entry1 eqxx mulrC.
rewrite big_map big1 // => u _; rewrite entry1 (inj_eq inj) /= (negPf v'v); exact: mulr0.
Qed.

Lemma dictionary_correct h : holds p h stream3a ->
  forall t c, (t < N p)%N -> valid z c -> mlp (dictionary_units o p) (h t) c = stream3 t c.
Proof.
move=> H t c tN vc; rewrite dictionary_mlp H //.
have A : addressed p h by split=> [t' b|t' b|t'] *; rewrite H.
have off i (F : nat * (option nat * hinge R) -> R) (into : nat -> coord) :
    (forall v, into v != c) -> \sum_(vu <- i) F vu * entry [:: (into vu.1, hc vu.2.2)] c = 0.
  by move=> nc; rewrite big1 // => vu _; rewrite entry1 (negPf (nc _)) mulr0.
have on (fld : nat -> nat -> coord) into v x : injective into -> (v < size (dict p))%N ->
    (live p t -> bounded p x) ->
    (forall r u, (r <= size (slots p))%N -> (u < d)%N ->
      h t (fld r u) = if live p t then x r u else 0) ->
    \sum_(vu <- hinges p) relu o (ap (hinge_unit o p fld into vu).1 (h t)) *
      entry [:: (into vu.1, hc vu.2.2)] (into v) =
    if live p t then feature_of (dict_at p (pos p t) v) x else 0.
  move=> inj vP bx holdsx.
  rewrite (sum_hinges (fun u => relu o (ap (hinge_unit o p fld into (v, u)).1 _)) inj vP).
  rewrite [RHS](_ : _ = \sum_(u <- nth [::] (dict p) v) hc u.2 *
      (if live p t && acts (pos p t) u.1 then Num.max (linear_of (ha u.2) x + he u.2) 0 else 0)).
    apply: (@eq_big_all _ _ (fun u => wired_unit p u && gated o p u)) => [|u /andP[wu gu]].
      by rewrite all_predI (units_wired ok) (units_gated ok).
    by rewrite -(hinge_unit_on into v A tN wu gu bx holdsx).
  case: (live p t); last by rewrite big1 // => u _; rewrite mulr0.
  rewrite /feature_of big_map big_filter big_mkcond; apply: eq_bigr => u _ /=.
  by case: ifP => _; rewrite ?mulr0.
have lq : live p (token p m (pos p t)) by rewrite token_live // pos_lt.
case: c vc off => [u|r u|u|u|r u|v|v|u|b|b||||||] vc off;
  try by rewrite !off ?addr0 //.
- rewrite (off _ _ Gq) // addr0 (on _ _ _ (opnd t)) //= ?add0r // => [x y [] //||].
    exact: opnd_bounded.
  case=> [|r] u rS ud; rewrite H //=; last by apply/andP.
  by case: ifP => // /(tok1_dead pr ok) ->.
- rewrite (off _ _ Gx) // add0r (on _ _ _ (opnd (token p m (pos p t)))) //= ?add0r //.
  + by move=> x y [].
  + by move=> _; apply: opnd_bounded.
  case=> [|r] u rS ud; rewrite H //=; last by apply/andP.
  by case: ifP => // lv; rewrite /opnd token_ex // pos_lt.
Qed.

Lemma query_correct h :
  holds p h (stream2 p pr) ->
  holds p (run_layer (N p) (query_layer o p) h) stream3.
Proof.
by move=> /query_attention H t c tN vc; rewrite run_padded (dictionary_correct H).
Qed.
End Lemma_.
