"""Measure what grading takes, side by side: stock nbgrader, sealed, batches, otter, and the floor.

Usage: .venv-grading/bin/python tools/bench_grading.py [--sizes 30,100] [--only stock,sealed,...]
           [--growth 300] [--otter-size 5] [--out FOLDER] [--keep]

The same made-up submissions of assignment 05 are graded each way (see `submission_mix`), each time
from a fresh gradebook and as a whole process from its start to its end. Nothing is asserted: the
table is to be read. What the ways disagree on is printed below it.

- stock: ``nbgrader autograde`` without a seal. Hidden checks run in the learner's kernel.
- sealed: ``nbgrader autograde`` with this course's settings.
- grade-1, grade-2: ``autograder grade`` with one and with two workers.
- otter: ``otter run``, one process per submission, on an equivalent notebook.
- floor: the same cells one after the other in one warm interpreter, without notebook, gradebook,
  isolation or a time limit. Only what would end that interpreter runs in a fork of it.
- steps: where the time of one worker of ``autograder grade`` goes, step by step: warm, and without
  the gradebook.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import importlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat

import environment
import gradebooks
import process_tree
import submission_mix

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = "05-grading"
BIN = ROOT / ".venv-grading" / "bin"
WAYS = ("stock", "sealed", "grade-1", "grade-2", "otter", "floor", "steps")
# As a course would set nbgrader up that knows no seal. Warnings must not cost marks in either.
STOCK_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "crs"
c.Execute.kernel_name = "python3"
c.Execute.timeout = 60
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s).*"
"""
NEVER_COMPILED = "PYTHONDONTWRITEBYTECODE"
# Scores must agree; the words of a comment need not.
COMPARED = ("auto_score", "manual_score", "extra_credit", "late_penalty")


@dataclass(frozen=True)
class Figure:
    """One way of grading, at one size.

    Attributes
    ----------
    way : str
        One of `WAYS`.
    submissions : int
        How many.
    wall_seconds, cpu_seconds, peak_mib : float
        Of the whole process tree. The floor's are those of its warm part.
    busy_seconds : float
        For how long the machine's processors worked: also for processes that nobody waits for,
        which wards have many of.
    processes : int
        The most at one moment.
    status : int
        Exit status.
    note : str
        What else a reader must know.
    """

    way: str
    submissions: int
    wall_seconds: float
    cpu_seconds: float
    busy_seconds: float
    peak_mib: float
    processes: int
    status: int
    note: str = ""

    @property
    def per_submission_ms(self) -> float:
        """Wall time of the whole process by submission."""
        return 1000 * self.wall_seconds / self.submissions

    @property
    def cpu_per_submission_ms(self) -> float:
        """Processor time of the whole process by submission."""
        return 1000 * self.cpu_seconds / self.submissions

    @property
    def busy_per_submission_ms(self) -> float:
        """Processor time of the whole machine by submission."""
        return 1000 * self.busy_seconds / self.submissions


@dataclass
class Bench:
    """Where things are while measuring."""

    folder: Path
    figures: list[Figure] = field(default_factory=list)
    grades: dict[tuple[str, int], dict[gradebooks.Place, gradebooks.Row]] = field(
        default_factory=dict
    )
    remarks: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def of(self, way: str, submissions: int) -> Figure | None:
        """Find a figure."""
        for figure in self.figures:
            if (figure.way, figure.submissions) == (way, submissions):
                return figure
        return None


def say(text: str) -> None:
    """Tell the user, at once."""
    print(text, flush=True)


def grading_environment() -> dict[str, str]:
    """Return an environment in which nbgrader finds its helpers and no settings of the user."""
    # As users have it: what is imported is compiled once (see `compile_all`), not at each start.
    usual = {name: value for name, value in os.environ.items() if name != NEVER_COMPILED}
    return {
        **usual,
        "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", "")]),
        "JUPYTER_CONFIG_DIR": os.devnull + ".d",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def compile_all() -> None:
    """Compile all that is imported, as it would be from the second start on."""
    for folder in (".venv", ".venv-grading"):
        python = environment.bin_path(ROOT / folder, "python")
        packages = [ROOT / folder / "lib", ROOT / "course", ROOT / "autograder"]
        words = [python, "-m", "compileall", "-q", "-j", "0", *packages]
        # Some packages carry files for other Pythons.
        subprocess.run(list(map(str, words)), check=False, capture_output=True)


