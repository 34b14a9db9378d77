"""The executors: weights and a residual stream in, a residual stream out.

All have one signature, `prepare(transformer, dtype) -> run`, and then
`run(stream, trace=False) -> Pass`, for a stream of shape (N, D) or a batch of them
(batch, N, D); those that work on several devices take a mesh as well. They know
nothing of tasks. `registry` lists them, `passes` calls one by its name, and each has a
file of its own. This file imports nothing, so that the command line reads the list
without waiting for NumPy.
"""
