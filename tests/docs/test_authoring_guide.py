"""The examples of the authoring guide are lines of the project as it is."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_ID = re.compile(r"`(tocilizumab-dose-mg[a-z-]*)`")


@pytest.fixture(scope="module")
def guide(root: Path) -> str:
    return (root / "docs" / "authoring-guide.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def lines_of_the_project(root: Path) -> set[str]:
    texts = [
        path.read_text(encoding="utf-8")
        for folder in ("course/crs", "autograder/autograder")
        for path in (root / folder).rglob("*")
        if path.suffix in (".py", ".yaml")
    ]
    for path in [*(root / "course").glob("*.ipynb"), *(root / "source").glob("*/*.ipynb")]:
        texts += [cell.source for cell in nbformat.read(path, as_version=4).cells]
    return {line.strip() for text in texts for line in text.splitlines()}


def test_every_line_of_an_example_is_in_the_project(
    guide: str, lines_of_the_project: set[str]
) -> None:
    blocks = _BLOCK.findall(guide)
    assert {language for language, _ in blocks} == {"yaml", "python", "markdown"}
    for _, block in blocks:
        for line in block.splitlines():
            shown = line.strip()
            if shown and shown != "...":
                assert shown in lines_of_the_project, shown


def test_the_cells_that_it_names_exist(guide: str, root: Path) -> None:
    notebook = nbformat.read(root / "source" / "06-treatment" / "treatment.ipynb", as_version=4)
    ids = {cell.id for cell in notebook.cells}
    named = set(_ID.findall(guide))
    assert len(named) == 5
    assert named <= ids


@pytest.mark.parametrize("page", ["architecture.md", "authoring-guide.md", "../CONTRIBUTING.md"])
def test_every_file_that_a_page_names_exists(root: Path, page: str) -> None:
    path = (root / "docs" / page).resolve()
    text = path.read_text(encoding="utf-8")
    linked = [
        target for target in re.findall(r"\]\(([^)#]+)\)", text) if not target.startswith("http")
    ]
    missing = [target for target in linked if not (path.parent / target).exists()]
    named = re.findall(r"`((?:course|docs|source|tests|tools|autograder)/[\w./-]*)`", text)
    missing += [
        name
        for name in named
        if "NN" not in name
        and "NAME" not in name
        and "MODULE" not in name
        and not (root / name).exists()
    ]
    assert named
    assert missing == []
