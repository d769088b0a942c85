"""The whole way on a toy course with secrets of its own, by the project's own settings.

Its learners do what learners do: they print, warn, log, display, copy cells, delete them and leave
loops without an end. None of it may cost marks that are earned, and nothing hidden may come out.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config.loader import PyFileConfigLoader

from autograder import cli
from autograder.roundtrip import nbgrading, practice
from autograder.roundtrip.errors import RoundTripError
from autograder.roundtrip.nbgrading import CourseFolder, Graded, course_folder, read_scores
from autograder.roundtrip.project import assignments, exercises, find_root
from autograder.roundtrip.release import build, differences, write

ROOT = Path(__file__).resolve().parents[2]
TOY = "99-toy"

# Hidden inputs and answers. No page may show them, however a learner spells them.
SECRETS = ("91.375", "92.375", "93.375", "91_375", "182.75", "184.75", "186.75")

EXAMS = """
from autograder.exam import NO_SLIPS, Concept, Exam, case


def _answer(x, *, slips=NO_SLIPS):
    if x < 0:
        raise ValueError("x must not be negative")
    return x * 2


def __getattr__(name):
    return Exam(
        name,
        _answer,
        (
            Concept("Doubling", 3, "What is twice a number?", (
                case(91.375), case(92.375), case(93.375))),
            Concept("Invalid input", 1, "The text lists it.", (case(-91.375),)),
        ),
    )
"""

SOLUTION = """
def {name}(x):
    ### BEGIN SOLUTION
    if x < 0:
        raise ValueError("x must not be negative")
    return 2 * x  # the instructor's own words
    ### END SOLUTION
"""

CHECK = """
# Hidden check (4 points). It runs when your work is graded.
### BEGIN HIDDEN TESTS
import toy_exams

toy_exams.{name}.examine({name})
### END HIDDEN TESTS
"""

SCHEME = "=== BEGIN MARK SCHEME ===\n\nTwo wise words are enough.\n\n=== END MARK SCHEME ==="

RIGHT = """
def {name}(x):
    if x < 0:
        raise ValueError("x must not be negative")
    {noise}
    return {answer}
