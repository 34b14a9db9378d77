(* The tokens of a prompt, the residual stream before layer 1, and how a head finds a
   token by its address.

   same, along, constant, scaled, copy, own_example == rows and values that layers share
   live p t         == t is a token of an example or of the query
   ex p t, pos p t  == which example, the query being the last, and where in it
   token p i q      == that token; answer p == the answer token
   vec p pr t u     == entry u of the vector of token t; ctx p pr t == t is in a real example
   from_end p q     == how far position q is from the last one; mark p q == how far its source is
   stream0 p pr t c == the residual stream before layer 1
   tok1 p pr t u    == the vector that token t has after layer 1
   holds p h g      == at all tokens and coordinates h is g; holds_but p no h g == but at those of no
   addressed p h    == the addresses in h are those of stream0 *)
From mathcomp Require Import all_ssreflect all_algebra zify ring.
From construct Require Import numbers bai codes residual spec plan.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* --- What scores are written with --- *)

Section Rows.
Variables (T : Type) (o : ops T).

(* One functional for each coordinate, asked and answered. *)
Definition same (c : nat -> coord) l : seq (form coord T * form coord T) :=
  [seq ([:: (c b, num o 1)], [:: (c b, num o 1)]) | b <- iota 0 l].
Definition along (c : nat -> coord) l x : form coord T := [seq (c b, code o x b) | b <- iota 0 l].
Definition constant x : form coord T := [:: (One, x)].
Definition scaled a (f : form coord T) : form coord T := [seq (q.1, mul o a q.2) | q <- f].
(* What is written to the coordinates `to`: `scale` times the coordinates `from`. *)
Definition copy (from to : nat -> coord) (scale : T) l : seq (form coord T * form coord T) :=
  [seq ([:: (from u, scale)], [:: (to u, num o 1)]) | u <- iota 0 l].

(* 1 at the token in position q of the asking token's own example, else <= -1:
   1 + (<pe_i, pe_j> - le) + (<code q, pt_j> - lt). *)
Definition own_example z q :=
  same Pe (le z) ++
  [:: (constant (num o 1),
       along Pt (lt z) q ++ constant (sub o (num o 1) (num o (le z + lt z))))].
End Rows.

(* Token t is in position `pos t` of example `ex t`; the query is example m. *)
Section Tokens.
Variables (T : Type) (p : plan T).
Definition live t := (t < (pm p).+1 * len p)%N.
Definition ex t := (t %/ len p)%N.
Definition pos t := (t %% len p)%N.
Definition token i q := (i * len p + q)%N.
Definition answer := token (pm p) (len p).-1.

(* How far position q is from the end; and, for a scratch token, the input that it copies. *)
Definition from_end q := ((len p).-1 - q)%N.
Definition mark q := from_end (source p q).
End Tokens.

Section Stream.
Variables (R : realFieldType) (p : plan R) (pr : prompt R).
Notation o := (real_ops R).
Notation z := (sizes_of p).
Notation d := (pd p).
Notation m := (pm p).
Notation n := (pn p).
Notation len := (len p).
Notation N := (N p).
Notation le := (le z).
Notation lt := (lt z).
Notation relu := (relu o).
Notation code := (code o).

Notation live := (live p).
Notation ex := (ex p).
Notation pos := (pos p).
Notation token := (token p).
Notation answer := (answer p).

(* The vector of a token, and whether it is of a real example. *)
Definition vec t u : R :=
  if (ex t < m)%N then
    if used pr (ex t) then
      if (pos t < n.-1)%N then X pr (ex t) (pos t) u else
      if (pos t == len.-1)%N then Y pr (ex t) u else 0
    else 0
  else if (ex t == m) && (pos t < n.-1)%N then query pr (pos t) u else 0.
Definition ctx t := (ex t < m)%N && used pr (ex t).

(* The residual stream before layer 1. *)
Definition sq0 t : R := if live t && is_scratch p (pos t) then (mark p (pos t))%:R else 0.
Definition rec0 t : R :=
  if live t && ~~ nilp (scratch p) then
    (is_scratch p (pos t))%:R - (mark p (pos t) ^ 2)%N%:R
  else 0.
