"""Bring notebooks to the form in which they are kept: no outputs, nothing of one machine.

Usage: .venv-grading/bin/python tools/strip_notebooks.py [--check] [NOTEBOOK.ipynb ...]

Without names: all notebooks of course/ and source/. Cell ids, nbgrader's metadata and tags stay.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK_METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
KEPT_CELL_METADATA = ("nbgrader", "tags")


def stripped(text: str) -> str:
    """Return a notebook's text in the form in which it is kept.

    Parameters
    ----------
    text : str
        The notebook as JSON.

    Returns
    -------
    str
        The same cells, with sources as lists of lines, without outputs, counts and foreign
        metadata, in the layout that nbformat writes.
    """
    notebook: dict[str, Any] = json.loads(text)
    cells = [_stripped_cell(cell) for cell in notebook["cells"]]
    kept = {
        "cells": cells,
        "metadata": NOTEBOOK_METADATA,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _stripped_cell(cell: dict[str, Any]) -> dict[str, Any]:
    source = cell["source"]
    lines = "".join(source) if isinstance(source, list) else source
    kept: dict[str, Any] = {
        "cell_type": cell["cell_type"],
        "id": cell["id"],
        "metadata": {
            key: value for key, value in cell["metadata"].items() if key in KEPT_CELL_METADATA
        },
        "source": lines.rstrip("\n").splitlines(keepends=True),
    }
    if cell["cell_type"] == "code":
        kept |= {"execution_count": None, "outputs": []}
    if cell.get("attachments"):
        kept["attachments"] = cell["attachments"]
    return kept


def main(arguments: list[str] | None = None) -> int:
    """Run the command; with --check, return 1 where a notebook is not as it is kept."""
    parser = argparse.ArgumentParser(description="Strip notebooks.")
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing, only say")
    options = parser.parse_args(arguments)
    everything = [*(ROOT / "course").glob("*.ipynb"), *(ROOT / "source").glob("*/*.ipynb")]
    changed = 0
    for path in options.notebooks or sorted(everything):
        before = path.read_text(encoding="utf-8")
        after = stripped(before)
        if before != after:
            changed += 1
            print(f"{'would strip' if options.check else 'stripped'} {path}")
            if not options.check:
                path.write_text(after, encoding="utf-8", newline="\n")
    print(f"{changed} notebooks {'to strip' if options.check else 'stripped'}.")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
