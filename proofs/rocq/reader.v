(* How an exported artifact is written: records of lists with binary indices, which are read
   as natural numbers here.

   index_of i       == the natural number that is written i
   written_unit     == a hinge of the dictionary, with the position where alone it acts
   written_task, written_plan, written_head, written_layer, written == what the exporter writes
   no_entries, no_terms == empty lists, whose names are read faster than `[]` is
   read_plan w, read_weights e == the plan and the weights that are meant *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect.
From construct Require Import numbers spec plan matrices.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Notation bin := BinNums.N.
Definition index_of (i : bin) : nat := BinNat.N.to_nat i.

(* --- Tasks and wiring --- *)

Definition entries := seq (bin * Q).
Definition terms := seq (bin * bin * Q).
Definition written_hinge := (Q * terms * Q)%type.
Definition written_unit := (option bin * written_hinge)%type.

Definition no_entries : entries := [::].
Definition no_terms : terms := [::].

Record written_task := WrittenTask {
  wA : seq terms; wC : seq entries; wb : seq Q; wg : seq (seq written_hinge);
}.

(* The fields of `plan`, in its order. *)
Record written_plan := WrittenPlan {
  wd : nat; wm : nat; wn : nat;
  wtasks : seq written_task; wslots : seq bin; whomes : seq bin; wscratch : seq bin;
  wdict : seq (seq written_unit); wreads : seq (seq bin);
  wN : nat; wmatch : Q; waddress : Q; wreciprocal : Q; wgate : Q; wRx : Q; wRy : Q; wdelta : Q;
}.

Definition read_entries (v : entries) := [seq (index_of x.1, x.2) | x <- v].
Definition read_linear (a : terms) : linear Q :=
  [seq (index_of x.1.1, index_of x.1.2, x.2) | x <- a].
Definition read_hinge (h : written_hinge) : hinge Q := Hinge h.1.1 (read_linear h.1.2) h.2.
Definition read_unit (u : written_unit) : option nat * hinge Q :=
  (omap index_of u.1, read_hinge u.2).
Definition read_task A C b g : task Q :=
  Task (map read_linear A) (map read_entries C) b (map (map read_hinge) g).
Definition read_written (t : written_task) := read_task (wA t) (wC t) (wb t) (wg t).

Definition read_plan (w : written_plan) : plan Q :=
  Plan (wd w) (wm w) (wn w) (map read_written (wtasks w)) (map index_of (wslots w))
    (map index_of (whomes w)) (map index_of (wscratch w)) (map (map read_unit) (wdict w))
    (map (map index_of) (wreads w))
    (wN w) (wmatch w) (waddress w) (wreciprocal w) (wgate w) (wRx w) (wRy w) (wdelta w).

(* --- Weights --- *)

Record written_head := WrittenHead {
  wQ : seq entries; wK : seq entries; wV : seq entries; wO : seq entries;
}.
Record written_layer := WrittenLayer {
  wheads : seq written_head; win : seq entries; wout : seq entries;
}.
Record written := Written {
  wE : seq entries; wpos : seq entries; wU : seq entries; wlayers : seq written_layer;
}.

Definition read_vectors (vs : seq entries) : vectors Q := map read_entries vs.
Definition read_head (h : written_head) : emitted_head Q :=
  EmittedHead (read_vectors (wQ h)) (read_vectors (wK h)) (read_vectors (wV h))
    (read_vectors (wO h)).
Definition read_layer (l : written_layer) : emitted_layer Q :=
  EmittedLayer (map read_head (wheads l)) (read_vectors (win l)) (read_vectors (wout l)).
Definition read_weights (e : written) : emitted Q :=
  Emitted (read_vectors (wE e)) (read_vectors (wpos e)) (read_vectors (wU e))
    (map read_layer (wlayers e)).
