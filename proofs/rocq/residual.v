(* The residual stream: its named coordinates, their places 0..D-1 in the order of the
   artifact, and the width. K does not occur.

   coord            == the named coordinates; sizes == d, m, n, S, P
   le z, lt z       == lengths of the codes of examples and of positions; clog x == ceil(log2 x)
   D z              == the width; place z c == the place of coordinate c among 0, ..., D z - 1
   valid z c        == there is such a coordinate; coords z == all of them *)
From mathcomp Require Import all_ssreflect zify.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Inductive coord :=
  | Tok of nat              (* the token's vector; at the end, the answer *)
  | Slot of nat & nat       (* operand s of the token's example, entry u *)
  | Lab of nat              (* the label of the token's example *)
  | Qry of nat              (* the query's token at this position *)
  | QSlot of nat & nat      (* operand s of the query *)
  | Gx of nat               (* features of the example *)
  | Gq of nat               (* features of the query *)
  | Out of nat              (* what the heads found *)
  | Pe of nat               (* code of the example *)
  | Pt of nat               (* code of the position in the example *)
  | One                     (* 1 on every token but padding *)
  | Ctx                     (* 1 on tokens of real examples *)
  | Cnt                     (* matches found at this token *)
  | Tot                     (* all matches, at the answer token *)
  | Sq                      (* tot^2 *)
  | Rec.                    (* s / tot *)

Definition coord_eqb a b :=
  match a, b with
  | Tok i, Tok j | Lab i, Lab j | Qry i, Qry j | Gx i, Gx j | Gq i, Gq j
  | Out i, Out j | Pe i, Pe j | Pt i, Pt j => i == j
  | Slot s i, Slot r j | QSlot s i, QSlot r j => (s == r) && (i == j)
  | One, One | Ctx, Ctx | Cnt, Cnt | Tot, Tot | Sq, Sq | Rec, Rec => true
  | _, _ => false
  end.

Lemma coord_eqP : Equality.axiom coord_eqb.
Proof.
move=> a b; apply: (iffP idP) => [|<-]; last by case: a => //= *; rewrite !eqxx.
by case: a => [i|s i|i|i|s i|i|i|i|i|i||||||]; case: b => //= *;
  repeat match goal with H : is_true (_ && _) |- _ => case/andP: H => ? ? end;
  repeat match goal with H : is_true (_ == _) |- _ => move/eqP: H => -> end.
Qed.
Definition coord_eqMixin := EqMixin coord_eqP.
Canonical coord_eqType := EqType coord coord_eqMixin.

Record sizes := Sizes { d : nat; m : nat; n : nat; S : nat; P : nat }.

(* ceil(log2 x) *)
Definition clog x := up_log 2 x.

Section Places.
Variable z : sizes.
Definition le := clog (m z).+1.
Definition lt := clog (n z).
Definition D := (4 + 2 * S z) * d z + 2 * P z + le + lt + 6.

Definition gx0 := (3 + 2 * S z) * d z.
Definition pe0 := (4 + 2 * S z) * d z + 2 * P z.

Definition place c : nat :=
  match c with
  | Tok u => u
  | Slot s u => (1 + s) * d z + u
  | Lab u => (1 + S z) * d z + u
  | Qry u => (2 + S z) * d z + u
  | QSlot s u => (3 + S z + s) * d z + u
  | Gx v => gx0 + v
  | Gq v => gx0 + P z + v
  | Out u => gx0 + 2 * P z + u
  | Pe b => pe0 + b
  | Pt b => pe0 + le + b
  | One => pe0 + le + lt
  | Ctx => pe0 + le + lt + 1
  | Cnt => pe0 + le + lt + 2
  | Tot => pe0 + le + lt + 3
  | Sq => pe0 + le + lt + 4
  | Rec => pe0 + le + lt + 5
  end.

(* The coordinates that there are. *)
Definition valid c : bool :=
  match c with
  | Tok u | Lab u | Qry u | Out u => u < d z
  | Slot s u | QSlot s u => (s < S z) && (u < d z)
  | Gx v | Gq v => v < P z
  | Pe b => b < le
  | Pt b => b < lt
  | _ => true
  end.

Definition coords : seq coord :=
  let entries f := map f (iota 0 (d z)) in
  let slots f := flatten [seq entries (f s) | s <- iota 0 (S z)] in
  let features f := map f (iota 0 (P z)) in
  entries Tok ++ slots Slot ++ entries Lab ++ entries Qry ++ slots QSlot ++
  features Gx ++ features Gq ++ entries Out ++ map Pe (iota 0 le) ++ map Pt (iota 0 lt) ++
  [:: One; Ctx; Cnt; Tot; Sq; Rec].

Lemma all_valid : all valid coords.
Proof.
have F f k (p : pred coord) : (forall u, u < k -> p (f u)) -> all p (map f (iota 0 k)).
  by move=> H; rewrite all_map; apply/allP => u; rewrite mem_iota => /H.
have FF f : (forall s u, s < S z -> u < d z -> valid (f s u)) ->
    all valid (flatten [seq map (f s) (iota 0 (d z)) | s <- iota 0 (S z)]).
  move=> H; apply/allP => c /flattenP[_ /mapP[s +] ->]; rewrite mem_iota => sS.
  by apply/allP/F => u ud; apply: H.
rewrite /coords !all_cat /= !F ?FF //= => [s u sS ud|s u sS ud]; exact/andP.
Qed.

Lemma mem_coords c : valid c -> c \in coords.
Proof.
have F f k u : u < k -> f u \in (map f (iota 0 k) : seq coord).
  by move=> uk; apply: map_f; rewrite mem_iota.
have FF f s u : (s < S z) && (u < d z) ->
    f s u \in (flatten [seq map (f s) (iota 0 (d z)) | s <- iota 0 (S z)] : seq coord).
  move=> /andP[sS ud]; apply/flattenP; exists (map (f s) (iota 0 (d z))); last exact: F.
  by apply: (map_f (fun s => map (f s) _)); rewrite mem_iota.
rewrite /coords !mem_cat; case: c => [u|s u|u|u|s u|v|v|u|b|b||||||] /= H; last first.
1-6: by rewrite !inE /= !orbT.
- by rewrite (F Pt _ _ H) !orbT.
- by rewrite (F Pe _ _ H) !orbT.
- by rewrite (F Out _ _ H) !orbT.
- by rewrite (F Gq _ _ H) !orbT.
- by rewrite (F Gx _ _ H) !orbT.
- by rewrite (FF QSlot _ _ H) !orbT.
- by rewrite (F Qry _ _ H) !orbT.
- by rewrite (F Lab _ _ H) !orbT.
- by rewrite (FF Slot _ _ H) !orbT.
- by rewrite (F Tok _ _ H).
Qed.

Lemma map_shift k l f : (forall u, u < l -> place (f u) = k + u) ->
  map place (map f (iota 0 l)) = iota k l.
Proof.
move=> H; rewrite -map_comp -[in RHS](addn0 k) iotaDl; apply/eq_in_map => u.
by rewrite mem_iota => /= ul; rewrite H.
Qed.

Lemma map_shifts k l f :
  (forall s u, u < d z -> place (f s u) = k + s * d z + u) ->
  map place (flatten [seq map (f s) (iota 0 (d z)) | s <- iota 0 l]) = iota k (l * d z).
Proof.
move=> H; elim: l => [|l IH] //; rewrite -addn1 iotaD map_cat flatten_cat map_cat {}IH /= cats0.
rewrite addn1 mulSn [d z + _]addnC iotaD add0n (@map_shift (k + l * d z)) // => u ud.
by rewrite H.
Qed.

(* The places of the coordinates are 0, 1, ..., D - 1. *)
Theorem places : map place coords = iota 0 D.
Proof.
rewrite /coords !map_cat (@map_shift 0) // (@map_shifts (d z)); last by move=> s u _ /=; lia.
rewrite (@map_shift ((1 + S z) * d z)) // (@map_shift ((2 + S z) * d z)) //.
rewrite (@map_shifts ((3 + S z) * d z)); last by move=> s u _ /=; lia.
rewrite (@map_shift gx0) // (@map_shift (gx0 + P z)) // (@map_shift (gx0 + 2 * P z)) //.
rewrite (@map_shift pe0) // (@map_shift (pe0 + le)) //.
have -> : map place [:: One; Ctx; Cnt; Tot; Sq; Rec] = iota (pe0 + le + lt) 6.
  by rewrite /= !(addnS, addn0).
rewrite /D /gx0 /pe0 !mulnDl !mul1n.
have glue a a' k l s : a' = a + k -> iota a k ++ (iota a' l ++ s) = iota a (k + l) ++ s.
  by move=> ->; rewrite iotaD catA.
rewrite -[iota _ 6]cats0 !glue; try lia.
by rewrite cats0; congr iota; lia.
Qed.

(* The width: (4+2S)d + 2P + ceil(log2(m+1)) + ceil(log2 n) + 6 coordinates. *)
Theorem width : uniq coords /\ size coords = D.
Proof.
split; last by rewrite -(size_map place) places size_iota.
by apply: (@map_uniq _ _ place); rewrite places iota_uniq.
Qed.

Lemma place_lt c : valid c -> place c < D.
Proof. by move=> /mem_coords/(map_f place); rewrite places mem_iota. Qed.

Lemma place_inj : {in valid &, injective place}.
Proof.
have U : uniq (map place coords) by rewrite places iota_uniq.
move=> a b /mem_coords va /mem_coords vb E.
have nth_place c : c \in coords -> nth 0 (map place coords) (index c coords) = place c.
  by move=> vc; rewrite (nth_map One) ?index_mem // nth_index.
have := E; rewrite -(nth_place a) // -(nth_place b) // => /eqP.
by rewrite nth_uniq ?size_map ?index_mem // => /eqP/(congr1 (nth One coords)); rewrite !nth_index.
Qed.
End Places.
