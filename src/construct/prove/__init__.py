"""The bridge from an artifact to the machine-checked proof in `proofs/rocq`.

export      tasks, margins and every weight of an artifact as exact rationals, in Rocq
readback    the tasks that were written, read back and compared
rocq        compiles the development once, and checks what was exported
mutations   every entry of an artifact, changed: each must be rejected
"""
