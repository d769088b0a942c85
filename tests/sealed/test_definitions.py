"""What an instructor's notebook lets a check ask of learners' objects."""

from __future__ import annotations

import pytest

from autograder.sealed.definitions import Definitions, definitions_of

VECTOR = """
class Shape:
    def area(self):
        return 0

class Vector(Shape):
    def __init__(self, x):
        self.x = x

    def __sub__(self, other):
        return Vector(self.x - other.x)
"""
DISTANCE = "def distance(a, b):\n    return abs((a - b).x)"
MAKER = "def unit():\n    return Vector(1)\n\nstart = unit()"


def test_a_check_has_to_do_with_the_classes_behind_the_names_that_it_uses() -> None:
    definitions = definitions_of([VECTOR, DISTANCE, MAKER])
    assert definitions.asked_by({"distance"}).classes == {}
    assert set(definitions.asked_by({"start"}).classes) == {"Vector", "Shape"}
    members = definitions.asked_by({"Vector"}).classes["Vector"] or frozenset()
    assert set(members) == {"__init__", "__sub__", "x", "area"}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("class A:\n    pass", set()),
        ("@dataclass\nclass A:\n    x: int", {"x", "__eq__"}),
        ("@dataclass(order=True)\nclass A:\n    x: int", "__lt__"),
        ("@functools.total_ordering\nclass A:\n    def __lt__(self, o): return 1", "__ge__"),
        ("class A(ValueError):\n    def __init__(self, n): self.n = n", {"__init__", "n"}),
        ("class A(abc.ABC):\n    @abc.abstractmethod\n    def f(self): ...", {"f"}),
        ("class A(A):\n    def f(self): ...", {"f"}),
        ("class A(Enum):\n    RED = 1", None),
        ("class A(torch.nn.Module):\n    pass", None),
        ("@somebodys\nclass A:\n    pass", None),
        ("A = make_dataclass('A', ['x'])", None),
        ("class A:\n    pass\n\nA.__add__ = lambda a, b: a", {"__add__"}),
    ],
)
def test_members_of_a_class(source: str, wanted: set[str] | str | None) -> None:
    members = definitions_of([source]).classes["A"]
    if isinstance(wanted, str):
        assert members is not None
        assert wanted in members
    else:
        assert (None if members is None else set(members)) == wanted


def test_methods_that_a_definition_gives_without_a_class() -> None:
    source = "def stack():\n    return SimpleNamespace(pop=items.pop)"
    assert definitions_of([source]).asked_by({"stack"}).methods == {"pop"}


def test_what_is_no_python_defines_nothing() -> None:
    assert definitions_of(["class A(:", "%matplotlib inline", ""]).classes == {}


def test_it_crosses_as_plain_data() -> None:
    definitions = definitions_of([VECTOR, DISTANCE, "class C(Unknown): pass"])
    assert Definitions.of_tree(definitions.tree()) == definitions
