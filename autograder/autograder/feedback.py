"""The page that learners read: hidden checks kept out, a summary put first.

Two steps for nbgrader's ``GenerateFeedback``. They change the page alone; the autograded notebook,
which instructors see, stays as it is.
"""

import re
from dataclasses import dataclass
from html import escape

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool

from autograder.report import FINDINGS, inline, number

_HIDDEN = re.compile(r"^[^\n]*BEGIN HIDDEN TESTS.*?(END HIDDEN TESTS[^\n]*|\Z)", re.S | re.M)
_SCHEME = re.compile(
    r"^[^\n]*BEGIN MARK SCHEME[^\n]*(.*?)(^[^\n]*END MARK SCHEME[^\n]*|\Z)", re.S | re.M
)
_HEADING = re.compile(r"^## +(.+?) *$", re.MULTILINE)

_NO_FUNCTION = (
    "The check found no function to call. The cell with your solution did not run to its end: "
    "look at its error first, or at the spelling of the function's name.\n"
)
_TOO_LONG = "The check took too long and was stopped. Look for a loop that never ends.\n"
_BROKEN = "The check could not be completed. Please tell your instructor.\n"

# nbgrader's list of "Test cells" gives way to the summary, and tables get lines.
_STYLE = """<style>
#toc, div.prompt { display: none; }
#notebook-container { max-width: 62em; }
.rendered_html blockquote { font-size: inherit; }
.rendered_html summary { display: list-item; cursor: pointer; color: #1f6fb2; }
.rendered_html table { font-size: 14px; margin-left: 0; }
.rendered_html th, .rendered_html td { text-align: left; vertical-align: top; padding: .3em .8em;
  border-bottom: 1px solid #d5dce3; max-width: 40em; }
.rendered_html tr th:first-child, .rendered_html tr td:first-child { padding-left: .3em; }
#summary { border: 1px solid #d5dce3; border-left: 4px solid #1f6fb2; border-radius: 4px;
  padding: .8em 1.2em; margin-bottom: 1.5em; font-size: 15px; }
#summary p { margin: 0 0 .6em; }
#summary td.points { white-space: nowrap; }
</style>"""


class DropHiddenChecks(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Remove the source of hidden checks, and what may leak it, from a feedback page.

    Attributes
    ----------
    show_mark_scheme : bool
        Whether the marking scheme of a question that a person grades is on the page, folded.
    """

    show_mark_scheme = Bool(False, help="Show marking schemes, folded.").tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Clean one cell.

        Parameters
        ----------
        cell : NotebookNode
            Changed in place.
        resources : dict
            Passed through.
        cell_index : int
            Position in the notebook.

        Returns
        -------
        cell, resources
        """
        source, hidden = _HIDDEN.subn("", cell.source)
        if hidden:
            cell.source = source.strip()
            if cell.cell_type == "code":
                cell.outputs = _findings(cell.outputs)
        if cell.cell_type == "markdown":
            cell.source = _SCHEME.sub(_folded if self.show_mark_scheme else "", cell.source)
        return cell, resources


def _findings(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Keep the findings of an examination alone: anything else may show a hidden input.

    An error's traceback shows the source of the check, and what a learner's function prints or
    displays while it is asked may be what it was asked.
    """
    found = [item for item in outputs if FINDINGS in item.get("data", {})]
    if found:
        return found
    names = {item.get("ename") for item in outputs}
    if "NameError" in names:
        return [_sentence(_NO_FUNCTION)]
    return [_sentence(_TOO_LONG if "CellTimeoutError" in names else _BROKEN)]


def _sentence(text: str) -> NotebookNode:
    output: NotebookNode = new_output("stream", name="stdout", text=text)
    return output


def _folded(scheme: re.Match[str]) -> str:
    summary = "The marking scheme, to compare with your own answer"
    return f"<details><summary>{summary}</summary>\n\n{scheme[1].strip()}\n\n</details>"


@dataclass(frozen=True)
class _Line:
    """One line of the summary."""

    anchor: str
    title: str
    points: float
    score: float | None
    sentence: str


class AddSummary(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Begin a feedback page with what was earned, and with what to do next."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Put the summary first.

        Parameters
        ----------
        nb : NotebookNode
            With scores, as nbgrader's ``GetGrades`` adds them; changed in place.
        resources : dict
            nbgrader's.

        Returns
        -------
        nb, resources
        """
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            submission = gradebook.find_submission_notebook(
                names["notebook"], names["assignment"], names["student"]
            )
            by_hand = {grade.name for grade in submission.grades if grade.needs_manual_grade}
        lines: list[_Line] = []
        title = ""
        for cell in nb.cells:
            headings = _HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
            title = headings[-1] if headings else title
            marks = cell.metadata.get("nbgrader", {})
            if not (marks.get("grade") or marks.get("task")):
                continue
            if not marks["points"]:
                del cell.metadata["nbgrader"]  # a visible check is worth nothing: no "0.0 / 0.0"
                continue
            score = None if marks["grade_id"] in by_hand else float(marks["score"])
            anchor = ("comment-" if marks.get("task") else "") + marks["grade_id"]
            lines.append(_Line(anchor, title, marks["points"], score, first_sentence(cell)))
        late = float(names.get("late_penalty") or 0)
        nb.cells.insert(0, new_markdown_cell(f"{_STYLE}\n{_summary(lines, late)}"))
        return nb, resources


def first_sentence(cell: NotebookNode) -> str:
    """Find the most telling sentence that an examination showed below a check.

    Parameters
    ----------
    cell : NotebookNode
        An executed cell.

    Returns
    -------
    str
        Empty where there is none.
    """
    for output in cell.get("outputs", []):
        found = output.get("data", {}).get(FINDINGS)
        if found:
            return str(next(iter(found["critical"] + found["hints"]), ""))
        if output.get("ename") == "NameError" or output.get("text") == _NO_FUNCTION:
            return "The cell with this function did not run to its end."
    return ""


def _summary(lines: list[_Line], late: float) -> str:
    graded = [line for line in lines if line.score is not None]
    score = sum(line.score or 0 for line in graded) - late
    most = sum(line.points for line in graded)
    waiting = sum(line.points for line in lines) - most
    opening = f"<strong>{number(score)} of {number(most)} points</strong>."
    if waiting:
        opening += f" Up to {number(waiting)} more come from a person who reads your answer."
    if late:
        opening += f" It was handed in late, which took {number(late)} off."
    short = next((line for line in graded if (line.score or 0) < line.points), None)
    if short is None:
        after = "Every hidden check is content. Go on to the next module."
    else:
        after = (
            f'Start with <a href="#{escape(short.anchor)}">{escape(short.title)}</a>: below its '
            "code stands which ideas hold and where to look. Then go on to the next."
        )
    rows = "".join(map(_row, lines))
    return (
        f'<div id="summary" role="region" aria-label="Summary"><p>{opening}</p>'
        f"<p><strong>Next:</strong> {after}</p>"
        '<table><thead><tr><th scope="col">Exercise</th><th scope="col">Points</th>'
        f'<th scope="col">What was found</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(line: _Line) -> str:
    if line.score is None:
        score, found = "? ", "A person reads this."
    elif line.score < line.points:
        score, found = f"✗ {number(line.score)}", line.sentence
    else:
        score, found = f"✓ {number(line.score)}", line.sentence or "Every concept holds."
    return (
        f'<tr><td><a href="#{escape(line.anchor)}">{escape(line.title)}</a></td>'
        f'<td class="points">{score} of {number(line.points)}</td><td>{inline(found)}</td></tr>'
    )
