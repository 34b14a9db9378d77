(* What the quick checker computes with: indices in binary, lists that are walked once, and
   tries, in which a place is found in as many steps as its index has digits.

   bit_code x r     == entry r of the code of x; upto i l: the l indices from i on
   trie A, get a k t, put a f k t == numbers at places; a stands where nothing was put
   table a s        == the list s as a trie; look a t i == its entry i
   same e f         == the same number at each place: lists of (place, number) *)
From Coq Require Import QArith NArith.
From mathcomp Require Import all_ssreflect all_algebra zify.
From construct Require Import numbers codes plan checker reader.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Open Scope nat_scope.

(* --- Indices --- *)

Fixpoint upto (i : bin) (l : nat) : seq bin :=
  if l is l'.+1 then i :: upto (BinNat.N.succ i) l' else [::].

Lemma index_succ i : index_of (BinNat.N.succ i) = (index_of i).+1.
Proof. rewrite /index_of; lia. Qed.

Lemma index_inj : injective index_of.
Proof. by move=> i j; rewrite /index_of; lia. Qed.

Lemma index_eqb i j : BinNat.N.eqb i j = (index_of i == index_of j).
Proof. by rewrite /index_of; apply/idP/idP; lia. Qed.

Lemma index_ltb i j : BinNat.N.ltb i j = (index_of i < index_of j).
Proof. by rewrite /index_of; apply/idP/idP; lia. Qed.

Lemma index_of_nat k : index_of (BinNat.N.of_nat k) = k.
Proof. exact: Nat2N.id. Qed.

Lemma map_upto (A : Type) (F : bin -> A) (G : nat -> A) i l :
  (forall b, F b = G (index_of b)) -> map F (upto i l) = map G (iota (index_of i) l).
Proof. by move=> FG; elim: l i => //= l IH i; rewrite FG IH index_succ. Qed.

Lemma key_eqb i j :
  BinPos.Pos.eqb (BinNat.N.succ_pos i) (BinNat.N.succ_pos j) = (index_of i == index_of j).
Proof.
rewrite -index_eqb; case: (BinPos.Pos.eqb_spec _ _) => [E|E]; symmetry.
  by apply/BinNat.N.eqb_eq; rewrite -[LHS]BinNat.N.pos_pred_succ E BinNat.N.pos_pred_succ.
by apply/BinNat.N.eqb_neq => ij; apply: E; rewrite ij.
Qed.

(* --- Codes --- *)

Definition bit_code (x r : bin) : Q :=
  if BinNat.N.testbit x r then num rat_ops 1 else opp rat_ops (num rat_ops 1).

Lemma index_half x : index_of (BinNat.N.div2 x) = (index_of x)./2 /\
  BinNat.N.odd x = odd (index_of x).
Proof.
have -> : index_of x = BinNat.N.odd x + (index_of (BinNat.N.div2 x)).*2.
  rewrite {1}(BinNat.N.div2_odd x) /index_of N2Nat.inj_add N2Nat.inj_mul -muln2 mulnC addnC.
  by case: (BinNat.N.odd x).
by rewrite half_bit_double oddD odd_double addbF oddb.
Qed.

Lemma testbitE x r : BinNat.N.testbit x (BinNat.N.of_nat r) = bit (index_of x) r.
Proof.
elim: r x => [|r IH] x; first by rewrite BinNat.N.bit0_odd /bit expn0 divn1; case: (index_half x).
rewrite Nat2N.inj_succ BinNat.N.testbit_succ_r_div2; last exact: BinNat.N.le_0_l.
by rewrite IH /bit; case: (index_half x) => -> _; rewrite expnS divnMA divn2.
Qed.

Lemma bit_codeE x r : bit_code x r = code rat_ops (index_of x) (index_of r).
Proof. by rewrite /bit_code -(N2Nat.id r) testbitE index_of_nat. Qed.

(* --- Tries --- *)

Inductive trie (A : Type) := Leaf | Fork of trie A & A & trie A.
Arguments Leaf {A}.

Section Trie.
Variables (A : Type) (a : A).

Fixpoint get (k : positive) (t : trie A) {struct t} : A :=
  match t, k with
  | Leaf, _ => a
  | Fork _ x _, xH => x
  | Fork l _ _, xO k' => get k' l
  | Fork _ _ r, xI k' => get k' r
  end.

Fixpoint put (f : A -> A) (k : positive) (t : trie A) : trie A :=
  let: (l, x, r) := if t is Fork l x r then (l, x, r) else (Leaf, a, Leaf) in
  match k with
  | xH => Fork l (f x) r
  | xO k' => Fork (put f k' l) x r
  | xI k' => Fork l x (put f k' r)
  end.

Lemma get_put f k k' t :
  get k' (put f k t) = if BinPos.Pos.eqb k k' then f (get k t) else get k' t.
Proof.
by elim: k k' t => [k IH|k IH|] [k'|k'|] [|l x r] //=; rewrite ?IH //; case: ifP.
Qed.