# The courses


def prepare(bench: Bench, sizes: Sequence[int]) -> None:
    """Generate the assignment once, and hand the submissions of every size in."""
    base = bench.folder / "base"
    shutil.copytree(
        ROOT / "source" / ASSIGNMENT,
        base / "source" / ASSIGNMENT,
        ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"),
    )
    (base / "nbgrader_config.py").write_text(STOCK_CONFIG)
    _checked([BIN / "nbgrader", "generate_assignment", ASSIGNMENT], base)
    (released,) = sorted((base / "release" / ASSIGNMENT).glob("*.ipynb"))
    notebook = nbformat.read(released, as_version=4)
    styles = submission_mix.styles_of(ASSIGNMENT)
    for size in sizes:
        for made in submission_mix.mix(notebook, styles, size):
            place = bench.folder / f"submitted-{size}" / made.student / ASSIGNMENT
            place.mkdir(parents=True)
            nbformat.write(made.notebook, place / released.name)


def course(bench: Bench, way: str, size: int) -> Path:
    """Set up a course of its own for one run."""
    folder = bench.folder / f"{way}-{size}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(bench.folder / "base", folder)
    shutil.copytree(bench.folder / f"submitted-{size}", folder / "submitted")
    if way != "stock":
        text = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
        here, there = "Path(__file__).resolve().parent", f"Path({str(ROOT)!r})"
        if here not in text:
            raise SystemExit("nbgrader_config.py no longer says where the learner's Python is")
        (folder / "nbgrader_config.py").write_text(text.replace(here, there), encoding="utf-8")
    return folder


def _checked(command: Sequence[object], cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=grading_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def prove(bench: Bench) -> None:
    """Have the seal proved, as it is once for each boot, before anything is measured."""
    command = [BIN / "autograder", "grade", ASSIGNMENT, "--workers", "1"]
    taken = process_tree.measure(command, cwd=course(bench, "first", 1), env=grading_environment())
    bench.remarks.append(
        f"Before, one submission was graded in {taken.wall_seconds:.1f} s, with the self-test if "
        "it was due; it runs once for each boot and is in no other figure."
    )


# The ways


def run_command(bench: Bench, way: str, size: int, command: Sequence[object]) -> None:
    """Measure a command on a fresh course, and keep the grades it gave."""
    folder = course(bench, way, size)
    taken = process_tree.measure(command, cwd=folder, env=grading_environment())
    graded = list((folder / "autograded").glob(f"*/{ASSIGNMENT}/*.ipynb"))
    note = "" if len(graded) == size else f"{size - len(graded)} without a grade"
    bench.figures.append(_figure(way, size, taken, note))
    bench.grades[way, size] = gradebooks.rows(f"sqlite:///{folder / 'gradebook.db'}", ASSIGNMENT)
    if not graded:
        bench.remarks.append(f"{way} graded nothing; it ended with:\n{taken.output[-1500:]}")


def _figure(way: str, size: int, taken: process_tree.Taken, note: str) -> Figure:
    return Figure(
        way,
        size,
        taken.wall_seconds,
        taken.cpu_seconds,
        taken.busy_seconds,
        taken.peak_mib,
        taken.processes,
        taken.status,
        note,
    )


def run_way(bench: Bench, way: str, size: int, otter_size: int) -> None:
    """Measure one way at one size."""
    autograde = [BIN / "nbgrader", "autograde", ASSIGNMENT]
    if way in ("stock", "sealed"):
        run_command(bench, way, size, autograde)
    elif way.startswith("grade-"):
        workers = way.removeprefix("grade-")
        command = [BIN / "autograder", "grade", ASSIGNMENT, "--workers", workers]
        run_command(bench, way, size, command)
    elif way == "floor":
        run_floor(bench, size)
    elif way == "steps":
        run_steps(bench, size)
    elif not any(figure.way == "otter" for figure in bench.figures):
        run_otter(bench, size, min(size, otter_size))


# The floor


def run_floor(bench: Bench, size: int) -> None:
    """Measure the cells alone, in a process of this script's own."""
    folder = course(bench, "floor", size)
    taken = process_tree.measure(
        [BIN / "python", Path(__file__), "--floor-of", folder],
        cwd=folder,
        env=grading_environment(),
    )
    if taken.status:
        bench.remarks.append(f"The floor was not measured:\n{taken.output[-1500:]}")
        return
    warm = json.loads(taken.output.splitlines()[-1])
    bench.figures.append(
        Figure(
            "floor",
            size,
            warm["wall_seconds"],
            warm["cpu_seconds"],
            warm["cpu_seconds"],
            taken.peak_mib,
            taken.processes,
            0,
            f"start and imports, {taken.wall_seconds - warm['wall_seconds']:.1f} s, not counted",
        )
    )


def floor(folder: Path) -> None:
    """Run the cells of every submission in this interpreter, and print what that took."""
    source = nbformat.read(next((folder / "source" / ASSIGNMENT).glob("*.ipynb")), as_version=4)
    checks = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in source.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    }
    submissions = [
        [
            checks.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "code"
        ]
        for path in sorted((folder / "submitted").glob(f"*/{ASSIGNMENT}/*.ipynb"))
    ]
    # Warm: everything that the instructor's own solution needs is imported and has run once.
    solution = [cell.source for cell in source.cells if cell.cell_type == "code"]
    with Path(os.devnull).open("w") as nowhere, _printing_to(nowhere):
        _run_cells(solution)
        start, before = time.perf_counter(), os.times()
        for cells in submissions:
            if any(_may_end_the_process(cell) for cell in cells):
                pid = os.fork()
                if pid == 0:
                    with contextlib.suppress(BaseException):
                        _run_cells(cells)
                    os._exit(0)
                os.waitpid(pid, 0)
            else:
                _run_cells(cells)
        wall, after = time.perf_counter() - start, os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    print(json.dumps({"wall_seconds": wall, "cpu_seconds": cpu}))


