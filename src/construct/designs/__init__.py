"""A design turns tasks into a transformer: a folder for each, a file for each layer.

`theorem`   seven layers of ReLU attention divided by N; the width is free of K
`decoder`   causal softmax: of words three blocks, of several words and of vectors four; an
            answer at every query
`encoder`   four blocks of softmax that sees the whole prompt; the width is free of K
`softmax`   what the last two share
"""

# As `build` and the command line take them, the default first.
THEOREM, DECODER, ENCODER = DESIGNS = ("theorem", "decoder", "encoder")
