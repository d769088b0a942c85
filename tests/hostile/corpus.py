"""The corpus: one readable file per attack, in a folder per family.

An attack is a Markdown file. It begins with what is expected of it::

    ---
    twin: wrong              # whose scores it gets; or {all: right, double: wrong}; or none at all
    says: an object          # what the learner reads on the feedback page (or several, as a list)
    hides: line 7919         # what the page must not say (or several)
    seconds: 5               # how long grading it may take
    stock: more              # stock nbgrader gives it more than its twin; or leaks, fails, stops
    also: nbgrader           # graded by `nbgrader autograde` too, not by `autograder grade` alone
    ---

then come a title, what it tries, and fenced blocks. The submission is that of the honest twin,
changed by the blocks in their order:

```` ```python cell double ````
    replaces the source of a cell
```` ```python before double ````, ```` ```python after double ````
    puts a new cell beside one
```` ```text file numpy.py ````
    hands a file in beside the notebook
```` ```python tamper ````
    runs in the test with ``notebook``, ``folder`` (what is handed in), ``cell(grade_id)`` and
    ``raw(data)``, which replaces the notebook's file by bytes or text

What an attack got hold of it says by printing GOTCHA, which is spelled in no source.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from tests.hostile import toy

FOLDER = Path(__file__).resolve().parent / "corpus"

_FRONT = re.compile(r"---\n(.*?)\n---\n+# ([^\n]+)\n(.*)", re.DOTALL)
_BLOCK = re.compile(
    r"^(?P<fence>`{3,})\w+ (?P<what>cell|before|after|file|tamper)(?: (?P<where>[^\n]+))?\n"
    r"(?P<text>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)
_KEYS = {"twin", "says", "hides", "seconds", "stock", "also"}


@dataclass(frozen=True)
class Block:
    """One change to the honest submission."""

    what: str
    where: str
    text: str


@dataclass(frozen=True)
class Attack:
    """One attack, and what is expected of it.

    Attributes
    ----------
    family, name, title : str
        Where it lies and what it is called.
    twin : mapping of str to str, or None
        The kind of honest answer, by exercise; None for a submission that cannot be scored.
    says, hides : tuple of str
        What the feedback page says, and what it must not say.
    seconds : float
        How long grading may take.
    stock : str
        What stock nbgrader does with it: ``more`` points, ``leaks``, ``fails`` (no score),
        ``stops`` (nor has anybody after it), or ``""``
        where it is not run.
    also : bool
        Whether it is graded by `nbgrader autograde`, too.
    blocks : tuple of Block
        What it changes.
    """

    family: str
    name: str
    title: str
    twin: Mapping[str, str] | None
    says: tuple[str, ...]
    hides: tuple[str, ...]
    seconds: float
    stock: Literal["", "more", "leaks", "fails", "stops"]
    also: bool
    blocks: tuple[Block, ...]

    @property
    def student(self) -> str:
        """Who hands it in."""
        return f"{self.family}.{self.name}"

    @property
    def scores(self) -> dict[str, float] | None:
        """What it earns."""
        return None if self.twin is None else toy.expected_scores(self.twin)


class CorpusError(Exception):
    """An attack that is written wrongly."""


def read(path: Path) -> Attack:
    """Read an attack.

    Parameters
    ----------
    path : Path
        Of the file.

    Raises
    ------
    CorpusError
        If it is not written as the module's text says.
    """
    text = path.read_text(encoding="utf-8")
    front = _FRONT.match(text)
    if front is None:
        raise CorpusError(f"{path.name}: it begins with --- expectations --- and a title")
    head = yaml.safe_load(front[1])
    if not isinstance(head, dict) or not head.keys() <= _KEYS or "twin" not in head:
        raise CorpusError(f"{path.name}: expectations are {sorted(_KEYS)}, and twin is needed")
    blocks = tuple(
        Block(found["what"], (found["where"] or "").strip(), found["text"])
        for found in _BLOCK.finditer(front[3])
    )
    if not blocks or len(blocks) != len(re.findall(r"^```+\w", front[3], re.MULTILINE)):
        raise CorpusError(f"{path.name}: no block, or one that begins in another way")
    if toy.GOTCHA in text:
        raise CorpusError(f"{path.name}: {toy.GOTCHA} must not be spelled, or it is always found")
    return Attack(
        path.parent.name,
        path.stem,
        front[2],
        _twin(path, head["twin"]),
        _texts(head.get("says", [])),
        _texts(head.get("hides", [])),
        float(head.get("seconds", 15)),
        head.get("stock", ""),
        head.get("also") == "nbgrader",
        blocks,
    )


def _texts(written: Any) -> tuple[str, ...]:
    return tuple(map(str, written if isinstance(written, list) else [written]))


def _twin(path: Path, written: Any) -> dict[str, str] | None:
    if written == "none":
        return None
    kinds = {"all": written} if isinstance(written, str) else dict(written)
    default = kinds.pop("all", "wrong")
    twin = {name: kinds.pop(name, default) for name in toy.SOLUTIONS}
    if kinds:
        raise CorpusError(f"{path.name}: no exercise {sorted(kinds)}")
    toy.expected_scores(twin)
    return twin


def attacks() -> list[Attack]:
    """Read the whole corpus, by family and name."""
    return [read(path) for path in sorted(FOLDER.glob("*/*.md"))]


def submit(attack: Attack, release: NotebookNode, folder: Path) -> None:
    """Write what the attacker hands in.

    Parameters
    ----------
    attack : Attack
        Which one.
    release : NotebookNode
        What students were given.
    folder : Path
        ``submitted/<student>/<assignment>``, made here.
    """
    folder.mkdir(parents=True)
    honest = attack.twin or dict.fromkeys(toy.SOLUTIONS, "right")
    notebook = toy.fill(copy.deepcopy(release), toy.honest_answers(honest))
    bodies: list[bytes] = []

    def at(grade_id: str) -> int:
        return [cell.id for cell in notebook.cells].index(grade_id)

    def cell(grade_id: str) -> NotebookNode:
        found: NotebookNode = notebook.cells[at(grade_id)]
        return found

    def raw(data: bytes | str) -> None:
        bodies.append(data if isinstance(data, bytes) else data.encode())

    for number, block in enumerate(attack.blocks):
        if block.what == "cell":
            cell(block.where).source = block.text.rstrip("\n")
        elif block.what in ("before", "after"):
            new = new_code_cell(block.text.rstrip("\n"), id=f"attack-{number}")
            notebook.cells.insert(at(block.where) + (block.what == "after"), new)
        elif block.what == "file":
            path = folder / block.where
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        else:
            names = {"notebook": notebook, "folder": folder, "cell": cell, "raw": raw}
            exec(compile(block.text, f"<{attack.student}>", "exec"), names)
    path = folder / f"{toy.NOTEBOOK}.ipynb"
    if bodies:
        path.write_bytes(bodies[-1])
    elif not (path.is_symlink() or path.is_dir()):
        path.write_text(json.dumps(notebook))  # nbformat's own writer refuses odd text