"""


def right(noise: str = "pass", answer: str = "x + x") -> str:
    return RIGHT.replace("{noise}", noise).replace("{answer}", answer)


def wrong(body: str) -> str:
    return "def {name}(x):\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ")


# What learners hand in, what it earns of 4 points, and what the page says of it.
LEARNERS: dict[str, tuple[str, float, str]] = {
    "plain": (right(), 4, "holds</span>"),
    "prints": (right("print('asked for', x)"), 4, "holds</span>"),
    "complains": (right("import sys; print('asked for', x, file=sys.stderr)"), 4, "holds</span>"),
    "warns": (right("import warnings; warnings.warn(f'asked for {x}')"), 4, "holds</span>"),
    "logs": (
        "import logging\n\nlogging.basicConfig()\nlogging.warning('in the cell itself')\n\n"
        + right("logging.warning('asked for %s', x)"),
        4,
        "holds</span>",
    ),
    # Past every redirection, into the output of the check itself.
    "writes": (
        "import sys\n\nreal = sys.stdout, sys.stderr\n"
        + right("[stream.write(f'asked for {x}\\n') for stream in real]"),
        4,
        "holds</span>",
    ),
    "echoes_in_a_shell": (right("import os; os.system(f'echo asked for {x}')"), 4, "holds</span>"),
    "displays": (right("display(x); display({'text/plain': str(x)}, raw=True)"), 4, "holds</span>"),
    "numpy": ("import numpy as np\n" + right(answer="np.float64(2) * x"), 4, "holds</span>"),
    "half": (wrong("return 2 * x"), 3, "not yet</span>"),
    "echoes": (wrong("return f'asked for {x}'"), 0, "gives back text, but the answer is a number"),
    "raises": (wrong("raise KeyError(f'asked for {x}')"), 0, "stops with a KeyError (line 2 of"),
    # The visible check asks for 1 alone, so that these two show only when they are graded.
    "exits": (wrong("if x > 50:\n    exit()\nreturn 2 * x"), 0, "ends the program"),
    "asks": (wrong("return float(input(f'twice {x}? '))"), 0, "asks with <code>input()</code>"),
    "spells": (wrong("return type(f'x_{x}'.replace('.', '_'), (), {})()"), 0, "an object of a cl"),
    "loops": (wrong("while x > 50:\n    pass\nreturn 2 * x"), 0, "took too long and was stopped"),
    "broken": ("def {name}(x)\n    return 2 * x", 0, "did not run to its end"),
    "gone": ("", 0, "did not run to its end"),
    "other": ("def {name}_2(x):\n    return 2 * x", 0, "did not run to its end"),
    "text": ("{name} = 'two times x'", 0, "is not a function"),
    "untouched": ("", 0, "Not started yet"),
}


def marked(grade_id: str, **more: object) -> dict[str, object]:
    flags = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **flags, **more}}


def toy_source(functions: list[str]) -> NotebookNode:
    cells = [new_markdown_cell("# A toy", id="title")]
    for name in functions:
        visible = marked(f"{name}-visible", grade=True, locked=True, points=0)
        check = marked(f"{name}-check", grade=True, locked=True, points=4)
        cells += [
            new_markdown_cell(
                f"## Exercise: {name}\n\nReturn twice `x`. Below 0 it raises a ValueError.",
                id=f"{name}-text",
                metadata=marked(f"{name}-text", locked=True),
            ),
            new_code_cell(
                SOLUTION.format(name=name).strip(), id=name, metadata=marked(name, solution=True)
            ),
            new_code_cell(f"assert {name}(1) == 2", id=f"{name}-visible", metadata=visible),
            new_code_cell(CHECK.format(name=name).strip(), id=f"{name}-check", metadata=check),
        ]
    task = marked("words", task=True, locked=True, points=2)
    cells.append(new_markdown_cell(f"## In words\n\nWhy?\n\n{SCHEME}", id="words", metadata=task))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    language = {"name": "python", "version": "3.99.1"}
    notebook: NotebookNode = new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "language_info": language}
    )
    return notebook


def make_course(folder: Path, functions: list[str]) -> Path:
    """Make a course of one assignment, with the project's own settings for nbgrader."""
    source = folder / "source" / TOY
    source.mkdir(parents=True)
    nbformat.write(toy_source(functions), source / "toy.ipynb")
    (source / "table.csv").write_text("a,b\n1,2\n")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


def released(course: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.reads(build(course, TOY)[f"{TOY}/toy.ipynb"].decode(), 4)
    return notebook


def fill(notebook: NotebookNode, texts: Mapping[str, str]) -> NotebookNode:
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in texts:
            cell.source = texts[grade_id].replace("{name}", grade_id).strip()
    return notebook


def put(notebook: NotebookNode, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / "toy.ipynb")
    return folder


@pytest.fixture(scope="module", autouse=True)
def toy_exams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let kernels import the toy exams."""
    library = tmp_path_factory.mktemp("library")
    (library / "toy_exams.py").write_text(EXAMS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(library), prepend=os.pathsep)
        patch.setenv("NO_BROWSER", "1")
        yield


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a course with one exercise."""
    return make_course(tmp_path_factory.mktemp("toy"), ["plain"])


@pytest.fixture(scope="module")
def release(toy: Path) -> NotebookNode:
    return released(toy)


# Learners, graded as an instructor grades them


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Graded, str, NotebookNode]:
    """Grade one notebook that holds every learner: scores, feedback page, autograded notebook."""
    root = make_course(tmp_path_factory.mktemp("learners"), list(LEARNERS))
    notebook = fill(
        released(root), {name: text for name, (text, *_) in LEARNERS.items() if name != "untouched"}
    )
    with course_folder(root, tmp_path_factory.mktemp("grading"), TOY) as course:
        course.run("generate_assignment", TOY)
        put(notebook, course.path / "submitted" / "learner" / TOY)
        course.run("autograde", TOY, "learner")
        course.run("generate_feedback", TOY, "learner")
        (result,) = read_scores(course, TOY, exercises(root, TOY))
        page = (course.path / "feedback" / "learner" / TOY / "toy.html").read_text()
        executed = nbformat.read(course.path / "autograded" / "learner" / TOY / "toy.ipynb", 4)
    return result, page, executed


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_earns_what_was_understood(
    graded: tuple[Graded, str, NotebookNode], name: str
) -> None:
    earned = {score.exercise.grade_id: score.points for score in graded[0].scores}
    assert earned[f"{name}-check"] == LEARNERS[name][1]


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_reads_a_sentence(graded: tuple[Graded, str, NotebookNode], name: str) -> None:
    page = graded[1]
    start = page.index(f'id="cell-{name}-check"')
    end = page.find("</section>", start)
    assert LEARNERS[name][2] in page[start:end]


