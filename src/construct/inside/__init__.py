"""The inside of a pass, as data: fields, scores and votes by name, and patches.

tokens   what stands at each place of the context
scores   what a head gave, pair by pair, and how far it was from the wrong side
heads    the scores of all heads, by layer and by name
patches  what a patch sets, and the layers that run on from there
arrays   all of it as plain arrays
trace    one pass with all of this
"""