@contextlib.contextmanager
def _printing_to(stream: io.TextIOBase | Any) -> Iterator[None]:
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        yield


def _may_end_the_process(source: str) -> bool:
    return any(word in source for word in ("_exit", "os.kill", "ctypes"))


def _run_cells(cells: Sequence[str]) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for at, source in enumerate(cells):
        with contextlib.suppress(Exception):
            exec(compile(source, f"<cell {at}>", "exec"), names)


# The steps

# What grading calls, and what a reader calls it. Time within an inner step counts for that alone.
STEPS = (
    ("read and restore", "autograder.batch.sealing", "read_notebook"),
    ("read and restore", "autograder.batch.sealing", "restore"),
    ("read and restore", "autograder.batch.sealing", "plan"),
    ("ward: fork, namespaces, mounts", "autograder.sealed.wards", "WardHost.open"),
    ("cells", "autograder.sealed.wards", "Ward.run"),
    ("ward: copies for the checks", "autograder.sealed.wards", "Ward.checkpoint"),
    ("ward: ends of processes", "autograder.sealed.wards", "Ward.finish"),
    ("ward: ends of processes", "autograder.sealed.wards", "Ward.sweep"),
    ("ward: ends of processes", "autograder.sealed.wards", "Ward.close"),
    ("examiner: fork and end", "autograder.sealed.examiner", "ExaminerHost.open"),
    ("examiner: fork and end", "autograder.sealed.examiner", "Examiner.close"),
    ("checks, the submission asked", "autograder.sealed.examiner", "Examiner.run"),
    ("clean outputs", "autograder.sealed.notebook", "clean"),
    ("score", "autograder.batch.work", "verdict_of"),
    ("write the notebook", "autograder.batch.work", "_written"),
)
ISOLATION = ("ward: ", "examiner: ")
REST = "the rest"


@dataclass
class Steps:
    """A stopwatch for steps that lie within each other.

    Attributes
    ----------
    wall_seconds, own_cpu_seconds : dict of str to float
        By step: from its begin to its end, and the processor time of this process alone.
    """

    wall_seconds: dict[str, float] = field(default_factory=dict)
    own_cpu_seconds: dict[str, float] = field(default_factory=dict)
    _open: list[str] = field(default_factory=lambda: [REST])
    _wall: float = field(default_factory=time.perf_counter)
    _cpu: float = field(default_factory=time.thread_time)

    def watch(self, step: str, module: str, name: str) -> None:
        """Count a function's time for a step, from now on."""
        place: Any = importlib.import_module(module)
        *parents, last = name.split(".")
        for parent in parents:
            place = getattr(place, parent)
        function: Callable[..., Any] = getattr(place, last)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._turn()
            self._open.append(step)
            try:
                return function(*args, **kwargs)
            finally:
                self._turn()
                self._open.pop()

        setattr(place, last, watched)

    def reset(self) -> None:
        """Begin anew."""
        self._turn()
        self.wall_seconds.clear()
        self.own_cpu_seconds.clear()

    def stop(self) -> None:
        """Count until now."""
        self._turn()

    def _turn(self) -> None:
        wall, cpu, step = time.perf_counter(), time.thread_time(), self._open[-1]
        self.wall_seconds[step] = self.wall_seconds.get(step, 0) + wall - self._wall
        self.own_cpu_seconds[step] = self.own_cpu_seconds.get(step, 0) + cpu - self._cpu
        self._wall, self._cpu = wall, cpu


