"""Mutations of the Rocq development: each changed definition must break a proof.

Each mutation changes a hypothesis, a coefficient, a field or a primitive in one
definition of `rocq/`. In a copy of the development, the mutated file is compiled anew,
and after it the files that depend on it, to the first that fails. A mutation is

noticed      if the proof of some lemma fails: it uses what was changed. (Whether the
             theorem needs it is another question, which `rocq/sharpness.v` answers.)
a survivor   if all files up to the theorem about artifacts compile: it does not depend
             on what was changed. Those in `EQUIVALENT` do so for a reason given there;
no verdict   if the time ran out, or the mutated definition itself makes no sense.

    python proofs/mutate.py               all of them; needs coqc and MathComp
    python proofs/mutate.py --sample 20   some of them
    python proofs/mutate.py --list        what they are

Exit 0 if every mutation is noticed or equivalent.
"""

import argparse
import random
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROCQ = Path(__file__).parent / "rocq"
THEOREM = "artifact.v"  # the theorem about emitted weights, on which all lemmas bear
VERDICTS = NOTICED, SURVIVOR, SAME, UNDECIDED = "noticed", "survivor", "equivalent", "no verdict"

# File -> (what is wrong with the mutant, text that occurs once, what replaces it).
TABLE: dict[str, tuple[tuple[str, str, str], ...]] = {
    "numbers.v": (
        ("relu lets negative numbers pass", "x then x else num o 0", "x then x else x"),
        ("abs lets negative numbers pass", "then x else opp o x.", "then x else x."),
        ("x - y is x + y", "sub x y := add o x (opp o y)", "sub x y := add o x y"),
        ("sums start at 1", "foldr (add o) (num o 0) s", "foldr (add o) (num o 1) s"),
        ("the order of a real field is strict", "(fun x y => x <= y)", "(fun x y => x < y)"),
        ("Q: products are sums", "Qred (Qmult x y)", "Qred (Qplus x y)"),
        ("Q: the order is reversed", "Qinv Qle_bool", "Qinv (fun x y => Qle_bool y x)"),
        ("Q: no reciprocals", "Qopp Qinv Qle_bool", "Qopp Qopp Qle_bool"),
        ("q2r forgets denominators", "z2r (Qnum q) / z2r (Zpos (Qden q))", "z2r (Qnum q)"),
    ),
    "bai.v": (
        ("attention without 1/N", "Hs) N%:R^-1 *\n    \\sum_", "Hs)\n    \\sum_"),
        ("attention with 1/(N+1)", "Hs) N%:R^-1 *\n    \\sum_", "Hs) N.+1%:R^-1 *\n    \\sum_"),
        ("attention without relu", "    \\sum_(j < N) relu (score", "    \\sum_(j < N) (score"),
        ("attention is causal", "    \\sum_(j < N) relu", "    \\sum_(j < t.+1) relu"),
        ("attention without residual", "h t c + \\sum_(H <- Hs)", "\\sum_(H <- Hs)"),
        ("query and key change roles", "ap r.1 a * ap r.2 b", "ap r.2 a * ap r.1 b"),
        ("a score adds query and key", "ap r.1 a * ap r.2 b", "(ap r.1 a + ap r.2 b)"),
        ("V reads where it should write", "ap w.1 v * entry w.2 c", "ap w.2 v * entry w.1 c"),
        ("an entry is that of others", "| p.1 == c) p.2", "| p.1 != c) p.2"),
        ("MLP without residual", "  v c + \\sum_(u <- us) relu", "  \\sum_(u <- us) relu"),
        ("MLP without relu", "\\sum_(u <- us) relu (ap", "\\sum_(u <- us) (ap"),
        (
            "a layer is its MLP alone",
            "mlp (units L) (attention (heads L) h t)",
            "mlp (units L) (h t)",
        ),
        (
            "MLP before attention",
            "mlp (units L) (attention (heads L) h t)",
            "attention (heads L) (fun j => mlp (units L) (h j)) t",
        ),
        ("layers in reverse", "=> run_layer L h) h Ls", "=> run_layer L h) h (rev Ls)"),
        (
            "K idle heads besides those given",
            "K hs us := Layer (hs ++ nseq (K - size hs)",
            "K hs us := Layer (hs ++ nseq K",
        ),
    ),
    "codes.v": (
        ("bits in base 3", "odd (x %/ 2 ^ r)", "odd (x %/ 3 ^ r)"),
        ("bits from the second on", "odd (x %/ 2 ^ r)", "odd (x %/ 2 ^ r.+1)"),
        ("entries 1 and 0", "else opp o (num o 1)", "else num o 0"),
        (
            "+1 and -1 exchanged",
            "then num o 1 else opp o (num o 1)",
            "then opp o (num o 1) else num o 1",
        ),
    ),
    "residual.v": (
        ("logarithms rounded down", "clog x := up_log 2 x", "clog x := trunc_log 2 x"),
        ("no code for the query", "le := clog (m z).+1", "le := clog (m z)"),
        ("no code for the last position", "lt := clog (n z)", "lt := clog (n z).-1"),
        ("width: 5 for 6", "+ le + lt + 6", "+ le + lt + 5"),
        ("width: 3d for 4d", "D := (4 + 2 * S z)", "D := (3 + 2 * S z)"),
        ("width: S for 2S", "D := (4 + 2 * S z)", "D := (4 + S z)"),
        ("width: P for 2P", "* d z + 2 * P z + le", "* d z + P z + le"),
        ("width: one code alone", "P z + le + lt + 6", "P z + le + 6"),
        ("slot 0 lies on tok", "Slot s u => (1 + s) * d z", "Slot s u => s * d z"),
        ("lab lies on the last slot", "Lab u => (1 + S z)", "Lab u => (S z)"),
        ("qry lies on lab", "Qry u => (2 + S z)", "Qry u => (1 + S z)"),
        ("qslot 0 lies on qry", "(3 + S z + s) * d z", "(2 + S z + s) * d z"),
        ("gq lies on gx", "Gq v => gx0 + P z + v", "Gq v => gx0 + v"),
        ("out lies on gq", "Out u => gx0 + 2 * P z", "Out u => gx0 + P z"),
        ("the features lie on qslot", "gx0 := (3 + 2 * S z)", "gx0 := (2 + 2 * S z)"),
        ("the codes lie on out", "pe0 := (4 + 2 * S z)", "pe0 := (3 + 2 * S z)"),
        ("pt lies on pe", "Pt b => pe0 + le + b", "Pt b => pe0 + b"),
        ("ctx lies on one", "Ctx => pe0 + le + lt + 1", "Ctx => pe0 + le + lt"),
        ("tot lies on cnt", "Tot => pe0 + le + lt + 3", "Tot => pe0 + le + lt + 2"),
        ("rec lies beyond the width", "Rec => pe0 + le + lt + 5", "Rec => pe0 + le + lt + 6"),
        ("one slot too many is valid", "=> (s < S z) && (u < d z)", "=> (s <= S z) && (u < d z)"),
        ("no rec among the coordinates", "Tot; Sq; Rec].\n\nLemma", "Tot; Sq].\n\nLemma"),
        (
            "tok and lab are one coordinate",
            "  | Tok i, Tok j |",
            "  | Tok i, Lab j | Tok i, Tok j |",
        ),
    ),
    "spec.v": (
        (
            "a hinge without its ReLU",
            "Num.max (linear_of (ha h) X + he h) 0",
            "(linear_of (ha h) X + he h)",
        ),
        ("a hinge without e", "X + he h) 0", "X) 0"),
        ("a hinge without c", "hc h * Num.max", "Num.max"),
        ("a linear form transposes X", "q.2 * X q.1.1 q.1.2", "q.2 * X q.1.2 q.1.1"),
        ("f without b", "+\n  nth 0 (tb t) i.", "."),
        (
            "f without its first feature",
            "(q <- nth [::] (tC t) i)",
            "(q <- behead (nth [::] (tC t) i))",
        ),
        ("labels are -f", "(X p i) u - Y p i u", "(X p i) u + Y p i u"),
        ("tasks are tested on the query", "f_ k (X p i) u - Y", "f_ k (query p) u - Y"),
        ("blank slots vote", "used p i && all", "all"),
        ("one entry of the label is enough", "used p i && all", "used p i && has"),
        (
            "the last entry is not compared",
            "gap k i u == 0) (iota 0 d)",
            "gap k i u == 0) (iota 0 d.-1)",
        ),
        (
            "votes of a task: 1 at most",
            "count (explains k) (iota 0 m)",
            "has (explains k) (iota 0 m)",
        ),
        (
            "every example votes for every task",
            "count (explains k)",
            "count (fun i => explains k i || used p i)",
        ),
        ("the last example has no vote", "(explains k) (iota 0 m)", "(explains k) (iota 0 m.-1)"),
        ("the query has a vote", "(explains k) (iota 0 m)", "(explains k) (iota 0 m.+1)"),
        ("all tasks weigh the same", "(votes k)%:R * f_ k", "f_ k"),
        ("weights are squared votes", "(votes k)%:R * f_ k", "(votes k ^ 2)%:R * f_ k"),
        ("the denominator is K", "(\\sum_(k < size tasks) votes k)%:R", "(size tasks)%:R"),
        ("the denominator is m", "(\\sum_(k < size tasks) votes k)%:R", "m%:R"),
        ("the denominator is m K", "(\\sum_(k < size tasks) votes k)%:R", "(m * size tasks)%:R"),
        (
            "the denominator is 1 too large",
            "(\\sum_(k < size tasks) votes k)%:R",
            "(\\sum_(k < size tasks) votes k).+1%:R",
        ),
        ("the first example is answered", "f_ k (query p) u) /", "f_ k (X p 0) u) /"),
        ("domain: X has no bound", "`|X p i q u| <= Rx", "True"),
        ("domain: X has no lower bound", "`|X p i q u| <= Rx", "X p i q u <= Rx"),
        (
            "domain: the last input has no bound",
            "(i < m)%N -> used p i -> (q < n.-1)%N",
            "(i < m)%N -> used p i -> (q < n.-2)%N",
        ),
        ("domain: Y has no bound", "`|Y p i u| <= Ry", "True"),
        ("domain: Y has no lower bound", "`|Y p i u| <= Ry", "Y p i u <= Ry"),
        ("domain: Y is bounded by |X|'s bound too", "`|Y p i u| <= Ry", "`|Y p i u| <= Rx + Ry"),
        ("domain: the query has no bound", "`|query p q u| <= Rx", "True"),
        ("domain: the query has no lower bound", "`|query p q u| <= Rx", "query p q u <= Rx"),
        ("domain: labels as near as you like", "\\/ delta ^+ 2 <=", "\\/ 0 <="),
        ("domain: delta for its square", "delta ^+ 2 <=", "delta <="),
        ("domain: half of delta^2", "delta ^+ 2 <=", "delta ^+ 2 / 2%:R <="),
        (
            "domain: the last task is not separated",
            "(k < size tasks)%N -> (i < m)%N",
            "(k < (size tasks).-1)%N -> (i < m)%N",
        ),
        ("domain: distance in the sum norm", "gap k i u ^+ 2", "`|gap k i u|"),
    ),
    "plan.v": (
        (
            "S and P exchanged",
            "(size (slots p)) (size (dict p))",
            "(size (dict p)) (size (slots p))",
        ),
        ("m and n exchanged", "Sizes (pd p) (pm p) (pn p)", "Sizes (pd p) (pn p) (pm p)"),
        ("operand 0 is slot 0", "(index q (slots p)).+1", "index q (slots p)"),
        (
            "the home is read through slots",
            "if q == h then 0 else",
            "if (q == h) && false then 0 else",
        ),
        ("an operand is taken from the next slot", "then slt r' u else", "then slt r u else"),
        ("f reads positions as operands", "fld (operand (home k) q.1.1) q.1.2", "fld q.1.1 q.1.2"),
        (
            "f reads features by its own numbers",
            "(feat (nth 0 (nth [::] (reads p) k) q.1), q.2)",
            "(feat q.1, q.2)",
        ),
        ("f is its first row", "q <- nth [::] (tA t) i] ++", "q <- nth [::] (tA t) 0] ++"),
        ("the weights have no b", "[:: (One, nth (num o 0) (tb t) i)]", "[::]"),
        ("equality of numbers is <=", "leq_ o x y && leq_ o y x", "leq_ o x y"),
        ("readable: from anywhere", "(q.1.1 == h) || (q.1.1 \\in slots p)", "(q.1.1 == h) || true"),
        ("readable: labels too", "q.1.1 < (pn p).-1 & q.1.2", "q.1.1 < pn p & q.1.2"),
        ("readable: any position", "q.1.1 < (pn p).-1 & q.1.2", "true & q.1.2"),
        ("readable: entry d too", "& q.1.2 < pd p]) a", "& q.1.2 <= pd p]) a"),
        ("readable: any entry", "& q.1.2 < pd p]) a", "& true]) a"),
        ("dictionary: any c", "[&& eqb (hc h) (hc h')", "[&& true"),
        ("dictionary: any e", "eqb (he h) (he h')", "true"),
        ("dictionary: hinges of any size", "size (ha h) == size (ha h') &", "true &"),
        (
            "dictionary: any operand",
            "operand hm q.1.1.1 == q.2.1.1",
            "(operand hm q.1.1.1 == q.2.1.1) || true",
        ),
        ("dictionary: any entry", "q.1.1.2 == q.2.1.2", "true"),
        ("dictionary: any coefficient", "& eqb q.1.2 q.2.2", "& true"),
        ("dictionary: any number of hinges", "(size g == size g') &&", "true &&"),
        ("wired: home anywhere", "[&& home k < (pn p).-1", "[&& true"),
        ("wired: home at the label", "[&& home k < (pn p).-1", "[&& home k < pn p"),
        ("wired: A reads anything", "all (readable (home k)) (tA t)", "true"),
        ("wired: features read anything", "all (all (readable (home k) \\o @ha T)) (tg t)", "true"),
        (
            "wired: features that there are not",
            "q.1 < size (dict p)) &&",
            "q.1 <= size (dict p)) &&",
        ),
        (
            "wired: any feature of the dictionary",
            "same_feature (home k) (nth [::] (tg t) q.1)\n"
            "          (nth [::] (dict p) (nth 0 (nth [::] (reads p) k) q.1))",
            "true",
        ),
        (
            "dictionary: a slot that there is not",
            "(q.1.1 <= size (slots p))",
            "(q.1.1 <= (size (slots p)).+1)",
        ),
        (
            "dictionary: an entry that there is not",
            "slots p)) && (q.1.2 < pd p)",
            "slots p)) && (q.1.2 <= pd p)",
        ),
        ("bounds: the lesser of R and R_y", "then Ry p else Rx p", "then Rx p else Ry p"),
        (
            "bounds: a token is an input",
            "then Ry p else Rx p",
            "then Rx p else Rx p",
        ),
        (
            "bounds: a slot is a label",
            "if r is 0 then R_tok else Rx p",
            "if r is 0 then R_tok else Ry p",
        ),
        (
            "bounds: coefficients with their sign",
            "mul o (abs o q.2) (op_bound",
            "mul o (q.2) (op_bound",
        ),
        ("bounds: c with its sign", "mul o (abs o (hc h))", "mul o (hc h)"),
        (
            "bounds: e with its sign",
            "(linear_bound id (ha h)) (abs o (he h))",
            "(linear_bound id (ha h)) (he h)",
        ),
        (
            "bounds: C with its sign",
            "mul o (abs o q.2) (feature_bound",
            "mul o (q.2) (feature_bound",
        ),
        ("bounds: b with its sign", "(abs o (nth (num o 0) (tb t) i))", "(nth (num o 0) (tb t) i)"),
        ("bounds: no label", "(tb t) i)) (Ry p))", "(tb t) i)) (num o 0))"),
        ("bounds: E for E^2", "mul o (e_bound k i) (e_bound k i)", "e_bound k i"),
        ("bounds: all entries but the last", "| i <- iota 0 (pd p)].", "| i <- iota 0 (pd p).-1]."),
        ("margins: R < 0", "leq_ o (num o 0) (Rx p)", "true"),
        ("margins: R_y < 0", "leq_ o (num o 0) (Ry p)", "true"),
        ("margins: B < 0", "leq_ o (num o 0) (B p)", "true"),
        ("margins: any s", "~~ leq_ o (s p) (num o 0)", "true"),
        ("margins: s = 0", "~~ leq_ o (s p) (num o 0)", "leq_ o (num o 0) (s p)"),
        ("margins: any B", "leq_ o (num o 1) (mul o (B p) (mul o (delta p) (delta p)))", "true"),
        (
            "margins: B delta >= 1",
            "(mul o (B p) (mul o (delta p) (delta p)))",
            "(mul o (B p) (delta p))",
        ),
        (
            "margins: 2 B delta^2 >= 1",
            "leq_ o (num o 1) (mul o (B p) (mul o (delta p) (delta p)))",
            "leq_ o (num o 1) (mul o (num o 2) (mul o (B p) (mul o (delta p) (delta p))))",
        ),
        (
            "margins: any C",
            "all (fun k => leq_ o (add o (num o 1) (mul o (B p) (E2 k))) (mul o (num o 2) (C p)))",
            "all (fun k => true)",
        ),
        ("margins: 2C >= B E^2", "(add o (num o 1) (mul o (B p) (E2 k)))", "(mul o (B p) (E2 k))"),
        ("margins: 2C >= 1", "(add o (num o 1) (mul o (B p) (E2 k)))", "(num o 1)"),
        ("margins: 3C >= 1 + B E^2", "(mul o (num o 2) (C p))", "(mul o (num o 3) (C p))"),
        (
            "margins: C for all tasks but the last",
            "          (iota 0 K)].",
            "          (iota 0 K.-1)].",
        ),
        ("admissible: n = 1", "1 < pn p, ", "0 < pn p, "),
        ("admissible: any n", "1 < pn p, ", "true, "),
        ("admissible: any N", "(pm p).+1 * pn p <= N p", "true"),
        ("admissible: no tokens for the query", "(pm p).+1 * pn p <= N p", "pm p * pn p <= N p"),
        ("admissible: no answer token", "(pm p).+1 * pn p <= N p", "(pm p).+1 * pn p <= (N p).+1"),
        ("admissible: K = 0", "0 < K, ", "K <= K, "),
        ("admissible: one slot more than heads", "size (slots p) <= K,", "size (slots p) <= K.+1,"),
        ("admissible: any number of slots", "size (slots p) <= K,", "K <= K,"),
        (
            "admissible: slots that hold labels",
            "all (fun q => q < (pn p).-1) (slots p)",
            "all (fun q => q < pn p) (slots p)",
        ),
        ("admissible: slots at any position", "all (fun q => q < (pn p).-1) (slots p)", "true"),
        ("admissible: any dictionary", "all (all wired_hinge) (dict p)", "true"),
        ("admissible: any wiring", "all wired (iota 0 K) &", "true &"),
        (
            "admissible: the last task is not wired",
            "all wired (iota 0 K) &",
            "all wired (iota 0 K.-1) &",
        ),
        ("admissible: any margins", "& margins_hold]", "& true]"),
    ),
    "stream.v": (
        (
            "same: 2 for 1",
            "[seq ([:: (c b, num o 1)], [:: (c b, num o 1)])",
            "[seq ([:: (c b, num o 2)], [:: (c b, num o 1)])",
        ),
        ("along: the code of x + 1", "(c b, code o x b)", "(c b, code o x.+1 b)"),
        ("constants are read from ctx", "[:: (One, x)]", "[:: (Ctx, x)]"),
        ("copy: reads where it writes", "(from u, scale)", "(to u, scale)"),
        ("copy: writes twice as much", "[:: (to u, num o 1)]", "[:: (to u, num o 2)]"),
        ("own example: any example", "  same Pe (le z) ++\n  [::", "  [::"),
        ("own example: same position", "  same Pe (le z) ++", "  same Pt (lt z) ++"),
        ("own example: the next position", "along Pt (lt z) q ++", "along Pt (lt z) q.+1 ++"),
        (
            "own example: 2 for 1",
            "constant (sub o (num o 1) (num o (le z + lt z)))",
            "constant (sub o (num o 2) (num o (le z + lt z)))",
        ),
        (
            "own example: 4 for 1",
            "constant (sub o (num o 1) (num o (le z + lt z)))",
            "constant (sub o (num o 4) (num o (le z + lt z)))",
        ),
        (
            "own example: le for le + lt",
            "constant (sub o (num o 1) (num o (le z + lt z)))",
            "constant (sub o (num o 1) (num o (le z)))",
        ),
        (
            "the query's tokens are padding",
            "live t := (t < (pm p).+1 * pn p)%N",
            "live t := (t < pm p * pn p)%N",
        ),
        ("tokens in the order of positions", "ex t := (t %/ pn p)%N", "ex t := (t %% (pm p).+1)%N"),
        ("the answer is read at the first token", "token (pm p) (pn p).-1.", "token (pm p) 0."),
        (
            "prompt: labels come first",
            "if (pos t < n.-1)%N then X pr (ex t) (pos t) u",
            "if (0 < pos t)%N then X pr (ex t) (pos t).-1 u",
        ),
        (
            "prompt: blank examples hold vectors",
            "if used pr (ex t) then if (pos t",
            "if true then if (pos t",
        ),
        (
            "prompt: the answer token is not empty",
            "(ex t == m) && (pos t < n.-1)%N then",
            "(ex t == m) then",
        ),
        (
            "prompt: the query holds the first example",
            "then query pr (pos t) u",
            "then X pr 0 (pos t) u",
        ),
        ("ctx: the query is an example", "ctx t := (ex t < m)%N &&", "ctx t := (ex t <= m)%N &&"),
        ("ctx: blank slots are examples", "(ex t < m)%N && used pr (ex t).", "(ex t < m)%N."),
        (
            "padding has a code",
            "Pe b => if live t then code (ex t) b else 0",
            "Pe b => code (ex t) b",
        ),
        ("padding has one = 1", "| One => (live t)%:R", "| One => 1"),
        ("one = 1 on examples alone", "| One => (live t)%:R", "| One => (ctx t)%:R"),
    ),
    "gather.v": (
        ("gathers the next position", "(slot p r)) (copy", "(slot p r).+1) (copy"),
        ("gathers slot 0 into all", "(slot p r)) (copy", "(slot p 0)) (copy"),
        ("gathers labels", "copy o Tok (Slot r)", "copy o Lab (Slot r)"),
        ("gathers into slot 0", "copy o Tok (Slot r)", "copy o Tok (Slot 0)"),
        ("gathers without N", "(Slot r) (num o (N p))", "(Slot r) (num o 1)"),
        (
            "gathers all slots but the first",
            "r <- iota 0 (size (slots p))",
            "r <- iota 1 (size (slots p)).-1",
        ),
        ("gathers all entries but the last", "(N p)) (pd p))", "(N p)) (pd p).-1)"),
    ),
    "label.v": (
        ("the label is at position 0", "(pn p).-1) (copy", "0) (copy"),
        ("the label is at position n", "(pn p).-1) (copy", "(pn p)) (copy"),
        ("the label is read from lab", "copy o Tok Lab", "copy o Lab Lab"),
        ("the label goes to qry", "copy o Tok Lab", "copy o Tok Qry"),
        ("the label without N", "Lab (num o (N p))", "Lab (num o 1)"),
    ),
    "query.v": (
        ("asks its own example", "  same o Pt (lt z) ++", "  same o Pe (le z) ++"),
        ("asks any position", "  same o Pt (lt z) ++\n  [::", "  [::"),
        ("asks the last example", "along o Pe (le z) (pm p) ++", "along o Pe (le z) (pm p).-1 ++"),
        ("asks the first example", "along o Pe (le z) (pm p) ++", "along o Pe (le z) 0 ++"),
        (
            "asks with 2 for 1",
            "(sub o (num o 1) (num o (lt z + le z)))",
            "(sub o (num o 2) (num o (lt z + le z)))",
        ),
        ("asks with lt for lt + le", "(num o (lt z + le z))", "(num o (lt z))"),
        ("qry takes the label", "copy o Tok Qry", "copy o Lab Qry"),
        ("qry goes to out", "copy o Tok Qry", "copy o Tok Out"),
        ("qry without N", "Qry (num o (N p))", "Qry (num o 1)"),
        ("qslot goes to slot", "copy o (Slot r) (QSlot r)", "copy o (Slot r) (Slot r)"),
        ("qslot takes the token", "copy o (Slot r) (QSlot r)", "copy o Tok (QSlot r)"),
        ("qslot without N", "(QSlot r) (num o (N p))", "(QSlot r) (num o 1)"),
        ("no qslot", "| r <- iota 0 (size (slots p))]).", "| r <- iota 0 0])."),
        ("hinge units without e", "++ constant (he vh.2)", "++ constant (num o 0)"),
        (
            "hinge units write e",
            "[:: (into vh.1, hc vh.2)]).\n\nDefinition hinges",
            "[:: (into vh.1, he vh.2)]).\n\nDefinition hinges",
        ),
        (
            "hinge units write to the next feature",
            "[:: (into vh.1, hc vh.2)]).\n\nDefinition hinges",
            "[:: (into vh.1.+1, hc vh.2)]).\n\nDefinition hinges",
        ),
        (
            "gx is of the query",
            "hinge_unit (field Tok Slot) Gx vh | vh",
            "hinge_unit (field Qry QSlot) Gx vh | vh",
        ),
        (
            "gq is of the example",
            "hinge_unit (field Qry QSlot) Gq vh | vh",
            "hinge_unit (field Tok Slot) Gq vh | vh",
        ),
        (
            "gq is added to gx",
            "hinge_unit (field Qry QSlot) Gq vh | vh",
            "hinge_unit (field Qry QSlot) Gx vh | vh",
        ),
        ("no dictionary", "if nilp hinges then", "if true then"),
    ),
    "superpose.v": (
        ("e = f + lab", "(Lab i, opp o (num o 1))", "(Lab i, num o 1)"),
        ("e = f - 2 lab", "(Lab i, opp o (num o 1))", "(Lab i, opp o (num o 2))"),
        ("e = f - tok", "(Lab i, opp o (num o 1))", "(Tok i, opp o (num o 1))"),
        ("e = f - qry", "(Lab i, opp o (num o 1))", "(Qry i, opp o (num o 1))"),
        ("e = f", "Gx i ++ [:: (Lab i, opp o (num o 1))]", "Gx i"),
        (
            "e tests f on the query",
            "f_form o p k (field Tok Slot) Gx i ++",
            "f_form o p k (field Qry QSlot) Gq i ++",
        ),
        (
            "e takes the query's features",
            "f_form o p k (field Tok Slot) Gx i ++",
            "f_form o p k (field Tok Slot) Gq i ++",
        ),
        (
            "gate: the home with weight 1",
            "scaled (C p) (along o Pt",
            "scaled (num o 1) (along o Pt",
        ),
        (
            "gate: the home with weight 2C",
            "scaled (C p) (along o Pt",
            "scaled (mul o (num o 2) (C p)) (along o Pt",
        ),
        (
            "gate: any position is home",
            "along o Pt (lt z) (home p k)) ++",
            "along o Pt 0 (home p k)) ++",
        ),
        (
            "gate: the home of the next task",
            "Pt (lt z) (home p k)) ++",
            "Pt (lt z) (home p k.+1)) ++",
        ),
        ("gate: home + 1", "Pt (lt z) (home p k)) ++", "Pt (lt z) (home p k).+1) ++"),
        ("gate: ctx with weight C", "[:: (Ctx, mul o (num o 2) (C p))]", "[:: (Ctx, C p)]"),
        (
            "gate: ctx with weight 3C",
            "(Ctx, mul o (num o 2) (C p))",
            "(Ctx, mul o (num o 3) (C p))",
        ),
        (
            "gate: one for ctx",
            "[:: (Ctx, mul o (num o 2) (C p))]",
            "[:: (One, mul o (num o 2) (C p))]",
        ),
        ("gate: +1 for +2", "(num o (le z + 2 * lt z + 2))", "(num o (le z + 2 * lt z + 1))"),
        ("gate: +3 for +2", "(num o (le z + 2 * lt z + 2))", "(num o (le z + 2 * lt z + 3))"),
        ("gate: lt for 2 lt", "(num o (le z + 2 * lt z + 2))", "(num o (le z + lt z + 2))"),
        ("gate: no le", "(num o (le z + 2 * lt z + 2))", "(num o (2 * lt z + 2))"),
        (
            "gate: 2 for 1",
            "constant (sub o (num o 1) (mul o (C p)",
            "constant (sub o (num o 2) (mul o (C p)",
        ),
        (
            "gate: 0 for 1",
            "constant (sub o (num o 1) (mul o (C p)",
            "constant (sub o (num o 0) (mul o (C p)",
        ),
        (
            "gate: B for C",
            "constant (sub o (num o 1) (mul o (C p)",
            "constant (sub o (num o 1) (mul o (B p)",
        ),
        ("score: + B", "scaled (opp o (B p)) (e_form k i)", "scaled (B p) (e_form k i)"),
        (
            "score: -1 for -B",
            "scaled (opp o (B p)) (e_form k i)",
            "scaled (opp o (num o 1)) (e_form k i)",
        ),
        (
            "score: -2B for -B",
            "scaled (opp o (B p)) (e_form k i)",
            "scaled (opp o (mul o (num o 2) (B p))) (e_form k i)",
        ),
        (
            "score: the last entry of e is not tested",
            "(e_form k i), e_form k i) | i <- iota 0 (pd p)]",
            "(e_form k i), e_form k i) | i <- iota 0 (pd p).-1]",
        ),
        ("score: the example with weight 1", "[:: (Pe b, C p)]", "[:: (Pe b, num o 1)]"),
        (
            "score: the example with weight 2C",
            "[:: (Pe b, C p)]",
            "[:: (Pe b, mul o (num o 2) (C p))]",
        ),
        ("score: the position with weight 0", "[:: (Pt b, C p)]", "[:: (Pt b, num o 0)]"),
        (
            "score: the example against the position",
            "([:: (Pe b, C p)], [:: (Pe b, num o 1)])",
            "([:: (Pe b, C p)], [:: (Pt b, num o 1)])",
        ),
        (
            "score: the gate twice",
            "[:: (constant (num o 1), gate k)]",
            "[:: (constant (num o 2), gate k)]",
        ),
        ("score: no gate", "[:: (constant (num o 1), gate k)]", "[::]"),
        (
            "value: f of the example",
            "(f_form o p k (field Qry QSlot) Gq i), [::",
            "(f_form o p k (field Tok Slot) Gx i), [::",
        ),
        (
            "value: the example's features",
            "(f_form o p k (field Qry QSlot) Gq i), [::",
            "(f_form o p k (field Qry QSlot) Gx i), [::",
        ),
        (
            "value: f of the first task",
            "(f_form o p k (field Qry QSlot) Gq i), [::",
            "(f_form o p 0 (field Qry QSlot) Gq i), [::",
        ),
        (
            "value: without N",
            "([seq (scaled (num o (N p)) (f_form",
            "([seq (scaled (num o 1) (f_form",
        ),
        ("value: to tok", "[:: (Out i, num o 1)]", "[:: (Tok i, num o 1)]"),
        ("value: all to entry 0", "[:: (Out i, num o 1)]", "[:: (Out 0, num o 1)]"),
        ("cnt counts double", "[:: (Cnt, num o 1)]", "[:: (Cnt, num o 2)]"),
        ("cnt without N", "(constant (num o (N p)), [:: (Cnt", "(constant (num o 1), [:: (Cnt"),
        ("cnt goes to tot", "[:: (Cnt, num o 1)]", "[:: (Tot, num o 1)]"),
        (
            "the first task has no head",
            "superpose_head k | k <- iota 0 (K p)]",
            "superpose_head k | k <- iota 1 (K p).-1]",
        ),
    ),
    "pool.v": (
        (
            "the last example asks",
            "along o Pe (le z) (pm p) ++ along",
            "along o Pe (le z) (pm p).-1 ++ along",
        ),
        ("every example asks", "along o Pe (le z) (pm p) ++ along", "along"),
        ("position 0 asks", "along o Pt (lt z) (pn p).-1 ++", "along o Pt (lt z) 0 ++"),
        ("every position asks", "along o Pt (lt z) (pn p).-1 ++\n", "\n"),
        (
            "2 for 1",
            "(sub o (num o 1) (num o (le z + lt z)))",
            "(sub o (num o 2) (num o (le z + lt z)))",
        ),
        ("le for le + lt", "(num o (le z + lt z))", "(num o (le z))"),
        (
            "the roles of query and key exchanged",
            "       constant (num o 1))].",
            "       along o Pt (lt z) (pn p).-1)].",
        ),
        (
            "sums over examples alone",
            "       constant (num o 1))].",
            "       [:: (Ctx, num o 1)])].",
        ),
        ("out without N", "copy o Out Out (num o (N p))", "copy o Out Out (num o 1)"),
        ("qry is summed", "copy o Out Out", "copy o Qry Out"),
        ("out goes to lab", "copy o Out Out", "copy o Out Lab"),
        ("one is counted", "[:: ([:: (Cnt, num o (N p))]", "[:: ([:: (One, num o (N p))]"),
        ("cnt goes to cnt", "[:: (Tot, num o 1)]", "[:: (Cnt, num o 1)]"),
        ("cnt without N", "([:: (Cnt, num o (N p))]", "([:: (Cnt, num o 1)]"),
        ("no cnt", " ++ [:: ([:: (Cnt, num o (N p))], [:: (Tot, num o 1)])]", ""),
    ),
    "square.v": (
        (
            "tot * cnt for tot^2",
            "([:: (Tot, num o 1)], [:: (Tot, num o 1)])",
            "([:: (Tot, num o 1)], [:: (Cnt, num o 1)])",
        ),
        (
            "tot for tot^2",
            "([:: (Tot, num o 1)], [:: (Tot, num o 1)])",
            "([:: (Tot, num o 1)], constant (num o 1))",
        ),
        (
            "2 tot^2",
            "([:: (Tot, num o 1)], [:: (Tot, num o 1)])",
            "([:: (Tot, num o 2)], [:: (Tot, num o 1)])",
        ),
        ("sq without N", "(constant (num o (N p)), [:: (Sq", "(constant (num o 1), [:: (Sq"),
        ("the square goes to tot", "[:: (Sq, num o 1)]", "[:: (Tot, num o 1)]"),
        ("units: + sq", "(Sq, opp o (num o 1))", "(Sq, num o 1)"),
        ("units: no sq", "[:: (Sq, opp o (num o 1)); ", "[:: "),
        ("units: v for 2v", "(Tot, mul o (num o 2) (num o v))", "(Tot, num o v)"),
        (
            "units: -2v for 2v",
            "(Tot, mul o (num o 2) (num o v))",
            "(Tot, opp o (mul o (num o 2) (num o v)))",
        ),
        ("units: v for v^2", "(mul o (num o v) (num o v)))]", "(num o v))]"),
        ("units: + v^2", "sub o (num o 1) (mul o (num o v)", "add o (num o 1) (mul o (num o v)"),
        ("units: 2 for 1", "sub o (num o 1) (mul o (num o v)", "sub o (num o 2) (mul o (num o v)"),
        ("units: 0 for 1", "sub o (num o 1) (mul o (num o v)", "sub o (num o 0) (mul o (num o v)"),
        ("units write s v", "mul o (s p) (inv o (num o v))", "mul o (s p) (num o v)"),
        ("units write s/v^2", "(inv o (num o v))", "(inv o (mul o (num o v) (num o v)))"),
        ("units write 1/v", "mul o (s p) (inv o (num o v))", "inv o (num o v)"),
        ("units write to tot", "[:: (Rec, mul o", "[:: (Tot, mul o"),
        ("the table starts at 0", "v <- iota 1 M]", "v <- iota 0 M]"),
        ("the table ends one too early", "v <- iota 1 M]", "v <- iota 1 M.-1]"),
        ("as many votes as examples", "M := (pm p * K p)%N", "M := pm p"),
        ("as many votes as tasks", "M := (pm p * K p)%N", "M := K p"),
    ),
    "divide.v": (
        ("the score is tot", "[:: (Rec, num o 1)]", "[:: (Tot, num o 1)]"),
        ("the score is 2 rec", "(constant (num o 1), [:: (Rec", "(constant (num o 2), [:: (Rec"),
        (
            "query and key exchanged",
            "(constant (num o 1), [:: (Rec, num o 1)])",
            "([:: (Rec, num o 1)], constant (num o 1))",
        ),
        ("N for N/s", "mul o (num o (N p)) (inv o (s p))", "num o (N p)"),
        ("N s for N/s", "mul o (num o (N p)) (inv o (s p))", "mul o (num o (N p)) (s p)"),
        ("1/s for N/s", "mul o (num o (N p)) (inv o (s p))", "inv o (s p)"),
        ("qry is divided", "copy o Out Tok", "copy o Qry Tok"),
        ("the answer goes to out", "copy o Out Tok", "copy o Out Out"),
        ("the last entry is not divided", "(inv o (s p))) (pd p))", "(inv o (s p))) (pd p).-1)"),
    ),
    "theorem.v": (
        ("K heads if K = 0", "(0 < K p)%N -> (size", "(0 <= K p)%N -> (size"),
        (
            "K heads if there are more slots",
            "(size (slots p) <= K p)%N ->",
            "(size (slots p) <= (K p).+1)%N ->",
        ),
        ("square before pool", "pool o p; square o p", "square o p; pool o p"),
        ("divide before square", "square o p; divide o p", "divide o p; square o p"),
        ("superpose twice, no pool", "superpose o p; pool o p", "superpose o p; superpose o p"),
        ("divide twice, no square", "square o p; divide o p", "divide o p; divide o p"),
        ("square twice, no divide", "square o p; divide o p", "square o p; square o p"),
        (
            "the answer is read one token later",
            "h (answer p) (Tok u) = mixture",
            "h (answer p).+1 (Tok u) = mixture",
        ),
        (
            "the answer is read at the query",
            "h (answer p) (Tok u) = mixture",
            "h (token p (pm p) 0) (Tok u) = mixture",
        ),
        (
            "the answer is read from out",
            "(answer p) (Tok u) = mixture",
            "(answer p) (Out u) = mixture",
        ),
        ("no domain", "Hypothesis dom : in_domain", "Hypothesis dom : True \\/ in_domain"),
        (
            "no conditions",
            "Hypothesis ok : admissible (real_ops R) p.",
            "Hypothesis ok : true || admissible (real_ops R) p.",
        ),
        ("entries beyond d", "(u < d)%N ->\n  run_layers", "(u <= d)%N ->\n  run_layers"),
        (
            "any stream",
            "holds p h (stream0 p pr) -> (u < d)%N",
            "True \\/ holds p h (stream0 p pr) -> (u < d)%N",
        ),
    ),
    "transport.v": (
        ("B and C exchanged", "(phi (B p)) (phi (C p))", "(phi (C p)) (phi (B p))"),
        ("R and R_y exchanged", "(phi (Rx p)) (phi (Ry p))", "(phi (Ry p)) (phi (Rx p))"),
        (
            "hinges exchange c and e",
            "Hinge (phi (hc h)) (map_linear (ha h)) (phi (he h))",
            "Hinge (phi (he h)) (map_linear (ha h)) (phi (hc h))",
        ),
    ),
    "matrices.v": (
        ("heads without 1/N", "  N%:R^-1 *: (scores_mx", "  (scores_mx"),
        (
            "a head gives what it gives a layer later",
            "(embed_mx E x) (take l (elayers E)).",
            "(embed_mx E x) (take l.+1 (elayers E)).",
        ),
        (
            "the heads of the next layer give",
            "(ehs (nth no_layer (elayers E) l)) k)",
            "(ehs (nth no_layer (elayers E) l.+1)) k)",
        ),
        ("heads without relu", "relu_mx (q *m k^T)", "(q *m k^T)"),
        ("keys and queries exchanged", "relu_mx (q *m k^T)", "relu_mx (k *m q^T)"),
        ("keys by W_Q", "let k := h *m columns (W_K H)", "let k := h *m columns (W_Q H)"),
        ("values by W_K", "let v := h *m columns (W_V H)", "let v := h *m columns (W_K H)"),
        ("outputs by W_V", "*m rows_ (W_O H)", "*m rows_ (W_V H)"),
        (
            "attention without residual",
            "(emitted_head R)) h := h + \\sum_(H <- Hs)",
            "(emitted_head R)) h := \\sum_(H <- Hs)",
        ),
        ("MLP without residual", "  h + relu_mx (h *m", "  relu_mx (h *m"),
        (
            "MLP without relu",
            "relu_mx (h *m columns win (size win))",
            "(h *m columns win (size win))",
        ),
        ("MLP beside attention", "(W_out L) (attention_mx (ehs L) h)", "(W_out L) h"),
        ("no embedding of positions", " + rows_ (W_pos E) N.", "."),
        ("layers in reverse", "(embed_mx E x) (elayers E).", "(embed_mx E x) (rev (elayers E))."),
        ("the flag goes to one", "[:: [:: (Ctx, num o 1)]]", "[:: [:: (One, num o 1)]]"),
        (
            "vectors go to qry",
            "  [seq [:: (Tok u, num o 1)] | u <- iota 0 (pd p)] ++",
            "  [seq [:: (Qry u, num o 1)] | u <- iota 0 (pd p)] ++",
        ),
        ("positions without one", "(pos p t) ++ constant (num o 1)", "(pos p t)"),
        ("padding has positions", "[seq if live p t then", "[seq if true then"),
        (
            "codes of example and position exchanged",
            "along o Pe (le z) (ex p t) ++ along o Pt (lt z) (pos p t)",
            "along o Pe (le z) (pos p t) ++ along o Pt (lt z) (ex p t)",
        ),
        (
            "out is unembedded",
            "unembedding : seq (form coord T) := [seq [:: (Tok u",
            "unembedding : seq (form coord T) := [seq [:: (Out u",
        ),
        ("any number of vectors is accepted", "size es = size fs /\\ forall r", "forall r"),
        ("any W_O is accepted", "& mat_ok (W_O E) (map snd (vals H))]", "& True]"),
        ("any W_out is accepted", "mat_ok (W_out E) (map snd (units L))]", "True]"),
        ("any W_pos is accepted", "mat_ok (W_pos E) (places_of o p)", "True"),
        ("any number of heads is accepted", "  | _, _ => False", "  | _, _ => True"),
    ),
    "network.v": (
        ("the flag is 1 for every token", "else (ctx p pr t)%:R.", "else 1."),
        ("the flag is 0 for every token", "else (ctx p pr t)%:R.", "else 0."),
        ("another token is read", "  t = answer p :> nat ->\n  answer_mx", "  answer_mx"),
        ("any weights", "emitted_ok p E ->\n  t = answer", "t = answer"),
        (
            "no domain",
            "  in_domain d (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p) -> "
            "emitted_ok p E ->\n"
            "  t = answer",
            "  emitted_ok p E ->\n  t = answer",
        ),
        (
            "votes: no domain",
            "Theorem votes_correct E k :\n"
            "  in_domain d (pm p) (pn p) (tasks p) pr (Rx p) (Ry p) (delta p) -> emitted_ok",
            "Theorem votes_correct E k :\n  emitted_ok",
        ),
    ),
    "checker.v": (
        (
            "entries: the last, not the sum",
            "entry_of (e : seq (nat * T)) j := sum o",
            "entry_of (e : seq (nat * T)) j := last (num o 0)",
        ),
        ("entries that are missing pass", "j <- map fst e ++ map fst f'", "j <- map fst e"),
        ("entries too many pass", "j <- map fst e ++ map fst f'", "j <- map fst f'"),
        (
            "entries too large pass",
            "~~ eqb o (entry_of e j) (entry_of f' j)",
            "~~ leq_ o (entry_of f' j) (entry_of e j)",
        ),
        ("any number of vectors passes", "if size es != size fs then", "if false then"),
        (
            "the first vector is not compared",
            "    | r <- iota 0 (size fs)].",
            "    | r <- iota 1 (size fs).-1].",
        ),
        ("any W_Q passes", "  tensor_differs (TensorQ l k) (W_Q E) (map fst (rows H)) ++\n", "  "),
        ("W_K is compared with W_Q's", "(W_K E) (map snd (rows H))", "(W_K E) (map fst (rows H))"),
        ("any W_O passes", "  tensor_differs (TensorO l k) (W_O E) (map snd (vals H)).", "  [::]."),
        ("any number of heads passes", "if size (ehs E) != size (heads L) then", "if false then"),
        (
            "the first head is not compared",
            "     | k <- iota 0 (size (heads L))]",
            "     | k <- iota 1 (size (heads L)).-1]",
        ),
        ("any W_in passes", "  tensor_differs (TensorIn l) (W_in E) (map fst (units L)) ++\n", ""),
        (
            "any W_out passes",
            "  tensor_differs (TensorOut l) (W_out E) (map snd (units L)).",
            "  [::].",
        ),
        ("any plan passes", "(if admissible o p then [::] else [:: Conditions])", "[::]"),
        ("any W_E passes", "  tensor_differs TensorE (W_E E) (embedding o p) ++\n", ""),
        ("any W_pos passes", "  tensor_differs TensorPos (W_pos E) (places_of o p) ++\n", ""),
        ("any W_U passes", "  tensor_differs TensorU (W_U E) (unembedding o p).", "  [::]."),
        ("any number of layers passes", "if size (elayers E) != size Ls then", "if false then"),
        (
            "the last layer is not compared",
            "     | l <- iota 0 (size Ls)])",
            "     | l <- iota 0 (size Ls).-1])",
        ),
    ),
    "artifact.v": (
        (
            "differences do not matter",
            "fits (D (sizes_of p)) E -> differences rat_ops p E = [::] ->",
            "fits (D (sizes_of p)) E -> True \\/ differences rat_ops p E = [::] ->",
        ),
        ("any width", "Theorem checked p E : fits (D (sizes_of p)) E ->", "Theorem checked p E :"),
        (
            "no domain",
            "    in_domain (pd q) (pm q) (pn q) (tasks q) pr (Rx q) (Ry q) (delta q) ->\n",
            "",
        ),
        (
            "any token answers",
            "forall t : 'I_(N p), t = answer p :> nat ->\n",
            "forall t : 'I_(N p),\n",
        ),
        ("eight layers", "= nseq 7 (K p);", "= nseq 8 (K p);"),
        ("m heads in each layer", "= nseq 7 (K p);", "= nseq 7 (pm p);"),
        (
            "a hinge has one hidden unit",
            "(2 * sumn (map size (dict p)))",
            "(sumn (map size (dict p)))",
        ),
        ("layer 6 has a unit for each example", "pm p * K p; 1]%N", "pm p; 1]%N"),
        (
            "the MLP of layer 3 is idle",
            "(l < 7)%N -> l != 2%N -> l != 5%N ->\n    mlp_of",
            "(l < 7)%N -> l != 5%N ->\n    mlp_of",
        ),
        (
            "votes of other tasks than there are",
            "the_votes : forall k, (k < K p)%N -> vote k",
            "the_votes : forall k, vote k",
        ),
        (
            "weights are votes",
            "vote k / (\\sum_(j < K p) vote j) =",
            "vote k =",
        ),
        ("a head gives 1 at every example", "    (explains (pd p) (tasks p) pr k i)%:R;", "    1;"),
    ),
    "forward.v": (
        ("heads without 1/N", "mul o (inv o (num o N)) (spread (W_O H) a j)", "spread (W_O H) a j"),
        ("heads without relu", "[seq relu o (dot_list", "[seq (dot_list"),
        ("keys by W_Q", "map (project (W_K H)) h in", "map (project (W_Q H)) h in"),
        ("tokens with a score do not count", "zip ws vs & ~~ eqb o", "zip ws vs & eqb o"),
        (
            "a head reads what others have written",
            "(head_list H h)]) h Hs.",
            "(head_list H acc)]) h Hs.",
        ),
        ("MLP without residual", "  add_lists v [seq spread", "  [seq spread"),
        ("MLP without relu", "map (relu o) (project win v) in", "project win v in"),
        (
            "no embedding of positions",
            "add o (spread (W_E E) y.1 j) (entry_at y.2 j) |",
            "spread (W_E E) y.1 j |",
        ),
        (
            "layers in reverse",
            "(embed_list E x) (elayers E).\nEnd",
            "(embed_list E x) (rev (elayers E)).\nEnd",
        ),
    ),
    "concrete.v": (
        ("mixture: blank slots vote", "filled i && all", "all"),
        (
            "mixture: the denominator is K",
            "(inv o (num o (sumn [seq votes_at k | k <- iota 0 (K p)])))",
            "(inv o (num o (K p)))",
        ),
        ("condition: no label", "| LabelAndInput => 1 < n", "| LabelAndInput => 0 < n"),
        ("condition: no room for the query", "=> m.+1 * n <= N p", "=> m * n <= N p"),
        ("condition: no task", "| SomeTask => 0 < K p", "| SomeTask => 0 <= K p"),
        ("condition: slots without heads", "size (slots p) <= K p", "size (slots p) <= (K p).+1"),
        (
            "condition: slots that hold labels",
            "all (fun q => q < n.-1) (slots p)",
            "all (fun q => q < n) (slots p)",
        ),
        (
            "condition: B delta >= 1",
            "(mul o (B p) (mul o (delta p) (delta p)))",
            "(mul o (B p) (delta p))",
        ),
        ("condition: 2C >= 1", "(add o (num o 1) (mul o (B p) (E2 o p k)))", "(num o 1)"),
        (
            "condition: inputs have no lower bound",
            "leq_ o (abs o (input i q u)) (Rx p)",
            "leq_ o (input i q u) (Rx p)",
        ),
        (
            "condition: labels have the inputs' bound",
            "leq_ o (abs o (label_of i u)) (Ry p)",
            "leq_ o (abs o (label_of i u)) (Rx p)",
        ),
        ("condition: the query has no bound", "leq_ o (abs o (query_of q u)) (Rx p)", "true"),
        (
            "condition: delta for its square",
            "leq_ o (mul o (delta p) (delta p))\n",
            "leq_ o (delta p)\n",
        ),
        (
            "prompt: the query is an example",
            "(num o ((ex p t < m) && filled (ex p t)))",
            "(num o (ex p t <= m))",
        ),
        (
            "another token is read",
            "(nth [::] h (answer p)).\n\nDefinition",
            "(nth [::] h 0).\n\nDefinition",
        ),
    ),
    "sharpness.v": (
        (
            "MatchMargin: B = 1/delta^2 is wrong",
            "(simple identity (1#2) (3#2) 2 1 1)",
            "(simple identity 1 (5#2) 2 1 1)",
        ),
        (
            "AddressMargin: C = (1 + B E^2) / 2 is wrong",
            "(simple identity 1 (9#4) 2 1 1)",
            "(simple identity 1 (5#2) 2 1 1)",
        ),
        ("InputBound: x = -R is wrong", "pair (-3#2) 1]", "pair (-1) 1]"),
        ("Separation: a label at delta is wrong", "pair 1 (1#2); None]", "pair 1 0; None]"),
        (
            "ReciprocalSign: s = 2 is wrong",
            "(simple identity 1 (5#2) 0 1 1)",
            "(simple identity 1 (5#2) 2 1 1)",
        ),
        ("the network answers 2/3, not 45/64", "([:: 45#64], 0)", "([:: 2#3], 0)"),
    ),
    "thresholds.v": (
        ("B = 1/delta^2 is wrong", "(below : b * dl ^+ 2 < 1)", "(below : b * dl ^+ 2 <= 1)"),
        ("a label on the task is missed", "(d0 : dl != 0)", "(d0 : true)"),
        ("any B is wrong", "(below : b * dl ^+ 2 < 1)", "(below : true)"),
        ("the query is 0", "(fun _ _ => 0) (fun _ _ => 1)", "(fun _ _ => 0) (fun _ _ => 0)"),
    ),
    "instances.v": (
        ("another answer", "answerAffine := [5#2; 0]", "answerAffine := [5#2; 1]"),
        ("a label that no task gives", "[Some ([[1]; [3]], [4]);", "[Some ([[1]; [3]], [5]);"),
    ),
}