Definition stream0 t c : R :=
  match c with
  | Tok u => vec t u
  | Pe b => if live t then code (ex t) b else 0
  | Pt b => if live t then code (pos t) b else 0
  | One => (live t)%:R
  | Ctx => (ctx t)%:R
  | Sq => sq0 t
  | Rec => rec0 t
  | _ => 0
  end.

(* After layer 1 a scratch token holds what it copies. *)
Definition tok1 t u : R := vec (token (ex t) (source p (pos t))) u.

(* h holds the stream g. *)
Definition holds (h g : nat -> coord -> R) :=
  forall t c, (t < N)%N -> valid z c -> h t c = g t c.
Definition holds_but (no : pred coord) (h g : nat -> coord -> R) :=
  forall t c, (t < N)%N -> valid z c -> ~~ no c -> h t c = g t c.

Hypothesis ok : admissible o p.

Lemma n_gt1 : (1 < n)%N. Proof. by case/and4P: ok. Qed.
Lemma len_gt0 : (0 < len)%N. Proof. by rewrite ltn_addr // ltnW // n_gt1. Qed.
Lemma label_lt : (len.-1 < len)%N. Proof. by rewrite prednK ?len_gt0. Qed.
Lemma inputs_le : (n.-1 <= len.-1)%N.
Proof. by rewrite -ltnS !prednK ?len_gt0 ?leq_addr // ltnW // n_gt1. Qed.
Lemma tokens_le : (m.+1 * len <= N)%N. Proof. by case/and4P: ok. Qed.
Lemma N_gt0 : (0 < N)%N.
Proof. by apply: leq_trans tokens_le; rewrite muln_gt0 len_gt0. Qed.
Lemma N_neq0 : N%:R != 0 :> R. Proof. by rewrite pnatr_eq0 -lt0n N_gt0. Qed.
Lemma slots_ok r : (r < size (slots p))%N -> (slot p r < n.-1)%N.
Proof.
case/and5P: ok => _ _ _ _ /and5P[H _ _ _ _] rS.
by apply: (allP H); apply: mem_nth.
Qed.
Lemma input_lt q : (q < n.-1)%N -> (q < len)%N.
Proof. by move=> /leq_trans/(_ inputs_le)/leq_trans; apply; rewrite leq_pred. Qed.
Lemma slot_lt r : (r < size (slots p))%N -> (slot p r < len)%N.
Proof. by move=> /slots_ok/input_lt. Qed.

Lemma scratch_source q : is_scratch p q -> (source p q < n.-1)%N.
Proof.
move=> sq; rewrite /source sq; have /andP[q1 q2] := sq.
case/and5P: ok => _ _ _ _ /and5P[_ H _ _ _]; apply: (allP H); apply: mem_nth.
by rewrite ltn_subLR // -ltnS -addSn prednK ?(ltnW n_gt1) // (leq_trans _ label_lt).
Qed.
Lemma source_id q : is_scratch p q = false -> source p q = q.
Proof. by rewrite /source => ->. Qed.
Lemma source_lt q : (q < len)%N -> (source p q < len)%N.
Proof.
by case S: (is_scratch p q) => ql; [apply/input_lt/scratch_source | rewrite source_id].
Qed.
Lemma source_input q : (q < len.-1)%N -> (source p q < n.-1)%N.
Proof.
case S: (is_scratch p q) => ql; first exact: scratch_source.
by rewrite source_id //; move: S; rewrite /is_scratch ql andbT leqNgt => /negbFE.
Qed.
Lemma mark_gt q : is_scratch p q -> (from_end p q < mark p q)%N.
Proof.
move=> S; have := scratch_source S; have /andP[] := S; rewrite /mark /from_end.
by move: (source p q) => s; lia.
Qed.
Lemma no_scratch q : (q < n.-1)%N -> is_scratch p q = false.
Proof. by rewrite /is_scratch ltnNge => /negPf->. Qed.
Lemma label_source : source p len.-1 = len.-1.
Proof. by rewrite source_id // /is_scratch ltnn andbF. Qed.

Lemma ex_lt t : live t -> (ex t < m.+1)%N.
Proof. by rewrite /live /ex ltn_divLR ?len_gt0. Qed.

