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
ITEMS = {"__contains__", "__getitem__", "__iter__", "__len__"}
DISTANCE = "def distance(a, b):\n    return abs((a - b).x)"
MAKER = "def unit():\n    return Vector(1)\n\nstart = unit()"


def test_a_check_has_to_do_with_the_classes_behind_the_names_that_it_uses() -> None:
    definitions = definitions_of([VECTOR, DISTANCE, MAKER])
    assert definitions.asked_by("distance(1)").classes == {}
    assert set(definitions.asked_by("start").classes) == {"Vector", "Shape"}
    members = definitions.asked_by("Vector").classes["Vector"] or frozenset()
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
        ("class A(Enum):\n    RED = 1", {"RED", *ITEMS}),
        ("A = Enum('A', 'RED BLUE')", ITEMS),
        ("class A(Flag):\n    RED = 1", "__or__"),
        ("class A(float):\n    def f(self): ...", {"f"}),
        ("class A(NamedTuple):\n    x: int", {"x"}),
        ("class A(UserDict):\n    def f(self): ...", "__getitem__"),
        ("class A(torch.nn.Module):\n    pass", None),
        ("@somebodys\nclass A:\n    pass", None),
        ("A = make_dataclass('A', ['x'])", {"__eq__"}),
        ("A = type('A', (), {})", None),
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
    assert definitions_of([source]).asked_by("stack()").methods == {"pop"}


def test_what_is_no_python_defines_nothing() -> None:
    assert definitions_of(["class A(:", "%matplotlib inline", ""]).classes == {}


def test_it_crosses_as_plain_data() -> None:
    definitions = definitions_of([VECTOR, DISTANCE, "class C(Unknown): pass"])
    assert Definitions.of_tree(definitions.tree()) == definitions


@pytest.mark.parametrize(
    "check",
    [
        "assert third(9) == 3, 'Vector'",
        "assert third(9) == 3  # Vector",
        "def shown():\n    Vector = third(3)\nassert third(9) == 3",
        "assert third(9) == 3\nassert data.Vector",
    ],
)
def test_only_a_name_has_to_do_with_a_class(check: str) -> None:
    assert definitions_of([VECTOR]).asked_by(check).classes == {}


def test_names_that_checks_and_functions_share_mean_nothing() -> None:
    function = "def total(items):\n    result = Vector(1)\n    return result.x"
    definitions = definitions_of([VECTOR, function])
    assert definitions.asked_by("result = third(9)\nassert result == 3").classes == {}
    assert "Vector" in definitions.asked_by("result = total([])").classes
    assert "Own" in definitions.asked_by("class Own: pass\nassert third(9) == 3").classes


def test_what_a_check_reads_and_expects() -> None:
    helper = (
        "def is_narrow(x):\n    return x.dtype == 'float32'\n\nstart = np.array([1], dtype=float)"
    )
    solution = "try:\n    third = 3\nexcept StopIteration:\n    third = data.dtypes"
    definitions = definitions_of([helper], [solution])
    assert not {"dtype", "dtypes"} & definitions.asked_by("start\nassert third(9) == 3").reads
    assert {"dtype", "float32"} <= definitions.asked_by("is_narrow(third(9))").reads
    assert "dtype" not in definitions.asked_by("np.array([1], dtype=float)").reads
    assert definitions.asked_by("third(9)").expects == set()
    for check in (
        "try:\n    third(9)\nexcept (DoseError, errors.StopIteration):\n    pass",
        "with pytest.raises((DoseError, StopIteration)):\n    third(9)",
    ):
        assert {"DoseError", "StopIteration"} <= definitions.asked_by(check).expects


def test_data_that_no_solution_has_to_do_with() -> None:
    given = "cases = [(1, 2)]\nkept = []\nalias = kept\ndef keep(x):\n    kept.append(x)"
    definitions = definitions_of([given], ["keep(3)\nother = np.array([1])"])
    assert definitions.solved is not None
    assert {"keep", "kept", "alias"} <= definitions.solved
    assert "cases" not in definitions.solved


def test_where_a_solution_is_not_shown_any_data_may_be_part_of_it() -> None:
    definitions = definitions_of(["answer = None"], ["x = 1", "# YOUR CODE HERE"])
    assert definitions.solved is None
    assert Definitions.of_tree(definitions.tree()) == definitions
