(* The quick checker: the compiler of `theorem.v` and the conditions of `plan.v` once more, on
   what the exporter wrote, in time proportional to what is written. Lists are walked once
   and indices are binary; `walked.v` and `enough.v` prove that it decides the same.

   layout, layout_of w == where each field of the residual stream begins; two lengths, one number
   q_acts, at_home   == hinges of the dictionary that act at a position
   row, view, views w == row i of a task; a task with its home, what it reads, and its rows
   layers_of w g    == the layers of the compiler, on places along D, for the tolerance g
   conditions w g   == the plan meets its conditions
   matches_head, matches_layer == vectors with the same entries, and none beyond the width
   quick w g E      == E holds the compiler's weights, within the width, and w meets its conditions *)
From Coq Require Import QArith NArith.
From mathcomp Require Import all_ssreflect.
From construct Require Import numbers bai residual spec plan stream query square.
From construct Require Import flat matrices tolerance checker artifact reader binary.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Open Scope nat_scope.
Local Notation o := rat_ops.
Notation q0 := (num rat_ops 0).
Notation q1 := (num rat_ops 1).

(* --- The plan, prepared --- *)

Definition zero : bin := BinNums.N0.
Local Notation plus_ := BinNat.N.add.
Local Notation times := BinNat.N.mul.

(* Where the fields begin; what precedes the features of the query; lengths of the codes. *)
Record layout := Layout {
  y_d : bin; y_lab : bin; y_qry : bin; y_qry_operand : bin; y_gx : bin; y_gq : bin; y_out : bin;
  y_pe : bin; y_pt : bin; y_one : bin; y_ctx : bin; y_cnt : bin; y_tot : bin; y_sq : bin;
  y_rec : bin; y_n1 : bin; y_last : bin; y_S : bin; y_P : bin;
  y_le : nat; y_lt : nat; y_scale : Q; y_half : Q;
}.

Section Prepare.
Variable w : written_plan.

Definition len_written := wn w + size (wscratch w).
Definition sizes_written :=
  Sizes (wd w) (wm w) len_written (size (wslots w)) (size (wdict w)).

Definition layout_of :=
  let z := sizes_written in let at_ c := BinNat.N.of_nat (place z c) in
  Layout (BinNat.N.of_nat (wd w)) (at_ (Lab 0)) (at_ (Qry 0)) (BinNat.N.of_nat (2 + S z))
    (at_ (Gx 0)) (at_ (Gq 0)) (at_ (Out 0)) (at_ (Pe 0)) (at_ (Pt 0)) (at_ One) (at_ Ctx)
    (at_ Cnt) (at_ Tot) (at_ Sq) (at_ Rec) (BinNat.N.of_nat (wn w).-1) (BinNat.N.of_nat len_written.-1)
    (BinNat.N.of_nat (S z)) (BinNat.N.of_nat (P z)) (le z) (lt z) (num o (wN w))
    (mul o (inv o (num o 2)) (wgate w)).

(* Row i of A, C and b. *)
Record row := Row { ri : bin; ra : terms; rc : entries; rx : Q }.

Fixpoint walk (i : bin) (l : nat) (A : seq terms) (C : seq entries) (b : seq Q) : seq row :=
  if l is l'.+1 then
    Row i (seq.head [::] A) (seq.head [::] C) (seq.head q0 b) ::
    walk (BinNat.N.succ i) l' (behead A) (behead C) (behead b)
  else [::].

(* The position whose vector the token at position q holds after layer 1. *)
Definition q_is_scratch q :=
  BinNat.N.leb (BinNat.N.of_nat (wn w).-1) q && BinNat.N.ltb q (BinNat.N.of_nat len_written.-1).
Definition q_source (copied : trie bin) q :=
  if q_is_scratch q then look zero copied (BinNat.N.sub q (BinNat.N.of_nat (wn w).-1)) else q.

Record view := View {
  v_task : written_task; v_home : bin; v_input : bin; v_reads : trie bin; v_rows : seq row }.

Definition view_of t h rs :=
  View t h (q_source (table zero (wscratch w)) h) (table zero rs)
    (walk zero (wd w) (wA t) (wC t) (wb t)).

Fixpoint views_from ts hs (rs : seq (seq bin)) : seq view :=
  if ts is t :: ts' then
    view_of t (seq.head zero hs) (seq.head [::] rs) :: views_from ts' (behead hs) (behead rs)
  else [::].
Definition views := views_from (wtasks w) (whomes w) (wreads w).

(* 0 if q is the home h, else 1 + the slot that holds position q. *)
Fixpoint slot_after (i : bin) (ss : seq bin) (q : bin) : bin :=
  if ss is s :: ss' then
    if BinNat.N.eqb s q then i else slot_after (BinNat.N.succ i) ss' q
  else i.
Definition operand_of h q :=
  if BinNat.N.eqb q h then zero else BinNat.N.succ (slot_after zero (wslots w) q).
Definition q_stands_for h r q :=
  BinNat.N.eqb (operand_of h q) r ||
  (has (BinNat.N.eqb q) (wslots w) && BinNat.N.eqb (BinNat.N.succ (slot_after zero (wslots w) q)) r).
Definition in_slots q := has (BinNat.N.eqb q) (wslots w).
End Prepare.

(* --- The compiler --- *)

Notation vector := (form bin Q).
Notation pairs := (seq (vector * vector)).

Section Compile.
Variables (w : written_plan) (y : layout) (vs : seq view).
Notation tasks_ := (size (wtasks w)).

Definition from_ (b u : bin) : bin := plus_ b u.
Definition operand_x r u : bin := plus_ (times r (y_d y)) u.
Definition operand_q r u : bin := plus_ (times (plus_ (y_qry_operand y) r) (y_d y)) u.

Definition q_same b l : pairs :=
  [seq ([:: (from_ b i, q1)], [:: (from_ b i, q1)]) | i <- upto zero l].
Definition q_along b l x : vector := [seq (from_ b i, bit_code x i) | i <- upto zero l].
Definition q_constant x : vector := [:: (y_one y, x)].
Definition q_copy (f t : bin -> bin) x : pairs :=
  [seq ([:: (f u, x)], [:: (t u, q1)]) | u <- upto zero (wd w)].
Definition q_scaled a (f : vector) : vector := [seq (q.1, mul o a q.2) | q <- f].
Definition q_own q : pairs :=
  q_same (y_pe y) (y_le y) ++
  [:: (q_constant q1,
       q_along (y_pt y) (y_lt y) q ++ q_constant (sub o q1 (num o (y_le y + y_lt y))))].

Definition q_number (i : bin) : Q := inject_Z (BinInt.Z.of_N i).
Definition q_to_end : vector :=
  [seq (from_ (y_pt y) b, opp o (mul o (inv o (num o 2)) (num o (2 ^ index_of b))))
    | b <- upto zero (y_lt y)] ++
  q_constant (sub o (q_number (y_last y)) (mul o (inv o (num o 2)) (num o (2 ^ y_lt y).-1))).
Definition q_copy_head : head bin Q :=
  Head (q_same (y_pe y) (y_le y) ++
        [:: (q_constant q1, [:: (y_rec y, q1)] ++ q_constant (opp o (num o (y_le y))));
            ([:: (y_rec y, q1)], q_constant q1);
            ([:: (y_sq y, num o 2)], q_to_end)])
    (q_copy id id (y_scale y)).
Definition q_gather_heads : seq (head bin Q) :=
  [seq Head (q_own sr.2) (q_copy id (operand_x (BinNat.N.succ sr.1)) (y_scale y))
    | sr <- zip (upto zero (size (wslots w))) (wslots w)] ++
  (if nilp (wscratch w) then [::] else [:: q_copy_head]).
Definition q_gather : layer bin Q := padded tasks_ q_gather_heads idle_units.

Definition q_label_head : head bin Q :=
  Head (q_own (y_last y)) (q_copy id (from_ (y_lab y)) (y_scale y)).
Definition q_label : layer bin Q := padded tasks_ [:: q_label_head] idle_units.

Definition q_query_head : head bin Q :=
  Head (q_same (y_pt y) (y_lt y) ++
        [:: (q_constant q1, q_along (y_pe y) (y_le y) (BinNat.N.of_nat (wm w)) ++
               q_constant (sub o q1 (num o (y_lt y + y_le y))))])
    (q_copy id (from_ (y_qry y)) (y_scale y) ++
     flatten [seq q_copy (operand_x (BinNat.N.succ r)) (operand_q (BinNat.N.succ r)) (y_scale y)
       | r <- upto zero (size (wslots w))]).

Definition q_unit_gate (a : option bin) : vector :=
  if a is Some q then
    q_scaled (y_half y) (q_along (y_pt y) (y_lt y) q) ++
    q_constant (opp o (mul o (y_half y) (num o (y_lt y))))
  else [::].
Definition q_unit (fld : bin -> bin -> bin) b (vu : bin * written_unit) : vector * vector :=
  ([seq (fld q.1.1 q.1.2, q.2) | q <- vu.2.2.1.2] ++ q_constant vu.2.2.2 ++ q_unit_gate vu.2.1,
   [:: (from_ b vu.1, vu.2.2.1.1)]).
Definition q_hinges : seq (bin * written_unit) :=
  flatten [seq [seq (vg.1, u) | u <- vg.2] | vg <- zip (upto zero (size (wdict w))) (wdict w)].
Definition q_same_place (a b : option bin) :=
  match a, b with
  | Some q, Some r => BinNat.N.eqb q r
  | None, None => true
  | _, _ => false
  end.
Definition q_units : pairs :=
  let hs := q_hinges in
  if nilp hs then idle_units else
  flatten [seq let us := [seq vu <- hs | q_same_place a vu.2.1] in
      map (q_unit operand_x (y_gx y)) us ++ map (q_unit operand_q (y_gq y)) us
    | a <- None :: [seq Some q | q <- upto zero (len_written w)]].
Definition q_query : layer bin Q := padded tasks_ [:: q_query_head] q_units.

Definition q_form (fld : bin -> bin -> bin) b (v : view) (r : row) : vector :=
  [seq (fld (operand_of w (v_input v) q.1.1) q.1.2, q.2) | q <- ra r] ++
  [seq (from_ b (look zero (v_reads v) q.1), q.2) | q <- rc r] ++ q_constant (rx r).
Definition q_error v r : vector :=
  q_form operand_x (y_gx y) v r ++ [:: (from_ (y_lab y) (ri r), opp o q1)].

Definition q_gate top v : vector :=
  q_scaled (waddress w) (q_along (y_pt y) (y_lt y) (v_home v)) ++
  [:: (y_ctx y, mul o (num o 2) (waddress w))] ++
  q_constant (sub o top (mul o (waddress w) (num o (y_le y + 2 * y_lt y + 2)))).
Definition q_code b l : pairs :=
  [seq ([:: (from_ b i, waddress w)], [:: (from_ b i, q1)]) | i <- upto zero l].
Definition q_task top scale v : head bin Q :=
  Head ([seq let e := q_error v r in (q_scaled (opp o (wmatch w)) e, e) | r <- v_rows v] ++
        q_code (y_pe y) (y_le y) ++ q_code (y_pt y) (y_lt y) ++ [:: (q_constant q1, q_gate top v)])
    ([seq (q_scaled scale (q_form operand_q (y_gq y) v r), [:: (from_ (y_out y) (ri r), q1)])
        | r <- v_rows v] ++ [:: (q_constant scale, [:: (y_cnt y, q1)])]).
Definition q_tasks top scale : layer bin Q := padded tasks_ (map (q_task top scale) vs) idle_units.
Definition q_superpose : layer bin Q := q_tasks q1 (y_scale y).

Definition q_pool : layer bin Q :=
  padded tasks_ [:: Head
    [:: (q_along (y_pe y) (y_le y) (BinNat.N.of_nat (wm w)) ++
           q_along (y_pt y) (y_lt y) (y_last y) ++
           q_constant (sub o q1 (num o (y_le y + y_lt y))), q_constant q1)]
    (q_copy (from_ (y_out y)) (from_ (y_out y)) (y_scale y) ++
     [:: ([:: (y_cnt y, y_scale y)], [:: (y_tot y, q1)])])] idle_units.

Definition q_table (i : bin) : vector * vector :=
  let v := q_number i in
  ([:: (y_sq y, opp o q1); (y_tot y, mul o (num o 2) v); (y_one y, sub o q1 (mul o v v))],
   [:: (y_rec y, mul o (wreciprocal w) (inv o v))]).
Definition q_square_head : head bin Q :=
  Head [:: ([:: (y_tot y, q1)], [:: (y_tot y, q1)])] [:: (q_constant (y_scale y), [:: (y_sq y, q1)])].
Definition q_square : layer bin Q :=
  padded tasks_ [:: q_square_head]
    [seq q_table i | i <- upto (BinNat.N.succ zero) (wm w * tasks_)].

Definition q_divide : layer bin Q :=
  padded tasks_ [:: Head [:: (q_constant q1, [:: (y_rec y, q1)])]
    (q_copy (from_ (y_out y)) id (mul o (y_scale y) (inv o (wreciprocal w))))] idle_units.

(* Where the gate is flat. *)
Notation single := (tasks_ == 1).
Definition q_gather_flat : layer bin Q :=
  padded tasks_ (q_gather_heads ++ (if single then [:: q_label_head] else [::])) idle_units.
Definition q_fetch : layer bin Q :=
  padded tasks_ ((if single then [::] else [:: q_label_head]) ++ [:: q_query_head]) q_units.
Definition q_flat_table top c (i : bin) : vector * vector :=
  let v := q_number i in
  ([:: (y_sq y, opp o (num o 2)); (y_tot y, mul o (num o 4) v);
       (y_one y, sub o top (mul o (num o 2) (mul o v v)))],
   [:: (y_rec y, mul o c (inv o v))]).
Definition q_square_flat : layer bin Q :=
  let vs := upto (BinNat.N.succ zero) (wm w * tasks_) in
  padded tasks_ [:: q_square_head]
    ([seq q_flat_table (eighths o 9) (wreciprocal w) i | i <- vs] ++
     [seq q_flat_table (eighths o 1) (opp o (wreciprocal w)) i | i <- vs]).

Definition layers_of (g : option (tolerance Q)) :=
  if g is Some g' then
    [:: q_gather_flat; q_fetch; q_tasks (top g') (y_scale y);
        q_tasks (sub o (top g') q1) (opp o (y_scale y)); q_pool; q_square_flat; q_divide]
  else [:: q_gather; q_label; q_query; q_superpose; q_pool; q_square; q_divide].

Definition q_unembedding : seq vector := [seq [:: (u, q1)] | u <- upto zero (wd w)].
Definition q_embedding : seq vector := q_unembedding ++ [:: [:: (y_ctx y, q1)]].
Definition q_scratch_form (copied : trie bin) (q : bin) : vector :=
  if nilp (wscratch w) then [::] else
  let u := BinNat.N.sub (y_last y) (q_source w copied q) in
  if q_is_scratch w q then
    [:: (y_sq y, q_number u); (y_rec y, sub o q1 (q_number (times u u)))]
  else [:: (y_rec y, opp o (q_number (times u u)))].
Definition q_places : seq vector :=
  let n := BinNat.N.of_nat (len_written w) in
  let live := BinNat.N.of_nat ((wm w).+1 * len_written w) in
  let copied := table zero (wscratch w) in
  [seq if BinNat.N.ltb t live then
         q_along (y_pe y) (y_le y) (BinNat.N.div t n) ++
         q_along (y_pt y) (y_lt y) (BinNat.N.modulo t n) ++ q_constant q1 ++
         q_scratch_form copied (BinNat.N.modulo t n)
       else [::] | t <- upto zero (wN w)].
End Compile.

(* --- The conditions --- *)

Section Conditions.
Variables (w : written_plan) (y : layout) (vs : seq view).

Definition q_readable h (a : terms) :=
  all (fun q => [&& BinNat.N.eqb q.1.1 h || in_slots w q.1.1, BinNat.N.ltb q.1.1 (y_n1 y) &
                    BinNat.N.ltb q.1.2 (y_d y)]) a.

Definition q_same_hinge h (g g' : written_hinge) :=
  [&& eqb o g.1.1 g'.1.1, eqb o g.2 g'.2, size g.1.2 == size g'.1.2 &
   all (fun q => [&& q_stands_for w h q.2.1.1 q.1.1.1,
                     BinNat.N.eqb q.1.1.2 q.2.1.2 & eqb o q.1.2 q.2.2]) (zip g.1.2 g'.1.2)].
Definition q_same_feature h (g g' : seq written_hinge) :=
  (size g == size g') && all (fun q => q_same_hinge h q.1 q.2) (zip g g').

Definition q_acts (q : bin) (a : option bin) := if a is Some h then BinNat.N.eqb h q else true.
Definition at_home (q : bin) (us : seq written_unit) := [seq u.2 | u <- us & q_acts q u.1].

Definition q_wired (dict : trie (seq written_unit)) (v : view) :=
  let t := v_task v in let tg := table [::] (wg t) in
  [&& BinNat.N.ltb (v_home v) (y_last y), all (q_readable (v_input v)) (wA t),
      all (all (fun h => q_readable (v_input v) h.1.2)) (wg t) &
      all (all (fun q : bin * Q => let r := look zero (v_reads v) q.1 in
        BinNat.N.ltb r (y_P y) && q_same_feature (v_input v) (look [::] tg q.1)
          (at_home (v_home v) (look [::] dict r)))) (wC t)].

Definition q_wired_hinge (h : written_hinge) :=
  all (fun q => BinNat.N.leb q.1.1 (y_S y) && BinNat.N.ltb q.1.2 (y_d y)) h.1.2.

Definition q_wired_unit (homes : seq bin) (u : written_unit) :=
  q_wired_hinge u.2 && (if u.1 is Some h then has (BinNat.N.eqb h) homes else true).

Definition q_token_bound := if leq_ o (wRx w) (wRy w) then wRy w else wRx w.
Definition q_operand_bound (b : Q) (r : bin) := if r is BinNums.N0 then b else wRx w.
Definition q_linear_bound b (to : bin -> bin) (a : terms) :=
  sum o [seq mul o (abs o q.2) (q_operand_bound b (to q.1.1)) | q <- a].
Definition q_hinge_bound b (h : written_hinge) :=
  add o (q_linear_bound b id h.1.2) (abs o h.2).
Definition q_feature_bound b (g : seq written_hinge) :=
  sum o [seq mul o (abs o h.1.1) (q_hinge_bound b h) | h <- g].
Definition q_error_bound b (bounds : trie Q) v r :=
  add o (add o (q_linear_bound b (operand_of w (v_input v)) (ra r))
    (sum o [seq mul o (abs o q.2) (look q0 bounds (look zero (v_reads v) q.1)) | q <- rc r]))
  (add o (abs o (rx r)) (wRy w)).
Definition q_E2 b bounds v :=
  sum o [seq let e := q_error_bound b bounds v r in mul o e e | r <- v_rows v].
Definition q_bounds b q := table q0 (map (q_feature_bound b \o at_home q) (wdict w)).

(* Room off target, for scores that are `top` on a match. *)
Definition q_room top b bounds :=
  all (fun v => all (fun at_ => leq_ o (add o top (mul o (wmatch w) (q_E2 b at_ v)))
                                       (mul o (num o 2) (waddress w))) bounds) vs.

Definition q_margins homes :=
  let b := q_token_bound in
  let bounds := map (q_bounds b) homes in
  [&& leq_ o q0 (wRx w), leq_ o q0 (wRy w), leq_ o q0 (wmatch w),
      ~~ leq_ o (wreciprocal w) q0,
      leq_ o q1 (mul o (wmatch w) (mul o (wdelta w) (wdelta w))),
      all (all (fun u : written_unit =>
        if u.1 is Some _ then leq_ o (q_hinge_bound b u.2) (wgate w) else true)) (wdict w) &
      q_room q1 b bounds].

Definition q_threshold (g : tolerance Q) e :=
  [&& leq_ o q0 e, leq_ o e (wdelta w),
      leq_ o (mul o (wmatch w) (square_of o (add o (tau g) e))) (sub o (top g) q1) &
      leq_ o (top g) (mul o (wmatch w) (square_of o (sub o (wdelta w) e)))].
Definition q_gate_holds homes (g : tolerance Q) :=
  let b := q_token_bound in let tasks := size (wtasks w) in
  [&& [&& leq_ o q1 (top g),
          size (wslots w) + ~~ nilp (wscratch w) + (tasks == 1) <= tasks &
          q_room (top g) b (map (q_bounds b) homes)],
      leq_ o q0 (tau g), size (errors g) == tasks & all (q_threshold g) (errors g)].

Definition conditions (g : option (tolerance Q)) :=
  let tasks := size (wtasks w) in let dict := table [::] (wdict w) in
  let homes := undup (map v_home vs) in
  [&& 1 < wn w, (wm w).+1 * len_written w <= wN w, 0 < tasks,
      size (wslots w) + ~~ nilp (wscratch w) <= tasks,
      all (BinNat.N.ltb^~ (y_n1 y)) (wslots w), all (BinNat.N.ltb^~ (y_n1 y)) (wscratch w),
      all (all (q_wired_unit homes)) (wdict w), all (q_wired dict) vs & q_margins homes] &&
  (if g is Some g' then q_gate_holds homes g' else true).
End Conditions.

(* --- The comparison --- *)

Fixpoint matches (width : bin) (es : seq entries) (fs : seq vector) : bool :=
  match es, fs with
  | [::], [::] => true
  | e :: es', f :: fs' =>
      [&& all (fun q => BinNat.N.ltb q.1 width) e, same e f & matches width es' fs']
  | _, _ => false
  end.

Fixpoint both (A B : Type) (f : A -> B -> bool) s t : bool :=
  match s, t with
  | [::], [::] => true
  | a :: s', b :: t' => f a b && both f s' t'
  | _, _ => false
  end.

Definition matches_head width (E : written_head) (H : head bin Q) :=
  [&& matches width (wQ E) (map fst (rows H)), matches width (wK E) (map snd (rows H)),
      matches width (wV E) (map fst (vals H)) & matches width (wO E) (map snd (vals H))].
Definition matches_layer width (E : written_layer) (L : layer bin Q) :=
  [&& both (matches_head width) (wheads E) (heads L),
      matches width (win E) (map fst (units L)) & matches width (wout E) (map snd (units L))].

Definition quick (w : written_plan) (g : option (tolerance Q)) (E : written) : bool :=
  let y := layout_of w in let vs := views w in
  let width := BinNat.N.of_nat (D (sizes_written w)) in
  [&& conditions w y vs g, matches width (wE E) (q_embedding w y),
      matches width (wpos E) (q_places w y), matches width (wU E) (q_unembedding w) &
      both (matches_layer width) (wlayers E) (layers_of w y vs g)].
