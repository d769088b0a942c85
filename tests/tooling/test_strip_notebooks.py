"""Notebooks are kept without outputs and without anything of one machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

import strip_notebooks


def ran_notebook() -> dict[str, Any]:
    return {
        "cells": [
            {
                "cell_type": "markdown",
                "id": "title",
                "metadata": {"editable": True},
                "source": "# Fièvre ≥38.0 °C\n\ntext",
                "attachments": {"a.png": {"image/png": "AAAA"}},
            },
            {
                "cell_type": "code",
                "id": "astct-check",
                "execution_count": 7,
                "metadata": {
                    "execution": {"iopub.status.busy": "2026-11-21"},
                    "nbgrader": {"grade_id": "astct-check", "points": 3},
                    "tags": ["raises-exception"],
                },
                "outputs": [{"output_type": "stream", "name": "stdout", "text": ["hello"]}],
                "source": ["a = 1\n", "a\n"],
            },
        ],
        "metadata": {
            "kernelspec": {"display_name": "my-env", "language": "python", "name": "my-env"},
            "language_info": {"name": "python", "version": "3.11.7"},
            "widgets": {"application/vnd.jupyter.widget-state+json": {}},
        },
        "nbformat": 4,
        "nbformat_minor": 4,
    }


def test_outputs_counts_and_foreign_metadata_go() -> None:
    text = strip_notebooks.stripped(json.dumps(ran_notebook()))
    found = json.loads(text)
    title, check = found["cells"]
    assert check["outputs"] == []
    assert check["execution_count"] is None
    assert check["metadata"] == {
        "nbgrader": {"grade_id": "astct-check", "points": 3},
        "tags": ["raises-exception"],
    }
    assert check["source"] == ["a = 1\n", "a"]
    assert title["metadata"] == {}
    assert title["source"] == ["# Fièvre ≥38.0 °C\n", "\n", "text"]
    assert title["attachments"] == {"a.png": {"image/png": "AAAA"}}
    assert set(found["metadata"]) == {"kernelspec", "language_info"}
    assert "my-env" not in text
    assert "Fièvre" in text
    nbformat.validate(nbformat.reads(text, as_version=4))


def test_a_stripped_notebook_stays_as_it_is() -> None:
    once = strip_notebooks.stripped(json.dumps(ran_notebook()))
    assert strip_notebooks.stripped(once) == once


def test_check_changes_nothing_and_says_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lesson.ipynb"
    before = json.dumps(ran_notebook())
    path.write_text(before)
    assert strip_notebooks.main(["--check", str(path)]) == 1
    assert path.read_text() == before
    assert str(path) in capsys.readouterr().out
    assert strip_notebooks.main([str(path)]) == 0
    assert strip_notebooks.main(["--check", str(path)]) == 0


def test_the_notebooks_of_the_course_are_stripped(capsys: pytest.CaptureFixture[str]) -> None:
    assert strip_notebooks.main(["--check"]) == 0, capsys.readouterr().out
