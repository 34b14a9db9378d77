"""Layers 3 and 4 where the gate is flat, superpose and level: each vote becomes 1.

Proved for all d, a, B, C, E, tau, delta and epsilon, of the formulas: off target both scores are
<= 0 if 2C >= a + B E^2; on target both are >= 0 if ||e||^2 <= (tau + epsilon)^2 and
B (tau + epsilon)^2 <= a - 1, and both are <= 0 if ||e||^2 >= (delta - epsilon)^2 and
B (delta - epsilon)^2 >= a; such a and B exist if and only if delta > tau + 2 epsilon. Proved of
the emitted weights, for each artifact with a flat gate, every prompt of the domain, every number
of blank examples and all patterns of matches at once: each score is that formula, with
e_k = g_k - y of what is held; Z3 bounds every ||e_k||; the first ReLU is the vote times its
score, the second too; and the two layers turn the stream of lemma 3 into the one of lemma 4, in
every coordinate of every token.
"""

import sys

import sympy
import z3
from artifacts import flat, report
from network import forward, layer_of, same_stream
from streams import Prompt
from superpose import relus
from symbolic import Symbols, expect, holds, known

from construct import Construction


def for_every_size() -> str:
    """Signs of both scores, and when there is a gate."""
    u, v, U, V, W, B, C, E2, top, misses = sympy.symbols("u v U V W B C E2 top misses")
    # Summed over d entries: <u, v> = (W - U - V)/2, with U = |u|^2, V = |v|^2, W = |u + v|^2.
    expect(sympy.expand((u + v) ** 2 - u**2 - v**2 - 2 * u * v) == 0, "|u + v|^2")
    off_target = top - B * (W - U - V) / 2 - 2 * C * misses
    # Each term is a product of factors >= 0, where top is a or a - 1, and misses >= 1.
    slack = B / 2 * W + B / 2 * (E2 - U) + B / 2 * (E2 - V) + (2 * C - top - B * E2)
    expect(sympy.expand(off_target + slack + 2 * C * (misses - 1)) == 0, "a score off target")
    on_target()
    there_is_a_gate()
    return "for all d, a, B, C, E the gate is 1 on a match, 0 on a mismatch, and 0 off target"


def on_target() -> None:
    """The difference of the ReLUs is 1 up to near^2 <= (a - 1)/B, and 0 from far^2 >= a/B on."""
    a, B, U, near, far, x, y = z3.Reals("a B U near far x y")

    def relu(t: z3.ArithRef) -> z3.ArithRef:
        return z3.If(t > 0, t, 0)

    # x = B U, and y = B near^2 or B far^2: products of factors >= 0 keep their order.
    order = z3.Implies(z3.And(B > 0, near >= U), B * near >= B * U)
    expect(holds(order), "B U <= B near^2")
    expect(holds(z3.Implies(z3.And(B > 0, far <= U), B * far <= B * U)), "B U >= B far^2")
    vote = relu(a - x) - relu(a - 1 - x)
    expect(holds(z3.Implies(z3.And(x <= y, y <= a - 1), vote == 1)), "a match")
    expect(holds(z3.Implies(z3.And(x >= y, y >= a), vote == 0)), "a mismatch")


def there_is_a_gate() -> None:
    """B = 1/(far^2 - near^2) and a = B far^2 will do if far > near, and nothing does else."""
    near, far = sympy.symbols("near far", positive=True)
    B = 1 / (far**2 - near**2)
    a = B * far**2
    expect(sympy.simplify(B * near**2 - (a - 1)) == 0, "B near^2 = a - 1")
    x, y, a_, B_ = z3.Reals("x y a B")
    # x = near^2 >= y = far^2 where far <= near: B x <= a - 1 and B y >= a contradict.
    none = z3.Implies(z3.And(B_ > 0, x >= y), z3.Not(z3.And(B_ * x <= a_ - 1, B_ * y >= a_)))
    expect(holds(none), "no gate")


def on_weights(made: Construction) -> str:
    """The lemma about the weights of an artifact."""
    symbols, a = Symbols(made), made.margins.a
    for examples in range(made.sizes.m + 1):
        prompt = Prompt(symbols, examples)
        h = prompt.queried()
        for name, top in (("superpose", a), ("level", a - 1)):
            layer = layer_of(made, name)
            h = forward(h, layer, known(relus(prompt, h, layer, top)))
        same_stream(symbols, h, prompt.superposed())
    return "two heads for each task vote 1 where it matches, and nothing elsewhere"


if __name__ == "__main__":
    sys.exit(report("level", on_weights, for_every_size, of=flat))
