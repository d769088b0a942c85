"""A submitted notebook, put back to what the instructor meant, and what each cell is for.

Pure functions. What the gradebook holds is trusted; of what was handed in, the learner's own text
is kept and nothing else. The order of cells, their marks, types, points and tags are the
instructor's.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader.nbgraderformat import SCHEMA_VERSION
from nbgrader.utils import compute_checksum

from autograder.sealed.definitions import Definitions, definitions_of
from autograder.sealed.outputs import clean
from autograder.sealed.statements import (
    definitions_in,
    imported_by,
    imports_of,
    names_defined,
    names_of_programs,
)
from autograder.sealed.submissions import CELL_ID

Role = Literal["learner", "instructor", "check", "text"]

_PYTHON = {"display_name": "Python 3", "language": "python", "name": "python3"}
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_-]+")
_HIDDEN = ("BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME")
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_NAMED = 3  # how many cells a remark names
# What a cell of the learner's own may bring besides its text.
_KEPT_METADATA = ("editable", "deletable")


@dataclass(frozen=True)
class TrustedCell:
    """A marked cell as the gradebook knows it.

    Attributes
    ----------
    grade_id : str
        Its name.
    cell_type : str
        ``"code"`` or ``"markdown"``.
    source : str
        Its text, hidden tests included; for an answer, the placeholder.
    locked : bool
        Whether the learner may change it.
    checksum : str or None
        nbgrader's.
    grade, solution, task : bool
        nbgrader's marks.
    points : float or None
        What it is worth, for graded cells and tasks.
    """

    grade_id: str
    cell_type: str
    source: str
    locked: bool = False
    checksum: str | None = None
    grade: bool = False
    solution: bool = False
    task: bool = False
    points: float | None = None


@dataclass(frozen=True)
class Restored:
    """A notebook as it will be graded.

    Attributes
    ----------
    notebook : NotebookNode
        nbformat 4.5. Nothing of it is shared with what was handed in.
    remarks : tuple of str
        One sentence for each accident.
    """

    notebook: NotebookNode
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedCell:
    """What one cell of a restored notebook is for.

    Attributes
    ----------
    index : int
        Where it stands.
    role : str
        ``"learner"`` runs in the ward, ``"check"`` in the examiner, ``"instructor"`` in both and
        ``"text"`` in neither.
    source : str
        What runs.
    grade_id : str or None
        Its name, if it has one.
    number : int or None
        The ``n`` of ``In [n]``, for what runs.
    """

    index: int
    role: Role
    source: str
    grade_id: str | None = None
    number: int | None = None


def trusted_cells(notebook: Any) -> tuple[TrustedCell, ...]:
    """Read the marked cells of a notebook from the gradebook.

    Parameters
    ----------
    notebook : nbgrader.api.Notebook
        A row of the gradebook, in an open session.

    Returns
    -------
    tuple of TrustedCell
        In the order in which the gradebook gives them.
    """
    graded = {cell.name: float(cell.max_score) for cell in notebook.grade_cells}
    tasks = {cell.name: float(cell.max_score) for cell in notebook.task_cells}
    answers = {cell.name for cell in notebook.solution_cells}
    return tuple(
        TrustedCell(
            grade_id=cell.name,
            cell_type=cell.cell_type,
            source=cell.source or "",
            locked=bool(cell.locked),
            checksum=cell.checksum,
            grade=cell.name in graded,
            solution=cell.name in answers,
            task=cell.name in tasks,
            points=graded.get(cell.name, tasks.get(cell.name)),
        )
        for cell in notebook.source_cells
    )


def restore(
    submitted: NotebookNode,
    trusted: Sequence[TrustedCell],
    template: NotebookNode | None = None,
    *,
    keep_outputs: bool = False,
    keep_kernel: bool = False,
) -> Restored:
    """Put a submitted notebook back to what the instructor meant, with the learner's answers.

    Parameters
    ----------
    submitted : NotebookNode
        What was handed in, as `autograder.sealed.submissions.read_notebook` returns it. Not
        changed.
    trusted : sequence of TrustedCell
        The marked cells, from the gradebook.
    template : NotebookNode or None
        The instructor's notebook. It gives the order of the cells; without it, `trusted` does.
    keep_outputs : bool
        Whether the outputs that were handed in stay, for ``nbgrader autograde --no-execute``.
    keep_kernel : bool
        Whether the kernel that was handed in stays where the instructor's notebook names none. What
        a submission names says where it was written, not what runs it.

    Returns
    -------
    Restored
        Every marked cell is there exactly once.
    """
    known = {cell.grade_id: cell for cell in trusted}
    slots = _slots(trusted, template)
    remarks = _Remarks()
    placed = _place(list(submitted.cells), known, slots, remarks)
    _remark_order(placed, slots, known, remarks)

    cells: list[NotebookNode] = [_own(cell, keep_outputs) for cell in placed.extras.get(None, ())]
    for slot in slots:
        found = placed.slotted.get(slot)
        if slot.grade_id is not None:
            cell = known[slot.grade_id]
            if found is None:
                remarks.add("missing", cell)
            cells.append(_marked(cell, slot.tags, found, keep_outputs, remarks))
        elif found is not None:
            cells.append(_own(found, keep_outputs))
        cells += (_own(cell, keep_outputs) for cell in placed.extras.get(slot, ()))
    _give_ids(cells, slots)
    given = [submitted] if keep_kernel else []
    metadata = _notebook_metadata([*([template] if template is not None else []), *given])
    notebook = new_notebook(cells=cells, metadata=metadata)
    notebook.nbformat_minor = 5
    return Restored(notebook, remarks.sentences())


def broken_notebook(
    trusted: Sequence[TrustedCell],
    template: NotebookNode | None,
    reason: str,
    *,
    mode: str = "sealed",
) -> NotebookNode:
    """Make what stands in for a submission that cannot be graded: the assignment, unanswered.

    Parameters
    ----------
    trusted : sequence of TrustedCell
        The marked cells.
    template : NotebookNode or None
        The instructor's notebook.
    reason : str
        A sentence for the learner.
    mode : str
        How the course is graded.

    Returns
    -------
    NotebookNode
        With the reason in its metadata, so that it is neither run nor scored.
    """
    notebook = restore(new_notebook(), trusted, template).notebook
    notebook.metadata["autograder"] = NotebookNode(mode=mode, broken=reason)
    return notebook


@dataclass(frozen=True)
class _Slot:
    """A place in the instructor's notebook: a marked cell, or an unmarked one with an id."""

    grade_id: str | None
    cell_id: str | None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Placed:
    slotted: Mapping[_Slot, NotebookNode]
    # The learner's own cells, by the place that they stand behind.
    extras: Mapping[_Slot | None, Sequence[NotebookNode]]
    # The places in the order in which they were handed in.
    order: Sequence[_Slot]


