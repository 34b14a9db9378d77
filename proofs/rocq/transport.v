(* A map of numbers that keeps the operations maps the weights of a plan to the weights
   of the mapped plan, and keeps its conditions. So what is computed over Q is what the
   theorem says over a real field.

   map_task, map_plan phi p == the plan with its numbers mapped *)
From mathcomp Require Import all_ssreflect all_algebra.
From construct Require Import numbers bai codes residual spec plan stream.
From construct Require Import gather label query superpose pool square divide theorem.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Section MapPlan.
Variables (T1 T2 : Type) (phi : T1 -> T2).
Definition map_linear (a : linear T1) : linear T2 := [seq (q.1, phi q.2) | q <- a].
Definition map_hinge h := Hinge (phi (hc h)) (map_linear (ha h)) (phi (he h)).
Definition map_task t :=
  Task [seq map_linear a | a <- tA t] [seq [seq (q.1, phi q.2) | q <- r] | r <- tC t]
       (map phi (tb t)) [seq map map_hinge g | g <- tg t].
Definition map_unit (u : option nat * hinge T1) := (u.1, map_hinge u.2).
Definition map_plan p :=
  Plan (pd p) (pm p) (pn p) (map map_task (tasks p)) (slots p) (homes p) (scratch p)
       [seq map map_unit g | g <- dict p] (reads p) (N p)
       (phi (B p)) (phi (C p)) (phi (s p)) (phi (L p)) (phi (Rx p)) (phi (Ry p)) (phi (delta p)).
End MapPlan.

Section Transport.
Variables (T1 T2 : Type) (o1 : ops T1) (o2 : ops T2) (phi : T1 -> T2).
Hypothesis mo : morph o1 o2 phi.
Variable p : plan T1.
Notation q := (map_plan phi p).
Notation map_form := (@bai.map_form coord coord T1 T2 id phi).
Notation map_pairs := (@bai.map_pairs coord coord T1 T2 id phi).
Notation map_head := (@bai.map_head coord coord T1 T2 id phi).
Notation map_layer := (@bai.map_layer coord coord T1 T2 id phi).

Lemma K_map : K q = K p. Proof. by rewrite /K size_map. Qed.
Lemma sizes_map : sizes_of q = sizes_of p.
Proof. by rewrite /sizes_of /len /= size_map. Qed.

Lemma task_map k : task_of q k = map_task phi (task_of p k).
Proof.
rewrite /task_of /=; case: (ltnP k (size (tasks p))) => kK; last first.
  by rewrite !nth_default ?size_map.
by rewrite (nth_map (Task [::] [::] [::] [::])).
Qed.

(* --- Weights --- *)

Lemma map_form_cat (f g : form coord T1) : map_form (f ++ g) = map_form f ++ map_form g.
Proof. exact: map_cat. Qed.
Lemma map_pairs_cat (f g : seq (form coord T1 * form coord T1)) : map_pairs (f ++ g) =
  map_pairs f ++ map_pairs g.
Proof. exact: map_cat. Qed.

Lemma padded_map K (hs : seq (head coord T1)) us :
  map_layer (padded K hs us) = padded K (map map_head hs) (map_pairs us).
Proof. by rewrite /map_layer /padded /= map_cat map_nseq size_map. Qed.

Lemma constant_map x : map_form (constant x) = constant (phi x). Proof. by []. Qed.

Lemma along_map c l x : map_form (along o1 c l x) = along o2 c l x.
Proof.
by rewrite /along /bai.map_form -map_comp; apply: eq_map => b /=; rewrite (code_morph mo).
Qed.

Lemma copy_map from to x l : map_pairs (copy o1 from to x l) = copy o2 from to (phi x) l.
Proof. by rewrite /copy /bai.map_pairs -map_comp; apply: eq_map => u;
  rewrite /= /bai.map_form /= (m_num mo). Qed.

Lemma same_map c l : map_pairs (same o1 c l) = same o2 c l.
Proof. by rewrite /same /bai.map_pairs -map_comp; apply: eq_map => u;
  rewrite /= /bai.map_form /= (m_num mo). Qed.

