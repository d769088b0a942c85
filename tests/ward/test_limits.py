"""The limits: their ranges, their words, and that the words name the value."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from autograder.sealed.limits import InvalidLimit, Limits, about


@pytest.mark.parametrize("name", [item.name for item in fields(Limits)])
def test_every_limit_is_explained_with_its_value(name: str) -> None:
    limits = Limits()
    said = limits.diagnosis(name)
    assert f"{getattr(limits, name):g}" in said
    assert said.count(". ") == 1
    assert said.endswith(".")
    assert name in [row[0] for row in about()]


@pytest.mark.parametrize("name", [item.name for item in fields(Limits)])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e9, "5", None, True])
def test_nonsense_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidLimit, match=name) as refused:
        Limits(**{name: value})
    assert refused.value.name == name


def test_whole_numbers_stay_whole() -> None:
    assert replace(Limits(), cell_seconds=0.5).cell_seconds == 0.5
    with pytest.raises(InvalidLimit, match="a whole number"):
        Limits(processes=8.5)  # type: ignore[arg-type]


def test_the_jail_gets_bytes() -> None:
    raw = Limits(memory_mib=100, disk_mib=3).raw()
    assert (raw.memory_bytes, raw.disk_bytes) == (100 * 2**20, 3 * 2**20)
