"""Grade all honest answers twice, by stock nbgrader and sealed, each in processes of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from tests.batch import classroom
from tests.differential.corpus import Case, Theme
from tests.hostile.grading import environment

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "honest"
COURSES = 2

# Kernels on sockets of their own: two graders at a time would now and then take the same port.
STOCK = """
import os

c = get_config()
c.KernelManager.transport = "ipc"
c.KernelManager.ip = os.path.join(os.environ["JUPYTER_RUNTIME_DIR"], "kernel")
"""
# A check that hangs is a difference, too, and ought to show soon.
SEALED = f"""
from autograder import seal

c = get_config()
seal(c, learner_python={str(ROOT / ".venv" / "bin" / "python")!r}, checks_seconds=10)
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one check of one answer.

    Attributes
    ----------
    theme : str
    answer : str
        Such as "right-1".
    grade_id : str
    code : str
        The check's source.
    points : float
        What it is worth.
    stock, sealed : float or None
        Scores.
    stock_error, sealed_error : str
        What the check cell ended with, and before it the answer's own cell.
    """

    theme: str
    answer: str
    grade_id: str
    code: str
    points: float
    stock: float | None
    sealed: float | None
    stock_error: str = ""
    sealed_error: str = ""

    @property
    def key(self) -> str:
        """How the list of differences names it."""
        return f"{self.theme}/{self.grade_id} {self.answer}"

    @property
    def direction(self) -> str:
        """Whether sealed grading gives "less" than stock, "more", or the "same"."""
        if self.stock == self.sealed:
            return "same"
        # No score at all is less than none earned.
        stock, sealed = (-1.0 if score is None else score for score in (self.stock, self.sealed))
        return "less" if sealed < stock else "more"


def _code(name: str, source: str, **more: object) -> NotebookNode:
    cell: NotebookNode = new_code_cell(source, id=name, metadata=classroom.marked(name, **more))
    return cell


def _source_notebook(theme: Theme, cases: Sequence[Case]) -> NotebookNode:
    cells = [
        new_markdown_cell(f"# {theme.name}", id="title"),
        _code("setup", theme.setup, locked=True),
    ]
    for case in cases:
        if case.instructor:
            cells.append(_code(f"{case.name}-before", case.instructor, locked=True))
        solution = f"### BEGIN SOLUTION\n{case.answers['solution']}\n### END SOLUTION"
        cells.append(_code(case.name, solution, solution=True))
        cells += [
            _code(check.grade_id, check.code, grade=True, locked=True, points=check.points)
            for check in case.checks
        ]
    notebook: NotebookNode = new_notebook(
        cells=cells, metadata={"kernelspec": classroom.KERNEL, "language_info": {"name": "python"}}
    )
    return notebook


def _learner(turn: int) -> str:
    return f"learner-{turn}"


def _write(folder: Path, name: str, notebook: NotebookNode, *files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    for group in files:
        for path, content in group.items():
            (folder / path).write_text(content)


def make_course(folder: Path, themes: Sequence[Theme]) -> Path:
    """Make a course, release it, and let learners hand in.

    One learner hands in all solutions, the next the first other answer to each exercise, and so on.
    Each has notebooks of their own, with nothing in them that somebody else has handed in alike.

    Parameters
    ----------
    folder : Path
        A new folder.
    themes : sequence of Theme

    Returns
    -------
    Path
        The course, with the settings of stock nbgrader.
    """
    course = folder / "course"
    source, release = course / "source" / ASSIGNMENT, course / "release" / ASSIGNMENT
    (folder / "home").mkdir(parents=True)
    for theme in themes:
        for turn, answers in enumerate(theme.notebooks()):
            notebook = _source_notebook(theme, [case for case, _ in answers])
            _write(source, f"{theme.name}-{turn}", notebook, theme.given)
    (course / "nbgrader_config.py").write_text(STOCK)
    _run(folder, "nbgrader", "generate_assignment", ASSIGNMENT)
    for theme in themes:
        for turn, answers in enumerate(theme.notebooks()):
            name = f"{theme.name}-{turn}"
            notebook = nbformat.read(release / f"{name}.ipynb", as_version=4)
            sources = {case.name: case.answers[answer] for case, answer in answers}
            for cell in notebook.cells:
                cell.source = sources.get(cell.id, cell.source)
            handed_in = course / "submitted" / _learner(turn) / ASSIGNMENT
            _write(handed_in, name, notebook, theme.given, theme.handed_in)
    return course


def _run(folder: Path, *command: str) -> None:
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory() as sockets:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder / "course",
            env=environment(folder) | {"JUPYTER_RUNTIME_DIR": sockets},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        said = (done.stdout + done.stderr)[-4000:]
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")


def _scores(course: Path) -> dict[tuple[str, str, str], float | None]:
    """Read scores by learner, notebook and check."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        return {
            (submission.student.id, notebook.name, grade.name): grade.auto_score
            for submission in gradebook.assignment_submissions(ASSIGNMENT)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def _errors(course: Path, learner: str, name: str) -> dict[str, str]:
    """Read by grade id how the cells of an autograded notebook failed."""
    errors: dict[str, str] = {}
    path = course / "autograded" / learner / ASSIGNMENT / f"{name}.ipynb"
    for cell in nbformat.read(path, as_version=4).cells if path.is_file() else ():
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                errors[grade_id] = f"{output.ename}: {output.evalue}".strip()
            elif output.output_type == "stream" and output.name == "stderr":
                errors.setdefault(grade_id, f"stderr: {output.text}".strip())
    return errors


