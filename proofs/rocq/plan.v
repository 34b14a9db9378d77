(* What is fixed before a weight is written: tasks, sizes, wiring, margins, domain;
   and the conditions on them under which the theorem holds. All of it computes.

   plan T           == all that is chosen before a weight is written; sizes_of p == its sizes
   K p              == the number of tasks; task_of p k, home p k, slot p r == their entries
   len p            == tokens of an example in the network: inputs, scratch tokens, the label
   source p q       == the position whose vector the token at position q holds after layer 1
   dict_at p q v    == the hinges of feature v that act at position q
   plain_plan ...   == a plan without scratch tokens, all of whose hinges act everywhere
   operand p h q    == 0 if q is the home h, else 1 + the slot that holds position q
   f_form o p k fld feat i == entry i of f_k, as a functional of the fields of a token
   wired o p k      == home, slots and dictionary say what task k says
   E2 o p k q       == the bound E^2 on ||f_k - label||^2, over all tokens of position q
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
  scratch : seq nat;              (* the position that each scratch token copies *)
  dict : seq (seq (option nat * hinge T));  (* features over operands: 0 the token, s+1 slot s;
                                     each hinge with the position where alone it acts *)
  reads : seq (seq nat);          (* the dictionary entry of each feature of a task *)
  N : nat;                        (* tokens of the context *)
  B : T; C : T; s : T; L : T;     (* match, address, reciprocal, gates of hinges *)
  Rx : T; Ry : T; delta : T;      (* the domain *)
}.

Variables (o : ops T) (p : plan).

(* An example in the network: its n - 1 inputs, scratch tokens, its label. *)
Definition len := pn p + size (scratch p).
Definition sizes_of := Sizes (pd p) (pm p) len (size (slots p)) (size (dict p)).
Definition K := size (tasks p).
Definition task_of k := nth (Task [::] [::] [::] [::]) (tasks p) k.
Definition home k := nth 0 (homes p) k.
Definition slot r := nth 0 (slots p) r.

(* After layer 1 a scratch token holds the input that it copies, all others what they held. *)
Definition is_scratch q := ((pn p).-1 <= q) && (q < len.-1).
Definition source q := if is_scratch q then nth 0 (scratch p) (q - (pn p).-1) else q.
Definition home_input k := source (home k).

(* The hinges of feature v that act at position q. *)
Definition acts q (a : option nat) := if a is Some h then h == q else true.
Definition dict_at q v := [seq u.2 | u <- nth [::] (dict p) v & acts q u.1].

(* The operand that a task whose home holds the input h reads position q through. *)
Definition operand h q := if q == h then 0 else (index q (slots p)).+1.

(* f_k over the fields of a token: the token itself, slots, features. *)
Definition field (tok : nat -> coord) (slt : nat -> nat -> coord) r u :=
  if r is r'.+1 then slt r' u else tok u.

Definition f_form k (fld : nat -> nat -> coord) (feat : nat -> coord) i : form coord T :=
  let t := task_of k in
  [seq (fld (operand (home_input k) q.1.1) q.1.2, q.2) | q <- nth [::] (tA t) i] ++
  [seq (feat (nth 0 (nth [::] (reads p) k) q.1), q.2) | q <- nth [::] (tC t) i] ++
  [:: (One, nth (num o 0) (tb t) i)].

(* --- The conditions --- *)

Definition eqb x y := leq_ o x y && leq_ o y x.

Definition readable h (a : linear T) :=
  all (fun q => [&& (q.1.1 == h) || (q.1.1 \in slots p), q.1.1 < (pn p).-1 & q.1.2 < pd p]) a.

(* Operand r holds position q: the token itself does, or a slot. *)
Definition stands_for h r q :=
  (operand h q == r) || ((q \in slots p) && ((index q (slots p)).+1 == r)).