# Of one cell, and of several.
_SAYINGS: Mapping[str, tuple[str, str]] = {
    "missing": (
        "{cells} was missing and is put back",
        "{cells} were missing and are put back",
    ),
    "copied": (
        "{cells} was there more than once and counts once",
        "{cells} were there more than once and count once each",
    ),
    "answers": (
        "{cells} was there more than once; the last copy that differs from the placeholder is "
        "the answer",
        "{cells} were there more than once; the last copy of each that differs from the "
        "placeholder is the answer",
    ),
    "retyped": (
        "{cells} had another cell type, which is set back",
        "{cells} had another cell type, which is set back",
    ),
    "changed": (
        "The text of {cells} was changed; the original counts",
        "The texts of {cells} were changed; the originals count",
    ),
    "remarked": (
        "The marks of {cells} were changed and are set back",
        "The marks of {cells} were changed and are set back",
    ),
    "tagged": (
        "{cells} had tags of the learner's, which are dropped",
        "{cells} had tags of the learner's, which are dropped",
    ),
    "unmarked": (
        "{cells} had lost its mark and is recognized by its id",
        "{cells} had lost their marks and are recognized by their ids",
    ),
    "moved": (
        "{cells} stood in another place and is put back in order",
        "{cells} stood in other places and are put back in order",
    ),
}


