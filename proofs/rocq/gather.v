(* Layer 1, gather: at every token of every example, slot r holds the example's operand
   at position p_r; and a scratch token holds the input of its example that it copies.

   gather o p       == layer 1; gather_head o p r == its head r; copy_head o p == the last one
   to_end o p       == how far the position of a token is from the end, as a functional of its code
   stream1 p pr     == the stream after it *)
From mathcomp Require Import all_ssreflect all_algebra zify ring.
From construct Require Import numbers bai codes residual spec plan stream.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Weights.
Variables (T : Type) (o : ops T) (p : plan T).
Notation z := (sizes_of p).

Definition gather_head r : head coord T :=
  Head (own_example o z (slot p r)) (copy o Tok (Slot r) (num o (N p)) (pd p)).

(* n + w - t for a token in position t, from 1. *)
Definition to_end : form coord T :=
  [seq (Pt b, opp o (mul o (inv o (num o 2)) (num o (2 ^ b)))) | b <- iota 0 (lt z)] ++
  constant (sub o (num o (len p).-1) (mul o (inv o (num o 2)) (num o (2 ^ lt z).-1))).

(* (<pe_i, pe_j> - le) + rec_i + 2 sq_i r_j + rec_j, where r_j is what `to_end` says of j. A
   scratch token has rec_i = 1 - sq_i^2, an input rec_j = -r_j^2: so it is 1 - (sq_i - r_j)^2
   between them, in the same example. *)
Definition copy_rows :=
  same o Pe (le z) ++
  [:: (constant (num o 1), [:: (Rec, num o 1)] ++ constant (opp o (num o (le z))));
      ([:: (Rec, num o 1)], constant (num o 1));
      ([:: (Sq, num o 2)], to_end)].

Definition copy_head : head coord T := Head copy_rows (copy o Tok Tok (num o (N p)) (pd p)).

Definition gather_heads :=
  [seq gather_head r | r <- iota 0 (size (slots p))] ++
  (if nilp (scratch p) then [::] else [:: copy_head]).

Definition gather : layer coord T := padded (K p) gather_heads idle_units.
End Weights.

Section Lemma_.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Hypothesis ok : admissible o p.

Definition stream1 t c : R :=
  match c with
  | Tok u => tok1 p pr t u
  | Slot r u => if live p t then vec p pr (token p (ex p t) (slot p r)) u else 0
  | _ => stream0 p pr t c
  end.

(* The bits of a number, weighed. *)
Lemma code_value l q : (q < 2 ^ l)%N ->
  \sum_(b <- iota 0 l) (2 ^ b)%N%:R * code o q b = (2 * q + 1)%N%:R - (2 ^ l)%N%:R.
Proof.
elim: l q => [|l IH] q ql; first by case: q ql => // _; rewrite big_nil subrr.
rewrite /= big_cons (iotaDl 1 0) big_map.
have half r : code o q (1 + r) = code o q./2 r.
  by rewrite /code /bit add1n expnS divnMA divn2.
under eq_bigr => b _ do rewrite half add1n expnS natrM -mulrA.
rewrite -mulr_sumr IH; last by rewrite -divn2 ltn_divLR // -expnSr.
rewrite /code /bit expn0 divn1 /= mul1r expnS -[in RHS](odd_double_half q).
by move: (2 ^ l)%N q./2 => a b; case: (odd q) => /=; rewrite -muln2 !(natrD, natrM); ring.
Qed.

Section Scores.
Variable h : nat -> coord -> R.
Hypothesis H : holds p h (stream0 p pr).

