"""Read a notebook's parts, and what each of its cells adds to the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from markupsafe import Markup
from nbformat import NotebookNode

from autograder.feedback.cells import (
    Role,
    count_of,
    headings,
    is_unanswered,
    learners_cells,
    mark_of,
    role_of,
    without_line,
)
from autograder.feedback.code import highlighted
from autograder.feedback.failures import plain
from autograder.feedback.findings import Findings, found_in
from autograder.feedback.hidden import check_title
from autograder.feedback.markdown import Picture, Room, render
from autograder.feedback.marks import Marks
from autograder.feedback.outputs import Stopped, shown
from autograder.feedback.records import Block, Check, ConceptLine, Remark, Section
from autograder.feedback.redact import HIDDEN, diagnosis_of
from autograder.feedback.scores import State, is_or_are, score_of, sum_of
from autograder.report import inline, number

_MOST_CELLS = 2_000
_MOST_LETTERS_IN_HEADINGS = 100_000
_MOST_CODE_IN_CELL = 100_000
# Of each cell, where a page has no room for all of them.
_LEAST_CODE = 2_000


def parts_of(nb: NotebookNode) -> tuple[str, list[tuple[str, list[NotebookNode]]]]:
    """Divide a notebook at its headings: its title, and its parts with their titles.

    Headings count down to the level that tells most graded cells apart.
    """
    cells = nb.cells[:_MOST_CELLS]
    room = Room(letters=_MOST_LETTERS_IN_HEADINGS)
    graded = [at for at, cell in enumerate(cells) if role_of(cell) in ("check", "task", "by-hand")]
    found = [headings(cell.source) if cell.cell_type == "markdown" else [] for cell in cells]

    def apart(level: int) -> int:
        starts = [any(item[0] <= level for item in items) for items in found]
        part_of = list(accumulate(starts))
        return len({part_of[at] for at in graded})

    # A single heading of the first level is the notebook's title.
    levels = range(1 if apart(1) > 1 else 2, 7)
    level = max(levels, key=lambda level: (apart(level), -level))
    title = next((item[1] for items in found for item in items if item[0] == 1), "")
    if not title:
        title = next((item[1] for items in found[:1] for item in items), "")
    parts: list[tuple[str, list[NotebookNode]]] = [("", [])]
    for at, cell in enumerate(cells):
        fitting = [item for item in found[at] if item[0] <= level]
        if fitting:
            _, words, line = fitting[-1]
            parts.append((words, []))
            cell = NotebookNode({**cell, "source": without_line(cell.source, line)})
        parts[-1][1].append(cell)
    return _plain_heading(title, room), [
        (_plain_heading(words, room), part) for words, part in parts if part
    ]


def _plain_heading(words: str, room: Room) -> str:
    """Take the signs of Markdown out of a heading."""
    return plain(render(words, room=room).striptags()).strip()[:200]


class Reader:
    """Reads the cells of one notebook."""

    def __init__(self, nb: NotebookNode, marks: Marks, picture: Picture) -> None:
        self._marks = marks
        self._picture = picture
        self._room = Room()
        self._sources = learners_cells(nb)
        language = nb.metadata.get("language_info")
        name = language.get("name") if isinstance(language, Mapping) else None
        self._language = name if isinstance(name, str) else "python"
        self.seen: set[str] = set()

    def section(self, at: int, title: str, cells: Sequence[NotebookNode]) -> Section:
        """Read one part of the notebook."""
        answers = [cell for cell in cells if role_of(cell) in ("answer", "by-hand")]
        untouched = bool(answers) and all(map(is_unanswered, answers))
        checks = [
            self._check(cell, untouched)
            for cell in cells
            if role_of(cell) in ("check", "task", "by-hand")
        ]
        comments = [
            Remark(
                "From your instructor" if comment.by_hand else "From the grader",
                render(comment.text),
            )
            for cell in cells
            if (comment := self._marks.comments.get(str(mark_of(cell).get("grade_id"))))
            and (comment.by_hand or comment.text not in self._marks.repeated_remarks)
        ]
        tasks = [at for at, cell in enumerate(cells) if role_of(cell) == "task"]
        blocks = [
            block
            for at, cell in enumerate(cells)
            if role_of(cell) != "check"
            and (block := self._block(cell, bool(tasks) and at > tasks[0])) is not None
        ]
        return Section(
            f"exercise-{at}",
            title,
            sum_of([item.score for item in checks]),
            tuple(checks),
            tuple(dict.fromkeys(comments)),
            tuple(blocks),
        )

    def _check(self, cell: NotebookNode, untouched: bool) -> Check:
        mark = mark_of(cell)
        grade_id = str(mark["grade_id"])
        self.seen.add(grade_id)
        role = role_of(cell)
        if role != "check":
            score = score_of(self._marks.cells.get(grade_id), _points(mark), False)
            title = "Read by your instructor"
            unread = is_unanswered(cell) and score.state == "none"
            state: State = "unanswered" if unread else score.state
            remark = _remark(self._marks, grade_id)
            return Check(_anchor(grade_id), title, replace(score, state=state), True, remark)
        found = found_in(cell.outputs) or Findings()
        started = any(hint.startswith("Not started yet") for hint in found.hints)
        score = score_of(
            self._marks.cells.get(grade_id), _points(mark), untouched or started, found.stopped
        )
        hidden = bool(cell.metadata.get(HIDDEN))
        pointed = (found.line,) if found.line else ()
        return Check(
            _anchor(grade_id),
            check_title(cell.source, grade_id),
            score,
            False,
            _remark(self._marks, grade_id),
            tuple(map(_inline, found.critical)),
            tuple(map(_inline, found.hints)) if started or not untouched else (),
            tuple(
                ConceptLine(
                    _inline(item.title),
                    f"{number(item.points if item.holds else 0)} of {number(item.points)}",
                    item.holds,
                    _inline("" if item.holds else item.hint),
                )
                for item in found.concepts
            ),
            Markup() if hidden else self._code(cell.source, pointed),
            _inline(found.first_sentence),
        )

    def _block(self, cell: NotebookNode, answers_a_task: bool) -> Block | None:
        role = role_of(cell)
        if not cell.source.strip() and not cell.get("outputs"):
            return None
        if cell.cell_type != "code":
            return self._text(cell, "answer" if answers_a_task and role == "own" else role)
        count = count_of(cell)
        outputs = shown(cell.outputs, count=count, sources=self._sources, room=self._room)
        pointed = [
            frame.line for item in outputs if isinstance(item, Stopped) for frame in item.own
        ]
        remark = diagnosis_of(cell)
        if any(
            isinstance(item, Stopped) and item.message in (remark, remark[:-1]) for item in outputs
        ):
            remark = ""  # the output says it
        labels = {"given": "Given code", "own": "Code cell"}
        block = Block(
            labels.get(role, "Your answer"),
            code=self._code(cell.source, pointed),
            outputs=outputs,
            remark=remark,
        )
        return replace(block, folded=role == "given" and not block.stopped)

    def _text(self, cell: NotebookNode, role: Role) -> Block | None:
        if not cell.source.strip():
            return None
        if cell.cell_type == "markdown":
            html = render(
                cell.source, cell.get("attachments"), picture=self._picture, room=self._room
            )
        else:
            html = Markup('<pre class="plain">{}</pre>').format(plain(cell.source[:100_000]))
        if role in ("given", "task"):
            return Block("The text of the exercise", True, html)
        return Block("Your answer" if role in ("answer", "by-hand") else "", False, html)

    def _code(self, source: str, pointed: Iterable[int]) -> Markup:
        lines = frozenset(pointed)
        if self._room.has_for_code(min(len(source), _MOST_CODE_IN_CELL)):
            return highlighted(source, self._language, lines)
        return highlighted(f"{source[:_LEAST_CODE]}\n…", "", lines)


def missing_section(names: Sequence[str], marks: Marks, at: int) -> Section:
    """Name what the gradebook knows and the notebook has not."""
    checks = tuple(
        Check(
            _anchor(name),
            name,
            score_of(marks.cells[name], 0.0, untouched=False, stopped=True),
            remark="This cell of the assignment is missing in your notebook.",
        )
        for name in names
    )
    score = sum_of([item.score for item in checks])
    return Section(f"exercise-{at}", "Missing in your notebook", score, checks)


def _points(mark: Mapping[str, Any]) -> float:
    points = mark.get("points")
    is_number = isinstance(points, int | float) and not isinstance(points, bool)
    return float(points) if is_number and 0 <= points < 1e6 else 0.0  # type: ignore[arg-type, operator]


def _remark(marks: Marks, grade_id: str) -> str:
    mark = marks.cells.get(grade_id)
    if mark is None:
        return ""
    said = []
    if mark.extra:
        said.append(f"{number(mark.extra)} of these {is_or_are(mark.extra)} extra credit.")
    if mark.again:
        said.append("An earlier version was graded; your instructor will look at this one again.")
    return " ".join(said)


def _inline(text: str) -> Markup:
    return Markup(inline(plain(text)))  # inline escapes


def _anchor(grade_id: str) -> str:
    """Make a name for a place on the page, apart from the page's own."""
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in grade_id)
    return f"cell-{kept[:100]}"