def run_steps(bench: Bench, size: int) -> None:
    """Measure the steps of grading in a process of this script's own."""
    folder = course(bench, "steps", size)
    taken = process_tree.measure(
        [BIN / "python", Path(__file__), "--steps-of", folder],
        cwd=folder,
        env=grading_environment(),
    )
    if taken.status:
        bench.remarks.append(f"The steps were not measured:\n{taken.output[-1500:]}")
        return
    wall, cpu = json.loads(taken.output.splitlines()[-1])
    bench.steps += [
        f"Steps of one warm worker, {size} submissions, each:",
        "",
        "| Step | Wall ms | of it CPU of the worker itself ms |",
        "|---|--:|--:|",
        *(f"| {step} | {1000 * wall[step]:.1f} | {1000 * cpu[step]:.1f} |" for step in wall),
    ]
    for name, steps in (
        ("isolation", [step for step in wall if step.startswith(ISOLATION)]),
        ("all", list(wall)),
    ):
        sums = [1000 * sum(times[step] for step in steps) for times in (wall, cpu)]
        bench.steps.append(f"| **{name}** | {sums[0]:.1f} | {sums[1]:.1f} |")
    bench.steps.append("")


def steps(folder: Path) -> None:
    """Grade all submissions in this process, and print what each step took for one."""
    from autograder.batch import run, submissions, work
    from autograder.batch.command import _settings
    from autograder.batch.course import find_course, read_course
    from autograder.batch.gradebook import Book

    found = read_course(find_course(folder))
    with Book(found, writing=False) as book:
        rows = book.assignment(ASSIGNMENT)
        source = run._source(found, ASSIGNMENT, rows, _settings(found), work.SEALED)
    source = dataclasses.replace(source, warm=True)
    handed_in = [
        submissions.read(found, each, source.notebooks)
        for each in submissions.find(found, ASSIGNMENT, ())
    ]
    watch = Steps()
    for step in STEPS:
        watch.watch(*step)
    work.grade(source, handed_in[0])
    watch.reset()
    for submission in handed_in:
        work.grade(source, submission)
    watch.stop()
    order = list(dict.fromkeys([step for step, _, _ in STEPS] + [REST]))
    print(
        json.dumps(
            [
                {step: times.get(step, 0.0) / len(handed_in) for step in order}
                for times in (watch.wall_seconds, watch.own_cpu_seconds)
            ]
        )
    )


# otter


def otter_folder() -> Path:
    """Return where otter's own environment is kept between runs."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return cache / "crs-bench" / "otter"


def set_up_otter() -> Path | str:
    """Install otter into an environment of its own; return it, or the reason why there is none."""
    folder = otter_folder()
    command = folder / "bin" / "otter"
    if command.exists():
        return folder
    installer = environment.bin_path(environment.BOOTSTRAP, "uv")
    if not installer.exists():
        return "not installed: there is no uv here"
    folder.parent.mkdir(parents=True, exist_ok=True)
    inside = folder / "bin" / "python"
    needed = ["otter-grader", "ipykernel", ROOT / "course", ROOT / "autograder"]
    for words in (
        ["venv", "--quiet", "--clear", "--python", BIN / "python", folder],
        ["pip", "install", "--quiet", "--compile-bytecode", "--python", inside, *needed],
    ):
        done = subprocess.run(
            [str(installer), *map(str, words)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            return f"not installed: {done.stderr.strip().splitlines()[-1][:120]}"
    return folder


OTTER_TEST = """
from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = {points}


@test_case(points={points}, hidden=True)
def test_hidden({function}):
    from autograder.exams import grading

    assert float(grading.{function}.examine({function})) == {points}