(* The hinge h' reads through operands what h reads at positions. *)
Definition same_hinge hm (h h' : hinge T) :=
  [&& eqb (hc h) (hc h'), eqb (he h) (he h'), size (ha h) == size (ha h') &
   all (fun q => [&& stands_for hm q.2.1.1 q.1.1.1, q.1.1.2 == q.2.1.2 & eqb q.1.2 q.2.2])
       (zip (ha h) (ha h'))].

Definition same_feature hm (g g' : seq (hinge T)) :=
  (size g == size g') && all (fun q => same_hinge hm q.1 q.2) (zip g g').

(* Task k is read by its home token: positions through operands, features in the
   dictionary. *)
Definition wired k :=
  let t := task_of k in
  [&& home k < len.-1,
      all (readable (home_input k)) (tA t),
      all (all (readable (home_input k) \o @ha T)) (tg t) &
      all (all (fun q : nat * T =>
        (nth 0 (nth [::] (reads p) k) q.1 < size (dict p)) &&
        same_feature (home_input k) (nth [::] (tg t) q.1)
          (dict_at (home k) (nth 0 (nth [::] (reads p) k) q.1)))) (tC t)].

(* The positions where tasks have their homes. *)
Definition homes_of := undup [seq home k | k <- iota 0 K].

(* Entries of dictionary hinges that there are. *)
Definition wired_hinge (h : hinge T) :=
  all (fun q => (q.1.1 <= size (slots p)) && (q.1.2 < pd p)) (ha h).
Definition wired_unit (u : option nat * hinge T) :=
  wired_hinge u.2 && (if u.1 is Some h then h \in homes_of else true).

(* Bounds by absolute values: of operands, features, and of the entries of f_k - lab
   at the tokens of position q, where the token itself may be an input or a label. *)
Definition R_tok := if leq_ o (Rx p) (Ry p) then Ry p else Rx p.
Definition op_bound r := if r is 0 then R_tok else Rx p.
Definition linear_bound (to : nat -> nat) (a : linear T) :=
  sum o [seq mul o (abs o q.2) (op_bound (to q.1.1)) | q <- a].
Definition hinge_bound (h : hinge T) := add o (linear_bound id (ha h)) (abs o (he h)).
Definition feature_bound (g : seq (hinge T)) :=
  sum o [seq mul o (abs o (hc h)) (hinge_bound h) | h <- g].
Definition e_bound k q i :=
  let t := task_of k in
  add o (add o (linear_bound (operand (home_input k)) (nth [::] (tA t) i))
    (sum o [seq mul o (abs o r.2) (feature_bound (dict_at q
      (nth 0 (nth [::] (reads p) k) r.1))) | r <- nth [::] (tC t) i]))
  (add o (abs o (nth (num o 0) (tb t) i)) (Ry p)).
Definition E2 k q := sum o [seq mul o (e_bound k q i) (e_bound k q i) | i <- iota 0 (pd p)].

(* A gate outweighs its hinge at any token. *)
Definition gated (u : option nat * hinge T) :=
  if u.1 is Some _ then leq_ o (hinge_bound u.2) (L p) else true.

Definition margins_hold :=
  [&& leq_ o (num o 0) (Rx p), leq_ o (num o 0) (Ry p), leq_ o (num o 0) (B p),
      ~~ leq_ o (s p) (num o 0),
      leq_ o (num o 1) (mul o (B p) (mul o (delta p) (delta p))),
      all (all gated) (dict p) &
      all (fun k => all (fun q =>
        leq_ o (add o (num o 1) (mul o (B p) (E2 k q))) (mul o (num o 2) (C p))) homes_of)
          (iota 0 K)].

(* Heads of layer 1: one for each slot, and one for the scratch tokens, if there are any. *)
Definition gathering := size (slots p) + ~~ nilp (scratch p).

Definition admissible :=
  [&& 1 < pn p, (pm p).+1 * len <= N p, 0 < K, gathering <= K,
      all (fun q => q < (pn p).-1) (slots p), all (fun q => q < (pn p).-1) (scratch p),
      all (all wired_unit) (dict p), all wired (iota 0 K) & margins_hold].
End Plan.

(* No scratch tokens, and a dictionary that acts everywhere. *)
Definition plain_plan T (zero : T) d m n tasks slots homes (dict : seq (seq (hinge T))) reads
    N B C s Rx Ry delta :=
  Plan d m n tasks slots homes [::] [seq [seq (None, h) | h <- g] | g <- dict] reads
    N B C s zero Rx Ry delta.