Lemma own_example_map z r : map_pairs (own_example o1 z r) = own_example o2 z r.
Proof.
rewrite /own_example map_pairs_cat same_map /bai.map_pairs /=.
by rewrite map_form_cat along_map !constant_map (m_sub mo) !(m_num mo).
Qed.

Lemma scaled_map a (f : form coord T1) : map_form (scaled o1 a f) = scaled o2 (phi a) (map_form f).
Proof. by rewrite /scaled /bai.map_form -!map_comp; apply: eq_map => x /=; rewrite (m_mul mo). Qed.

Lemma to_end_map : to_end o2 q = map_form (to_end o1 p).
Proof.
rewrite /to_end map_form_cat constant_map sizes_map (m_sub mo) (m_mul mo) (m_inv mo) !(m_num mo).
congr (_ ++ _); rewrite /bai.map_form -map_comp; apply: eq_map => b /=.
by rewrite (m_opp mo) (m_mul mo) (m_inv mo) !(m_num mo).
Qed.

Lemma copy_head_map : copy_head o2 q = map_head (copy_head o1 p).
Proof.
rewrite /bai.map_head /copy_head /= copy_map (m_num mo); congr Head.
rewrite /copy_rows sizes_map map_pairs_cat same_map /bai.map_pairs /= to_end_map.
by rewrite /bai.map_form /= (m_opp mo) !(m_num mo).
Qed.

Lemma gather_heads_map : gather_heads o2 q = map map_head (gather_heads o1 p).
Proof.
rewrite /gather_heads map_cat -map_comp; congr (_ ++ _).
  apply: eq_map => r /=.
  by rewrite /bai.map_head /gather_head /= own_example_map copy_map (m_num mo) sizes_map.
by case: nilp; rewrite //= copy_head_map.
Qed.

Lemma gather_map : gather o2 q = map_layer (gather o1 p).
Proof. by rewrite /gather padded_map K_map gather_heads_map. Qed.

Lemma label_head_map : label_head o2 q = map_head (label_head o1 p).
Proof.
by rewrite /label_head /bai.map_head /= own_example_map copy_map (m_num mo) sizes_map.
Qed.

Lemma label_map : label o2 q = map_layer (label o1 p).
Proof. by rewrite /label padded_map K_map label_head_map. Qed.

Lemma hinges_map : hinges q = [seq (vu.1, map_unit phi vu.2) | vu <- hinges p].
Proof.
rewrite /hinges map_flatten -map_comp /= size_map; congr flatten; apply: eq_map => v /=.
rewrite -map_comp; case: (ltnP v (size (dict p))) => vP; last by rewrite !nth_default ?size_map.
by rewrite (nth_map [::]) // -map_comp.
Qed.

Lemma unit_gate_map a : unit_gate o2 q a = map_form (unit_gate o1 p a).
Proof.
case: a => [r|] //; rewrite /unit_gate map_form_cat scaled_map along_map constant_map sizes_map.
by rewrite /half_L (m_opp mo) !(m_mul mo) (m_inv mo) !(m_num mo).
Qed.

Lemma hinge_unit_map fld into vu :
  hinge_unit o2 q fld into (vu.1, map_unit phi vu.2) =
  (map_form (hinge_unit o1 p fld into vu).1, map_form (hinge_unit o1 p fld into vu).2).
Proof.
by rewrite /hinge_unit !map_form_cat constant_map -unit_gate_map /bai.map_form -!map_comp.
Qed.

Lemma hinges_at_map a : hinges_at q a = [seq (vu.1, map_unit phi vu.2) | vu <- hinges_at p a].
Proof. by rewrite /hinges_at hinges_map filter_map. Qed.

Lemma query_head_map : query_head o2 q = map_head (query_head o1 p).
Proof.
rewrite /query_head /bai.map_head /= map_pairs_cat copy_map (m_num mo); congr (Head _ (_ ++ _)).
  rewrite /query_rows sizes_map map_pairs_cat same_map /bai.map_pairs /= map_form_cat.
  by rewrite along_map !constant_map (m_sub mo) !(m_num mo).
