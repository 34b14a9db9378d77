(* Numbers that the weights are written in. The compiler is one definition over any
   number type with these operations: over a real field it is what the theorem is
   about, over the rationals Q it is what the checker computes. A map of numbers that
   keeps the operations maps one to the other.

   ops T            == the operations that weights are written with: num, add, mul, opp, inv, leq_
   sub abs relu sum == what follows from them
   morph o1 o2 phi  == phi keeps the operations
   real_ops R       == those of a real field R; rat_ops == those of the rationals Q, which compute
   q2r R q          == the rational q in the field R (q2r_morph: it keeps the operations) *)
From Coq Require Import QArith Qreduction ZArith.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import zify ssrZ.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Record ops (T : Type) := Ops {
  num : nat -> T;
  add : T -> T -> T;
  mul : T -> T -> T;
  opp : T -> T;
  inv : T -> T;
  leq_ : T -> T -> bool;
}.

Section Derived.
Variables (T : Type) (o : ops T).
Definition sub x y := add o x (opp o y).
Definition abs x := if leq_ o (num o 0) x then x else opp o x.
Definition relu x := if leq_ o (num o 0) x then x else num o 0.
Definition sum (s : seq T) := foldr (add o) (num o 0) s.
End Derived.

(* A map that keeps the operations. *)
Record morph T1 T2 (o1 : ops T1) (o2 : ops T2) (phi : T1 -> T2) : Prop := Morph {
  m_num : forall n, phi (num o1 n) = num o2 n;
  m_add : forall x y, phi (add o1 x y) = add o2 (phi x) (phi y);
  m_mul : forall x y, phi (mul o1 x y) = mul o2 (phi x) (phi y);
  m_opp : forall x, phi (opp o1 x) = opp o2 (phi x);
  m_inv : forall x, phi (inv o1 x) = inv o2 (phi x);
  m_leq : forall x y, leq_ o1 x y = leq_ o2 (phi x) (phi y);
}.

Section Derived_morph.
Variables (T1 T2 : Type) (o1 : ops T1) (o2 : ops T2) (phi : T1 -> T2).
Hypothesis mo : morph o1 o2 phi.

Lemma m_sub x y : phi (sub o1 x y) = sub o2 (phi x) (phi y).
Proof. by rewrite /sub (m_add mo) (m_opp mo). Qed.

Lemma m_abs x : phi (abs o1 x) = abs o2 (phi x).
Proof. by rewrite /abs (m_leq mo) (m_num mo); case: ifP => // _; rewrite (m_opp mo). Qed.

Lemma m_relu x : phi (relu o1 x) = relu o2 (phi x).
Proof. by rewrite /relu (m_leq mo) (m_num mo); case: ifP => // _; rewrite (m_num mo). Qed.

Lemma m_sum s : phi (sum o1 s) = sum o2 (map phi s).
Proof. by elim: s => [|x s IH] /=; rewrite ?(m_num mo) // (m_add mo) IH. Qed.
End Derived_morph.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* The operations of a real field. *)
Section Real.
Variable R : realFieldType.

Definition real_ops : ops R :=
  Ops (fun n => n%:R) +%R *%R -%R GRing.inv (fun x y => x <= y).

Lemma subE x y : sub real_ops x y = x - y. Proof. by []. Qed.

Lemma absE x : abs real_ops x = `|x|.
Proof. by rewrite /abs /=; case: lerP => H; [rewrite ger0_norm | rewrite ltr0_norm]. Qed.

Lemma reluE x : relu real_ops x = Num.max x 0.
Proof. by rewrite /relu /=; case: lerP. Qed.

Lemma sumE s : sum real_ops s = \sum_(x <- s) x.
Proof. by rewrite unlock. Qed.

(* The rationals Q of Coq's library, which compute, in the field. *)
Definition z2r (z : Z) : R := (int_of_Z z)%:~R.
Definition q2r (q : Q) : R := z2r (Qnum q) / z2r (Zpos (Qden q)).

Lemma z2rD x y : z2r (Z.add x y) = z2r x + z2r y.
Proof. by rewrite /z2r -rmorphD /=; congr (_%:~R); lia. Qed.

Lemma z2rM x y : z2r (Z.mul x y) = z2r x * z2r y.
Proof. by rewrite /z2r -rmorphM /=; congr (_%:~R); lia. Qed.

Lemma z2rN x : z2r (Z.opp x) = - z2r x.
Proof. by rewrite /z2r -rmorphN /=; congr (_%:~R); lia. Qed.

Lemma z2r_le x y : (z2r x <= z2r y) = Z.leb x y.
Proof. by rewrite /z2r ler_int; lia. Qed.

Lemma z2r_pos p : 0 < z2r (Zpos p).
Proof. by rewrite /z2r ltr0z; lia. Qed.

Lemma z2r_neq0 p : z2r (Zpos p) != 0.
Proof. by rewrite gt_eqF ?z2r_pos. Qed.

Lemma q2r_eq x y : Qeq x y -> q2r x = q2r y.
Proof.
rewrite /Qeq /q2r => E; apply/eqP; rewrite eqr_div ?z2r_neq0 // -!z2rM.
by apply/eqP; rewrite E.
Qed.

Lemma q2rD x y : q2r (Qplus x y) = q2r x + q2r y.
Proof.
by rewrite /q2r /Qplus /= z2rD !z2rM Pos2Z.inj_mul z2rM addf_div ?z2r_neq0.
Qed.

Lemma q2rM x y : q2r (Qmult x y) = q2r x * q2r y.
Proof. by rewrite /q2r /Qmult /= z2rM Pos2Z.inj_mul z2rM mulf_div. Qed.

Lemma q2rN x : q2r (Qopp x) = - q2r x.
Proof. by rewrite /q2r /Qopp /= z2rN mulNr. Qed.

Lemma q2rV x : q2r (Qinv x) = (q2r x)^-1.
Proof.
case: x => [[|p|p] d]; rewrite /q2r /Qinv /=.
- by rewrite /z2r /= !mul0r invr0.
- by rewrite invf_div.
- by rewrite -!Pos2Z.opp_pos !z2rN invf_div invrN mulrN mulNr.
Qed.

Lemma q2r_le x y : (q2r x <= q2r y) = Qle_bool x y.
Proof.
rewrite /q2r ler_pdivr_mulr ?z2r_pos // mulrAC ler_pdivl_mulr ?z2r_pos //.
by rewrite -!z2rM z2r_le.
Qed.

Lemma q2r_num n : q2r (inject_Z (Z.of_nat n)) = n%:R.
Proof.
have -> : q2r (inject_Z (Z.of_nat n)) = z2r (Z.of_nat n) by rewrite /q2r /= {2}/z2r /= divr1.
by rewrite /z2r (_ : int_of_Z _ = n) //; lia.
Qed.
End Real.

(* The same operations on Q; sums and products are kept in lowest terms. *)
Definition rat_ops : ops Q :=
  Ops (fun n => inject_Z (Z.of_nat n)) (fun x y => Qred (Qplus x y)) (fun x y => Qred (Qmult x y))
      Qopp Qinv Qle_bool.

Lemma q2r_morph (R : realFieldType) : morph rat_ops (real_ops R) (@q2r R).
Proof.
split=> [n|x y|x y|x|x|x y] /=.
- exact: q2r_num.
- by rewrite -q2rD; apply/q2r_eq/Qred_correct.
- by rewrite -q2rM; apply/q2r_eq/Qred_correct.
- exact: q2rN.
- exact: q2rV.
- by rewrite q2r_le.
Qed.