# Why a survivor changes nothing: (file, what) -> a proof.
EQUIVALENT = {
    ("codes.v", "+1 and -1 exchanged"): "Codes occur in inner products with codes alone, in "
    "which both factors change their sign: all scores are the same.",
    ("plan.v", "wired: home at the label"): "The theorem holds for such tasks too. They read slots "
    "alone, which hold the same operands at the label token as at any token of the example, and "
    "the bounds on e_k are for any token. But a home is meant to be the position of an input.",
}


@dataclass(frozen=True)
class Mutation:
    """A change of one definition: `old`, which occurs once in `file`, becomes `new`."""

    file: str
    what: str
    old: str
    new: str

    @property
    def equivalent(self) -> str:
        """Why it changes nothing; empty if it should."""
        return EQUIVALENT.get((self.file, self.what), "")


@dataclass(frozen=True)
class Outcome:
    """What became of a mutation, and where: `file.lemma`."""

    mutation: Mutation
    verdict: str
    where: str = ""

    def row(self) -> str:
        """A line of the table."""
        where = self.where if self.verdict == NOTICED else f"{self.verdict} {self.where}".strip()
        return f"{self.mutation.file:<12} {self.mutation.what:<48} {where}"

    def reason(self) -> str:
        """Why a mutation that was not noticed changes nothing."""
        m = self.mutation
        return textwrap.fill(f"{m.file}, {m.what}: {m.equivalent}", 100, subsequent_indent="  ")


