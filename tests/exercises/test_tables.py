"""The tables that assignments work on."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from crs.exercises import TIMELINE_NAMES, example_timeline, lee_against_astct

COLUMNS = ["hour", "temp_c", "drug_given", "hypotension_grade", "hypoxia_grade"]


@pytest.mark.parametrize("name", TIMELINE_NAMES)
def test_a_timeline_has_the_columns_that_the_text_names(name: str) -> None:
    table = example_timeline(name)
    assert list(table.columns) == COLUMNS
    assert table["hour"].is_unique
    assert set(table["hypotension_grade"]) | set(table["hypoxia_grade"]) <= {0, 2, 3, 4}
    assert "SYNTHETIC" in table.attrs["label"]


def test_a_timeline_is_new_at_every_call() -> None:
    table = example_timeline("tocilizumab")
    table["temp_c"] = 0.0
    assert (example_timeline("tocilizumab")["temp_c"] > 0).all()


def test_an_unknown_timeline_is_refused() -> None:
    with pytest.raises(ValueError, match="tocilizumab, premedication"):
        example_timeline("other")


def test_the_counts_are_those_of_the_59_patients() -> None:
    table = lee_against_astct()
    assert np.array_equal(table.index, range(5))
    assert np.array_equal(table.columns, range(5))
    counts = table.to_numpy()
    assert counts.sum() == 59
    assert counts.trace() == 45
    assert counts.sum(axis=0).tolist() == [7, 21, 19, 10, 2]
    higher, lower = np.triu(counts, 1).sum(), np.tril(counts, -1).sum()
    assert (higher, lower) == (13, 1)


def test_exercises_bring_no_rule_along() -> None:
    """While work is graded, this is the only part of the course that learners can import."""
    program = (
        "import sys, crs.exercises;"
        "print(sorted(name for name in sys.modules if name.startswith('crs')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(
        ["crs", "crs.exercises", "crs.exercises.checks", "crs.exercises.tables"]
    )
