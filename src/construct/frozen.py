"""Mappings and arrays that cannot be changed once they are made."""

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np


class FrozenDict(dict):
    """A dict that refuses changes; JSON and pickle treat it as a dict."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a task cannot be changed; make another task.")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple:
        return FrozenDict, (dict(self),)


def frozen(value: Any) -> Any:
    """A copy that nobody can change: mappings frozen, lists as tuples, at any depth."""
    if isinstance(value, FrozenDict):
        return value
    if isinstance(value, Mapping):
        if set(map(type, value.values())) == {str}:  # a table of words, often a large one
            return FrozenDict(value)
        return FrozenDict({key: frozen(entry) for key, entry in value.items()})
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    return frozen_array(value) if isinstance(value, np.ndarray) else value


def frozen_array(array: np.ndarray) -> np.ndarray:
    """A copy that cannot be written to, nor be made writable."""
    own = array.copy()
    own.flags.writeable = False
    return own.view()  # of what cannot be written to: it cannot be made writable
