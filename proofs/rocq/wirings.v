(* Every list of tasks of the form has a plan. Slots T serve a task if one input, its home's, and
   T together are all that it reads. Where they serve all tasks, and there are no more of them than
   tasks, there are homes, a dictionary and margins with which the plan is admissible
   (`plan_exists`). With one slot less than that, each task has a scratch token for its home, and
   the features of all tasks share d coordinates: the width is
     (6 + 2S) d + ceil(log2(m+1)) + ceil(log2(n+K)) + 6,
   so that K occurs by S and in a logarithm alone (`narrow_plan_exists`).

   normal d n t     == task t reads inputs below n - 1, entries below d, and features that it has
   positions t      == the positions that it reads; serves T n t == the slots T serve it
   translated T h g == the hinges g as a token reads them that holds input h
   by_entries d t   == the same map with one feature for each entry *)
From mathcomp Require Import all_ssreflect all_algebra zify.
From construct Require Import numbers bai residual spec plan margins wiring_exists.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Tasks.
Variables (R : realFieldType) (d n : nat).
Notation o := (real_ops R).
Implicit Types (t : task R) (T : seq nat) (g : seq (hinge R)).

Definition inside (a : linear R) := all (fun q => (q.1.1 < n.-1) && (q.1.2 < d))%N a.
Definition normal t := [&& all inside (tA t), all (all (inside \o @ha R)) (tg t) &
  all (all (fun q : nat * R => q.1 < size (tg t))%N) (tC t)].

Definition read_by (a : linear R) := [seq q.1.1 | q <- a].
Definition positions t :=
  flatten (map read_by (tA t)) ++ flatten [seq flatten [seq read_by (ha h) | h <- g] | g <- tg t].
Definition serves T t := has (fun h => reads_through T h (positions t)) (iota 0 n.-1).

(* The input that the home of a task holds. *)
Definition home_of_task T t := find (fun h => reads_through T h (positions t)) (iota 0 n.-1).

Lemma home_serves T t : serves T t ->
  (home_of_task T t < n.-1)%N /\ reads_through T (home_of_task T t) (positions t).
Proof.
move=> S; have lt := S; rewrite /serves has_find size_iota in lt; split=> //.
by have := nth_find 0%N S; rewrite nth_iota // add0n.
Qed.

(* Whatever tasks read, all inputs but one in slots serve them. *)
Lemma all_but_one_serve t : (1 < n)%N -> normal t -> serves (iota 1 n.-2) t.
Proof.
move=> n1 /and3P[nA ng _]; apply/hasP; exists 0%N; first by rewrite mem_iota; lia.
have r0 q : (q < n.-1)%N -> (q == 0%N) || (q \in iota 1 n.-2).
  by rewrite mem_iota; case: q => [|q] //=; lia.
have rd a : inside a -> reads_through (iota 1 n.-2) 0%N (read_by a).
  by rewrite /reads_through all_map => /allP H; apply/allP => q /H/andP[+ _]; apply: r0.
rewrite /reads_through all_cat; apply/andP; split.
  by elim: (tA t) nA => //= a s IH /andP[/rd Ha /IH]; rewrite all_cat => ->; rewrite andbT.
elim: (tg t) ng => //= g s IH /andP[gi /IH]; rewrite all_cat => ->; rewrite andbT.
by elim: g gi => //= h g IHg /andP[/rd Hh /IHg]; rewrite all_cat => ->; rewrite andbT.
Qed.

(* --- Hinges as tokens read them --- *)

Definition through T h q := if q == h then 0%N else (index q T).+1.
Definition translated_hinge T h (x : hinge R) : hinge R :=
  Hinge (hc x) [seq (through T h q.1.1, q.1.2, q.2) | q <- ha x] (he x).
Definition translated T h g := map (translated_hinge T h) g.

Lemma eqb_refl (x : R) : eqb o x x.
Proof. by rewrite /eqb /= lexx. Qed.