MUTATIONS = tuple(Mutation(file, *entry) for file, entries in TABLE.items() for entry in entries)


# --- The development ---------------------------------------------------------------


class Development:
    """A compiled copy of the development, from which mutants start.

    Attributes:
        folder: where it is.
        files: its files, in the order of compilation.
        flags: the arguments of coqc.
        limit: seconds for a file.
    """

    def __init__(self, folder: Path, limit: float):
        words = (ROCQ / "_CoqProject").read_text().split()
        self.folder, self.limit = folder, limit
        self.files = [word for word in words if word.endswith(".v")]
        self.flags = [word for word in words if word not in self.files and word != "-arg"]
        for file in self.files:
            shutil.copy(ROCQ / file, folder)
        self.needs = {file: set(_imports((folder / file).read_text())) for file in self.files}

    def compile(self, folder: Path, file: str) -> str:
        """The compiler's complaint about a file; empty if it has none."""
        command = ["coqc", *self.flags, file]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=self.limit
        )
        return done.stderr or "coqc gave no reason" if done.returncode else ""

    def build(self) -> None:
        """Compile everything, unmutated.

        Raises:
            SystemExit: if a file fails.
        """
        for file in self.files:
            if complaint := self.compile(self.folder, file):
                sys.exit(f"the unmutated development fails: {complaint}")

    def after(self, changed: str) -> Iterator[str]:
        """The changed file, and those that depend on it, in order, up to the theorem."""
        stale, end = {changed}, self.files.index(THEOREM) + 1
        within = changed in self.files[:end]
        for file in self.files[:end] if within else self.files:
            if file == changed or self.needs[file] & stale:
                stale.add(file)
                yield file

    def outcome(self, mutation: Mutation) -> Outcome:
        """Mutate a copy and compile it to the first failure."""
        with TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copytree(self.folder, folder, dirs_exist_ok=True)
            path = folder / mutation.file
            path.write_text(path.read_text().replace(mutation.old, mutation.new))
            for file in self.after(mutation.file):
                try:
                    complaint = self.compile(folder, file)
                except subprocess.TimeoutExpired:
                    return Outcome(mutation, UNDECIDED, f"after {self.limit:.0f} s in {file}")
                if complaint:
                    return _broken(mutation, file, complaint, (folder / file).read_text())
        return Outcome(mutation, SAME if mutation.equivalent else SURVIVOR)