class _Remarks:
    """Collects accidents, and says each kind in one sentence."""

    def __init__(self) -> None:
        self._found: dict[str, list[TrustedCell]] = {}
        self._foreign = 0

    def add(self, kind: str, cell: TrustedCell) -> None:
        cells = self._found.setdefault(kind, [])
        if cell not in cells:
            cells.append(cell)

    def add_foreign(self) -> None:
        self._foreign += 1

    def sentences(self) -> tuple[str, ...]:
        said = []
        for kind, sayings in _SAYINGS.items():
            cells = self._found.get(kind, [])
            if cells:
                sentence = sayings[len(cells) > 1].format(cells=_names(cells))
                said.append(f"{sentence[0].upper()}{sentence[1:]}.")
        if self._foreign:
            said.append(
                "A cell bore the mark of another assignment and counts as one of the learner's own."
                if self._foreign == 1
                else f"{self._foreign} cells bore marks of another assignment and count as the "
                "learner's own."
            )
        return tuple(said)


def _names(cells: Sequence[TrustedCell]) -> str:
    names = [cell.grade_id for cell in cells[:_NAMED]]
    if len(cells) > _NAMED:
        names.append(f"{len(cells) - _NAMED} more")
    if len(names) == 1:
        return f"the cell {names[0]}"
    return f"the cells {', '.join(names[:-1])} and {names[-1]}"


def _slots(trusted: Sequence[TrustedCell], template: NotebookNode | None) -> list[_Slot]:
    """List the places of the instructor's notebook in order, each marked cell exactly once."""
    known = {cell.grade_id for cell in trusted}
    slots: list[_Slot] = []
    seen: set[str] = set()
    for cell in template.cells if template is not None else ():
        grade_id = _grade_id(cell)
        cell_id = cell.get("id")
        if grade_id in known and grade_id not in seen:
            seen.add(str(grade_id))
            slots.append(_Slot(grade_id, cell_id, tuple(cell.metadata.get("tags", ()))))
        elif grade_id not in known and isinstance(cell_id, str):
            slots.append(_Slot(None, cell_id))
    # What the instructor's notebook lacks, such as a header that nbgrader added, goes behind the
    # cell that it follows in the gradebook.
    before: str | None = None
    for mark in trusted:
        if mark.grade_id not in seen:
            at = next((n for n, slot in enumerate(slots) if slot.grade_id == before), None)
            at = 0 if before is None else len(slots) if at is None else at + 1
            slots.insert(at, _Slot(mark.grade_id, None))
            seen.add(mark.grade_id)
        before = mark.grade_id
    return slots


def _place(
    cells: list[NotebookNode],
    known: Mapping[str, TrustedCell],
    slots: Sequence[_Slot],
    remarks: _Remarks,
) -> _Placed:
    """Find the place of each submitted cell."""
    by_mark = {slot.grade_id: slot for slot in slots if slot.grade_id is not None}
    by_id = {slot.cell_id: slot for slot in slots if slot.cell_id is not None}
    bearing: dict[str, list[int]] = {}
    for at, cell in enumerate(cells):
        grade_id = _grade_id(cell)
        if grade_id in known:
            bearing.setdefault(str(grade_id), []).append(at)
        elif grade_id:
            remarks.add_foreign()
    chosen: dict[int, _Slot] = {}
    dropped: set[int] = set()
    for grade_id, places in bearing.items():
        mark = known[grade_id]
        at = _chosen(cells, places, mark)
        chosen[at] = by_mark[grade_id]
        if len(places) > 1:
            remarks.add("answers" if _is_answer(mark) else "copied", mark)
            if not _is_answer(mark):
                dropped.update(place for place in places if place != at)
    for at, cell in enumerate(cells):
        slot = by_id.get(str(cell.get("id"))) if _grade_id(cell) is None else None
        if slot is None or at in chosen or slot in chosen.values():
            continue
        chosen[at] = slot
        if slot.grade_id is not None:
            remarks.add("unmarked", known[slot.grade_id])
    extras: dict[_Slot | None, list[NotebookNode]] = {}
    behind: _Slot | None = None
    for at, cell in enumerate(cells):
        if at in chosen:
            behind = chosen[at]
        elif at not in dropped:
            extras.setdefault(behind, []).append(cell)
    order = [chosen[at] for at in sorted(chosen)]
    return _Placed({slot: cells[at] for at, slot in chosen.items()}, extras, order)