Lemma same_translated (p : plan R) h g : same_feature o p h g (translated (slots p) h g).
Proof.
rewrite /same_feature size_map eqxx /=; elim: g => //= x g ->; rewrite andbT.
rewrite /same_hinge /= !eqb_refl size_map eqxx /=.
by elim: (ha x) => //= q a ->; rewrite /stands_for /operand eqxx eqb_refl !eqxx.
Qed.

Lemma readable_all (p : plan R) h (s : seq (linear R)) : pd p = d -> pn p = n ->
  all inside s -> reads_through (slots p) h (flatten (map read_by s)) -> all (readable p h) s.
Proof.
move=> pd_ pn_; elim: s => //= a s IH /andP[ia /IH is_].
rewrite /reads_through all_cat all_map => /andP[/allP ra /is_->]; rewrite andbT.
apply/allP => q qa; have /andP[q1 q2] := allP ia q qa.
by rewrite pd_ pn_ q1 q2 !andbT; apply: ra.
Qed.

Lemma read_by_flatten (gs : seq (seq (hinge R))) :
  flatten [seq flatten [seq read_by (ha h) | h <- g] | g <- gs] =
  flatten (map read_by (map (@ha R) (flatten gs))).
Proof.
elim: gs => //= g gs ->; rewrite !map_cat flatten_cat; congr (flatten _ ++ _).
by rewrite -map_comp.
Qed.

Lemma all_all (A : Type) (P : pred A) (ss : seq (seq A)) : all (all P) ss = all P (flatten ss).
Proof. by elim: ss => //= s ss ->; rewrite all_cat. Qed.

Lemma readable_features (p : plan R) h t : pd p = d -> pn p = n -> normal t ->
  reads_through (slots p) h (positions t) ->
  all (readable p h) (tA t) /\ all (all (readable p h \o @ha R)) (tg t).
Proof.
move=> pd_ pn_ /and3P[nA ng _]; rewrite /reads_through all_cat => /andP[rA rg].
split; first exact: readable_all rA.
move: ng rg; rewrite (all_all (inside \o @ha R)) (all_all (readable p h \o @ha R)).
rewrite read_by_flatten -!(all_map (@ha R)) => ng rg.
exact: readable_all rg.
Qed.

Lemma translated_wired (p : plan R) h (x : hinge R) : readable p h (ha x) ->
  wired_hinge p (translated_hinge (slots p) h x).
Proof.
rewrite /readable /wired_hinge /= all_map; apply: sub_all => q /and3P[q1 q2 q3] /=.
rewrite q3 andbT /through; case: eqP q1 => //= _ qs.
by rewrite index_mem.
Qed.
End Tasks.

(* --- Plans --- *)

Section Plans.
Variables (R : realFieldType) (d m n : nat) (ts : seq (task R)) (T : seq nat) (Rx Ry delta : R).
Notation o := (real_ops R).
Notation K := (size ts).
Notation no_task := (Task [::] [::] [::] [::]).
Notation t_ k := (nth no_task ts k).
Notation at_home k := (home_of_task n T (t_ k)).

Hypothesis n1 : (1 < n)%N.
Hypothesis K0 : (0 < K)%N.
Hypothesis T_inputs : all (fun q => q < n.-1)%N T.
Hypothesis ts_normal : all (normal d n) ts.
Hypothesis T_serves : all (serves n T) ts.

(* The most features that a task has. *)
Definition most := \max_(t <- ts) size (tg t).

Lemma most_ge k v : (v < size (tg (t_ k)))%N -> (v < most)%N.
Proof.
case: (ltnP k K) => kK; last by rewrite nth_default.
by move=> /leq_trans; apply; rewrite /most (big_nth no_task) big_mkord (leq_bigmax (Ordinal kK)).
Qed.

Lemma task_normal k : (k < K)%N -> normal d n (t_ k).
Proof. by move=> kK; have /(all_nthP no_task)/(_ _ kK) := ts_normal. Qed.

Lemma task_served k : (k < K)%N ->
  (at_home k < n.-1)%N /\ reads_through T (at_home k) (positions (t_ k)).
Proof. by move=> kK; apply: home_serves; have /(all_nthP no_task)/(_ _ kK) := T_serves. Qed.