Lemma pos_lt t : (pos t < len)%N.
Proof. by rewrite /pos ltn_mod len_gt0. Qed.

Lemma token_ex i q : (q < len)%N -> ex (token i q) = i.
Proof. by move=> qn; rewrite /ex /token divnMDl ?len_gt0 // divn_small ?addn0. Qed.

Lemma token_pos i q : (q < len)%N -> pos (token i q) = q.
Proof. by move=> qn; rewrite /pos /token modnMDl modn_small. Qed.

Lemma token_live i q : (i <= m)%N -> (q < len)%N -> live (token i q).
Proof.
move=> im qn; rewrite /live /token mulSn addnC.
by apply: leq_trans (_ : (len + i * len <= _)%N); rewrite ?ltn_add2r ?leq_add2l ?leq_mul.
Qed.

Lemma token_lt i q : (i <= m)%N -> (q < len)%N -> (token i q < N)%N.
Proof. by move=> im qn; apply: leq_trans tokens_le; apply: token_live. Qed.

Lemma tokenE t i q : (q < len)%N -> (t == token i q) = (ex t == i) && (pos t == q).
Proof.
move=> qn; apply/eqP/andP => [->|[/eqP<- /eqP<-]]; first by rewrite token_ex ?token_pos.
by rewrite /token /ex /pos -divn_eq.
Qed.

Lemma live_lt t : live t -> (t < N)%N.
Proof. by move=> /leq_trans; apply; apply: tokens_le. Qed.

Lemma answer_ex : ex answer = m.
Proof. by rewrite token_ex // label_lt. Qed.
Lemma answer_pos : pos answer = len.-1.
Proof. by rewrite token_pos // label_lt. Qed.
Lemma answer_live : live answer.
Proof. by rewrite token_live // label_lt. Qed.
Lemma answer_lt : (answer < N)%N. Proof. exact: live_lt answer_live. Qed.

Lemma ctx_live t : (ex t < m)%N -> live t.
Proof. by move=> em; rewrite /live -ltn_divLR ?len_gt0 // ltnW. Qed.

(* Padding holds nothing. *)
Lemma dead_ex t : live t = false -> (m < ex t)%N.
Proof. by move/negbT; rewrite /live -leqNgt /ex leq_divRL ?len_gt0. Qed.

Lemma vec_out t u : (m < ex t)%N -> vec t u = 0.
Proof. by rewrite /vec => mt; rewrite ltnNge (ltnW mt) /= gtn_eqF. Qed.

Lemma vec_dead t u : live t = false -> vec t u = 0.
Proof. by move/dead_ex/vec_out. Qed.

(* Nor do scratch tokens, before layer 1, nor the answer token. *)
Lemma vec_scratch t u : is_scratch p (pos t) -> vec t u = 0.
Proof.
case/andP=> q1 q2; rewrite /vec [(pos t < _)%N]ltnNge q1 /= andbF (ltn_eqF q2).
by case: ifP => // _; case: ifP.
Qed.

Lemma vec_answer u : vec answer u = 0.
Proof. by rewrite /vec answer_ex answer_pos ltnn [(_ < n.-1)%N]ltnNge inputs_le andbF. Qed.

Lemma tok1E t u : tok1 t u = if is_scratch p (pos t)
  then vec (token (ex t) (source p (pos t))) u else vec t u.
Proof.
by rewrite /tok1 /source; case: ifP => // _; rewrite /token /ex /pos -divn_eq.
Qed.

Lemma tok1_dead t u : live t = false -> tok1 t u = 0.
Proof.
by move=> dead; rewrite /tok1 vec_out // token_ex ?source_lt ?pos_lt // dead_ex.
Qed.

Lemma tok1_label i u : tok1 (token i len.-1) u = vec (token i len.-1) u.
Proof. by rewrite /tok1 token_ex ?token_pos ?label_lt // label_source. Qed.

Lemma tok1_answer u : tok1 answer u = 0.
Proof. by rewrite tok1_label vec_answer. Qed.