def _chosen(cells: Sequence[NotebookNode], places: Sequence[int], mark: TrustedCell) -> int:
    """Choose the copy that counts: of an answer the last that was worked on, else the first."""
    if not _is_answer(mark):
        return places[0]
    own = [at for at in places if cells[at].source.strip() != mark.source.strip()]
    if not own:
        return places[0]
    last = cells[own[-1]].source
    return next(at for at in own if cells[at].source == last)


def _is_answer(mark: TrustedCell) -> bool:
    return not mark.locked


def _remark_order(
    placed: _Placed,
    slots: Sequence[_Slot],
    known: Mapping[str, TrustedCell],
    remarks: _Remarks,
) -> None:
    """Name the fewest marked cells whose move explains the order that was handed in."""
    rank = {slot: at for at, slot in enumerate(slots)}
    marked = [slot for slot in placed.order if slot.grade_id is not None]
    ranks = [rank[slot] for slot in marked]
    # The longest run of cells that are in order, and so did not move.
    best: list[list[int]] = []
    for at, value in enumerate(ranks):
        runs: list[list[int]] = [best[end] for end in range(at) if ranks[end] < value]
        longest = sorted(runs, key=len)[-1] if runs else []
        best.append([*longest, at])
    still = set(sorted(best, key=len)[-1]) if best else set()
    for at, slot in enumerate(marked):
        if at not in still and slot.grade_id is not None:
            remarks.add("moved", known[slot.grade_id])


def _marked(
    mark: TrustedCell,
    tags: tuple[str, ...],
    found: NotebookNode | None,
    keep_outputs: bool,
    remarks: _Remarks,
) -> NotebookNode:
    """Make a marked cell: the instructor's, with the learner's text where that may differ."""
    source = mark.source
    if found is not None:
        if found.cell_type != mark.cell_type:
            remarks.add("retyped", mark)
        own = found.metadata.get("tags")
        if own and (not isinstance(own, list) or any(tag not in tags for tag in own)):
            remarks.add("tagged", mark)
        marks = found.metadata.get("nbgrader")
        if isinstance(marks, dict) and any(
            bool(marks.get(flag)) is not getattr(mark, flag)
            for flag in ("grade", "solution", "task")
        ):
            remarks.add("remarked", mark)
        if _is_answer(mark):
            source = found.source
        elif found.source.strip() != source.strip() and not any(word in source for word in _HIDDEN):
            remarks.add("changed", mark)
    cell = _new(mark.cell_type, source)
    if found is not None:
        _keep(cell, found, keep_outputs)
    if tags:
        cell.metadata["tags"] = list(tags)
    data: dict[str, Any] = {
        "schema_version": int(SCHEMA_VERSION),
        "grade_id": mark.grade_id,
        "grade": mark.grade,
        "solution": mark.solution,
        "locked": mark.locked,
        "task": mark.task,
        "cell_type": mark.cell_type,
    }
    if mark.points is not None:
        data["points"] = mark.points
    cell.metadata["nbgrader"] = NotebookNode(data)
    if mark.checksum:
        cell.metadata.nbgrader["checksum"] = mark.checksum
    elif mark.locked:
        cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    return cell