(* What a plan needs of the tasks, if its tokens hold these inputs at the homes. *)
Lemma feature_wired (p : plan R) k v : pd p = d -> pn p = n -> slots p = T -> (k < K)%N ->
  all (wired_hinge p) (translated T (at_home k) (nth [::] (tg (t_ k)) v)).
Proof.
move=> pd_ pn_ sl kK; have [_ served] := task_served kK.
have [|_ rg] := readable_features pd_ pn_ (task_normal kK) (h := at_home k); first by rewrite sl.
case: (ltnP v (size (tg (t_ k)))) => vg; last by rewrite (nth_default [::] vg).
rewrite all_map; move/all_nthP/(_ _ vg): rg => /(_ [::]); apply: sub_all => x /= rx.
by have := translated_wired rx; rewrite sl.
Qed.

Lemma task_wired (p : plan R) k : pd p = d -> pn p = n -> slots p = T -> tasks p = ts ->
  (k < K)%N -> (home p k < (len p).-1)%N -> home_input p k = at_home k ->
  (forall v, (v < size (tg (t_ k)))%N ->
    let i := nth 0%N (nth [::] (reads p) k) v in (i < size (dict p))%N /\
    dict_at p (home p k) i = translated T (at_home k) (nth [::] (tg (t_ k)) v)) ->
  wired o p k.
Proof.
move=> pd_ pn_ sl tk kK hl hi dk; have [_ served] := task_served kK.
have nk := task_normal kK; have [|rA rg] := readable_features pd_ pn_ nk (h := at_home k).
  by rewrite sl.
rewrite /wired /task_of tk hl hi rA rg /=; have /and3P[_ _ nC] := nk.
apply: sub_all nC => r; apply: sub_all => q /dk[-> ->].
by rewrite -sl same_translated.
Qed.

(* --- Homes at inputs --- *)

Definition plain_units i : seq (option nat * hinge R) := [seq (None, x) | x <-
  translated T (at_home (i %/ most)%N) (nth [::] (tg (t_ (i %/ most)%N)) (i %% most))].

Definition plain : plan R := Plan d m n ts T [seq at_home k | k <- iota 0 K] [::]
  [seq plain_units i | i <- iota 0 (K * most)]
  [seq [seq (k * most + v)%N | v <- iota 0 most] | k <- iota 0 K]
  (m.+1 * n) 0 0 1 0 Rx Ry delta.

Lemma plain_wired : (size T <= K)%N -> well_wired plain.
Proof.
move=> SK; rewrite /well_wired /gathering /len /= addn0 n1 leqnn K0 addn0 SK T_inputs /=.
apply/andP; split.
  rewrite all_map; apply/allP => i; rewrite mem_iota => /= iK; rewrite all_map.
  have kK : (i %/ most < K)%N.
    have m0 : (0 < most)%N by move: iK; case: most => //; rewrite muln0.
    by rewrite ltn_divLR.
  apply: sub_all (feature_wired (p := plain) (i %% most)%N erefl erefl erefl kK) => x wx.
  by rewrite /= /wired_unit /= wx.
apply/allP => k; rewrite mem_iota => /= kK; have [hk _] := task_served kK.
have hE : home plain k = at_home k by rewrite /home (nth_map 0%N) ?size_iota // nth_iota.
have nl : (at_home k < (len plain).-1)%N by rewrite /len /= addn0.
apply: task_wired => //; first by rewrite hE.
  by rewrite /home_input hE /source /is_scratch leqNgt hk.
move=> v vg i; have vm := most_ge vg.
have iE : i = (k * most + v)%N.
  by rewrite /i /= (nth_map 0%N) ?size_iota // nth_iota // (nth_map 0%N) ?size_iota // nth_iota.
have iK : (i < K * most)%N.
  rewrite iE; apply: leq_trans (_ : (k.+1 * most <= _)%N); last by rewrite leq_mul2r kK orbT.
  by rewrite mulSn addnC ltn_add2r.