ERROR = re.compile(r'^File "[^"]*", line (\d+), characters [\d-]+:\s+Error', re.MULTILINE)
PROVED = ("Lemma", "Theorem", "Corollary", "Example", "Fact")
DEFINED = ("Definition", "Fixpoint", "Record", "Inductive", "Hypothesis", "Canonical")
STATEMENT = re.compile(rf"^({'|'.join(PROVED + DEFINED)}) (\w+)")


def _imports(text: str) -> Iterator[str]:
    for names in re.findall(r"^From construct Require Import ([^.]*)\.", text, re.MULTILINE):
        yield from (f"{name}.v" for name in names.split())


def _broken(mutation: Mutation, file: str, complaint: str, text: str) -> Outcome:
    """Noticed, if it is a proof that fails; a definition that fails says nothing."""
    error = ERROR.search(complaint)
    before = text.splitlines()[: int(error[1])] if error else []
    found = [match.groups() for line in before if (match := STATEMENT.match(line))]
    kind, name = found[-1] if found else ("", "?")
    verdict = NOTICED if kind in PROVED else UNDECIDED
    return Outcome(mutation, verdict, f"{file.removesuffix('.v')}.{name}")


# --- The command line ----------------------------------------------------------------


def check_table(mutations: Iterable[Mutation]) -> None:
    """Every text to replace occurs once in its file.

    Raises:
        SystemExit: if one does not: the development has changed, the table has not.
    """
    stale = [m for m in mutations if (ROCQ / m.file).read_text().count(m.old) != 1]
    if stale:
        lines = [f"  {m.file}: {m.what}: {m.old!r}" for m in stale]
        sys.exit("\n".join(["these texts do not occur exactly once:", *lines]))