"""


def run_otter(bench: Bench, mixed: int, count: int) -> None:
    """Measure ``otter run``, one process per submission, on equivalent notebooks."""
    found = set_up_otter()
    if isinstance(found, str):
        bench.remarks.append(f"otter: {found}")
        return
    folder = bench.folder / "otter"
    tests = folder / "tests"
    tests.mkdir(parents=True)
    (source,) = sorted((bench.folder / "base" / "source" / ASSIGNMENT).glob("*.ipynb"))
    checks: dict[str, str] = {}
    for cell in nbformat.read(source, as_version=4).cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("grade") and ".examine(" in cell.source:
            function = cell.source.split(".examine(")[1].split(")")[0]
            checks[marks["grade_id"]] = function
            text = OTTER_TEST.format(name=function, function=function, points=marks["points"])
            (tests / f"{function}.py").write_text(text.lstrip())
    chosen = _spread(sorted((bench.folder / f"submitted-{mixed}").glob("*/*/*.ipynb")), count)
    notebooks = []
    for path in chosen:
        notebook = nbformat.read(path, as_version=4)
        first = nbformat.v4.new_code_cell(
            "import otter\n\ngrader = otter.Notebook(tests_dir='tests')"
        )
        notebook.cells.insert(0, first)
        for cell in notebook.cells:
            function = checks.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
            if function:
                cell.source = f"grader.check({function!r})"
        notebooks.append(folder / f"{path.parts[-3]}.ipynb")
        nbformat.write(notebook, notebooks[-1])
    search_path = f"{found / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    env = {**grading_environment(), "PATH": search_path}
    generate = [found / "bin" / "otter", "generate", "-t", tests, "-o", folder / "autograder.zip"]
    for words in ([*generate, "--no-environment"], generate):
        done = subprocess.run(list(map(str, words)), cwd=folder, env=env, capture_output=True)
        if done.returncode == 0:
            break
    else:
        bench.remarks.append(f"otter generate failed: {done.stderr.decode()[-500:]}")
        return
    for path in notebooks:
        (folder / f"out-{path.stem}").mkdir()
    script = folder / "all.sh"
    script.write_text(
        "".join(
            f"{found}/bin/otter run --no-logo -a autograder.zip -o out-{path.stem} {path.name}\n"
            for path in notebooks
        )
    )
    taken = process_tree.measure(["sh", script], cwd=folder, env=env)
    scored = list(folder.glob("out-*/results.json"))
    note = f"{len(scored)} of {len(notebooks)} scored, one process each"
    if not scored:
        bench.remarks.append(f"otter scored nothing; it ended with:\n{taken.output[-1500:]}")
    bench.figures.append(_figure("otter", len(notebooks), taken, note))


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    """Choose some, evenly spread."""
    return [paths[at * len(paths) // count] for at in range(count)]


# The table


def report(bench: Bench) -> list[str]:
    """Return the table and what must be read with it, as lines of Markdown."""
    lines = [
        "| Way | Submissions | Wall s | Per submission ms | CPU per submission ms "
        "| Machine busy ms | Peak MiB | Processes | × stock | Note |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for figure in sorted(bench.figures, key=lambda item: (item.submissions, WAYS.index(item.way))):
        note = figure.note
        if figure.status:
            note = "; ".join(filter(None, [note, f"exit status {figure.status}"]))
        lines.append(
            f"| {figure.way} | {figure.submissions} | {figure.wall_seconds:.1f} "
            f"| {figure.per_submission_ms:.0f} | {figure.cpu_per_submission_ms:.0f} "
            f"| {figure.busy_per_submission_ms:.0f} | {figure.peak_mib:.0f} "
            f"| {figure.processes} | {_ratio(bench, figure)} | {note} |"
        )
    lines += ["", *bench.steps, *_beyond_the_floor(bench), *_growth(bench), *_agreement(bench)]
    return lines + [f"- {remark}" for remark in bench.remarks]


def _ratio(bench: Bench, figure: Figure) -> str:
    stock = bench.of("stock", figure.submissions)
    mark = ""
    if stock is None:
        sizes = [item for item in bench.figures if item.way == "stock"]
        if not sizes:
            return ""
        stock, mark = max(sizes, key=lambda item: item.submissions), "~"
    return f"{mark}{stock.per_submission_ms / figure.per_submission_ms:.1f}"


def _beyond_the_floor(bench: Bench) -> list[str]:
    """Say what each way costs in CPU beyond the floor, whole and without what it starts once."""
    lines = []
    for figure in bench.figures:
        under = bench.of("floor", figure.submissions)
        if under is None or figure.way in ("floor", "otter"):
            continue
        known = figure.cpu_per_submission_ms - under.cpu_per_submission_ms
        beyond = figure.busy_per_submission_ms - under.busy_per_submission_ms
        lines.append(
            f"- Beyond the floor, {figure.way}, {figure.submissions} submissions: the machine was "
            f"busy {beyond:.0f} ms longer for each, of which {known:.0f} ms are the known CPU time "
            "of processes; their start is counted"
        )
    return lines


def _growth(bench: Bench) -> list[str]:
    """Say what one more submission takes, between the smallest and the largest size."""
    lines = []
    for way in WAYS:
        sizes = sorted(
            (item for item in bench.figures if item.way == way), key=lambda item: item.submissions
        )
        if len(sizes) < 2:
            continue
        small, large = sizes[0], sizes[-1]
        more = large.submissions - small.submissions
        lines.append(
            f"- {way}, from {small.submissions} to {large.submissions}: each further submission "
            f"{1000 * (large.wall_seconds - small.wall_seconds) / more:.0f} ms wall, "
            f"{1000 * (large.cpu_seconds - small.cpu_seconds) / more:.0f} ms CPU; "
            f"peak memory {small.peak_mib:.0f} → {large.peak_mib:.0f} MiB"
        )
    return lines


def _agreement(bench: Bench) -> list[str]:
    """Say on which scores the ways disagree with stock, where stock gave one."""
    lines = []
    for (way, size), grades in bench.grades.items():
        stock = bench.grades.get(("stock", size))
        if way == "stock" or stock is None:
            continue
        shared = {
            place: row
            for place, row in stock.items()
            if row.get("auto_score") is not None or place not in grades
        }
        found = gradebooks.differences(
            shared, {place: grades.get(place, {}) for place in shared}, columns=COMPARED
        )
        lines.append(
            f"- Scores, {way} against stock, {size} submissions: "
            f"{len(shared)} cells that stock scored, {len(found)} differ"
        )
        lines += [f"    - {line}" for line in found[:20]]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Measure what grading takes, side by side.")
    parser.add_argument("--sizes", default="30,100", help="numbers of submissions")
    parser.add_argument("--only", default=",".join(WAYS), help="some of " + ", ".join(WAYS))
    parser.add_argument("--growth", default="300", help="more sizes, for autograder grade alone")
    parser.add_argument("--otter-size", type=int, default=5, help="submissions for otter run")
    parser.add_argument("--out", type=Path, help="a folder for grading.json and grading.md")
    parser.add_argument("--keep", action="store_true", help="keep the graded courses")
    parser.add_argument("--floor-of", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--steps-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.floor_of:
        floor(options.floor_of)
        return 0
    if options.steps_of:
        steps(options.steps_of)
        return 0
    ways = [way for way in WAYS if way in options.only.split(",")]
    if not ways:
        parser.error(f"--only takes some of {', '.join(WAYS)}")
    sizes = [int(size) for size in options.sizes.split(",")]
    growth = [int(size) for size in options.growth.split(",") if size]
    runs = [(way, size) for size in sizes for way in ways]
    runs += [("grade-2", size) for size in growth if ("grade-2", size) not in runs]
    folder = Path(tempfile.mkdtemp(prefix="bench-grading-"))
    try:
        bench = Bench(folder)
        compile_all()
        sealed = any(way in ("sealed", "steps") or way.startswith("grade-") for way, _ in runs)
        prepare(bench, sorted({size for _, size in runs} | ({1} if sealed else set())))
        if sealed:
            prove(bench)
        for way, size in runs:
            say(f"Measuring {way}, {size} submissions")
            run_way(bench, way, size, options.otter_size)
        lines = report(bench)
    finally:
        if options.keep:
            say(f"Kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    head = (
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    )
    say("\n".join(["", head, "", *lines]))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "grading.md").write_text("\n".join([head, "", *lines, ""]))
        figures = [
            {**asdict(figure), "per_submission_ms": figure.per_submission_ms}
            for figure in bench.figures
        ]
        (options.out / "grading.json").write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
