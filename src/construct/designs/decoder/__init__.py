"""Causal softmax decoders: the mixture at every query of a prompt, with the examples before it.

`words`     prompts of words: the model's own next-token softmax is the mixture; three blocks
`operands`  the same where an example has several inputs; four blocks
`vectors`   prompts of vectors: the answer is a vector; four blocks

All count votes alike (`count`).
"""