split; first by rewrite size_map size_iota.
rewrite /dict_at /= (nth_map 0%N) ?size_iota // nth_iota // add0n /plain_units.
have -> : (i %/ most = k)%N by rewrite iE divnMDl ?(leq_ltn_trans _ vm) // divn_small ?addn0.
have -> : (i %% most = v)%N by rewrite iE modnMDl modn_small.
by elim: (translated _ _ _) => //= x g ->.
Qed.

(* --- Homes at scratch tokens --- *)

Definition narrow_units v : seq (option nat * hinge R) := flatten
  [seq [seq (Some (n.-1 + k)%N, x) | x <- translated T (at_home k) (nth [::] (tg (t_ k)) v)]
    | k <- iota 0 K].

Definition narrow : plan R := Plan d m n ts T [seq (n.-1 + k)%N | k <- iota 0 K]
  [seq at_home k | k <- iota 0 K] [seq narrow_units v | v <- iota 0 most]
  [seq iota 0 most | _ <- iota 0 K] (m.+1 * (n + K)) 0 0 1 0 Rx Ry delta.

Lemma acts_once (G : nat -> seq (hinge R)) (k : nat) (s : seq nat) : uniq s -> k \in s ->
  [seq u.2 | u <- flatten [seq [seq (Some (n.-1 + j)%N, x) | x <- G j] | j <- s]
    & acts (n.-1 + k)%N u.1] = G k.
Proof.
have on j g : [seq u.2 | u <- [seq (Some (n.-1 + j)%N, x) | x <- g] & acts (n.-1 + k)%N u.1] =
    if j == k then g else [::] :> seq (hinge R).
  elim: g => [|x g IH] /=; first by case: eqP.
  by rewrite eqn_add2l; case: eqP IH => _ /= ->.
