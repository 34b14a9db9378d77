"""Tasks with ReLUs of their own, and prompts of whole numbers that they label."""

import numpy as np

from construct import Construction, Prompt, Task, relu_sum

R = 3


def hinge_tasks(
    seed: int, K: int, n: int = 2, *, d: int = 2, several: bool = False, alike: bool = False
) -> list[Task]:
    """K tasks of whole numbers, each of one input; of two, where there are several and n > 2.

    Args:
        alike: whether each has as many hinges: two for each entry.
    """
    rng, tasks = np.random.default_rng(seed), []
    for k in range(K):
        read = [1 + k % (n - 1)]
        if several and n > 2:
            read = [1, 2]
        count = 2 if alike else int(rng.integers(1, 4))
        features = [[_hinge(rng, read, d) for _ in range(count)] for _ in range(d)]
        A = {str(p): rng.integers(-1, 2, (d, d)).tolist() for p in read}
        b = [k, *rng.integers(-2, 3, d - 1).tolist()]
        tasks.append(relu_sum(f"f{k}", features, np.eye(d, dtype=int).tolist(), A=A, b=b))
    return tasks


def _hinge(rng: np.random.Generator, read: list[int], d: int) -> dict:
    a = {str(p): rng.choice([-2, -1, 1, 2], d).tolist() for p in read}
    return {"c": int(rng.choice([-1, 1])), "a": a, "e": int(rng.integers(-2, 3))}


def labelled(made: Construction, seed: int, examples: int) -> Prompt:
    """A prompt of whole numbers of at most R = 3: labels of the tasks in turn, then noise."""
    rng, sizes = np.random.default_rng(seed), made.sizes
    X = rng.integers(-R, R + 1, (examples, sizes.n - 1, sizes.d))
    labels = [made.tasks[e % sizes.K](x).tolist() for e, x in enumerate(X)]
    labels[-1] = [int(v) + int(e == 0) for e, v in enumerate(labels[-1])]
    query = rng.integers(-R, R + 1, (sizes.n - 1, sizes.d))
    return Prompt.of([[*x, y] for x, y in zip(X.tolist(), labels, strict=True)], query.tolist())
