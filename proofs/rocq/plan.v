(* What is fixed before a weight is written: tasks, sizes, wiring, margins, domain;
   and the conditions on them under which the theorem holds. All of it computes.

   plan T           == all that is chosen before a weight is written; sizes_of p == its sizes
   K p              == the number of tasks; task_of p k, home p k, slot p r == their entries
   operand p h q    == 0 if q is the home h, else 1 + the slot that holds position q
   f_form o p k fld feat i == entry i of f_k, as a functional of the fields of a token
   wired o p k      == home, slots and dictionary say what task k says
   E2 o p k         == the bound E^2 on ||f_k - label||^2, over all tokens
   margins_hold o p == the conditions on the domain and on B, C, s
   admissible o p   == all conditions on a plan *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai residual spec.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Section Plan.
Variable T : Type.

Record plan := Plan {
  pd : nat; pm : nat; pn : nat;
  tasks : seq (task T);
  slots : seq nat;                (* the position that each operand slot holds *)
  homes : seq nat;                (* the home position of each task *)
  dict : seq (seq (hinge T));     (* features over operands: 0 the token, s+1 slot s *)
  reads : seq (seq nat);          (* the dictionary entry of each feature of a task *)
  N : nat;                        (* tokens of the context *)
  B : T; C : T; s : T;            (* match, address, reciprocal *)
  Rx : T; Ry : T; delta : T;      (* the domain *)
}.

Variables (o : ops T) (p : plan).

Definition sizes_of := Sizes (pd p) (pm p) (pn p) (size (slots p)) (size (dict p)).
Definition K := size (tasks p).
Definition task_of k := nth (Task [::] [::] [::] [::]) (tasks p) k.
Definition home k := nth 0 (homes p) k.
Definition slot r := nth 0 (slots p) r.

(* The operand that a task with home h reads position q through. *)
Definition operand h q := if q == h then 0 else (index q (slots p)).+1.

(* f_k over the fields of a token: the token itself, slots, features. *)
Definition field (tok : nat -> coord) (slt : nat -> nat -> coord) r u :=
  if r is r'.+1 then slt r' u else tok u.

Definition f_form k (fld : nat -> nat -> coord) (feat : nat -> coord) i : form coord T :=
  let t := task_of k in
  [seq (fld (operand (home k) q.1.1) q.1.2, q.2) | q <- nth [::] (tA t) i] ++
  [seq (feat (nth 0 (nth [::] (reads p) k) q.1), q.2) | q <- nth [::] (tC t) i] ++
  [:: (One, nth (num o 0) (tb t) i)].

(* --- The conditions --- *)

Definition eqb x y := leq_ o x y && leq_ o y x.

Definition readable h (a : linear T) :=
  all (fun q => [&& (q.1.1 == h) || (q.1.1 \in slots p), q.1.1 < (pn p).-1 & q.1.2 < pd p]) a.

(* The hinge h' reads through operands what h reads at positions. *)
Definition same_hinge hm (h h' : hinge T) :=
  [&& eqb (hc h) (hc h'), eqb (he h) (he h'), size (ha h) == size (ha h') &
   all (fun q => [&& operand hm q.1.1.1 == q.2.1.1, q.1.1.2 == q.2.1.2 & eqb q.1.2 q.2.2])
       (zip (ha h) (ha h'))].

Definition same_feature hm (g g' : seq (hinge T)) :=
  (size g == size g') && all (fun q => same_hinge hm q.1 q.2) (zip g g').

(* Task k is read by its home token: positions through operands, features in the
   dictionary. *)
Definition wired k :=
  let t := task_of k in
  [&& home k < (pn p).-1,
      all (readable (home k)) (tA t),
      all (all (readable (home k) \o @ha T)) (tg t) &
      all (all (fun q : nat * T =>
        (nth 0 (nth [::] (reads p) k) q.1 < size (dict p)) &&
        same_feature (home k) (nth [::] (tg t) q.1)
          (nth [::] (dict p) (nth 0 (nth [::] (reads p) k) q.1)))) (tC t)].

(* Entries of dictionary hinges that there are. *)
Definition wired_hinge (h : hinge T) :=
  all (fun q => (q.1.1 <= size (slots p)) && (q.1.2 < pd p)) (ha h).

(* Bounds by absolute values: of operands, features, and of the entries of f_k - lab
   at any token, where the token itself may be an input or a label. *)
Definition R_tok := if leq_ o (Rx p) (Ry p) then Ry p else Rx p.
Definition op_bound r := if r is 0 then R_tok else Rx p.
Definition linear_bound (to : nat -> nat) (a : linear T) :=
  sum o [seq mul o (abs o q.2) (op_bound (to q.1.1)) | q <- a].
Definition feature_bound (g : seq (hinge T)) :=
  sum o [seq mul o (abs o (hc h)) (add o (linear_bound id (ha h)) (abs o (he h))) | h <- g].
Definition e_bound k i :=
  let t := task_of k in
  add o (add o (linear_bound (operand (home k)) (nth [::] (tA t) i))
    (sum o [seq mul o (abs o q.2) (feature_bound (nth [::] (dict p)
      (nth 0 (nth [::] (reads p) k) q.1))) | q <- nth [::] (tC t) i]))
  (add o (abs o (nth (num o 0) (tb t) i)) (Ry p)).
Definition E2 k := sum o [seq mul o (e_bound k i) (e_bound k i) | i <- iota 0 (pd p)].

Definition margins_hold :=
  [&& leq_ o (num o 0) (Rx p), leq_ o (num o 0) (Ry p), leq_ o (num o 0) (B p),
      ~~ leq_ o (s p) (num o 0),
      leq_ o (num o 1) (mul o (B p) (mul o (delta p) (delta p))) &
      all (fun k => leq_ o (add o (num o 1) (mul o (B p) (E2 k))) (mul o (num o 2) (C p)))
          (iota 0 K)].

Definition admissible :=
  [&& 1 < pn p, (pm p).+1 * pn p <= N p, 0 < K, size (slots p) <= K,
      all (fun q => q < (pn p).-1) (slots p),
      all (all wired_hinge) (dict p), all wired (iota 0 K) & margins_hold].
End Plan.
