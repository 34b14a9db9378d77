(* How an exported artifact is written: binary indices, which are read as natural numbers
   here, in lists of pairs.

   read_task, read_hinge, read_head, read_layer, read_emitted == one for each thing *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect.
From construct Require Import spec matrices.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Notation bin := BinNums.N.
Definition index_of (i : bin) : nat := BinNat.N.to_nat i.

Definition read_vectors (vs : seq (seq (bin * Q))) : vectors Q :=
  [seq [seq (index_of x.1, x.2) | x <- v] | v <- vs].

Definition read_linear (a : seq (bin * bin * Q)) : linear Q :=
  [seq (index_of x.1.1, index_of x.1.2, x.2) | x <- a].

Definition read_hinge (h : Q * seq (bin * bin * Q) * Q) : hinge Q :=
  Hinge h.1.1 (read_linear h.1.2) h.2.

Definition read_task A C b g : task Q :=
  Task (map read_linear A) [seq [seq (index_of x.1, x.2) | x <- r] | r <- C] b
       (map (map read_hinge) g).

Definition read_head q k v w : emitted_head Q :=
  EmittedHead (read_vectors q) (read_vectors k) (read_vectors v) (read_vectors w).

Definition read_layer hs win wout : emitted_layer Q :=
  EmittedLayer hs (read_vectors win) (read_vectors wout).

Definition read_emitted e pos u ls : emitted Q :=
  Emitted (read_vectors e) (read_vectors pos) (read_vectors u) ls.