def survey(development: Development, mutations: Sequence[Mutation], jobs: int) -> list[Outcome]:
    """All outcomes, each printed as soon as those before it are known."""
    outcomes = []
    with ThreadPoolExecutor(jobs) as pool:
        for outcome in pool.map(development.outcome, mutations):
            print(outcome.row(), flush=True)
            outcomes.append(outcome)
    return outcomes


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """The mutations that were not noticed, why if it is known, and how many of each kind."""
    open_ = [o.row() for o in outcomes if o.verdict in (SURVIVOR, UNDECIDED)]
    reasons = [o.reason() for o in outcomes if o.verdict == SAME]
    counts = ", ".join(f"{sum(o.verdict == v for o in outcomes)} {v}" for v in VERDICTS)
    last = f"{len(outcomes)} mutations, {seconds:.0f} s: {counts}"
    return "\n" + "\n\n".join([*reasons, *(["\n".join(open_)] if open_ else []), last])


def main() -> int:
    """Run the table, or a sample of it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--list", action="store_true", help="list the mutations")
    options.add_argument("--sample", type=int, metavar="N", help="only N of them, at random")
    options.add_argument("--seed", type=int, default=0, help="of the sample")
    options.add_argument("--jobs", type=int, default=2, help="mutants at a time")
    options.add_argument("--limit", type=float, default=120, help="seconds for a file")
    chosen = options.parse_args()
    check_table(MUTATIONS)
    mutations = MUTATIONS
    if chosen.sample is not None:
        picked = random.Random(chosen.seed).sample(range(len(MUTATIONS)), chosen.sample)
        mutations = tuple(MUTATIONS[i] for i in sorted(picked))
    if chosen.list:
        print("\n".join(f"{m.file:<12} {m.what}" for m in mutations))
        return 0
    if not shutil.which("coqc"):
        sys.exit("coqc is not installed")
    return run(mutations, chosen.jobs, chosen.limit)


def run(mutations: Sequence[Mutation], jobs: int, limit: float) -> int:
    """Compile, mutate, print; 0 if every mutation is noticed or equivalent."""
    start = time.monotonic()
    with TemporaryDirectory() as folder:
        development = Development(Path(folder), limit)
        development.build()
        outcomes = survey(development, mutations, jobs)
    print(summary(outcomes, time.monotonic() - start))
    return int(any(o.verdict in (SURVIVOR, UNDECIDED) for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
