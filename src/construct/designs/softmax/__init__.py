"""What the softmax designs share: margins, scores that decide, and the way of a prompt.

Conventions. The first token of a context is the sink: its key and its value are 0, so that it
scores 0 in every head. A head that *decides* gives its target at least gamma, the sink 0, and
everyone else at most -gamma: so of its weights all but T e^-gamma lie on one token, where T is
the number of tokens. Scores are whole numbers, or products with powers of two, as far as the
tasks allow: then no order of summation rounds them.
"""
