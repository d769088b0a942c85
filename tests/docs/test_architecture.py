"""The arrows that docs/architecture.md draws are the imports that the code has, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

Arrows = set[tuple[str, str]]

BELOW_ALL = {"errors", "checked_yaml"}
GRADING_ROOMS = ("batch", "exams", "feedback", "jail", "roundtrip", "sealed", "ward")
# What is started, and may call every room.
ENTRIES = ("__init__.py", "__main__.py", "cli.py")
_ARROW = re.compile(
    r"^\s*(\w+)(?:\[[^\]]*\])?\s*(?:-->|-\.[^.]*\.->)\s*(\w+)(?:\[[^\]]*\])?\s*$", re.MULTILINE
)
_HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)


@pytest.fixture(scope="module")
def drawn(root: Path) -> Arrows:
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = page.split("## The arrows")[1].split("```mermaid")[1].split("```")[0]
    return {(start, end) for start, end in _ARROW.findall(drawing)}


def imported(code: str) -> Iterator[str]:
    """Dotted names of the modules that a piece of code imports."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:  # within its own room
                assert node.level == 1, "imports of another room are written from the top"
                continue
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str:
    """Name of the room that a dotted module name belongs to; empty outside the house."""
    parts = module.split(".")
    if parts[0] == "crs":
        return parts[1] if len(parts) > 1 else ""
    if parts[0] == "autograder":
        return parts[1] if len(parts) > 1 and parts[1] in GRADING_ROOMS else "engine"
    # In the jail, both are packages of their own.
    return parts[0] if parts[0] in ("jail", "ward") else ""


def code_of(notebook: Path, *, hidden: bool) -> Iterator[str]:
    """Yield the code of a notebook that lies in its hidden tests, or that lies outside of them."""
    for cell in nbformat.read(notebook, as_version=nbformat.NO_CONVERT).cells:
        if cell.cell_type == "code":
            yield from (_HIDDEN.findall(cell.source) if hidden else [_HIDDEN.sub("", cell.source)])


@pytest.fixture(scope="module")
def found(root: Path) -> Arrows:
    """Return the arrows of the code."""
    rooms = [
        path for path in (root / "course" / "crs").iterdir() if (path / "__init__.py").exists()
    ]
    files = [(room.name, file) for room in rooms for file in room.rglob("*.py")]
    grading = root / "autograder" / "autograder"
    files += [(name, f) for name in GRADING_ROOMS for f in (grading / name).rglob("*.py")]
    files += [("engine", file) for file in grading.glob("*.py") if file.name not in ENTRIES]
    pieces = [(room, file.read_text(encoding="utf-8")) for room, file in files]
    lessons = (root / "course").glob("*.ipynb")
    pieces += [("lessons", code) for path in lessons for code in code_of(path, hidden=False)]
    for path in (root / "source").glob("*/*.ipynb"):
        for hidden in (False, True):
            pieces += [("assignments", code) for code in code_of(path, hidden=hidden)]
    known = {room.name for room in rooms} | {*GRADING_ROOMS, "engine"}
    arrows = {(room, room_of(module)) for room, code in pieces for module in imported(code)}
    return {(a, b) for a, b in arrows if b in known and a != b and b not in BELOW_ALL}


def test_the_drawing_was_read(drawn: Arrows) -> None:
    assert len(drawn) >= 15
    assert ("assignments", "exams") in drawn


def test_the_drawing_is_the_code(drawn: Arrows, found: Arrows) -> None:
    assert found - drawn == set(), "the code has arrows that are not drawn"
    assert drawn - found == set(), "arrows are drawn that the code does not have"


def test_no_arrow_leads_back(drawn: Arrows) -> None:
    reached = dict.fromkeys(set().union(*drawn), frozenset[str]())
    for _ in reached:
        for start in reached:
            nexts = {end for begin, end in drawn if begin == start}
            reached[start] = frozenset(nexts.union(*(reached[end] for end in nexts)))
    assert not [room for room, ends in reached.items() if room in ends]


def test_what_lies_below_all_imports_nothing_above(root: Path) -> None:
    for name in BELOW_ALL:
        code = (root / "course" / "crs" / f"{name}.py").read_text(encoding="utf-8")
        rooms = {room_of(module) for module in imported(code)}
        assert rooms <= BELOW_ALL | {""}, name


def test_the_learners_side_knows_no_grading_side(root: Path) -> None:
    for file in (root / "course").rglob("*.py"):
        modules = list(imported(file.read_text(encoding="utf-8")))
        assert not [name for name in modules if name.split(".")[0] == "autograder"], file


def test_the_engine_knows_no_course(root: Path) -> None:
    files = list((root / "autograder" / "autograder").glob("*.py"))
    assert files
    for file in files:
        modules = list(imported(file.read_text(encoding="utf-8")))
        assert not [name for name in modules if name.split(".")[0] == "crs"], file
        assert not [name for name in modules if room_of(name) == "exams"], file


def test_assignments_use_the_grading_side_in_hidden_checks_only(root: Path) -> None:
    for path in (root / "source").glob("*/*.ipynb"):
        open_code = list(code_of(path, hidden=False))
        hidden_code = list(code_of(path, hidden=True))
        assert hidden_code, path
        open_rooms = {room_of(name) for code in open_code for name in imported(code)}
        assert open_rooms <= {"exercises", ""}, path
        hidden_rooms = {room_of(name) for code in hidden_code for name in imported(code)}
        # ``from autograder import exams`` also names the package that holds the exams.
        assert "exams" in hidden_rooms <= {"exams", "engine", ""}, path