def _own(found: NotebookNode, keep_outputs: bool) -> NotebookNode:
    """Make a cell of the learner's own."""
    cell = _new(found.cell_type, found.source)
    _keep(cell, found, keep_outputs)
    return cell


def _new(cell_type: str, source: str) -> NotebookNode:
    make: Any = {"code": new_code_cell, "markdown": new_markdown_cell}.get(cell_type, new_raw_cell)
    cell: NotebookNode = make(source=source)
    cell.pop("id", None)  # a random one
    return cell


def _keep(cell: NotebookNode, found: NotebookNode, keep_outputs: bool) -> None:
    for key in _KEPT_METADATA:
        if isinstance(found.metadata.get(key), bool):
            cell.metadata[key] = found.metadata[key]
    if isinstance(found.get("id"), str):
        cell["id"] = found["id"]
    if cell.cell_type == "code":
        if keep_outputs and found.cell_type == "code":
            cell.outputs = clean(found.get("outputs", []), is_check=True)
            count = found.get("execution_count")
            cell.execution_count = count if type(count) is int else None
    else:
        pictures = _attachments(found.get("attachments"))
        if pictures:
            cell["attachments"] = pictures


def _attachments(found: object) -> NotebookNode:
    """Keep pictures alone: other attachments may hold script."""
    kept = NotebookNode()
    for name, bundle in found.items() if isinstance(found, dict) else ():
        pictures = {
            mime: data
            for mime, data in (bundle.items() if isinstance(bundle, dict) else ())
            if mime in _PICTURES and isinstance(data, str)
        }
        if pictures and isinstance(name, str):
            kept[name] = NotebookNode(pictures)
    return kept


def _give_ids(cells: Sequence[NotebookNode], slots: Sequence[_Slot]) -> None:
    """Give each cell an id of its own, the same ones each time."""
    given = {slot.grade_id: slot.cell_id for slot in slots if slot.grade_id is not None}
    taken: set[str] = set()
    # Marked cells come first: a learner's own cell cannot take the id of one.
    for cell in cells:
        grade_id = _grade_id(cell)
        if grade_id is not None:
            name = given.get(grade_id) or _NOT_IN_ID.sub("-", grade_id)[:64]
            cell["id"] = name if CELL_ID.fullmatch(name) and name not in taken else None
            taken.add(name)
    count = 0
    for cell in cells:
        own: Any = cell.get("id")
        if _grade_id(cell) is not None and own:
            continue
        if not isinstance(own, str) or not CELL_ID.fullmatch(own) or own in taken:
            count += 1
            while (own := f"cell-{count}") in taken:
                count += 1
        taken.add(own)
        cell["id"] = own


def _notebook_metadata(notebooks: Iterable[NotebookNode]) -> NotebookNode:
    """Take the kernel from the first notebook that names one, and nothing else."""
    metadata = NotebookNode(language_info=NotebookNode(name="python"))
    for notebook in notebooks:
        spec = notebook.metadata.get("kernelspec")
        if isinstance(spec, dict) and isinstance(spec.get("name"), str):
            metadata["kernelspec"] = NotebookNode(
                {key: str(spec.get(key, spec["name"])) for key in _PYTHON}
            )
            return metadata
    metadata["kernelspec"] = NotebookNode(_PYTHON)
    return metadata


def _grade_id(cell: NotebookNode) -> str | None:
    marks = cell.metadata.get("nbgrader")
    grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
    return grade_id if isinstance(grade_id, str) and grade_id else None


def is_foreign(submitted: NotebookNode, trusted: Iterable[TrustedCell]) -> bool:
    """Say whether all marks of a notebook belong to another assignment.

    Parameters
    ----------
    submitted : NotebookNode
        What was handed in.
    trusted : iterable of TrustedCell
        The marked cells of the assignment.

    Returns
    -------
    bool
        False for a notebook without any mark.
    """
    known = {cell.grade_id for cell in trusted}
    found = {grade_id for cell in submitted.cells if (grade_id := _grade_id(cell))}
    return bool(found) and not found & known


