(* Every list of tasks has a wiring: slots T and a home for each task, so that each position
   that a task reads is its home or in a slot.

   missing T r      == the positions of r, the positions that a task reads, that no slot holds
   reads_through T h r == each position of r is h or in T *)
From mathcomp Require Import all_ssreflect.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Section Wiring.
Implicit Types (T r homes : seq nat) (rs : seq (seq nat)).

Definition missing T r := undup [seq q <- r | q \notin T].
Definition reads_through T h r := all (fun q => (q == h) || (q \in T)) r.

(* One home can serve a task if and only if at most one of its positions is in no slot. *)
Lemma one_missing T h r : reads_through T h r -> size (missing T r) <= 1.
Proof.
move=> /allP ok; rewrite -(size_nseq 1 h); apply: uniq_leq_size; first exact: undup_uniq.
move=> q; rewrite mem_undup mem_filter inE => /andP[/negPf out /ok].
by rewrite out orbF.
Qed.

Lemma home_of T r d : size (missing T r) <= 1 -> reads_through T (head d (missing T r)) r.
Proof.
move=> one; apply/allP => q qr; have [inT|out] := boolP (q \in T); first by rewrite orbT.
have : q \in missing T r by rewrite mem_undup mem_filter out.
by case: (missing T r) one => [|h [|? ?]] //= _; rewrite inE orbF.
Qed.

(* The slots T serve all tasks if and only if no task has two positions outside. *)
Theorem homes_exist n T rs : 0 < n -> all (all (fun q => q < n)) rs ->
  (exists homes, [/\ size homes = size rs, all (fun h => h < n) homes &
    forall k, k < size rs -> reads_through T (nth 0 homes k) (nth [::] rs k)]) <->
  all (fun r => size (missing T r) <= 1) rs.
Proof.
move=> n0 /allP below; split=> [[homes [sz _ ok]]|/allP one].
  by apply/(all_nthP [::]) => k kK; apply: one_missing (ok k kK).
exists [seq head 0 (missing T r) | r <- rs]; split; first by rewrite size_map.
  apply/allP => h /mapP[r rrs ->]; have := below r rrs.
  case E: (missing T r) => [|q s] //= /allP; apply.
  have : q \in missing T r by rewrite E mem_head.
  by rewrite mem_undup mem_filter => /andP[].
move=> k kK; rewrite (nth_map [::]) //; apply: home_of.
by apply: one; apply: mem_nth.
Qed.

(* So every list of tasks has a wiring: all but one of the n positions in slots, whatever the
   tasks read. All n of them in slots leave the homes free. *)
Theorem wiring_exists n rs : 0 < n -> all (all (fun q => q < n)) rs ->
  exists T homes, [/\ size T = n.-1, all (fun q => q < n) T, size homes = size rs,
    all (fun h => h < n) homes &
    forall k, k < size rs -> reads_through T (nth 0 homes k) (nth [::] rs k)].
Proof.
move=> n0 below; exists (iota 1 n.-1).
have /(homes_exist _ n0 below)[homes [sz lt ok]] :
    all (fun r => size (missing (iota 1 n.-1) r) <= 1) rs.
  apply/allP => r /(allP below)/allP rn; apply: (@one_missing _ 0); apply/allP => q /rn.
  by rewrite mem_iota add1n prednK //; case: q.
exists homes; split=> //; first by rewrite size_iota.
by apply/allP => q; rewrite mem_iota add1n prednK // => /andP[].
Qed.

Lemma any_home rs h r : r \in rs -> reads_through (undup (flatten rs)) h r.
Proof.
move=> rrs; apply/allP => q qr; apply/orP; right; rewrite mem_undup.
by apply/flattenP; exists r.
Qed.
End Wiring.
