(* Which layers an artifact has. Without a tolerance they are those of `compile`, for tasks that
   are held exactly; with one they are those of the flat gate, for tasks held within errors.

   tolerance        == the top a of the gate, tau, and eps_k for each task; eps g k == eps_k
   gate_holds o p g == the flat gate decides right: room off target, and both thresholds
   conditions_for o p g, layers_for o p g == what is asked of a plan, and its seven layers, for
                       an optional tolerance
   map_tolerance phi g == the tolerance with its numbers mapped
   hidden_units p g == the number of hidden units in each layer; idle_at g l == layer l has
                       but an idle one *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai codes residual spec plan stream reading gather label.
From construct Require Import query superpose pool square divide theorem flat approximate.
From construct Require Import transport matrices network.
From construct Require gate.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Record tolerance T := Tolerance { top : T; tau : T; errors : seq T }.

Section Choice.
Variables (T : Type) (o : ops T) (p : plan T).

Definition square_of x := mul o x x.

Definition threshold g e :=
  [&& leq_ o (num o 0) e, leq_ o e (delta p),
      leq_ o (mul o (B p) (square_of (add o (tau g) e))) (sub o (top g) (num o 1)) &
      leq_ o (top g) (mul o (B p) (square_of (sub o (delta p) e)))].

Definition gate_holds g :=
  [&& flat_conditions o p (top g), leq_ o (num o 0) (tau g), size (errors g) == K p &
      all (threshold g) (errors g)].

Definition conditions_for (g : option (tolerance T)) :=
  admissible o p && (if g is Some g' then gate_holds g' else true).

Definition layers_for (g : option (tolerance T)) : seq (layer coord T) :=
  if g is Some g' then compile_flat o p (top g') else compile o p.

(* Each hinge of the dictionary has a unit over the example and one over the query; the table
   has one unit for each number of votes, or two; elsewhere is one, which is idle. *)
Definition hidden_units (g : option (tolerance T)) : seq nat :=
  let hinges := maxn 1 (2 * sumn (map size (dict p))) in
  if g is Some _ then [:: 1; hinges; 1; 1; 1; 2 * (pm p * K p); 1]%N
  else [:: 1; 1; hinges; 1; 1; pm p * K p; 1]%N.

Definition idle_at (g : option (tolerance T)) l :=
  [&& l < 7, l != (if g is Some _ then 1 else 2) & l != 5]%N.
End Choice.

Definition map_tolerance T1 T2 (phi : T1 -> T2) g :=
  Tolerance (phi (top g)) (phi (tau g)) (map phi (errors g)).

(* --- From one number type to another --- *)

Section Transport.
Variables (T1 T2 : Type) (o1 : ops T1) (o2 : ops T2) (phi : T1 -> T2).
Hypothesis mo : morph o1 o2 phi.
Variable p : plan T1.
Notation q := (map_plan phi p).
Notation map_pairs := (@bai.map_pairs coord coord T1 T2 id phi).
Notation map_head := (@bai.map_head coord coord T1 T2 id phi).
Notation map_layer := (@bai.map_layer coord coord T1 T2 id phi).

Lemma map_if (A B : Type) (f : A -> B) (b : bool) s :
  map f (if b then s else [::]) = if b then map f s else [::].
Proof. by case: b. Qed.

Lemma gather_flat_map : gather_flat o2 q = map_layer (gather_flat o1 p).
Proof.
rewrite /gather_flat padded_map K_map map_cat -(gather_heads_map mo) map_if /=.
by rewrite (label_head_map mo).
Qed.

Lemma fetch_map : fetch o2 q = map_layer (fetch o1 p).
Proof.
rewrite /fetch padded_map K_map map_cat (query_head_map mo) (dictionary_units_map mo).
by congr (padded _ (_ ++ _) _); case: ifP => //= _; rewrite (label_head_map mo).
Qed.

Lemma superpose_flat_map a : superpose_flat o2 q (phi a) = map_layer (superpose_flat o1 p a).
Proof.
rewrite /superpose_flat padded_map K_map; congr padded; rewrite -map_comp; apply: eq_map => k /=.
by rewrite -(match_head_map mo) (m_num mo).
Qed.

Lemma level_map a : level o2 q (phi a) = map_layer (level o1 p a).
Proof.
rewrite /level padded_map K_map; congr padded; rewrite -map_comp; apply: eq_map => k /=.
by rewrite -(match_head_map mo) (m_sub mo) (m_opp mo) !(m_num mo).
Qed.

Lemma eighths_map n : eighths o2 n = phi (eighths o1 n).
Proof. by rewrite /eighths (m_mul mo) (m_inv mo) !(m_num mo). Qed.

Lemma square_flat_map : square_flat o2 q = map_layer (square_flat o1 p).
Proof.
rewrite /square_flat padded_map K_map; congr padded; first by rewrite /= (square_head_map mo).
rewrite map_pairs_cat /bai.map_pairs -!map_comp /M K_map !eighths_map.
by congr (_ ++ _); apply: eq_map => v; rewrite /= /flat_unit /bai.map_form /=
  !(m_opp mo, m_sub mo, m_mul mo, m_inv mo, m_num mo).
Qed.