(* What scratch tokens need of sq and rec disturbs neither the table nor the answer. *)
Lemma sq0_ge0 t : 0 <= sq0 t.
Proof. by rewrite /sq0; case: ifP => _; rewrite ?ler0n. Qed.
Lemma sq0_answer : sq0 answer = 0.
Proof. by rewrite /sq0 answer_pos /is_scratch ltnn !andbF. Qed.
Lemma sq0_dead t : live t = false -> sq0 t = 0.
Proof. by rewrite /sq0 => ->. Qed.
Lemma rec0_le0 t : rec0 t <= 0.
Proof.
rewrite /rec0; case: ifP => // _; rewrite subr_le0.
case S: (is_scratch p (pos t)); last by rewrite ler0n.
by rewrite ler1n expn_gt0 (leq_trans _ (mark_gt S)).
Qed.
Lemma rec0_answer : rec0 answer = 0.
Proof.
rewrite /rec0 answer_pos /mark label_source /from_end subnn /is_scratch ltnn andbF.
by case: ifP => _; rewrite ?subrr.
Qed.

(* --- Addresses --- *)

Lemma clogP x y : (x < y)%N -> (x < 2 ^ clog y)%N.
Proof. by move=> /leq_trans; apply; apply: up_logP. Qed.

Lemma ex_code t : live t -> (ex t < 2 ^ le)%N.
Proof. by move=> /ex_lt/clogP. Qed.

Lemma pos_code t : (pos t < 2 ^ lt)%N.
Proof. by apply: clogP; apply: pos_lt. Qed.

Lemma query_code : (m < 2 ^ le)%N.
Proof. by apply: clogP; apply: ltnSn. Qed.

Lemma dot_le l x y : dot R l x y <= l%:R.
Proof.
have -> : l%:R = \sum_(r <- iota 0 l) 1 :> R.
  by rewrite big_const_seq count_predT size_iota iter_addr_0.
by apply: ler_sum => r _; apply: code_le1.
Qed.

(* 1 + (<x, y> - l) + (<x', y'> - l') over codes is 1 if both agree, else at most -1. *)
Lemma address l x y l' x' y' :
  (x < 2 ^ l)%N -> (y < 2 ^ l)%N -> (x' < 2 ^ l')%N -> (y' < 2 ^ l')%N ->
  relu (dot R l x y + dot R l' x' y' + (1 - (l + l')%:R)) = ((x == y) && (x' == y'))%:R.
Proof.
move=> xl yl xl' yl'.
have near k u v : (u < 2 ^ k)%N -> (v < 2 ^ k)%N ->
    dot R k u v - k%:R <= if u == v then 0 else - 2%:R.
  move=> uk vk; case: (u =P v) => [<-|uv]; first by rewrite dot_same subrr.
  by rewrite ler_subl_addl; apply: dot_other.
have := ler_add (near _ _ _ xl yl) (near _ _ _ xl' yl').
have -> : dot R l x y + dot R l' x' y' + (1 - (l + l')%:R) =
    1 + (dot R l x y - l%:R + (dot R l' x' y' - l'%:R)) by rewrite natrD; ring.
rewrite reluE; case: (x =P y) => [<-|_] /=.
  rewrite dot_same subrr add0r; case: (x' =P y') => [<-|_] /=.
    by rewrite dot_same subrr !addr0 => _; apply/max_idPl; apply: ler01.
  rewrite add0r => H; apply/max_idPr.
  by rewrite -(subrr 1) ler_add2l (le_trans H) // ler_oppr opprK ler1n.
move=> H; apply/max_idPr; rewrite -(subrr 1) ler_add2l (le_trans H) //.
by case: eqP => _; rewrite ?addr0 -?opprD ler_opp2 -?natrD ler1n.
Qed.