have none s' : k \notin s' -> [seq u.2 | u <- flatten [seq [seq (Some (n.-1 + j)%N, x)
    | x <- G j] | j <- s'] & acts (n.-1 + k)%N u.1] = [::].
  elim: s' => //= j s' IH; rewrite inE negb_or eq_sym filter_cat map_cat on.
  by case/andP=> /negPf-> /IH->.
elim: s => //= j s IH /andP[js us]; rewrite inE filter_cat map_cat on.
case: (j =P k) js => [-> js _|/eqP jk _]; first by rewrite none // cats0.
by rewrite eq_sym (negPf jk) /=; apply: IH.
Qed.

Lemma narrow_wired : (size T < K)%N -> well_wired narrow.
Proof.
move=> SK; have n0 := ltnW n1.
rewrite /well_wired /gathering /len /= size_map size_iota n1 leqnn K0.
have some : nilp [seq at_home k | k <- iota 0 K] = false.
  by rewrite /nilp size_map size_iota; case: K K0.
have homeE k : (k < K)%N -> home narrow k = (n.-1 + k)%N.
  by move=> kK; rewrite /home (nth_map 0%N) ?size_iota // nth_iota.
rewrite some addn1 SK T_inputs /=; apply/and3P; split.
- by apply/allP => q /mapP[k]; rewrite mem_iota => /= kK ->; have [] := task_served kK.
- rewrite all_map; apply/allP => v _ /=; rewrite /narrow_units.
  have : {subset iota 0 K <= iota 0 K} by [].
  elim: {1 3}(iota 0 K) => //= k s IH sub; rewrite all_cat IH ?andbT => [|j js]; last first.
    by apply: sub; rewrite inE js orbT.
  have kK : (k < K)%N by have := sub k; rewrite mem_head mem_iota => /(_ isT).
  rewrite all_map; apply: sub_all (feature_wired (p := narrow) v erefl erefl erefl kK) => x wx.
  rewrite /= /wired_unit /= wx /= mem_undup; apply/mapP; exists k; last by rewrite homeE.
  by rewrite mem_iota.
apply/allP => k; rewrite mem_iota => /= kK; have hE := homeE k kK.
have lenE : (len narrow).-1 = (n.-1 + K)%N by rewrite /len /= size_map size_iota; case: n n0.
apply: task_wired => //; first by rewrite hE lenE ltn_add2l.
  rewrite /home_input hE /source /is_scratch lenE leq_addr ltn_add2l kK /=.
  by rewrite addKn (nth_map 0%N) ?size_iota // nth_iota.
move=> v vg i; have vm := most_ge vg.
have iE : i = v by rewrite /i /= (nth_map 0%N) ?size_iota // nth_iota.
rewrite iE size_map size_iota; split=> //.
rewrite /dict_at /= (nth_map 0%N) ?size_iota // nth_iota // hE.
by rewrite (acts_once (fun j => translated T (at_home j) (nth [::] (tg (t_ j)) v)))
  ?iota_uniq ?mem_iota.
Qed.
End Plans.

(* --- One feature for each entry --- *)

Section Entries.
Variables (R : realFieldType) (d : nat).
Notation o := (real_ops R).

Definition times a (g : seq (hinge R)) := [seq Hinge (a * hc h) (ha h) (he h) | h <- g].
Definition entry_feature (t : task R) i :=
  flatten [seq times q.2 (nth [::] (tg t) q.1) | q <- nth [::] (tC t) i].
Definition by_entries (t : task R) := Task (tA t) [seq [:: (i, 1)] | i <- iota 0 d] (tb t)
  [seq entry_feature t i | i <- iota 0 d].

Lemma by_entries_same t X i : (i < d)%N -> f (by_entries t) X i = f t X i.
Proof.
move=> id; rewrite /f /=; congr (_ + _ + _); rewrite (nth_map 0%N) ?size_iota // nth_iota //.
rewrite big_cons big_nil addr0 mul1r /= (nth_map 0%N) ?size_iota // nth_iota // add0n.
rewrite /feature_of big_flatten big_map; apply: eq_bigr => q _.
rewrite big_map mulr_sumr; apply: eq_bigr => h _.
by rewrite /hinge_of mulrA.
Qed.

Lemma all_features (P : pred (linear R)) t : all (all (P \o @ha R)) (tg t) ->
  all (all (P \o @ha R)) (tg (by_entries t)).
Proof.
move=> H; rewrite /= all_map; apply/allP => i _ /=; rewrite /entry_feature.
elim: (nth _ _ _) => //= q s IH; rewrite all_cat IH andbT all_map.
case: (ltnP q.1 (size (tg t))) => qg; last by rewrite nth_default.
by move/all_nthP/(_ _ qg): H => /(_ [::]).
Qed.

Lemma by_entries_normal n t : normal d n t -> normal d n (by_entries t).
Proof.
case/and3P => nA ng _; apply/and3P; split=> //; first exact: all_features ng.
by rewrite /= size_map size_iota all_map; apply/allP => i; rewrite mem_iota /= andbT.
Qed.

Lemma reads_cat T h r r' :
  reads_through T h (r ++ r') = reads_through T h r && reads_through T h r'.
Proof. exact: all_cat. Qed.

Lemma through_features T h (gs : seq (seq (hinge R))) :
  reads_through T h (flatten [seq flatten [seq read_by (ha x) | x <- g] | g <- gs]) =
  all (all ((fun a => reads_through T h (read_by a)) \o @ha R)) gs.
Proof.
elim: gs => //= g gs IH; rewrite reads_cat IH; congr (_ && _).
by elim: g => //= x g IHg; rewrite reads_cat IHg.
Qed.

Lemma by_entries_serves n T t : serves n T t -> serves n T (by_entries t).
Proof.
case/hasP => h hn; rewrite reads_cat => /andP[rA rg]; apply/hasP; exists h => //.
rewrite reads_cat {1}/by_entries /= rA; move: rg; rewrite !through_features.
exact: all_features.
Qed.
End Entries.

(* --- The theorems --- *)

Section Exist.
Variables (R : realFieldType) (d m n : nat) (ts : seq (task R)) (T : seq nat) (Rx Ry delta : R).
Notation o := (real_ops R).

Hypothesis n1 : (1 < n)%N.
Hypothesis K0 : (0 < size ts)%N.
Hypothesis T_inputs : all (fun q => q < n.-1)%N T.
Hypothesis ts_normal : all (normal d n) ts.
Hypothesis T_serves : all (serves n T) ts.
Hypotheses (Rx0 : 0 <= Rx) (Ry0 : 0 <= Ry) (delta0 : delta != 0).

(* With no more slots than tasks. *)
Theorem plan_exists : (size T <= size ts)%N -> exists p : plan R,
  [/\ admissible o p, tasks p = ts, slots p = T, scratch p = [::] &
    [/\ pd p = d, pm p = m, pn p = n & [/\ plan.Rx p = Rx, plan.Ry p = Ry & plan.delta p = delta]]].
Proof.
move=> SK; have w := plain_wired m Rx Ry delta n1 K0 T_inputs ts_normal T_serves SK.
have [b [c [s [l ok]]]] := margins_exist w Rx0 Ry0 delta0.
by exists (with_margins (plain d m n ts T Rx Ry delta) b c s l).
Qed.

(* With less: each task as a map is the one that was given, and the width depends on the tasks
   by their slots and, in a logarithm, by their number alone. *)
Theorem narrow_plan_exists : (size T < size ts)%N -> exists p : plan R,
  [/\ admissible o p, K p = size ts,
    forall k X i, (k < size ts)%N -> (i < d)%N -> f_ (tasks p) k X i = f_ ts k X i,
    (D (sizes_of p) <= (6 + 2 * size T) * d + clog m.+1 + clog (n + size ts) + 6)%N &
    [/\ pd p = d, pm p = m, pn p = n & [/\ plan.Rx p = Rx, plan.Ry p = Ry & plan.delta p = delta]]].
Proof.
move=> SK; pose es := map (by_entries d) ts; have sE : size es = size ts by rewrite size_map.
have nE : all (normal d n) es.
  by rewrite all_map; apply: sub_all ts_normal => t; apply: by_entries_normal.
have vE : all (serves n T) es.
  by rewrite all_map; apply: sub_all T_serves => t; apply: by_entries_serves.
have w : well_wired (narrow d m n es T Rx Ry delta).
  by apply: narrow_wired; rewrite ?sE.
have [b [c [s [l ok]]]] := margins_exist w Rx0 Ry0 delta0.
exists (with_margins (narrow d m n es T Rx Ry delta) b c s l); split=> //.
- move=> k X i kK id; rewrite /f_ /= (nth_map (Task [::] [::] [::] [::])) //.
  exact: by_entries_same.
rewrite /D /sizes_of /len /le /lt /= !size_map !size_iota ?size_map.
have P_le : (most es <= d)%N.
  rewrite /most big_map; apply: (big_ind (fun x => x <= d)%N) => // [x y|t _].
    by rewrite geq_max => -> ->.
  by rewrite /= size_map size_iota.
have -> : (6 + 2 * size T = 2 + (4 + 2 * size T))%N by rewrite addnA.
rewrite [in X in (_ <= X)%N]mulnDl [(_ + 2 * most es)%N]addnC !leq_add2r.
by rewrite leq_mul2l P_le orbT.
Qed.
End Exist.

(* So every list of n - 2 tasks or more, whatever they read, has a plan. *)
Theorem every_list_has_a_plan (R : realFieldType) d m n (ts : seq (task R)) (Rx Ry delta : R) :
  (1 < n)%N -> (0 < size ts)%N -> (n.-2 <= size ts)%N -> all (normal d n) ts ->
  0 <= Rx -> 0 <= Ry -> delta != 0 -> exists p : plan R,
  [/\ admissible (real_ops R) p, tasks p = ts, pd p = d, pm p = m &
    [/\ pn p = n, plan.Rx p = Rx, plan.Ry p = Ry & plan.delta p = delta]].
Proof.
move=> n1 K0 SK norm rx ry d0.
have [|||p [ok tk _ _ [? ? ? [? ? ?]]]] := @plan_exists R d m n ts (iota 1 n.-2) Rx Ry delta
  n1 K0 _ norm _ rx ry d0.
- by apply/allP => q; rewrite mem_iota; lia.
- by apply: sub_all norm => t; apply: all_but_one_serve.
- by rewrite size_iota.
by exists p.
Qed.
