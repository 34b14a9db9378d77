"""How many examples a property is tried on that needs more, or fewer, than others.

`settings(max_examples=n)` would be n in the quick lists too, whose profile asks for few.
"""

from hypothesis import settings

USUAL = 50


def tried(count: int, **others: object) -> settings:
    """`count` of them, of which a quick profile takes the same share as it takes elsewhere."""
    share = settings.default.max_examples / USUAL
    return settings(max_examples=max(1, round(count * share)), **others)