Lemma sum_dot (h h' : nat -> coord -> R) (c : nat -> coord) l i j x y :
  (forall b, (b < l)%N -> h i (c b) = code x b) ->
  (forall b, (b < l)%N -> h' j (c b) = code y b) ->
  \sum_(b <- iota 0 l) h i (c b) * h' j (c b) = dot R l x y.
Proof.
move=> hx hy; apply: eq_big_seq => b; rewrite mem_iota => bl.
by rewrite hx // hy.
Qed.

(* What the addresses of a stream are. *)
Record addressed (h : nat -> coord -> R) : Prop := Addressed {
  h_pe : forall t b, (t < N)%N -> (b < le)%N -> h t (Pe b) = if live t then code (ex t) b else 0;
  h_pt : forall t b, (t < N)%N -> (b < lt)%N -> h t (Pt b) = if live t then code (pos t) b else 0;
  h_one : forall t, (t < N)%N -> h t One = (live t)%:R;
}.

(* Functionals of a token: the code of a field against the code of a number. *)
Lemma ap_same_pe h i j : addressed h -> (i < N)%N -> (j < N)%N ->
  \sum_(r <- same o Pe le) ap r.1 (h i) * ap r.2 (h j) =
  if live i && live j then dot R le (ex i) (ex j) else 0.
Proof.
move=> H iN jN; rewrite big_map; case: ifP => [/andP[li lj]|dead].
  apply: eq_big_seq => b; rewrite mem_iota => bl; rewrite !ap1 !mul1r.
  by rewrite !(h_pe H) // li lj.
rewrite big1_seq // => b /andP[_]; rewrite mem_iota => bl; rewrite !ap1 !mul1r !(h_pe H) //.
by case: (live i) dead => [/= ->|_]; rewrite ?mulr0 ?mul0r.
Qed.

Lemma ap_same_pt h i j : addressed h -> (i < N)%N -> (j < N)%N ->
  \sum_(r <- same o Pt lt) ap r.1 (h i) * ap r.2 (h j) =
  if live i && live j then dot R lt (pos i) (pos j) else 0.
Proof.
move=> H iN jN; rewrite big_map; case: ifP => [/andP[li lj]|dead].
  apply: eq_big_seq => b; rewrite mem_iota => bl; rewrite !ap1 !mul1r.
  by rewrite !(h_pt H) // li lj.
rewrite big1_seq // => b /andP[_]; rewrite mem_iota => bl; rewrite !ap1 !mul1r !(h_pt H) //.
by case: (live i) dead => [/= ->|_]; rewrite ?mulr0 ?mul0r.
Qed.

Lemma ap_along_pe h x t : addressed h -> (t < N)%N ->
  ap (along o Pe le x) (h t) = if live t then dot R le x (ex t) else 0.
Proof.
move=> H tN; rewrite ap_map; case: ifP => lv.
  by apply: eq_big_seq => b; rewrite mem_iota => bl /=; rewrite (h_pe H) // lv.
by rewrite big1_seq // => b /andP[_]; rewrite mem_iota => bl /=; rewrite (h_pe H) // lv mulr0.
Qed.

Lemma ap_along_pt h x t : addressed h -> (t < N)%N ->
  ap (along o Pt lt x) (h t) = if live t then dot R lt x (pos t) else 0.
Proof.
move=> H tN; rewrite ap_map; case: ifP => lv.
  by apply: eq_big_seq => b; rewrite mem_iota => bl /=; rewrite (h_pt H) // lv.
by rewrite big1_seq // => b /andP[_]; rewrite mem_iota => bl /=; rewrite (h_pt H) // lv mulr0.
Qed.

Lemma ap_scaled a (f : form coord R) v : ap (scaled o a f) v = a * ap f v.
Proof. exact: ap_scale. Qed.

Lemma ap_one h x t : addressed h -> (t < N)%N -> ap (constant x) (h t) = x * (live t)%:R.
Proof. by move=> H tN; rewrite ap1 (h_one H). Qed.

(* --- A sum over tokens of which one counts --- *)

Lemma pick (F : nat -> R) (G : nat -> R) (b : bool) a : (a < N)%N ->
  (forall j, (j < N)%N -> F j = (b && (j == a))%:R) ->
  N%:R^-1 * (\sum_(j < N) F j * G j) = if b then N%:R^-1 * G a else 0.
Proof.
move=> aN FE; rewrite (bigD1 (Ordinal aN)) //= big1 => [|j ja].
  by rewrite FE // eqxx andbT addr0; case: b {FE}; rewrite ?mul1r // mul0r mulr0.
by rewrite FE // (_ : (j == a :> nat) = false) ?andbF ?mul0r //; apply: negPf ja.
Qed.

Lemma own_address vs h i j q : addressed h -> (i < N)%N -> (j < N)%N -> (q < len)%N ->
  relu (score (Head (own_example o z q) vs) (h i) (h j)) =
  (live i && (j == token (ex i) q))%:R.
Proof.
move=> H iN jN qn; rewrite /score big_cat big_cons big_nil /= ap_same_pe // ap_one // ap_cat.
rewrite ap_along_pt // ap_one // addr0 mul1r.
case li: (live i) => /=; last by rewrite mul0r addr0 reluE maxxx.
case lj: (live j) => /=.
  rewrite !mul1r !mulr1 addrA address ?ex_code ?pos_code //.
    by rewrite (tokenE _ _ qn) eq_sym [q == _]eq_sym.
  by apply: clogP.
rewrite !(mulr0, addr0) reluE maxxx.
case: eqP => // E.
by move: lj; rewrite E token_live // -ltnS ex_lt.
Qed.

(* The one head that a token `a` answers: v is its value there, at coordinate c. *)
Lemma fetched hd (h : nat -> coord -> R) t c (b : bool) a : (a < N)%N ->
  (forall j, (j < N)%N -> relu (score hd (h t) (h j)) = (b && (j == a))%:R) ->
  N%:R^-1 * (\sum_(j < N) relu (score hd (h t) (h j)) * write (vals hd) (h j) c) =
  if b then N%:R^-1 * write (vals hd) (h a) c else 0.
Proof. by move=> aN E; rewrite -(pick (fun j => write (vals hd) (h j) c) aN E). Qed.

Lemma fetches hd (h : nat -> coord -> R) t c (b : bool) a : (a < N)%N ->
  (forall j, (j < N)%N -> relu (score hd (h t) (h j)) = (b && (j == a))%:R) ->
  share N hd h t c = if b then N%:R^-1 * write (vals hd) (h a) c else 0.
Proof. exact: fetched. Qed.

Lemma share0 hd (h : nat -> coord -> R) t c :
  (forall j, write (vals hd) (h j) c = 0) -> share N hd h t c = 0.
Proof. by move=> w0; rewrite /share big1 ?mulr0 // => j _; rewrite w0 mulr0. Qed.

Lemma copy_at from to l (v : coord -> R) u : injective to -> (u < l)%N ->
  N%:R^-1 * write (copy o from to N%:R l) v (to u) = v (from u).
Proof.
by move=> inj ul; rewrite write_map1 ?iota_uniq ?mem_iota // ap1 mulKf // N_neq0.
Qed.

Lemma copy_off from to l (v : coord -> R) (c : coord) : (forall u, to u != c) ->
  write (copy o from to N%:R l) v c = 0.
Proof. exact: write_map0. Qed.

(* Several copies, to fields of their own. *)
Definition copies (from to : nat -> nat -> coord) l (rs : seq nat) :=
  flatten [seq copy o (from r) (to r) N%:R l | r <- rs].

Lemma copies_off from to l rs (v : coord -> R) (c : coord) :
  (forall r u, r \in rs -> to r u != c) -> write (copies from to l rs) v c = 0.
Proof.
rewrite /copies; elim: rs => [|r rs IH] off /=; first exact: write_nil.
rewrite write_cat copy_off => [|u]; last by rewrite off ?mem_head.
by rewrite add0r IH // => r' u r's; rewrite off // inE r's orbT.
Qed.

Lemma copies_at from to l rs (v : coord -> R) r u :
  (forall r r' u u', to r u = to r' u' -> r = r' /\ u = u') ->
  uniq rs -> r \in rs -> (u < l)%N ->
  N%:R^-1 * write (copies from to l rs) v (to r u) = v (from r u).
Proof.
move=> inj; rewrite /copies; elim: rs => [|r' rs IH] //= /andP[r'rs urs].
rewrite inE write_cat; case: (r =P r') => [E _ ul|/eqP rr' /= rs_r ul].
  rewrite -{r'}E in r'rs *; rewrite [X in _ + X]copies_off => [|r2 u2 r2s].
    by rewrite addr0 copy_at // => x y /inj[].
  by apply/eqP => /inj[E _]; rewrite E (negPf r'rs) in r2s.
rewrite copy_off ?add0r ?IH // => u2.
by apply/eqP => /inj[E _]; rewrite E eqxx in rr'.
Qed.
End Stream.
