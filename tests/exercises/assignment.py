"""Read a source notebook the way its learner, and its instructor, run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "source").glob("*/*.ipynb"))


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def released(path: Path) -> Any:
    """Return the notebook without solutions, hidden checks and mark schemes."""
    notebook = read(path)
    for step in (ClearSolutions, ClearHiddenTests, ClearMarkScheme):
        notebook, _ = step().preprocess(notebook, {})
    return notebook


def code_of(notebook: Any) -> dict[str, str]:
    return {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}


def slugs(notebook: Any) -> list[str]:
    """List the exercises that have a visible check."""
    return [
        name.removesuffix("-visible") for name in code_of(notebook) if name.endswith("-visible")
    ]


def run(sources: list[str]) -> dict[str, Any]:
    """Run cells one after the other, and return their names."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for source in sources:
        exec(compile(source, "<cell>", "exec"), names)
    return names


def foundations(notebook: Any) -> list[str]:
    """List the code that others build on: setup, data and functions; no check, nothing to try."""
    return [
        source
        for name, source in code_of(notebook).items()
        if not name.endswith(("-try", "-visible", "-check"))
    ]


def solved(path: Path) -> dict[str, Any]:
    """Run the setup and every solution of the instructor."""
    return run(foundations(read(path)))