rewrite /bai.map_pairs map_flatten -map_comp; congr flatten; apply: eq_map => r /=.
by rewrite -(m_num mo) -copy_map.
Qed.

Lemma dictionary_units_map : dictionary_units o2 q = map_pairs (dictionary_units o1 p).
Proof.
rewrite /dictionary_units hinges_map /nilp size_map; case: ifP => // _.
rewrite /bai.map_pairs map_flatten -map_comp; congr flatten; apply: eq_map => a.
rewrite /comp hinges_at_map map_cat -!map_comp; congr (_ ++ _);
  by apply: eq_map => x; rewrite /= -hinge_unit_map.
Qed.

Lemma query_map : query_layer o2 q = map_layer (query_layer o1 p).
Proof. by rewrite /query_layer padded_map K_map query_head_map dictionary_units_map. Qed.

Lemma f_form_map k fld feat i : f_form o2 q k fld feat i = map_form (f_form o1 p k fld feat i).
Proof.
rewrite /f_form task_map /= !map_form_cat; congr (_ ++ _ ++ _).
- rewrite /bai.map_form -map_comp; case: (ltnP i (size (tA (task_of p k)))) => iA; last first.
    by rewrite !nth_default ?size_map.
  by rewrite (nth_map [::]) // /map_linear -map_comp.
- rewrite /bai.map_form -map_comp; case: (ltnP i (size (tC (task_of p k)))) => iA; last first.
    by rewrite [in RHS](nth_default _ iA) [nth _ (map _ _) _]nth_default ?size_map.
  by rewrite (nth_map [::]) // -map_comp.
- rewrite /bai.map_form /=; case: (ltnP i (size (tb (task_of p k)))) => iA; last first.
    by rewrite !nth_default ?size_map // (m_num mo).
  by rewrite (nth_map (num o1 0)).
Qed.

Lemma e_form_map k i : e_form o2 q k i = map_form (e_form o1 p k i).
Proof. by rewrite /e_form map_form_cat f_form_map /bai.map_form /= (m_opp mo) (m_num mo). Qed.

Lemma gate_map top k : gate o2 q (phi top) k = map_form (gate o1 p top k).
Proof.
rewrite /gate !map_form_cat scaled_map along_map constant_map sizes_map.
by rewrite (m_sub mo) !(m_mul mo, m_num mo) /bai.map_form /= (m_mul mo) (m_num mo).
Qed.

Lemma match_head_map top scale k :
  match_head o2 q (phi top) (phi scale) k = map_head (match_head o1 p top scale k).
Proof.
rewrite /bai.map_head /match_head /=; congr Head.
  rewrite /superpose_rows sizes_map !map_pairs_cat; congr (_ ++ _ ++ _ ++ _).
  - rewrite /bai.map_pairs -map_comp; apply: eq_map => i /=.
    by rewrite scaled_map !e_form_map (m_opp mo).
  - by rewrite /bai.map_pairs -map_comp; apply: eq_map => b; rewrite /= /bai.map_form /= (m_num mo).
  - by rewrite /bai.map_pairs -map_comp; apply: eq_map => b; rewrite /= /bai.map_form /= (m_num mo).
  - by rewrite /bai.map_pairs /= -gate_map /bai.map_form /= (m_num mo).
rewrite map_pairs_cat; congr (_ ++ _); last by rewrite /bai.map_pairs /= /bai.map_form /=
  !(m_num mo).
rewrite /bai.map_pairs -map_comp; apply: eq_map => i /=.
by rewrite scaled_map f_form_map /bai.map_form /= (m_num mo).
Qed.

Lemma superpose_map : superpose o2 q = map_layer (superpose o1 p).
Proof.
rewrite /superpose padded_map K_map; congr padded; rewrite -map_comp; apply: eq_map => k /=.
by rewrite -match_head_map !(m_num mo).
Qed.