Fixpoint all_trie (P : pred A) (t : trie A) : bool :=
  if t is Fork l x r then [&& P x, all_trie P l & all_trie P r] else true.

Lemma all_get (P : pred A) k t : P a -> all_trie P t -> P (get k t).
Proof.
by move=> Pa; elim: t k => [|l IHl x r IHr] [k|k|] //= /and3P[? /IHl ? /IHr ?].
Qed.

(* The list s from place k on. *)
Fixpoint tabulate (k : positive) (s : seq A) (t : trie A) : trie A :=
  if s is x :: s' then tabulate (BinPos.Pos.succ k) s' (put (fun=> x) k t) else t.
Definition table s := tabulate xH s Leaf.
Definition look t i := get (BinNat.N.succ_pos i) t.

Lemma tabulateE s k j t : get j (tabulate k s t) =
  if BinPos.Pos.ltb j k then get j t else
  if (BinPos.Pos.to_nat j - BinPos.Pos.to_nat k < size s)%N
  then nth a s (BinPos.Pos.to_nat j - BinPos.Pos.to_nat k) else get j t.
Proof.
elim: s k t => [|x s IH] k t /=; first by case: ifP.
rewrite IH get_put.
case: BinPos.Pos.ltb_spec => js; case: BinPos.Pos.ltb_spec => jk; case: BinPos.Pos.eqb_spec => jk';
  try lia; rewrite -?jk' ?subnn //.
have -> : (BinPos.Pos.to_nat j - BinPos.Pos.to_nat k =
    (BinPos.Pos.to_nat j - BinPos.Pos.to_nat (BinPos.Pos.succ k)).+1)%N by lia.
by [].
Qed.

Lemma look_table s i : look (table s) i = nth a s (index_of i).
Proof.
rewrite /look /table tabulateE.
have -> : (BinPos.Pos.to_nat (BinNat.N.succ_pos i) - BinPos.Pos.to_nat 1 = index_of i)%N.
  by rewrite /index_of; case: i => //= q; lia.
case: BinPos.Pos.ltb_spec => [|_]; first lia.
by case: ltnP => // si; rewrite nth_default.
Qed.
End Trie.

(* --- Vectors with the same entries --- *)

Section Same.
Notation o := rat_ops.

Definition plus (y x : Q) : Q := if Qnum y is Z0 then x else add o y x.
Definition is_zero (x : Q) := if Qnum x is Z0 then true else false.
Definition pour (sign : Q -> Q) (e : entries) (t : trie Q) : trie Q :=
  foldl (fun t q => put (num o 0) (plus^~ (sign q.2)) (BinNat.N.succ_pos q.1) t) t e.
Definition same (e f : entries) : bool := all_trie is_zero (pour (opp o) f (pour id e Leaf)).

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.
Notation phi := (q2r [realFieldType of rat]).
Notation mo := (q2r_morph [realFieldType of rat]).

Lemma is_zeroE x : is_zero x -> phi x = 0.
Proof. by case: x => [[]] // q _; rewrite /q2r /z2r /= mul0r. Qed.

Lemma plusE y x : phi (plus y x) = phi y + phi x.
Proof.
rewrite /plus; case E: (Qnum y) => [|q|q]; try exact: (m_add mo).
by rewrite {2}/q2r E /z2r /= mul0r add0r.
Qed.

Lemma pourE sign e t k : phi (get (num o 0) (BinNat.N.succ_pos k) (pour sign e t)) =
  phi (get (num o 0) (BinNat.N.succ_pos k) t) +
  \sum_(q <- e | index_of q.1 == index_of k) phi (sign q.2).
Proof.
elim: e t => [|q e IH] t; first by rewrite big_nil addr0.
rewrite /= IH get_put big_cons.
rewrite key_eqb; case: eqP => // E; rewrite plusE; have -> : q.1 = k by exact: index_inj.
by rewrite addrA.
Qed.

Lemma entry_read (e : entries) j :
  phi (entry_of o (read_entries e) j) = \sum_(q <- e | index_of q.1 == j) phi q.2.
Proof. by rewrite /entry_of (m_sum mo) sumE -map_comp big_map big_filter big_map. Qed.

Lemma sameP e f j : same e f ->
  eqb o (entry_of o (read_entries e) j) (entry_of o (read_entries f) j).
Proof.
move=> /(all_get (a := num o 0) (BinNat.N.succ_pos (BinNat.N.of_nat j)) isT)/is_zeroE.
rewrite !pourE index_of_nat -[get _ _ Leaf]/(num o 0) (m_num mo) add0r => E.
have {}E : phi (entry_of o (read_entries e) j) = phi (entry_of o (read_entries f) j).
  rewrite !entry_read; apply: subr0_eq; rewrite -[RHS]E -sumrN; congr (_ + _).
  by apply: eq_bigr => q _; rewrite (m_opp mo).
by rewrite /eqb !(m_leq mo) E /= lexx.
Qed.
End Same.
