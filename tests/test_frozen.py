import copy
import json
import pickle

import numpy as np
import pytest

from construct.frozen import FrozenDict, frozen, frozen_array

CHANGES = {
    "set": lambda d: d.__setitem__("a", 2),
    "delete": lambda d: d.__delitem__("a"),
    "update": lambda d: d.update(a=2),
    "or": lambda d: d.__ior__({"a": 2}),
    "setdefault": lambda d: d.setdefault("b", 2),
    "pop": lambda d: d.pop("a"),
    "popitem": lambda d: d.popitem(),
    "clear": lambda d: d.clear(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_way_of_changing_a_dict_changes_a_frozen_one(change):
    made = FrozenDict(a=1)
    with pytest.raises(TypeError, match="cannot be changed"):
        change(made)
    assert made == {"a": 1}


def test_a_frozen_dict_is_json_and_can_be_copied():
    made = frozen({"a": [1, {"b": [2]}]})
    assert json.loads(json.dumps(made)) == {"a": [1, {"b": [2]}]}
    for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made), copy.copy(made)):
        assert again == made
        assert isinstance(again, FrozenDict)
        assert isinstance(again["a"][1], FrozenDict)


def test_freezing_copies():
    given = {"a": [1, {"b": np.arange(3)}]}
    made = frozen(given)
    given["a"][1]["b"][0] = 7
    given["a"].append(8)
    assert len(made["a"]) == 2
    assert made["a"][1]["b"].tolist() == [0, 1, 2]


def test_a_frozen_array_cannot_be_made_writable():
    made = frozen_array(np.arange(3))
    with pytest.raises(ValueError, match="read-only"):
        made[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        made.flags.writeable = True