Lemma pool_map : pool o2 q = map_layer (pool o1 p).
Proof.
rewrite /pool padded_map K_map; congr (padded _ [:: _]); rewrite /bai.map_head /pool_head /=;
  congr Head.
  rewrite /pool_rows sizes_map /bai.map_pairs /= !map_form_cat !along_map !constant_map.
  by rewrite (m_sub mo) !(m_num mo).
by rewrite map_pairs_cat copy_map (m_num mo) /bai.map_pairs /= /bai.map_form /= !(m_num mo).
Qed.

Lemma square_head_map : square_head o2 q = map_head (square_head o1 p).
Proof. by rewrite /bai.map_head /square_head /bai.map_pairs /= /bai.map_form /= !(m_num mo). Qed.

Lemma square_map : square o2 q = map_layer (square o1 p).
Proof.
rewrite /square padded_map K_map; congr padded; first by rewrite /= square_head_map.
rewrite /bai.map_pairs -map_comp /M K_map; apply: eq_map => v;
  rewrite /= /table_unit /bai.map_form /=.
by rewrite (m_opp mo) (m_sub mo) !(m_mul mo) (m_inv mo) !(m_num mo).
Qed.

Lemma divide_map : divide o2 q = map_layer (divide o1 p).
Proof.
rewrite /divide padded_map K_map; congr (padded _ [:: _]); rewrite /bai.map_head /divide_head /=.
by rewrite copy_map (m_mul mo) (m_inv mo) (m_num mo) /bai.map_pairs /= /bai.map_form /= !(m_num mo).
Qed.

Theorem compile_map : compile o2 q = map map_layer (compile o1 p).
Proof.
by rewrite /compile gather_map label_map query_map superpose_map pool_map square_map divide_map.
Qed.

(* --- Conditions --- *)

Lemma eqb_map x y : eqb o2 (phi x) (phi y) = eqb o1 x y.
Proof. by rewrite /eqb -!(m_leq mo). Qed.

Lemma all_size0 (T : Type) (P : pred T) s : size s = 0 -> all P s.
Proof. by case: s. Qed.

Lemma readable_map h a : readable q h (map_linear phi a) = readable p h a.
Proof. by rewrite /readable all_map. Qed.