@pytest.mark.slow
def test_the_page_keeps_every_secret(graded: tuple[Graded, str, NotebookNode]) -> None:
    page = graded[1]
    for secret in (*SECRETS, "HIDDEN TESTS", "toy_exams", "examine", "autograder.exam"):
        assert secret not in page, secret
    assert "MARK SCHEME" not in page
    assert "Two wise words" not in page


@pytest.mark.slow
def test_the_page_begins_with_the_summary(graded: tuple[Graded, str, NotebookNode]) -> None:
    page = graded[1]
    earned = sum(points for _, points, _ in LEARNERS.values())
    attainable = 4 * len(LEARNERS) + 2
    body = page[page.index("<body>") :]
    headline = f"<h1>{earned} of {attainable} so far; 2 await your instructor</h1>"
    assert body.index(headline) < body.index("Next:") < body.index("<section")
    assert re.search(r'<a href="#[\w-]+"><span class="title">Exercise: half</span>', body)
    assert "1 exercise is not answered yet." in body
    assert "<script" not in page


@pytest.mark.slow
def test_the_instructors_notebook_stays_whole(graded: tuple[Graded, str, NotebookNode]) -> None:
    sources = "\n".join(cell.source for cell in graded[2].cells)
    assert sources.count("BEGIN HIDDEN TESTS") == len(LEARNERS)
    assert "Two wise words" in sources
    # What a function prints while it is asked does not get out of the ward's copy.
    for cell in graded[2].cells:
        if cell.id.endswith("-check"):
            assert not re.search(r"asked for \d", json.dumps(cell.outputs))
            assert {item.get("name") for item in cell.outputs} <= {"stdout", None}


# Accidents


def without(*grade_ids: str) -> Callable[[NotebookNode], None]:
    def accident(notebook: NotebookNode) -> None:
        notebook.cells = [
            cell
            for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade_id") not in grade_ids
        ]

    return accident


def copied(grade_id: str) -> Callable[[NotebookNode], None]:
    def accident(notebook: NotebookNode) -> None:
        at = [cell.id for cell in notebook.cells].index(grade_id)
        twin = copy.deepcopy(notebook.cells[at])
        twin.id = f"{grade_id}-again"
        notebook.cells.insert(at + 1, twin)

    return accident


