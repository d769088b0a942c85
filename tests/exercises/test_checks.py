"""The visible-check helper: what it accepts, and what a learner reads when it does not."""

from __future__ import annotations

from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from crs.exercises import NotYetError, example_timeline, expect, expect_value_error, try_it


def double(number: float) -> float:
    """Twice a number, as a learner might write it."""
    if number < 0:
        raise ValueError("number must not be negative")
    return 2 * number


def unfinished(number: float) -> float:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (3, 3.0),
        (np.int64(3), 3),
        (np.float64(0.1) + np.float64(0.2), 0.3),
        (np.True_, True),
        ((np.int64(2), 5), (2, 5)),
        ([2, 5], (2, 5)),
        ((0, None), (0, None)),
        (None, None),
        ("ab", "ab"),
    ],
)
def test_an_equal_answer_passes(given: object, expected: object) -> None:
    expect(lambda: given, gives=expected, because="")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (1, True),
        (True, 1),
        (3, 4),
        ("3", 3),
        (None, 0),
        (0, None),
        ((2, 5), (2, 6)),
        ((2,), (2, 5)),
        (float("nan"), 1.0),
        (float("nan"), float("nan")),
    ],
)
def test_any_other_answer_fails(given: object, expected: object) -> None:
    with pytest.raises(NotYetError):
        expect(lambda: given, gives=expected, because="")


def test_the_tolerance_is_as_asked() -> None:
    expect(double, 1.0001, gives=2, because="", tolerance=0.001)
    with pytest.raises(NotYetError):
        expect(double, 1.0001, gives=2, because="", tolerance=0.00001)


def test_a_wrong_answer_is_shown_with_the_call_and_the_reason() -> None:
    with pytest.raises(NotYetError) as failure:
        expect(double, number=4, gives=9, because="Twice four is not nine.")
    assert str(failure.value) == (
        "double(number=4)\ngave 8, but 9 is expected.\nTwice four is not nine."
    )


def test_none_is_explained() -> None:
    with pytest.raises(NotYetError, match="Printing is not returning"):
        expect(lambda: None, gives=3, because="")


def test_an_unwritten_function_is_called_that() -> None:
    with pytest.raises(NotYetError, match="unfinished is not written yet"):
        expect(unfinished, 1, gives=2, because="")
    with pytest.raises(NotYetError, match="unfinished is not written yet"):
        expect_value_error(unfinished, -1, argument="number")


def test_an_error_of_the_learner_is_named() -> None:
    def broken(number: int) -> float:
        return number / 0

    with pytest.raises(NotYetError, match="stopped with a ZeroDivisionError: division by zero"):
        expect(broken, 1, gives=1, because="")
    with pytest.raises(NotYetError, match="A ValueError is expected here"):
        expect_value_error(broken, 1, argument="number")


def test_a_value_error_must_come_and_name_the_argument() -> None:
    expect_value_error(double, -1, argument="number")
    with pytest.raises(NotYetError, match="gave 6, but number is invalid here"):
        expect_value_error(double, 3, argument="number")
    with pytest.raises(NotYetError, match="does not name the argument weight_kg"):
        expect_value_error(double, -1, argument="weight_kg")


def test_a_table_is_named_by_its_label_and_size() -> None:
    table = pd.DataFrame({"hour": [1, 2, 3]})
    with pytest.raises(NotYetError, match=r"\(<table, 3 rows>\)"):
        expect(lambda rows: len(rows), table, gives=4, because="")
    with pytest.raises(NotYetError, match=r'\(<SYNTHETIC timeline "premedication", 4 rows>\)'):
        expect(lambda rows: len(rows), example_timeline("premedication"), gives=5, because="")


def test_a_long_answer_is_cut() -> None:
    with pytest.raises(NotYetError) as failure:
        expect(lambda: list(range(1000)), gives=1, because="")
    assert len(str(failure.value)) < 450


def test_an_answer_of_several_orders_is_shown_whole() -> None:
    orders = [(f"an-action-of-usual-length-{number}", "and-its-reason") for number in range(6)]
    with pytest.raises(NotYetError) as failure:
        expect(lambda: orders, gives=[], because="")
    assert repr(orders[-1]) in str(failure.value)


def test_trying_shows_the_call_and_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    try_it(double, 21)
    assert capsys.readouterr().out == "double(21) gives 42\n"


def test_trying_an_unwritten_function_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    try_it(unfinished, 21)
    assert "not written yet" in capsys.readouterr().out


def test_trying_leaves_the_learners_error_alone() -> None:
    with pytest.raises(ValueError, match="number must not be negative"):
        try_it(double, -1)


def test_a_notebook_shows_sentences_and_no_traceback() -> None:
    source = (
        "from crs.exercises import expect\n"
        "def half(number):\n"
        "    return number / nothing\n"
        "expect(half, 3, gives=1.5, because='Half of three.')"
    )
    notebook: Any = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    (error,) = [item for item in notebook.cells[0].outputs if item.output_type == "error"]
    assert error.traceback == [
        "half(3)\nstopped in line 3 of its cell with a NameError: name 'nothing' is not defined\n"
        "Half of three."
    ]


def test_numpy_numbers_in_a_list_are_shown_as_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    try_it(lambda: [0.0, np.float64(2.5), (np.int64(3), [np.float64(1.5)])])
    assert "gives [0.0, 2.5, (3, [1.5])]" in capsys.readouterr().out
