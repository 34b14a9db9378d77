(* Tools around the checker, with nothing to prove: what an entry should be; and every
   entry of every tensor of an artifact, changed: 1 added, and the sign turned where there
   is one. The checker must name that entry, and no other.

   first_difference p g E == the first difference, and what should be there
   wanted p g t r j == the compiler's entry; change p E t r j x == E with x added to an entry
   tried_and_accepted p g E == how many changes were tried, and how many not rejected by name *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect.
From construct Require Import numbers bai residual spec plan matrices tolerance checker.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Section Mutations.
Variables (p : plan Q) (g : option (tolerance Q)) (E : emitted Q).
Notation o := rat_ops.
Notation width := (D (sizes_of p)).

(* --- What an entry should be --- *)

Definition compiled l := nth (Layer [::] [::]) (layers_for o p g) l.
Definition compiled_head l k := nth idle_head (heads (compiled l)) k.

Definition forms_of t : seq (form coord Q) :=
  match t with
  | TensorE => embedding o p | TensorPos => places_of o p | TensorU => unembedding o p
  | TensorQ l k => map fst (rows (compiled_head l k))
  | TensorK l k => map snd (rows (compiled_head l k))
  | TensorV l k => map fst (vals (compiled_head l k))
  | TensorO l k => map snd (vals (compiled_head l k))
  | TensorIn l => map fst (units (compiled l)) | TensorOut l => map snd (units (compiled l))
  end.

Definition wanted t r j : Q :=
  entry_of o (map_form (place (sizes_of p)) id (nth [::] (forms_of t) r)) j.

(* The first difference, and numerator and denominator of what should be there. *)
Definition first_difference :=
  if differences o p g E is d :: _ then
    Some (d, if d is Entry t r j then let x := wanted t r j in (Qnum x, Qden x) else (Z0, xH))
  else None.

(* --- Changes --- *)

Definition head_of l k := nth no_head (ehs (nth no_layer (elayers E) l)) k.
Definition layer_of l := nth no_layer (elayers E) l.

Definition get t : vectors Q :=
  match t with
  | TensorE => W_E E | TensorPos => W_pos E | TensorU => W_U E
  | TensorQ l k => W_Q (head_of l k) | TensorK l k => W_K (head_of l k)
  | TensorV l k => W_V (head_of l k) | TensorO l k => W_O (head_of l k)
  | TensorIn l => W_in (layer_of l) | TensorOut l => W_out (layer_of l)
  end.

Definition set_layer l L :=
  Emitted (W_E E) (W_pos E) (W_U E) (set_nth no_layer (elayers E) l L).
Definition set_head l k H :=
  set_layer l (EmittedLayer (set_nth no_head (ehs (layer_of l)) k H)
                            (W_in (layer_of l)) (W_out (layer_of l))).

Definition put t vs : emitted Q :=
  match t with
  | TensorE => Emitted vs (W_pos E) (W_U E) (elayers E)
  | TensorPos => Emitted (W_E E) vs (W_U E) (elayers E)
  | TensorU => Emitted (W_E E) (W_pos E) vs (elayers E)
  | TensorQ l k => let H := head_of l k in set_head l k (EmittedHead vs (W_K H) (W_V H) (W_O H))
  | TensorK l k => let H := head_of l k in set_head l k (EmittedHead (W_Q H) vs (W_V H) (W_O H))
  | TensorV l k => let H := head_of l k in set_head l k (EmittedHead (W_Q H) (W_K H) vs (W_O H))
  | TensorO l k => let H := head_of l k in set_head l k (EmittedHead (W_Q H) (W_K H) (W_V H) vs)
  | TensorIn l => let L := layer_of l in set_layer l (EmittedLayer (ehs L) vs (W_out L))
  | TensorOut l => let L := layer_of l in set_layer l (EmittedLayer (ehs L) (W_in L) vs)
  end.

(* Entry j of vector r, changed by x. *)
Definition change t r j x :=
  put t (set_nth [::] (get t) r ((j, x) :: nth [::] (get t) r)).

Definition tensors : seq tensor :=
  [:: TensorE; TensorPos; TensorU] ++
  flatten [seq [:: TensorIn l; TensorOut l] ++
    flatten [seq [:: TensorQ l k; TensorK l k; TensorV l k; TensorO l k] | k <- iota 0 (K p)]
  | l <- iota 0 7].

Definition same_tensor s t :=
  match s, t with
  | TensorE, TensorE | TensorPos, TensorPos | TensorU, TensorU => true
  | TensorQ l k, TensorQ l' k' | TensorK l k, TensorK l' k' | TensorV l k, TensorV l' k'
  | TensorO l k, TensorO l' k' => (l == l') && (k == k')
  | TensorIn l, TensorIn l' | TensorOut l, TensorOut l' => l == l'
  | _, _ => false
  end.

Definition names t r j d :=
  if d is Entry t' r' j' then [&& same_tensor t t', r == r' & j == j'] else false.

(* The change is found, and nothing else is. *)
Definition rejected t r j x :=
  let ds := differences o p g (change t r j x) in ~~ nilp ds && all (names t r j) ds.

Definition verdicts : seq bool :=
  flatten [seq flatten [seq flatten [seq
      let x := entry_of o (nth [::] (get t) r) j in
      rejected t r j (num o 1) ::
      if eqb o x (num o 0) then [::] else [:: rejected t r j (opp o (mul o (num o 2) x))]
    | j <- iota 0 width] | r <- iota 0 (size (get t))] | t <- tensors].

(* How many changes were tried, and how many were not rejected. *)
Definition tried_and_accepted := (size verdicts, count negb verdicts).
End Mutations.