def emptied(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.id == "plain":
            cell.metadata["nbgrader"] = {}


ACCIDENTS: dict[str, tuple[Callable[[NotebookNode], None], float]] = {
    "copied-solution": (copied("plain"), 4),
    "copied-visible": (copied("plain-visible"), 4),
    "copied-check": (copied("plain-check"), 4),
    "copied-text": (copied("plain-text"), 4),
    "copied-task": (copied("words"), 4),
    "deleted-visible": (without("plain-visible"), 4),
    "deleted-check": (without("plain-check"), 4),
    "deleted-both-checks": (without("plain-visible", "plain-check"), 4),
    "deleted-text": (without("plain-text"), 4),
    "deleted-task": (without("words"), 4),
    "deleted-solution": (without("plain"), 0),
    "deleted-exercise": (without("plain", "plain-text", "plain-visible", "plain-check"), 0),
    "lost-mark": (emptied, 4),
}


@pytest.fixture(scope="module")
def mended(
    toy: Path, release: NotebookNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CourseFolder]:
    with course_folder(toy, tmp_path_factory.mktemp("mended"), TOY) as course:
        course.run("generate_assignment", TOY)
        yield course


@pytest.mark.slow
@pytest.mark.parametrize("name", ACCIDENTS)
def test_an_accident_does_not_stop_grading(
    toy: Path, mended: CourseFolder, release: NotebookNode, name: str
) -> None:
    accident, points = ACCIDENTS[name]
    notebook = fill(copy.deepcopy(release), {"plain": right()})
    accident(notebook)
    put(notebook, mended.path / "submitted" / name / TOY)
    mended.run("autograde", TOY, name)
    scores = {item.student: item for item in read_scores(mended, TOY, exercises(toy, TOY))}
    assert [score.points for score in scores[name].scores] == [points, None]
    mended.run("generate_feedback", TOY, name)
    assert (mended.path / "feedback" / name / TOY / "toy.html").is_file()


@pytest.mark.slow
def test_a_grade_by_hand_and_a_penalty_reach_the_page(
    toy: Path, mended: CourseFolder, release: NotebookNode
) -> None:
    put(fill(copy.deepcopy(release), {"plain": right()}), mended.path / "submitted" / "late" / TOY)
    mended.run("autograde", TOY, "late")
    with mended.gradebook() as gradebook:
        grade = gradebook.find_grade("words", "toy", TOY, "late")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        notebook = gradebook.find_submission_notebook("toy", TOY, "late")
        notebook.late_submission_penalty = 1.0
        gradebook.db.commit()
    mended.run("generate_feedback", TOY, "late")
    page = (mended.path / "feedback" / "late" / TOY / "toy.html").read_text()
    assert "<h1>4.5 of 6 points</h1>" in page
    assert "1 point was taken off for it." in page
    assert "await" not in page


# Release


def test_a_release_is_clean_and_the_same_each_time(toy: Path) -> None:
    files = build(toy, TOY)
    assert files == build(toy, TOY)
    assert sorted(files) == [f"{TOY}/table.csv", f"{TOY}/toy.ipynb"]
    text = files[f"{TOY}/toy.ipynb"].decode()
    for word in ("SOLUTION", "HIDDEN", "MARK SCHEME", "own words", "toy_exams", "3.99.1"):
        assert word not in text
    assert text.endswith("}\n")
    notebook = nbformat.reads(text, 4)
    source = nbformat.read(toy / "source" / TOY / "toy.ipynb", 4)
    assert [cell.id for cell in notebook.cells] == [cell.id for cell in source.cells]
    nbformat.validate(notebook)


def test_release_does_not_depend_on_what_a_kernel_left(toy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(toy, other)
    path = other / "source" / TOY / "toy.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.metadata.language_info = {"name": "python", "version": "3.1.4", "mimetype": "x"}
    notebook.metadata.widgets = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 7
            cell.outputs = [nbformat.v4.new_output("stream", text="noise")]
    nbformat.write(notebook, path)
    assert build(other, TOY) == build(toy, TOY)


def test_release_writes_checks_and_removes(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = tmp_path / "course"
    shutil.copytree(toy, course)
    words = ["--course", str(course), "release"]
    assert cli.main([*words, "--check"]) == 1
    assert f"release/{TOY}/toy.ipynb is missing" in capsys.readouterr().out
    assert not (course / "release").exists()
    assert cli.main(words) == 0
    assert "Next:" in capsys.readouterr().out
    assert cli.main([*words, "--check"]) == 0

    (course / "release" / TOY / "toy.ipynb").write_text("edited")
    (course / "release" / TOY / "old.csv").write_text("old")
    write(course, "98-gone", {"98-gone/gone.ipynb": b"{}"})
    assert cli.main([*words, "--check"]) == 1
    found = capsys.readouterr().out
    assert f"release/{TOY}/toy.ipynb differs" in found
    assert f"release/{TOY}/old.csv has no source" in found
    assert "release/98-gone/gone.ipynb has no source" in found
    assert cli.main(words) == 0
    assert not (course / "release" / "98-gone").exists()
    assert differences(course, TOY, build(toy, TOY)) == []


def test_release_tells_what_nbgrader_cannot_do(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = make_course(tmp_path / "course", ["plain"])
    path = course / "source" / TOY / "toy.ipynb"
    path.write_text(path.read_text().replace("### END SOLUTION", ""))
    assert cli.main(["--course", str(course), "release"]) == 1
    assert "no end solution statement" in capsys.readouterr().err


def test_release_asks_for_cell_ids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    course = make_course(tmp_path / "course", ["plain"])
    path = course / "source" / TOY / "toy.ipynb"
    data = json.loads(path.read_text())
    data["nbformat_minor"] = 4
    for cell in data["cells"]:
        del cell["id"]
    path.write_text(json.dumps(data))
    assert cli.main(["--course", str(course), "release"]) == 1
    assert "without an id" in capsys.readouterr().err


# Practice


def practiced(course: Path, *words: str) -> int:
    return cli.main(["--course", str(course), "practice", TOY, *words])


@pytest.mark.slow
def test_practice_from_work_to_page(
    toy: Path, release: NotebookNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = tmp_path / "course"
    shutil.copytree(toy, course)
    folder = course / "work" / TOY
    text = "import helper\n" + right(answer="helper.twice(x)")
    put(fill(copy.deepcopy(release), {"plain": text}), folder)
    (folder / "helper.py").write_text("def twice(x):\n    return x + x\n")
    before = {path: path.read_bytes() for path in folder.iterdir()}

    assert practiced(course) == 0
    said = capsys.readouterr().out
    assert "saved just now" in said
    assert "4 of 4 points by the hidden checks" in said
    assert "Every concept holds." in said
    assert "Next: open the page above" in said
    assert "go on to the next module" in said
    page = folder / "feedback" / "toy.html"
    assert str(page) in said
    assert "4 of 4 points" in page.read_text()
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(path.name for path in folder.iterdir()) == ["feedback", "helper.py", "toy.ipynb"]
    # Who learns alone grades the prose alone: the scheme is there, folded.
    assert "<details><summary>The marking scheme" in page.read_text()
    assert not list(course.glob("gradebook.db"))

    # A second time, with a fault, and a copied cell.
    notebook = fill(copy.deepcopy(release), {"plain": wrong("return 2 * x")})
    copied("plain-visible")(notebook)
    put(notebook, folder)
    assert practiced(course, "--no-browser") == 0
    said = capsys.readouterr().out
    assert "Note: The cell plain-visible was there more than once and counts once." in said
    assert "3 of 4" in said
    assert "change your notebook, save it" in said
    assert "3 of 4 points" in page.read_text()


@pytest.mark.slow
def test_practice_takes_another_folder(
    toy: Path, release: NotebookNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = put(fill(copy.deepcopy(release), {"plain": right()}), tmp_path / "mine")
    assert practiced(toy, "--from", str(folder)) == 0
    assert str(folder / "feedback" / "toy.html") in capsys.readouterr().out


@pytest.mark.slow
def test_practice_survives_a_notebook_that_ends_python(
    toy: Path, release: NotebookNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {"plain": "import os\n\nos._exit(1)"}
    folder = put(fill(copy.deepcopy(release), texts), tmp_path / "mine")
    assert practiced(toy, "--from", str(folder)) == 0
    said = capsys.readouterr()
    assert "Note: This cell ended the notebook's process" in said.out
    assert "0 of 4 points" in said.out
    assert "Traceback" not in said.err


@pytest.mark.slow
def test_practice_without_a_seal_is_labelled(
    toy: Path,
    release: NotebookNode,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nbgrading, "why_not_sealed", lambda config: "This is another system.")
    texts = {"plain": right("import warnings; warnings.warn('no mark is lost')")}
    folder = put(fill(copy.deepcopy(release), texts), tmp_path / "mine")
    assert practiced(toy, "--from", str(folder)) == 0
    said = capsys.readouterr().out
    assert "Not for marks, but good for practice: This is another system." in said
    assert "4 of 4 points by the hidden checks" in said


def test_only_linux_seals(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = PyFileConfigLoader("nbgrader_config.py", path=str(toy)).load_config()
    assert nbgrading.why_not_sealed(config) == ""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "Linux" in nbgrading.why_not_sealed(config)
    config.SealedExecute.mode = "shared"
    assert nbgrading.why_not_sealed(config) == ""


def nothing(folder: Path, release: NotebookNode) -> None:
    folder.mkdir()


def another_name(folder: Path, release: NotebookNode) -> None:
    put(release, folder)
    (folder / "toy.ipynb").rename(folder / "toy-copy.ipynb")


def empty(folder: Path, release: NotebookNode) -> None:
    put(release, folder)
    (folder / "toy.ipynb").write_text("")


def half_written(folder: Path, release: NotebookNode) -> None:
    put(release, folder)
    path = folder / "toy.ipynb"
    path.write_text(path.read_text()[:200])


def no_notebook(folder: Path, release: NotebookNode) -> None:
    folder.mkdir()
    (folder / "toy.ipynb").write_text('{"a": 1}')


def a_list(folder: Path, release: NotebookNode) -> None:
    folder.mkdir()
    (folder / "toy.ipynb").write_text("[]")


def another_notebook(folder: Path, release: NotebookNode) -> None:
    put(new_notebook(cells=[new_markdown_cell("# Shopping")]), folder)


def unchanged(folder: Path, release: NotebookNode) -> None:
    put(release, folder)


def only_run(folder: Path, release: NotebookNode) -> None:
    notebook = copy.deepcopy(release)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="NotImplementedError")]
    put(notebook, folder)


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (nothing, "make learn puts the assignment there"),
        (another_name, "toy-copy.ipynb: give your notebook its old name back"),
        (empty, "is not a notebook"),
        (half_written, "is not a notebook"),
        (no_notebook, "is not a copy of this assignment"),
        (a_list, "is not a copy of this assignment"),
        (another_notebook, "none of its cells is one of the assignment's"),
        (unchanged, "save the notebook (Ctrl+S) and run this again"),
        (only_run, "There is nothing to grade yet"),
    ],
)
def test_practice_says_what_is_wrong(
    toy: Path,
    release: NotebookNode,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    prepare: Callable[[Path, NotebookNode], None],
    sentence: str,
) -> None:
    folder = tmp_path / "mine"
    prepare(folder, release)
    assert practiced(toy, "--from", str(folder)) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    assert not (folder / "feedback").exists()


def test_practice_names_the_assignments_there_are(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--course", str(toy), "practice", "98-gone"]) == 1
    assert f"There is: {TOY}." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "platform", "wanted"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({}, "darwin", True),
        ({"NO_BROWSER": "1"}, "darwin", False),
        ({"NO_BROWSER": "0", "DISPLAY": ":0"}, "linux", True),
        ({"CI": "true", "DISPLAY": ":0"}, "linux", False),
    ],
)
def test_when_a_browser_is_opened(environment: dict[str, str], platform: str, wanted: bool) -> None:
    assert practice.wants_browser(environment, platform) is wanted


# The command itself


def test_a_course_is_found_from_below(toy: Path, tmp_path: Path) -> None:
    below = toy / "work" / TOY
    below.mkdir(parents=True)
    assert find_root(below) == toy.resolve()
    assert find_root(tmp_path) == ROOT  # the one that the package lies in
    assert assignments(toy) == [TOY]


def test_no_course_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.roundtrip.project.__file__", str(tmp_path / "project.py"))
    with pytest.raises(RoundTripError, match="--course FOLDER"):
        find_root(tmp_path)


def test_the_package_runs_as_a_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    for command in ("release", "practice", "demo"):
        assert command in done.stdout
