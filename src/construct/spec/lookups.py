"""Look-ups on several operands, and sums of numbers that are words: as sums of ReLUs.

Words are one-hot, so a sum of their entries counts, and a ReLU of it decides.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from construct.errors import ConstructError, shown
from construct.matrix import Matrix
from construct.memory import refuse_beyond_memory
from construct.rational import Rational, rational, zeros
from construct.spec.hinge import Hinge, Terms
from construct.spec.tables import no_table
from construct.spec.tasks import Task
from construct.spec.vocabulary import Vocabulary

# The numbers of the words that a table's operands are.
Key = tuple[int, ...]
# For each operand a set of words: all combinations of one of each.
Box = tuple[tuple[int, ...], ...]

# Bytes of an entry of a hinge, while it is made.
EACH_TERM = 200


# --- Tables ---------------------------------------------------------------------


def entries_of(table: Any, name: str) -> list[tuple[Any, Any]]:
    """(operands, image) of each entry of a table.

    A table maps words to words, or tuples of words to words; or it is a list [[word, ...], word].

    Raises:
        ConstructError: if it is none, or empty.
    """
    several = on_several(table)
    if several is not None:
        return several
    if not isinstance(table, Mapping) or not table or tuple in set(map(type, table)):
        raise ConstructError(f"table of task {name!r} {no_table(table)}.")
    return [((word,), image) for word, image in table.items()]


def on_several(table: Any) -> list[tuple[Any, Any]] | None:
    """(operands, image) of each entry, if it is a table whose entries list their operands."""
    if isinstance(table, Mapping):
        return list(table.items()) if set(map(type, table)) == {tuple} else None
    if not isinstance(table, list | tuple) or not table:
        return None
    pairs = all(isinstance(entry, list | tuple) and len(entry) == 2 for entry in table)
    if not pairs or not all(isinstance(key, list | tuple) and key for key, _ in table):
        return None
    return [(key, image) for key, image in table]


def images_of(entries: Iterable[tuple[Any, Any]], name: str, words: Vocabulary) -> dict[Key, int]:
    """Key -> the number of the word that stands there in a table.

    Raises:
        ConstructError: if an operand or an image is no word of the vocabulary, if keys have
            different lengths, or if one is listed with two images.
    """
    images: dict[Key, int] = {}
    entries = list(entries)
    known = _known(entries, words)
    if known is not None:
        return known
    for operands, image in entries:
        # Two spellings (Unicode) of one word are one word.
        key, target = tuple(map(words.index, operands)), words.index(image)
        if images.setdefault(key, target) != target:
            raise ConstructError(
                f"table of task {name!r} maps {_written(operands)} to two words, "
                f"{words.words[images[key]]!r} and {words.words[target]!r}; keep one."
            )
    counts = sorted(set(map(len, images)))
    if len(counts) > 1 or 0 in counts:
        raise ConstructError(
            f"table of task {name!r} has entries of {' and of '.join(map(str, counts))} operands; "
            "give each entry the same number, at least 1."
        )
    return images


def _known(entries: list[tuple[Any, Any]], words: Vocabulary) -> dict[Key, int] | None:
    """The same for distinct words that stand there as the vocabulary spells them: most tables."""
    if set(map(len, (key for key, _ in entries))) != {1}:
        return None
    keys = words.numbers([operand for (operand,), _ in entries])
    images = words.numbers([image for _, image in entries])
    if keys is None or images is None or len(set(keys)) < len(keys):
        return None
    return dict(zip(((key,) for key in keys), images, strict=True))


def _written(operands: Sequence[Any]) -> str:
    return shown(operands[0] if len(operands) == 1 else list(operands))


def table_task(name: str, images: Mapping[Key, int], positions: Sequence[int], d: int) -> Task:
    """The task of a table: a matrix for one operand, a feature for each image for several."""
    if len(positions) == 1:
        at = np.array([[*images.values()], [key for (key,) in images]])
        return Task(
            name, {positions[0]: Matrix.from_places((d, d), at, np.ones(len(images)))}, zeros(d)
        )
    keys: dict[int, list[Key]] = defaultdict(list)
    for key, image in images.items():
        keys[image].append(key)
    features = tuple(
        tuple(_inside(box, positions) for box in fewest_boxes(own)) for own in keys.values()
    )
    at = np.stack([np.array([*keys]), np.arange(len(keys))])
    return Task(
        name, {}, zeros(d), features, Matrix.from_places((d, len(keys)), at, np.ones(len(keys)))
    )


def _inside(box: Box, positions: Sequence[int]) -> Hinge:
    """1 where each operand is one of its words, 0 on all other words."""
    vectors = {
        p: tuple((word, 1) for word in sorted(own)) for p, own in zip(positions, box, strict=True)
    }
    return Hinge.of(vectors, 1 - len(box))


def fewest_boxes(keys: Sequence[Key]) -> list[Box]:
    """Boxes that hold these keys, each once, and no others: few of them.

    Operands are split one after the other; the best is kept of what each one gives that is
    split first.
    """
    found = []
    for turn in range(len(keys[0])):
        boxes = boxes_of([(*key[turn:], *key[:turn]) for key in keys])
        back = len(keys[0]) - turn
        found.append(sorted((*box[back:], *box[:back]) for box in boxes))
    return min(found, key=len)


def boxes_of(keys: Iterable[Key]) -> list[Box]:
    """Boxes that hold these keys: first operands with the same rests go together."""
    rests: dict[int, list[Key]] = defaultdict(list)
    for key in keys:
        if not key:
            return [()]
        rests[key[0]].append(key[1:])
    alike: dict[tuple[Key, ...], list[int]] = defaultdict(list)
    for first, own in rests.items():
        alike[tuple(sorted(own))].append(first)
    return [(tuple(sorted(firsts)), *box) for own, firsts in alike.items() for box in boxes_of(own)]


# --- Sums -----------------------------------------------------------------------


def numbers_by_word(values: Any, name: str, words: Vocabulary) -> dict[int, Rational]:
    """Number of a word -> its value.

    Raises:
        ConstructError: if `values` does not map words to numbers, or one word to two.
    """
    if not isinstance(values, Mapping) or not values:
        raise ConstructError(
            f"values of task {name!r} is {shown(values)}; "
            'write the number that each word is, such as {"ten": 10, "eleven": 11}.'
        )
    found: dict[int, Rational] = {}
    for word, value in values.items():
        number = rational(value, f"the value of {shown(word)} in task {name!r}")
        if found.setdefault(words.index(word), number) != number:
            raise ConstructError(
                f"values of task {name!r} holds {shown(word)} in two spellings, with two values; "
                "keep one."
            )
    return found


def words_by_number(listed: Any, name: str, words: Vocabulary) -> dict[Rational, int]:
    """Sum -> the number of the word that it is.

    Raises:
        ConstructError: if `listed` does not map numbers to words, or one number to two.
    """
    if not isinstance(listed, Mapping) or not listed:
        raise ConstructError(
            f"words of task {name!r} is {shown(listed)}; "
            'write the word that each sum is, such as {"21": "twenty-one"}.'
        )
    found: dict[Rational, int] = {}
    for number, word in listed.items():
        total = rational(number, f"a sum in words of task {name!r}")
        if found.setdefault(total, words.index(word)) != words.index(word):
            raise ConstructError(f"words of task {name!r} has two words for {total}; keep one.")
    return found


def sum_task(
    name: str,
    values: Mapping[int, Rational],
    sums: Mapping[Rational, int],
    coefficients: Mapping[int, Rational],
    d: int,
) -> Task:
    """The task whose word is that of sum_p coefficients[p] values[x_p]; (d,) inputs.

    All sums there can be are multiples of one step above the least: t = 0, 1, 2, ... With the
    values so counted, sum_p a_p x_p = K h + t where all K operands have a value. Each entry
    of a_p is h and more, so many that the sum is below K h where an operand has none. The
    word of t is weighed with max(1 - |sum - K h - t|, 0), three ReLUs, whose knots are shared
    with the words beside it: 1 at t, and 0 at all other sums.
    """
    own = {p: {w: c * v for w, v in values.items()} for p, c in coefficients.items()}
    least = {p: min(products.values()) for p, products in own.items()}
    step = _step(v - least[p] for p, products in own.items() for v in products.values())
    counts = {
        p: {w: int((v - least[p]) / Fraction(step)) for w, v in products.items()}
        for p, products in own.items()
    }
    ranges = [max(count.values()) for count in counts.values()]
    last, h = sum(ranges), sum(ranges) - min(ranges) + 1
    weights: dict[tuple[int, int], int] = defaultdict(int)
    for total, word in sums.items():
        t = Fraction(total - sum(least.values())) / step
        if t.denominator == 1 and 0 <= t <= last:
            for knot, weight in ((-1, 1), (0, -2), (1, 1)):
                weights[word, int(t) + knot] += weight
    if not weights:
        low = sum(least.values())
        raise ConstructError(
            f"task {name!r} never finds a word: the sums of its values go from {low} to "
            f"{low + last * step} in steps of {step}, and its words list none of them."
        )
    knots = sorted({knot for (_, knot), weight in weights.items() if weight})
    terms, whose = len(knots) * len(values) * len(own), f"the ReLUs of task {name!r}"
    refuse_beyond_memory(terms, EACH_TERM, whose, "list fewer values, or fewer sums")
    vectors: dict[int, Terms] = {
        p: tuple((w, h + t) for w, t in sorted(count.items())) for p, count in counts.items()
    }
    features = tuple((Hinge.of(vectors, -len(own) * h - knot),) for knot in knots)
    column = {knot: u for u, knot in enumerate(knots)}
    kept = {place: weight for place, weight in weights.items() if weight}
    at = np.array([(word, column[knot]) for word, knot in kept]).T
    C = Matrix.from_places((d, len(knots)), at, np.array([*kept.values()], dtype=np.float64))
    return Task(name, {}, zeros(d), features, C)


def _step(differences: Iterable[Rational]) -> Rational:
    """The largest number of which all these are multiples; 1 if all are 0."""
    fractions = [Fraction(x) for x in differences]
    bottom = math.lcm(*(x.denominator for x in fractions))
    top = math.gcd(*(int(x * bottom) for x in fractions))
    return Fraction(top, bottom) if top else 1


# --- The words of a definition ------------------------------------------------------


def words_of(definition: Any) -> Iterator[tuple[Any, list[Any]]]:
    """(where, words): the words that a task's JSON object names, by the entry they stand in.

    What is no table, and no word, is left to the constructors to refuse.
    """
    if not isinstance(definition, Mapping):
        return
    table, values, words = (definition.get(key) for key in ("table", "values", "words"))
    several = on_several(table)
    if several is not None:
        yield from ((list(operands), [*operands, image]) for operands, image in several)
    elif isinstance(table, Mapping):
        yield from ((word, [word, image]) for word, image in table.items())
    if definition.get("kind") == "word-sum":
        yield from ((w, [w]) for w in (values if isinstance(values, Mapping) else ()))
        yield from ((n, [w]) for n, w in (words.items() if isinstance(words, Mapping) else ()))
