"""Faults to plant in the softmax designs: name, hint, and (file, words, what stands there instead).

`plants` plants them.
"""

_SCORES, _CERTIFY = "designs/softmax/scores.py", "certify/softmax.py"
_WORDS, _VECTORS, _ENCODER = "designs/decoder/words", "designs/decoder/vectors", "designs/encoder"
FAULTS = (
    # Decisions.
    (
        "gamma halved in the scores",
        "word decoders",
        (_SCORES, "    gamma = margins.gamma\n", "    gamma = Fraction(1, 2) * margins.gamma\n"),
    ),
    (
        "gamma chosen as a half",
        "vector decoders",
        (
            _CERTIFY,
            "return int(_power_of_two(bits * LN2 / LEFT))",
            "return int(_power_of_two(bits * LN2 / LEFT)) // 2",
        ),
    ),
    (
        "beta halved",
        "encoders",
        (_SCORES, "(-margins.beta * e, e)", "(-margins.beta * Fraction(1, 2) * e, e)"),
    ),
    (
        "no penalty of other positions",
        "vector decoders",
        (_SCORES, "[*same_example(sizes), *same_position(sizes)]", "[*same_example(sizes)]"),
    ),
    (
        "a head that stays at its token has no penalty",
        "encoders",
        (_SCORES, ", *times(margins.gamma, itself(sizes))]", "]"),
    ),
    (
        "bits are compared one way",
        # Under causal attention one way is enough.
        "encoders",
        (_SCORES, ", (half * (ones - bits), -1 * (bits + ones))]", "]"),
    ),
    (
        "a match of words does not ask for an input",
        "word decoders",
        (f"{_WORDS}/match.py", '[*always(read("x") - constant(1)), ', "["),
    ),
    (
        "a match of vectors does not ask for a label",
        "vector decoders",
        (
            f"{_VECTORS}/match.py",
            "[*test(sizes, plan.margins, e), (at_labels, constant(1))]",
            "test(sizes, plan.margins, e)",
        ),
    ),
    ("C is a quarter", "encoders", (_CERTIFY, "domain)) / 2)", "domain)) / 8)")),
    ("the sink asks", "encoders", (f"{_ENCODER}/superpose.py", "            *alone(C),\n", "")),
    (
        "blank slots are tested",
        "encoders",
        (f"{_ENCODER}/superpose.py", ' + 2 * (read("ctx") - constant(1))', ""),
    ),
    # Counts and logarithms.
    (
        "inputs count as labels",
        "vector decoders",
        ("designs/decoder/count.py", "*always(plan.margins.gamma * no_label), ", ""),
    ),
    (
        "log(m+1) off by one",
        "word decoders",
        ("designs/decoder/sequence.py", "range(1, sizes.m + 2)", "range(2, sizes.m + 3)"),
    ),
    (
        "a breakpoint displaced",
        "vector decoders",
        (
            "network/tables.py",
            "np.arange(2.0, self.M + 1)",
            "np.arange(2.0, self.M + 1) + 2.0**-20",
        ),
    ),
    (
        "log 0 of a word is 0",
        "word decoders",
        (f"{_WORDS}/log.py", "ln, at_zero=-2 * gamma)", "ln, at_zero=0)"),
    ),
    (
        "log 0 of a task is 0",
        "vector decoders",
        (f"{_VECTORS}/count.py", "table(m, log, at_zero=-4 * gamma)", "table(m, log, at_zero=0)"),
    ),
    (
        "T' halved",
        "word decoders",
        (
            f"{_WORDS}/count.py",
            "1 << (17 * plan.sizes.m // 16).bit_length()",
            "1 << (plan.sizes.m.bit_length() - 1)",
        ),
    ),
    (
        "no mean of ties",
        "encoders",
        (f"{_ENCODER}/average.py", '-1 * read("out")', '0 * read("out")'),
    ),
    (
        "the sink of the pool has 0",
        "encoders",
        (f"{_ENCODER}/__init__.py", "-plan.margins.gamma * sink", "0 * sink"),
    ),
    # The certificate.
    (
        "condition label of softmax designs dropped",
        "vector decoders",
        (
            "certify/decisions.py",
            "if not held and not flat and moved**2 > delta**2 * fmt.match:",
            "if False:",
        ),
    ),
    (
        "the bound on shares a hundredth",
        "vector decoders",
        (
            "certify/shares.py",
            "return F * mixed(fmt, design, plan)",
            "return F * mixed(fmt, design, plan) / 100",
        ),
    ),
    # What runs and reads them.
    (
        "a token sees the next one",
        "word decoders",
        ("execute/numpy_.py", "dtype=bool), 1)]", "dtype=bool), 2)]"),
    ),
    (
        "an answer is read a token late",
        "vector decoders",
        ("designs/softmax/design.py", "sizes.place(i, sizes.n - 1)", "sizes.place(i, sizes.n)"),
    ),
    (
        "vectors that are no words are read",
        "word decoders",
        ("spec/domain.py", "(~once.all(axis=-1))[:1]", "(~once.all(axis=-1))[:0]"),
    ),
)