@dataclass(frozen=True)
class Given:
    """What check cells may rely on before any submission is looked at.

    Attributes
    ----------
    prelude : str
        The imports of the instructor's own cells: what a check calls ``np`` is then ours, whatever
        a submission binds to that name. And the functions and classes of unmarked cells, which a
        learner may have changed or removed.
    answers : mapping of str to frozenset of str
        By the id of an answer's cell: the names that the assignment asks learners to define there.
        They come from the submission even where Python has something of that name.
    definitions : Definitions or None
        What the instructor's notebook defines; None where it is not there.
    """

    prelude: str = ""
    answers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    definitions: Definitions | None = None

    @property
    def asked(self) -> frozenset[str]:
        """All names that the assignment asks for."""
        return frozenset().union(*self.answers.values())


def given_by(trusted: Iterable[TrustedCell], template: NotebookNode | None = None) -> Given:
    """Read from the instructor's cells what check cells may rely on.

    Parameters
    ----------
    trusted : iterable of TrustedCell
        The marked cells.
    template : NotebookNode or None
        The instructor's notebook, which also shows the solutions.

    Returns
    -------
    Given
    """
    marks = [cell for cell in trusted if cell.cell_type == "code"]
    graded = {cell.grade_id for cell in marks if cell.grade and not cell.solution}
    answers = {cell.grade_id for cell in marks if cell.solution}
    own = template.cells if template is not None else []
    texts = [(_grade_id(cell), cell.source) for cell in own if cell.cell_type == "code"]
    solved = {name for name, _ in texts}
    texts += [(cell.grade_id, cell.source) for cell in marks if cell.grade_id not in solved]
    programs = names_of_programs(source for name, source in texts if name not in graded | answers)
    programs |= imported_by(source for name, source in texts)
    return Given(
        prelude="\n".join(
            [
                imports_of(source for name, source in texts if name not in graded),
                definitions_in(source for name, source in texts if name is None),
            ]
        ).strip(),
        answers={
            name: names_defined([source], programs) for name, source in texts if name in answers
        },
        definitions=None
        if template is None
        else definitions_of(
            [source for name, source in texts if name not in graded | answers],
            [source for name, source in texts if name in answers],
        ),
    )


def plan(nb: NotebookNode, template: NotebookNode | None = None) -> tuple[PlannedCell, ...]:
    """Say what each cell of a restored notebook is for.

    Parameters
    ----------
    nb : NotebookNode
        What `restore` returned: its marks can be trusted.
    template : NotebookNode or None
        The instructor's notebook. An unmarked code cell that stands in it, unchanged, is the
        instructor's and runs on both sides.

    Returns
    -------
    tuple of PlannedCell
        One for each cell, in order.
    """
    given = {
        (cell.get("id"), cell.source)
        for cell in (template.cells if template is not None else ())
        if cell.cell_type == "code" and cell.get("id") and _grade_id(cell) is None
    }
    planned: list[PlannedCell] = []
    number = 0
    for index, cell in enumerate(nb.cells):
        role = _role(cell, given)
        if role == "text":
            planned.append(PlannedCell(index, role, cell.source, _grade_id(cell)))
        else:
            number += 1
            planned.append(PlannedCell(index, role, cell.source, _grade_id(cell), number))
    return tuple(planned)


def _role(cell: NotebookNode, given: set[tuple[Any, str]]) -> Role:
    if cell.cell_type != "code" or not cell.source.strip():
        return "text"
    marks = cell.metadata.get("nbgrader", {})
    if marks.get("grade") and not marks.get("solution"):
        return "check"
    if marks.get("solution"):
        return "learner"
    if marks.get("locked"):
        return "instructor"
    return "instructor" if (cell.get("id"), cell.source) in given else "learner"