Lemma same_hinge_map hm h h' :
  same_hinge o2 q hm (map_hinge phi h) (map_hinge phi h') = same_hinge o1 p hm h h'.
Proof.
rewrite /same_hinge /= !eqb_map !size_map; congr [&& _, _, _ & _].
by rewrite /map_linear; elim: (ha h) (ha h') => [|x a IH] [|y a'] //=; rewrite IH eqb_map.
Qed.

Lemma same_feature_map hm g g' :
  same_feature o2 q hm (map (map_hinge phi) g) (map (map_hinge phi) g') = same_feature o1 p hm g g'.
Proof.
rewrite /same_feature !size_map; congr (_ && _).
by elim: g g' => [|x a IH] [|y a'] //=; rewrite IH same_hinge_map.
Qed.

Lemma nth_map_features (s : seq (seq (hinge T1))) i :
  nth [::] [seq map (map_hinge phi) g | g <- s] i = map (map_hinge phi) (nth [::] s i).
Proof.
case: (ltnP i (size s)) => iA; last by rewrite !nth_default ?size_map.
by rewrite (nth_map [::]).
Qed.

Lemma dict_at_map r v : dict_at q r v = map (map_hinge phi) (dict_at p r v).
Proof.
rewrite /dict_at; have -> : nth [::] (dict q) v = map (map_unit phi) (nth [::] (dict p) v).
  case: (ltnP v (size (dict p))) => vP; last by rewrite !nth_default ?size_map.
  by rewrite (nth_map [::]).
by rewrite filter_map -!map_comp.
Qed.

Lemma homes_of_map : homes_of q = homes_of p.
Proof. by rewrite /homes_of K_map. Qed.

Lemma wired_map k : wired o2 q k = wired o1 p k.
Proof.
rewrite /wired task_map /= !all_map size_map; congr [&& _, _, _ & _].
- by apply: eq_all => a; apply: readable_map.
- by apply: eq_all => g /=; rewrite all_map; apply: eq_all => h /=; apply: readable_map.
- apply: eq_all => r /=; rewrite all_map; apply: eq_all => x /=.
  by rewrite dict_at_map nth_map_features same_feature_map.
Qed.

Lemma R_tok_map : R_tok o2 q = phi (R_tok o1 p).
Proof. by rewrite /R_tok /= -(m_leq mo); case: ifP. Qed.

Lemma op_bound_map r : op_bound o2 q r = phi (op_bound o1 p r).
Proof. by case: r => [|r] /=; rewrite ?R_tok_map. Qed.

Lemma linear_bound_map to a : linear_bound o2 q to (map_linear phi a) =
  phi (linear_bound o1 p to a).
Proof.
rewrite /linear_bound (m_sum mo) -!map_comp; congr sum; apply: eq_map => x /=.
by rewrite (m_mul mo) (m_abs mo) op_bound_map.
Qed.

Lemma hinge_bound_map h : hinge_bound o2 q (map_hinge phi h) = phi (hinge_bound o1 p h).
Proof. by rewrite /hinge_bound (m_add mo) (m_abs mo) -linear_bound_map. Qed.

Lemma feature_bound_map g : feature_bound o2 q (map (map_hinge phi) g) = phi (feature_bound o1 p g).
Proof.
rewrite /feature_bound (m_sum mo) -!map_comp; congr sum; apply: eq_map => h /=.
by rewrite (m_mul mo) (m_abs mo) -hinge_bound_map.
Qed.

Lemma e_bound_map k r i : e_bound o2 q k r i = phi (e_bound o1 p k r i).
Proof.
rewrite /e_bound !(m_add mo) task_map /=; congr (add o2 (add o2 _ _) (add o2 _ _)).
- rewrite -linear_bound_map; congr linear_bound.
  case: (ltnP i (size (tA (task_of p k)))) => iA; last by rewrite !nth_default ?size_map.
  by rewrite (nth_map [::]).
- rewrite (m_sum mo); congr sum; rewrite -map_comp.
  have -> : nth [::] [seq [seq (x.1, phi x.2) | x <- r] | r <- tC (task_of p k)] i =
      [seq (x.1, phi x.2) | x <- nth [::] (tC (task_of p k)) i].
    case: (ltnP i (size (tC (task_of p k)))) => iA; last by rewrite !nth_default ?size_map.
    by rewrite (nth_map [::]).
  rewrite -map_comp; apply: eq_map => x /=.
  by rewrite (m_mul mo) (m_abs mo) dict_at_map feature_bound_map.
- rewrite (m_abs mo); congr abs; case: (ltnP i (size (tb (task_of p k)))) => iA; last first.
    by rewrite !nth_default ?size_map // (m_num mo).
  by rewrite (nth_map (num o1 0)).
Qed.

Lemma E2_map k r : E2 o2 q k r = phi (E2 o1 p k r).
Proof.
rewrite /E2 (m_sum mo) -map_comp; congr sum; apply: eq_map => i /=.
by rewrite (m_mul mo) e_bound_map.
Qed.

Theorem admissible_map : admissible o2 q = admissible o1 p.
Proof.
rewrite /admissible K_map /= all_map; congr [&& _, _, _, _, _, _, _, _ & _].
- apply: eq_all => g /=; rewrite all_map; apply: eq_all => u /=.
  by rewrite /wired_unit homes_of_map /wired_hinge /= all_map.
- by apply: eq_all => k; apply: wired_map.
rewrite /margins_hold K_map /= !(m_leq mo) !(m_num mo) !(m_mul mo); congr [&& _, _, _, _, _, _ & _].
- rewrite all_map; apply: eq_all => g /=; rewrite all_map; apply: eq_all => u /=.
  by rewrite /gated /=; case: u.1 => // _; rewrite hinge_bound_map -(m_leq mo).
apply: eq_all => k; rewrite homes_of_map; apply: eq_all => r.
by rewrite E2_map (m_leq mo) (m_add mo) !(m_mul mo) !(m_num mo).
Qed.
End Transport.