def _grade(folder: Path, themes: Sequence[Theme]) -> list[Outcome]:
    stock = make_course(folder / "stock", themes)
    sealed = folder / "sealed" / "course"
    shutil.copytree(stock.parent, sealed.parent)
    (sealed / "nbgrader_config.py").write_text(SEALED)
    _run(stock.parent, "nbgrader", "autograde", ASSIGNMENT)
    _run(sealed.parent, "autograder", "grade", ASSIGNMENT, "--workers", "1")
    return list(_outcomes(themes, stock, sealed))


def grade(folder: Path, themes: Sequence[Theme]) -> list[Outcome]:
    """Grade all answers of themes by both graders.

    Parameters
    ----------
    folder : Path
        A new folder.
    themes : sequence of Theme
        They become several courses, as nbgrader works on one notebook at a time.

    Returns
    -------
    list of Outcome
    """
    shares: list[list[Theme]] = [[] for _ in range(min(COURSES, len(themes)))]
    for theme in sorted(themes, key=_size, reverse=True):
        min(shares, key=lambda share: sum(map(_size, share))).append(theme)
    folders = [folder / f"{number}" for number in range(len(shares))]
    with ThreadPoolExecutor(len(shares)) as pool:
        found = [outcome for part in pool.map(_grade, folders, shares) for outcome in part]
    places = {theme.name: place for place, theme in enumerate(themes)}
    return sorted(found, key=lambda outcome: places[outcome.theme])


def _size(theme: Theme) -> int:
    """Guess the work of a theme: of each check, and of each notebook."""
    notebooks = theme.notebooks()
    return sum(len(case.checks) + 1 for cases in notebooks for case, _ in cases) + 60 * len(
        notebooks
    )


def _outcomes(themes: Sequence[Theme], stock: Path, sealed: Path) -> Iterator[Outcome]:
    courses = (stock, sealed)
    scores = [_scores(course) for course in courses]
    for theme in themes:
        for turn, answers in enumerate(theme.notebooks()):
            learner, name = _learner(turn), f"{theme.name}-{turn}"
            errors = [_errors(course, learner, name) for course in courses]
            # What stands in for a case without so many answers was compared with the solutions.
            for case, answer in [pair for pair in answers if turn < len(pair[0].answers)]:
                for check in case.checks:
                    place = learner, name, check.grade_id
                    told = [_told(said, case.name, check.grade_id) for said in errors]
                    yield Outcome(
                        theme.name,
                        answer,
                        check.grade_id,
                        check.code,
                        check.points,
                        scores[0].get(place),
                        scores[1].get(place),
                        *told,
                    )


def _told(errors: Mapping[str, str], case: str, check: str) -> str:
    said, before = errors.get(check, ""), errors.get(case)
    return f"{said} (the answer's own cell: {before})" if before else said