Lemma compile_flat_map a : compile_flat o2 q (phi a) = map map_layer (compile_flat o1 p a).
Proof.
rewrite /compile_flat gather_flat_map fetch_map superpose_flat_map level_map square_flat_map.
by rewrite (pool_map mo) (divide_map mo).
Qed.

Theorem layers_map g :
  layers_for o2 q (omap (map_tolerance phi) g) = map map_layer (layers_for o1 p g).
Proof. by case: g => [g|]; [exact: compile_flat_map | exact: compile_map]. Qed.

Lemma flat_conditions_map a : flat_conditions o2 q (phi a) = flat_conditions o1 p a.
Proof.
rewrite /flat_conditions K_map (m_leq mo) (m_num mo); congr [&& _, _ & _].
apply: eq_all => k; rewrite homes_of_map; apply: eq_all => r.
by rewrite (m_leq mo) (E2_map mo) (m_add mo) !(m_mul mo) (m_num mo).
Qed.

Theorem conditions_map g :
  conditions_for o2 q (omap (map_tolerance phi) g) = conditions_for o1 p g.
Proof.
rewrite /conditions_for (admissible_map mo); congr (_ && _); case: g => //= g.
rewrite /gate_holds /= flat_conditions_map K_map size_map all_map (m_leq mo) (m_num mo).
congr [&& _, _, _ & _]; apply: eq_all => e; rewrite /threshold /square_of /=.
by rewrite !(m_leq mo) !(m_mul mo) !(m_sub mo) !(m_add mo) !(m_num mo).
Qed.

Lemma hidden_units_map g :
  hidden_units q (omap (map_tolerance phi) g) = hidden_units p g.
Proof.
rewrite /hidden_units /= K_map -map_comp.
have -> : map (size \o map (map_unit phi)) (dict p) = map size (dict p).
  by apply: eq_map => v /=; rewrite size_map.
by case: g.
Qed.

Lemma idle_map g l : idle_at (omap (map_tolerance phi) g) l = idle_at g l.
Proof. by case: g. Qed.
End Transport.

(* --- The layers, in any number type: seven, with K heads in each --- *)

Section Shape.
Variables (T : Type) (o : ops T) (p : plan T).

Lemma size_layers g : size (layers_for o p g) = 7%N.
Proof. by case: g. Qed.

Lemma flat_heads a : (0 < K p)%N -> (gathering p + (K p == 1%N) <= K p)%N ->
  all (fun L => size (heads L) == K p) (compile_flat o p a).
Proof.
move=> K0 SK; have G : size (gather_heads o p) = gathering p.
  by rewrite size_cat size_map size_iota /gathering; case: nilp.
have pad hs us : (size hs <= K p)%N -> (size (heads (@padded coord T (K p) hs us)) == K p) = true.
  by move=> le; rewrite size_cat size_nseq subnKC ?eqxx.
have two : (size ((if K p == 1%N then [::] else [:: label_head o p]) ++ [:: query_head o p]) <=
    K p)%N.
  by case: eqP => //= nK; rewrite ltn_neqAle eq_sym K0 andbT; apply/eqP.
rewrite /compile_flat /all /gather_flat /fetch /superpose_flat /level /pool /square_flat /divide.
by rewrite !pad // ?size_map ?size_iota // size_cat G; case: eqP SK.
Qed.

Lemma heads_for g : conditions_for o p g ->
  all (fun L => size (heads L) == K p) (layers_for o p g).
Proof.
case/andP=> ok; have [K0 SK] : (0 < K p)%N /\ (gathering p <= K p)%N.
  by case/and5P: ok => _ _ ? ?.
case: g => [g|_]; last exact: K_heads.
by case/and4P=> /and3P[_ ? _] _ _ _; apply: flat_heads.
Qed.
End Shape.

(* --- Over a real field --- *)

Section Field.
Variables (R : realFieldType) (p : plan R).
Notation o := (real_ops R).

Definition eps (g : tolerance R) k := nth 0 (errors g) k.

(* The conditions are those of the theorem on the gate. *)
Lemma gate_is_exact g : admissible o p -> gate_holds o p g ->
  [/\ flat_conditions o p (top g), 0 <= tau g,
      forall k, (k < K p)%N -> 0 <= eps g k &
      forall k, (k < K p)%N -> gate.exact_for (top g) (B p) (tau g) (eps g k) (delta p)].
Proof.
move=> ok /and4P[fc t0 /eqP sz /(all_nthP 0) th].
have each k : (k < K p)%N -> threshold o p g (eps g k) by move=> kK; apply: th; rewrite sz.
split=> // k /each/and4P[e0 ed low high]; first exact: e0.
apply/and4P; split; [exact: B_ge0 ok | exact: ed | |]; rewrite expr2.
  exact: low.
exact: high.
Qed.

(* A label that is on a task is told from one that is not. *)
Lemma gate_leaves_room g : admissible o p -> gate_holds o p g ->
  forall k, (k < K p)%N -> tau g + 2%:R * eps g k < delta p.
Proof.
move=> ok /(gate_is_exact ok)[_ t0 e0 ex] k kK.
by apply/(gate.gate_exists _ t0 (e0 k kK)); exists (top g), (B p); apply: ex.
Qed.

Lemma valid_for g : conditions_for o p g -> all (valid_layer p) (layers_for o p g).
Proof.
by case/andP=> ok; case: g => [g|] _; [exact: flat_valid | exact: compile_valid].
Qed.
End Field.
