(* Codes: the number x as l entries +1 and -1, its bits. The inner product of two
   codes is l where the numbers agree, and at most l - 2 where they do not.

   bit x r          == bit r of the number x
   code o x r       == entry r of the code of x: +1 or -1
   dot R l x y      == the inner product of the codes of x and y, l entries long *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.

Definition bit x r := odd (x %/ 2 ^ r).

Section Code.
Variables (T : Type) (o : ops T).
Definition code x r := if bit x r then num o 1 else opp o (num o 1).
End Code.

Lemma code_morph T1 T2 (o1 : ops T1) (o2 : ops T2) phi :
  morph o1 o2 phi -> forall x r, phi (code o1 x r) = code o2 x r.
Proof. by move=> mo x r; rewrite /code; case: bit; rewrite ?(m_opp mo) (m_num mo). Qed.

(* Numbers below 2^l that have the same l bits are the same. *)
Lemma bits_inj l x y :
  x < 2 ^ l -> y < 2 ^ l -> (forall r, r < l -> bit x r = bit y r) -> x = y.
Proof.
elim: l x y => [|l IH] x y; first by rewrite expn0 !ltnS !leqn0 => /eqP-> /eqP->.
move=> xl yl E; rewrite -(odd_double_half x) -(odd_double_half y).
have := E 0 isT; rewrite /bit expn0 !divn1 => ->; congr (_ + _.*2).
apply: IH => [||r rl].
- by rewrite -divn2 ltn_divLR // -expnSr.
- by rewrite -divn2 ltn_divLR // -expnSr.
- by have := E r.+1 rl; rewrite /bit expnS !divnMA !divn2.
Qed.

Local Open Scope ring_scope.

Section Dot.
Variable R : realFieldType.
Notation code := (code (real_ops R)).

Definition dot l x y : R := \sum_(r <- iota 0 l) code x r * code y r.

Lemma code_sq x r : code x r * code x r = 1.
Proof. by rewrite /code; case: bit => /=; rewrite ?mulrNN mulr1. Qed.

Lemma code_le1 x y r : code x r * code y r <= 1.
Proof.
rewrite /code; case: (bit x r); case: (bit y r) => /=;
  by rewrite ?mulrNN ?mulrN ?mulNr mulr1 // (@le_trans _ _ 0) ?oppr_le0 ?ler01.
Qed.

Lemma dot_same l x : dot l x x = l%:R.
Proof.
rewrite /dot (eq_bigr (fun=> 1)) => [|r _]; last exact: code_sq.
by rewrite big_const_seq count_predT size_iota iter_addr_0.
Qed.

Lemma dot_other l x y : (x < 2 ^ l)%N -> (y < 2 ^ l)%N -> x <> y -> dot l x y <= l%:R - 2%:R.
Proof.
move=> xl yl xy.
have [r rl D] : exists2 r, r \in iota 0 l & bit x r != bit y r.
  apply/allPn/negP => /allP E; case: xy; apply: (bits_inj xl yl) => r rl.
  by apply/eqP/E; rewrite mem_iota.
rewrite /dot (bigD1_seq r) ?iota_uniq //=.
have -> : code x r * code y r = - 1.
  by move: D; rewrite /code; case: bit; case: bit => //= _; rewrite ?mulrN1 ?mulN1r.
have one_less : \sum_(i <- iota 0 l | i != r) 1 = l%:R - 1 :> R.
  have := dot_same l x; rewrite /dot (bigD1_seq r) ?iota_uniq //= code_sq => <-.
  by rewrite addrC addKr; apply: eq_bigr => i _; rewrite code_sq.
rewrite -[2%:R]/(1 + 1) opprD addrA -one_less [_ - 1]addrC ler_add2l.
by apply: ler_sum => i _; apply: code_le1.
Qed.
End Dot.
