"""The browser harness itself sees what it must see: errors, violations, the network."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

import accessibility
import browser as driver
import learn

BAD = """
from IPython.display import HTML
HTML('<svg role="img" width="40" height="40"><circle r="9"/></svg>'
     '<p style="color:#ccc;background:#fff">too pale to read</p><input type="text">')
"""
FINE = """
from IPython.display import HTML
HTML('<p>dark <label>temperature <input type="text"></label></p>')
"""
FAILING = "1 / 0"
REACHES_OUT = """
from IPython.display import HTML
HTML('<p>picture</p><img alt="a picture" src="https://example.org/picture.png">')
"""


def notebook(*sources: str) -> str:
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [],
            "source": source.strip(),
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    )


@pytest.fixture(scope="module")
def shown(lab: learn.Lab, open_and_run: Callable[..., Page]) -> Callable[[str], Page]:
    def show(name: str) -> Page:
        source = {"bad": BAD, "fine": FINE, "failing": FAILING, "reaching": REACHES_OUT}[name]
        path = lab.root / f"harness-{name}.ipynb"
        path.write_text(notebook(source))
        return open_and_run(path.name)

    return show


def test_the_accessibility_check_finds_planted_violations(shown: Callable[[str], Page]) -> None:
    found = {violation.rule for violation in accessibility.violations_in_notebook(shown("bad"))}
    assert {"svg-img-alt", "color-contrast", "label"} <= found


def test_the_accessibility_check_is_quiet_on_a_clean_output(shown: Callable[[str], Page]) -> None:
    assert accessibility.violations_in_notebook(shown("fine")) == []


def test_a_failing_cell_is_seen(shown: Callable[[str], Page]) -> None:
    assert driver.cell_errors(shown("failing")) == ["ZeroDivisionError: division by zero"]


def test_a_request_off_the_machine_is_refused_and_seen(shown: Callable[[str], Page]) -> None:
    page = shown("reaching")
    assert page.refused == {"https://example.org/picture.png"}  # type: ignore[attr-defined]
