"""What was handed in may be anything, and is read all the same, or its fault is said."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.sealed import submissions
from autograder.sealed.errors import BrokenSubmission
from autograder.sealed.submissions import (
    is_safe_name,
    left_out,
    read_bytes,
    read_files,
    read_notebook,
    unsafe_files,
)

CELL = {"cell_type": "code", "source": ["x = 1\n", "y"], "metadata": {}, "outputs": []}


def dump(**content: object) -> bytes:
    return json.dumps(content).encode()


def test_an_ordinary_notebook_is_read() -> None:
    notebook = new_notebook(cells=[new_code_cell("x = 'ä'", id="a")])
    read = read_notebook(nbformat.writes(notebook).encode())
    assert [(cell.id, cell.source) for cell in read.cells] == [("a", "x = 'ä'")]
    assert read_notebook(b"\xef\xbb\xbf" + nbformat.writes(notebook).encode()) == read


@pytest.mark.parametrize(
    "data",
    [
        dump(nbformat=4, nbformat_minor=99, cells=[CELL]),
        dump(nbformat=5, cells=[CELL]),
        dump(nbformat=99, nbformat_minor="x", metadata=[], cells=[CELL]),
        dump(cells=[CELL]),
        dump(nbformat=3, cells=[CELL]),
        dump(nbformat=4, cells=[{**CELL, "id": "bad id!", "metadata": {"a": 1}}]),
        dump(nbformat=4, cells=[{**CELL, "extra": {"deep": 1}, "source": "x = 1\ny"}]),
        dump(nbformat=4, cells=[3, None, CELL]),
    ],
)
def test_what_can_be_read_is_read(data: bytes) -> None:
    (cell,) = read_notebook(data).cells
    assert cell.cell_type == "code"
    assert cell.source == "x = 1\ny"
    assert submissions.CELL_ID.fullmatch(cell.id)


def test_an_old_notebook_is_converted() -> None:
    old = {
        "cell_type": "code",
        "input": ["x = 1"],
        "language": "python",
        "metadata": {},
        "outputs": [],
    }
    content = dump(
        nbformat=3, nbformat_minor=0, metadata={}, worksheets=[{"cells": [old], "metadata": {}}]
    )
    assert [cell.source for cell in read_notebook(content).cells] == ["x = 1"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b'{"cells": [', "not valid JSON.*half written"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"[]", "no list of cells"),
        (b"3", "no list of cells"),
        (b'{"a": 1}', "no list of cells"),
        (dump(cells={"a": 1}), "no list of cells"),
        (b"[" * 100_000, "nested too deeply"),
        (dump(worksheets=[3]), "old format"),
        (dump(cells=[{}] * 2001), "2001 cells"),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, words: str) -> None:
    with pytest.raises(BrokenSubmission, match=words) as caught:
        read_notebook(data)
    assert caught.value.reason.endswith(".")


def test_a_notebook_has_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submissions, "NOTEBOOK_MIB", 0)
    with pytest.raises(BrokenSubmission, match="Clear its outputs"):
        read_notebook(b"{}")


def test_cells_without_ids_get_the_same_ones_each_time() -> None:
    data = dump(
        cells=[CELL, {**CELL, "id": "a"}, {**CELL, "id": "a"}, {**CELL, "id": "submitted-0"}]
    )
    ids = [cell.id for cell in read_notebook(data).cells]
    assert ids[1] == "a"
    assert len(set(ids)) == 4
    assert ids == [cell.id for cell in read_notebook(data).cells]


def test_half_characters_and_deep_metadata_do_no_harm() -> None:
    deep: object = 1
    for _ in range(300):
        deep = [deep]
    data = dump(cells=[{**CELL, "source": "'\ud800'", "metadata": {"nbgrader": deep}}])
    (cell,) = read_notebook(data).cells
    cell.source.encode()
    assert cell.metadata == {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a submission with everything that a folder can hold."""
    folder = tmp_path / "submission"
    (folder / "data").mkdir(parents=True)
    (folder / "nb.ipynb").write_text("{}")
    (folder / "helper.py").write_text("x = 1")
    (folder / "data" / "a.csv").write_text("1,2")
    (tmp_path / "secret").write_text("hidden")
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "b.csv").write_text("hidden")
    (folder / "link.csv").symlink_to(tmp_path / "secret")
    (folder / "loop").symlink_to(folder)
    (folder / "others").symlink_to(tmp_path / "others")
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "other.ipynb").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe")
    return folder


def test_files_are_read_and_links_are_not_followed(folder: Path) -> None:
    assert read_files(folder) == {"data/a.csv": b"1,2", "helper.py": b"x = 1"}
    assert {path.name for path in unsafe_files(folder)} == {
        "link.csv",
        "loop",
        "others",
        "zero",
        "dangling",
        "other.ipynb",
        "pipe",
    }
    said = left_out(folder)
    assert len(said) == 3
    assert said[-1] == "5 more files were left out."


def test_files_have_caps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        (tmp_path / name).write_bytes(bytes(300_000))
    monkeypatch.setattr(submissions, "FILES_MIB", 1)
    assert sorted(read_files(tmp_path)) == ["a", "b", "c"]
    assert [path.name for path in unsafe_files(tmp_path)] == ["d"]
    monkeypatch.setattr(submissions, "MAX_FILES", 2)
    assert sorted(read_files(tmp_path)) == ["a", "b"]
    assert [path.name for path in unsafe_files(tmp_path)] == ["c", "d"]


@pytest.mark.parametrize("name", ["link.csv", "pipe", "zero", "data", "loop", "dangling", "none"])
def test_only_regular_files_are_read(folder: Path, name: str) -> None:
    with pytest.raises(BrokenSubmission):
        read_bytes(folder / name, 100)
    assert read_bytes(folder / "helper.py", 100) == b"x = 1"
    with pytest.raises(BrokenSubmission, match="at most"):
        read_bytes(folder / "helper.py", 3)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.csv", True),
        ("data/a b.csv", True),
        ("../a", False),
        ("a/../../b", False),
        ("/etc/passwd", False),
        ("", False),
        ("a\0b", False),
        ("a\\b", False),
        ("x" * 300, False),
        ("\udc80", False),
    ],
)
def test_names_stay_in_their_folder(name: str, safe: bool) -> None:
    assert is_safe_name(name) is safe