Lemma addressed0 : addressed p h.
Proof. by split=> [t' b|t' b|t'] *; rewrite H. Qed.

Lemma ap_to_end t : (t < N p)%N ->
  ap (to_end o p) (h t) = if live p t then (from_end p (pos p t))%:R else 0.
Proof.
move=> tN; rewrite /to_end ap_cat ap_map (ap_one _ addressed0) //=.
case lv: (live p t); last first.
  rewrite mulr0 addr0 big_seq big1 // => b; rewrite mem_iota => bl.
  by rewrite (h_pt addressed0) // lv mulr0.
have two : 2%:R != 0 :> R by rewrite pnatr_eq0.
rewrite (_ : \sum_(b <- _) _ = - 2%:R^-1 * ((2 * pos p t + 1)%N%:R - (2 ^ lt z)%N%:R)).
  have q_le : (pos p t <= (len p).-1)%N by rewrite -ltnS prednK ?(len_gt0 ok) ?pos_lt.
  rewrite -[true%:R]/(1 : R) mulr1 /from_end natrB // -[(2 ^ _).-1]subn1 natrB ?expn_gt0 //.
  rewrite !(natrD, natrM).
  by move: ((len p).-1%:R) ((pos p t)%:R) ((2 ^ lt z)%N%:R) => a b c; field.
rewrite -(code_value (pos_code ok t)) mulr_sumr; apply: eq_big_seq => b; rewrite mem_iota => bl.
by rewrite (h_pt addressed0) // lv !mulNr mulrA.
Qed.

Lemma copy_score t j : (t < N p)%N -> (j < N p)%N ->
  score (copy_head o p) (h t) (h j) =
  if live p t && live p j then
    dot R (le z) (ex p t) (ex p j) - (le z)%:R + rec0 p t + rec0 p j +
    2%:R * sq0 p t * (from_end p (pos p j))%:R
  else 0.
Proof.
move=> tN jN; rewrite /score big_cat !big_cons big_nil /= (ap_same_pe addressed0) //.
rewrite ap_to_end // [ap (_ :: _) (h j)]ap_cons !ap1 !mul1r !H //= addr0.
rewrite /rec0 /sq0; case: (live p t) => /=; last by rewrite !(mulr0, mul0r, addr0).
by case: (live p j) => /=; [ring | rewrite !(mulr0, mul0r, addr0)].
Qed.

(* A scratch token reads the input that it copies, and nothing else; no other token reads. *)
Lemma copy_address t j : ~~ nilp (scratch p) -> (t < N p)%N -> (j < N p)%N ->
  relu o (score (copy_head o p) (h t) (h j)) =
  (live p t && is_scratch p (pos p t) && (j == token p (ex p t) (source p (pos p t))))%:R.
Proof.
move=> some tN jN; rewrite copy_score // reluE.
have sl := source_lt ok (pos_lt ok t); have := tokenE ok j (ex p t) sl => ->.
case lt_: (live p t) => /=; last by rewrite maxxx.
case lj: (live p j) => /=; last first.
  rewrite maxxx; case: eqP => [E|_]; last by rewrite andbF.
  by move/(dead_ex ok): lj; rewrite E ltnNge -ltnS (ex_lt ok lt_).
have dle : dot R (le z) (ex p t) (ex p j) - (le z)%:R <= if ex p j == ex p t then 0 else - 2%:R.
  case: eqP => [->|E]; first by rewrite dot_same subrr.
  by rewrite ler_subl_addl; apply: dot_other; rewrite ?ex_code // => /esym.
have d0 : dot R (le z) (ex p t) (ex p j) - (le z)%:R <= 0.
  by apply: le_trans dle _; case: eqP; rewrite ?oppr_le0 ?ler0n.
rewrite /rec0 /sq0 lt_ lj some /=; set u := mark p (pos p t); set q := from_end p (pos p j).
case ts: (is_scratch p (pos p t)); last first.
  rewrite mulr0 mul0r addr0 sub0r; apply/max_idPr; apply: ler_naddr; last first.
    by apply: ler_naddr d0; rewrite oppr_le0 ler0n.
  rewrite subr_le0; case S: (is_scratch p (pos p j)); last by rewrite ler0n.
  by rewrite ler1n expn_gt0 (leq_trans _ (mark_gt ok S)).
case js: (is_scratch p (pos p j)).
  have -> : (pos p j == source p (pos p t)) = false.
    apply/negbTE/negP => /eqP E; have := scratch_source ok ts.
    by rewrite -E ltnNge; case/andP: js => ->.
  rewrite andbF; apply/max_idPr; set v := mark p (pos p j).
  have uq : (q < u)%N.
    have [/andP[q1 q2] s1] := (js, scratch_source ok ts).
    by rewrite /q /u /mark /from_end; move: (source p _) s1 => s'; lia.
  have qv : (q < v)%N by apply: mark_gt.
  have K : (2 + 2 * u * q <= u ^ 2 + v ^ 2)%N by rewrite !expnS !expn0 !muln1; nia.
  rewrite -(ler_nat R) !(natrD, natrM) -subr_ge0 in K.
  have -> : dot R (le z) (ex p t) (ex p j) - (le z)%:R + (true%:R - (u ^ 2)%:R) +
      (true%:R - (v ^ 2)%:R) + 2%:R * u%:R * q%:R =
      (dot R (le z) (ex p t) (ex p j) - (le z)%:R) -
      (u%:R * u%:R + v%:R * v%:R - (2%:R + 2%:R * u%:R * q%:R)).
    by rewrite -[true%:R]/(1 : R) !natrX; ring.
  by rewrite ler_naddr // oppr_le0.
have qE : mark p (pos p j) = q by rewrite /mark source_id.
have sE : (pos p j == source p (pos p t)) = (u == q).
  rewrite /u /q /mark /from_end; have := pos_lt ok j; have := source_lt ok (pos_lt ok t).
  move: (pos p j) (source p _) => a b al bl; apply/eqP/eqP => [->//|]; lia.
rewrite sE qE.
have -> : dot R (le z) (ex p t) (ex p j) - (le z)%:R + (true%:R - (u ^ 2)%:R) +
    (false%:R - (q ^ 2)%:R) + 2%:R * u%:R * q%:R =
    dot R (le z) (ex p t) (ex p j) - (le z)%:R + (1 - (u%:R - q%:R) ^+ 2).
  by rewrite -[true%:R]/(1 : R) -[false%:R]/(0 : R) !natrX; ring.
case: eqP dle => [<-|_] dle /=; last first.
  apply/max_idPr; rewrite -(addNr (2%:R : R)) ler_add //.
  by apply: le_trans (_ : 1 <= _); rewrite ?ler1n // ger_addl oppr_le0 sqr_ge0.
rewrite dot_same subrr add0r; case: (u =P q) => [->|/eqP uq].
  by rewrite subrr expr0n subr0; apply/max_idPl; apply: ler01.
apply/max_idPr; rewrite subr_le0 -real_normK ?num_real // exprn_ege1 //.
move: uq; move: u q {qE sE} => a b.
wlog ab : a b / (b < a)%N.
  move=> W ab; case: (ltngtP b a) => [ba|ba|E]; first exact: W.
    by rewrite distrC; apply: W => //; rewrite eq_sym.
  by rewrite E eqxx in ab.
by rewrite -natrB ?(ltnW ab) // ger0_norm ?ler0n // ler1n subn_gt0.
Qed.
End Scores.

Lemma gather_share h t c r : holds p h (stream0 p pr) -> (t < N p)%N -> valid z c ->
  (r < size (slots p))%N -> share (N p) (gather_head o p r) h t c =
  if c is Slot r' u then
    if (r == r') && live p t then vec p pr (token p (ex p t) (slot p r)) u else 0
  else 0.
Proof.
move=> H tN vc rS; have A := addressed0 H.
case: c vc => [u|r' u|u|u|r' u|v|v|u|b|b||||||] vc;
  try by rewrite share0 // => j; rewrite copy_off.
case: (r =P r') => [E|/eqP rr] /=; last first.
  by rewrite share0 // => j; rewrite copy_off // => u'; apply/eqP => -[/eqP]; rewrite (negPf rr).
rewrite -{r'}E in vc *; case/andP: vc => _ ud; have qn := slot_lt ok rS.
case lv: (live p t); last first.
  rewrite /share big1 ?mulr0 // => j _.
  by rewrite own_address // lv mul0r.
have aN : (token p (ex p t) (slot p r) < N p)%N by rewrite token_lt // -ltnS ex_lt.
rewrite (fetches (b := true) _ aN) => [|j jN]; last by rewrite own_address // lv.
by rewrite copy_at // => [|x y [->]] //; rewrite H.
Qed.

Lemma copy_share h t c : holds p h (stream0 p pr) -> (t < N p)%N -> valid z c ->
  ~~ nilp (scratch p) ->
  share (N p) (copy_head o p) h t c = if c is Tok u then tok1 p pr t u - vec p pr t u else 0.
Proof.
move=> H tN vc some.
case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc;
  try by rewrite share0 // => j; rewrite copy_off.
rewrite (tok1E p pr); case S: (is_scratch p (pos p t)); last first.
  rewrite subrr /share big1 ?mulr0 // => j _.
  by rewrite (copy_address H) // S andbF mul0r.
rewrite (vec_scratch pr _ S) subr0; set a := token _ _ _; have sl := source_lt ok (pos_lt ok t).
case lv: (live p t); last first.
  rewrite (vec_out pr) ?token_ex ?dead_ex // /share big1 ?mulr0 // => j _.
  by rewrite (copy_address H) // lv mul0r.
have aN : (a < N p)%N by rewrite token_lt // -ltnS ex_lt.
rewrite (fetches (b := true) _ aN) => [|j jN]; last by rewrite (copy_address H) // lv S.
by rewrite copy_at // => [|x y [->]] //; rewrite H.
Qed.

Lemma gather_correct h :
  holds p h (stream0 p pr) ->
  holds p (run_layer (N p) (gather o p) h) stream1.
Proof.
move=> H t c tN vc; rewrite run_idle attentionE big_cat big_map H //=.
have slots_ : \sum_(r <- iota 0 (size (slots p))) share (N p) (gather_head o p r) h t c =
    if c is Slot r u then if live p t then vec p pr (token p (ex p t) (slot p r)) u else 0 else 0.
  rewrite (eq_big_seq (fun r => if c is Slot r' u then
      if (r == r') && live p t then vec p pr (token p (ex p t) (slot p r)) u else 0 else 0)).
    case: c vc => [u|r u|u|u|r u|v|v|u|b|b||||||] vc; try by rewrite big1.
    case/andP: vc => rS _; rewrite (bigD1_seq r) ?iota_uniq ?mem_iota //= eqxx big1 ?addr0 //.
    by move=> r' /negPf->.
  by move=> r; rewrite mem_iota => rS; rewrite gather_share.
have copied : \sum_(H <- if nilp (scratch p) then [::] else [:: copy_head o p])
    share (N p) H h t c = if c is Tok u then tok1 p pr t u - vec p pr t u else 0.
  case: (boolP (nilp (scratch p))) => [none|some]; last by rewrite big_cons big_nil addr0 copy_share.
  rewrite big_nil; case: c {vc slots_} => // u.
  by rewrite tok1E /is_scratch /len (nilP none) addn0 leqNgt andNb subrr.
rewrite slots_ copied; case: c {slots_ copied} vc => //= *; rewrite ?addr0 ?add0r //.
by rewrite addrC subrK.
Qed.
End Lemma_.
