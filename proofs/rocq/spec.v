(* The specification: tasks, prompts, the domain, and the mixture that the network's
   output must equal. Nothing here knows of transformers. Counting is from 0: an
   example has the inputs 0..n-2 and its label.

   linear, hinge, task == sum of a x_p[u]; c max(<a, X> + e, 0); A, C, b and features g
   f t X i          == entry i of the task t on the inputs X; f_ ts k == that of task k
   prompt           == used i, X i q u, Y i u, query q u
   gap ts pr k i u  == entry u of f_k(X_i) - y_i
   explains d ts pr k i == example i is there, and f_k(X_i) = y_i
   votes d m ts pr k == c_k; mixture d m ts pr u == entry u of the answer
   in_box d m n pr Rx Ry == the entries of the prompt are bounded
   in_domain d m n ts pr Rx Ry delta == the prompt is in the domain *)
From mathcomp Require Import all_ssreflect all_algebra.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* Tasks as data; matrices are lists of rows, rows are lists of their non-zeros. *)
Section Data.
Variable T : Type.

(* Of (p, u, a): the sum of a * x_p[u]. *)
Definition linear := seq (nat * nat * T).

(* c * max(<a, X> + e, 0) *)
Record hinge := Hinge { hc : T; ha : linear; he : T }.

(* f(X) = sum_p A_p x_p + C g(X) + b, and each g_v(X) is a sum of hinges. *)
Record task := Task {
  tA : seq linear;            (* row i of all A_p together *)
  tC : seq (seq (nat * T));   (* row i of C: (v, entry) *)
  tb : seq T;
  tg : seq (seq hinge);
}.
End Data.

Section Meaning.
Variable R : realFieldType.
Implicit Types X : nat -> nat -> R.   (* X p u: entry u of input p *)

Definition linear_of (a : linear R) X : R := \sum_(q <- a) q.2 * X q.1.1 q.1.2.
Definition hinge_of h X : R := hc h * Num.max (linear_of (ha h) X + he h) 0.
Definition feature_of (g : seq (hinge R)) X : R := \sum_(h <- g) hinge_of h X.

Definition f (t : task R) X (i : nat) : R :=
  linear_of (nth [::] (tA t) i) X +
  \sum_(q <- nth [::] (tC t) i) q.2 * feature_of (nth [::] (tg t) q.1) X +
  nth 0 (tb t) i.

(* used i: slot i holds an example, X i with the label Y i; the other slots are blank. *)
Record prompt := Prompt {
  used : nat -> bool;
  X : nat -> nat -> nat -> R;
  Y : nat -> nat -> R;
  query : nat -> nat -> R;
}.

Variables (d m n : nat) (tasks : seq (task R)) (p : prompt).

Definition f_ k := f (nth (Task [::] [::] [::] [::]) tasks k).
Definition gap k i u := f_ k (X p i) u - Y p i u.

(* Example i is explained by task k: f_k(X_i) = y_i. *)
Definition explains k i := used p i && all (fun u => gap k i u == 0) (iota 0 d).

(* c_k, the number of examples that task k explains. *)
Definition votes k : nat := count (explains k) (iota 0 m).

(* sum_k c_k f_k(X_q) / sum_k c_k; in a field x / 0 = 0, so it is 0 without a vote. *)
Definition mixture u : R :=
  (\sum_(k < size tasks) (votes k)%:R * f_ k (query p) u) /
  (\sum_(k < size tasks) votes k)%:R.

(* The domain: bounds on the entries, and each label on a task or at least delta away. *)
Record in_box (Rx Ry : R) : Prop := InBox {
  X_bound : forall i q u, (i < m)%N -> used p i -> (q < n.-1)%N -> (u < d)%N ->
    `|X p i q u| <= Rx;
  Y_bound : forall i u, (i < m)%N -> used p i -> (u < d)%N -> `|Y p i u| <= Ry;
  query_bound : forall q u, (q < n.-1)%N -> (u < d)%N -> `|query p q u| <= Rx;
}.

Record in_domain (Rx Ry delta : R) : Prop := InDomain {
  box :> in_box Rx Ry;
  separated : forall k i, (k < size tasks)%N -> (i < m)%N -> used p i ->
    explains k i \/ delta ^+ 2 <= \sum_(u < d) gap k i u ^+ 2;
}.
End Meaning.
