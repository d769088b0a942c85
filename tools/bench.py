"""Measure what a learner waits for, and print it as a table. Nothing here is a test.

Usage: .venv-grading/bin/python tools/bench.py [--moves 60]
           [--only models,slider,import,lessons,set-up,grading]

- models: a patient of 28 days, many patients, and memory, beside other ways to solve the same
  equations; see `bench_models`.
- slider: from the key that moves a slider to the redrawn page, in a real Chromium before a real
  JupyterLab. The moment after the last change on the page, at the next frame, is taken. First the
  grading comparator in its lesson, then each explorer alone on a page, by its first slider.
- import: a new process each time; the bare interpreter, and the libraries alone, beside it.
- lessons: from *Run All Cells* to the last cell being done, kernel start not included.
- set-up: a new .venv for a copy of the checkout, with uv's cache as it is; and from the start
  command to a JupyterLab that answers.
- grading: a table of its own, see `bench_grading`; it takes about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Page

import bench_grading
import bench_models
import browser
import learn
from bench_table import Figure, milliseconds, table

LEARNER = learn.ROOT / ".venv" / "bin" / "python"
COMPARATOR = ".crs-comparator"
# What every explorer needs, whoever writes it.
LIBRARIES = "import plotly.graph_objects, pandas, ipywidgets, anywidget"

# Marks one of the controls that a learner sees, sliders first, and says what it is.
MARK_CONTROL = """
([selector, place]) => {
    const panel = document.querySelector(selector + ' .crs-panel');
    const kinds = ['input[type=range]', 'input[type=radio]:checked', 'select',
                   'input[type=checkbox]', '.crs-step:last-child'];
    const all = kinds.flatMap(kind => [...panel.querySelectorAll(kind)]
        .filter(e => !e.disabled && e.closest('.crs-control').offsetParent !== null)
        .map(element => ({ kind, element })));
    panel.querySelectorAll('[data-crs-bench]').forEach(e => delete e.dataset.crsBench);
    if (place >= all.length) return null;
    const { kind, element } = all[place];
    element.dataset.crsBench = 'here';
    return { kind, name: element.closest('.crs-control').dataset.control,
        full: element.type === 'range'
            && (Number(element.max) - Number(element.value)) < 10 * Number(element.step) };
}
"""

# Waits for the page to come to rest after one key, and returns the milliseconds that took: to the
# first frame after the last change outside the controls. 150 ms without a change count as rest;
# where nothing changes for as long as there is patience, the move gives null.
MEASURE_MOVE = """
([selector, control, patience]) => new Promise(resolve => {
    const explorer = document.querySelector(selector);
    const slider = explorer.querySelector(control);
    let start = null, last = null, rest = null;
    const give_up = setTimeout(() => { observer.disconnect(); resolve(null); }, patience);
    const observer = new MutationObserver(changes => {
        if (start === null) return;
        if (!changes.some(c => !(c.target.closest ?? (() => null)).call(c.target, '.crs-panel')))
            return;
        requestAnimationFrame(() => { last = performance.now(); });
        clearTimeout(rest);
        rest = setTimeout(() => {
            clearTimeout(give_up);
            observer.disconnect();
            resolve(last - start);
        }, 150);
    });
    observer.observe(explorer, {
        subtree: true, childList: true, characterData: true, attributes: true,
    });
    slider.addEventListener('keydown', () => { start = performance.now(); }, { once: true });
    slider.focus();
    window.crsReady = true;
})
"""


def seconds_of(command: Sequence[object], *, cwd: Path, times: int) -> list[float]:
    """Return how long a command took, each time in a new process."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run([str(word) for word in command], cwd=cwd, check=True)
        found.append(time.perf_counter() - start)
    return found


def bench_import(neutral: Path) -> list[Figure]:
    """Measure imports in new processes of the learner's Python."""
    rows = []
    bare = seconds_of([LEARNER, "-c", "pass"], cwd=neutral, times=9)
    rows.append(Figure("python, nothing imported", milliseconds([1000 * s for s in bare])))
    for module in ("crs", "crs.guidelines", "crs.explorers"):
        found = seconds_of([LEARNER, "-c", f"import {module}"], cwd=neutral, times=9)
        ratio = statistics.median(found) / statistics.median(bare)
        rows.append(
            Figure(
                f"import {module}",
                milliseconds([1000 * s for s in found]),
                f"{ratio:.1f} × the bare interpreter",
            )
        )
    return rows + bench_beside_libraries(neutral)


def bench_beside_libraries(neutral: Path, times: int = 15) -> list[Figure]:
    """Measure what the course adds to the import of the libraries that it stands on."""
    taken: dict[str, list[float]] = {}
    for _ in range(times):  # in turn, so that a busy moment strikes both alike
        for name, code in (
            ("plotly, pandas, ipywidgets, anywidget", LIBRARIES),
            ("these and crs.explorers", f"{LIBRARIES}; import crs.explorers"),
            ("these, crs.explorers and crs.quiz", f"{LIBRARIES}; import crs.explorers, crs.quiz"),
        ):
            taken.setdefault(name, []).extend(
                seconds_of([LEARNER, "-c", code], cwd=neutral, times=1)
            )
    alone = statistics.median(next(iter(taken.values())))
    return [
        Figure(
            f"import {name}",
            milliseconds([1000 * one for one in found]),
            f"{1000 * (statistics.median(found) - alone):+.0f} ms; aim: at most +300",
        )
        for name, found in taken.items()
    ]


@contextmanager
def opened(lab: learn.Lab, chromium: Browser, name: str) -> Iterator[Page]:
    """Open a notebook in a page of its own."""
    page = browser.new_page(chromium)
    try:
        browser.open_notebook(page, lab, name)
        browser.only_the_notebook(page)
        yield page
    finally:
        page.context.close()


def bench_lessons(lab: learn.Lab, chromium: Browser) -> list[Figure]:
    """Measure *Run All Cells* of each lesson."""
    rows = []
    for path in sorted(lab.root.glob("[0-9]*.ipynb")):
        with opened(lab, chromium, path.name) as page:
            start = time.perf_counter()
            browser.run_all(page, settle_ms=0)
            taken = time.perf_counter() - start
            errors = browser.cell_errors(page)
        note = "; ".join(errors) if errors else "one run, kernel already started"
        rows.append(Figure(f"run all cells, {path.name}", f"{taken:.1f} s", note))
    return rows


def moves_of(page: Page, explorer: str, moves: int) -> tuple[list[float | None], str]:
    """Move a control of an explorer by the keyboard, again and again.

    It is the first slider that a learner sees. Where its first moves change nothing, as the
    temperature of somebody who has fever anyway, or where there is none, it is the next control.

    Returns
    -------
    list of float or None
        Milliseconds of each move; None where nothing changed.
    str
        Which control it was, in words; empty where none changed anything.
    """
    for place in range(8):
        marked = page.evaluate(MARK_CONTROL, [explorer, place])
        if marked is None:
            break
        taken = _moves_of_one(page, explorer, str(marked["kind"]), bool(marked["full"]), moves)
        if any(one is not None for one in taken):
            slider = "range" in marked["kind"]
            return taken, f"{'slider' if slider else 'control'} {marked['name']}"
    return [], ""


def _moves_of_one(
    page: Page, explorer: str, kind: str, full: bool, moves: int
) -> list[float | None]:
    here = "[data-crs-bench=here]"
    page.evaluate("here => document.querySelector(here).scrollIntoView({ block: 'center' })", here)
    page.wait_for_timeout(500)
    forth, back = {
        "input[type=range]": ("ArrowLeft", "ArrowRight") if full else ("ArrowRight", "ArrowLeft"),
        "input[type=radio]:checked": ("ArrowRight", "ArrowLeft"),
        "select": ("ArrowDown", "ArrowUp"),
    }.get(kind, ("Space", "Space"))
    # Of choices there are few, so that they are gone through to and fro one by one; the focus moves
    # with the mark.
    block = 10 if "range" in kind else 1
    control = "input[type=radio]:checked" if "radio" in kind else here
    taken: list[float | None] = []
    for number in range(moves):
        key = forth if (number // block) % 2 == 0 else back
        page.evaluate("window.crsReady = false")
        # The very first move may find a kernel or a page that is still at work.
        patience_ms = 2_000 if number else 20_000
        page.evaluate(
            f"args => {{ window.crsMove = ({MEASURE_MOVE})(args); }}",
            [explorer, control, patience_ms],
        )
        page.wait_for_function("window.crsReady")
        page.keyboard.press(key)
        found = page.evaluate("window.crsMove")
        taken.append(None if found is None else float(found))
        if number == 2 and taken == [None] * 3:
            break
    return taken


def move_figure(what: str, taken: Sequence[float | None], control: str) -> Figure:
    """Sum up the moves of one explorer."""
    # The first moves compile what the browser and the kernel need.
    steady = [one for one in taken[5:] if one is not None]
    if not steady:
        return Figure(what, "not measured", "no control that was tried changed the page")
    notes = [control, f"{len(steady)} moves"]
    if taken[0] is not None:
        notes.append(f"the very first took {taken[0]:.0f} ms")
    if len(steady) < len(taken[5:]):
        notes.append(f"{len(taken[5:]) - len(steady)} more changed nothing")
    return Figure(what, milliseconds(steady), "; ".join([*notes, "aim: p95 under 100 ms"]))


def bench_slider(lab: learn.Lab, chromium: Browser, moves: int) -> list[Figure]:
    """Measure moves of the comparator's first slider in its lesson, by the keyboard."""
    lesson = "05-grading.ipynb"
    if not (lab.root / lesson).exists():
        return [Figure("slider to redrawn page", "not measured", f"there is no {lesson}")]
    with opened(lab, chromium, lesson) as page:
        browser.run_all(page)
        taken, control = moves_of(page, COMPARATOR, moves + 5)
    return [move_figure("slider to redrawn page, comparator in lesson 05", taken, control)]


def bench_explorers(lab: learn.Lab, chromium: Browser, moves: int) -> list[Figure]:
    """Measure moves of every explorer's first slider, each explorer alone on a page."""
    code = "import crs.explorers, json; print(json.dumps(crs.explorers.__all__))"
    listed = subprocess.run([LEARNER, "-c", code], capture_output=True, check=True, text=True)
    rows = []
    for name in json.loads(listed.stdout):
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(f"from crs.explorers import {name}\n\n{name}()")],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        path = lab.root / f"bench-{name}.ipynb"
        nbformat.write(notebook, path)
        what = f"slider to redrawn page, {name}"
        learn.say(f"  {name}")
        with opened(lab, chromium, path.name) as page:
            browser.run_all(page)
            errors = browser.cell_errors(page)
            if errors:
                rows.append(Figure(what, "not measured", "; ".join(errors)))
                continue
            taken, control = moves_of(page, ".crs-explorer", moves + 5)
        rows.append(move_figure(what, taken, control))
        learn.say(f"    {rows[-1].value}; {rows[-1].note}")
    return rows


def bench_set_up(folder: Path) -> list[Figure]:
    """Measure a new learner's environment, and the start of JupyterLab."""
    copy = folder / "copy"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "course", "requirements", "tools"],
        cwd=learn.ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((learn.ROOT / name).read_bytes())
    rows = []
    for how in ("uv", "pip"):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, copy / "tools" / "environment.py", "learner"],
            env={**os.environ, "INSTALL": how},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        taken = time.perf_counter() - start
        value = "failed" if done.returncode else f"{taken:.0f} s"
        rows.append(Figure(f"a new .venv by {how}", value, "caches as they are"))
        subprocess.run(["rm", "-rf", copy / ".venv"], check=True)
    work = folder / "work"
    learn.place_all(learn.ROOT, work, datetime.date.today())
    starts = []
    for _ in range(3):
        start = time.perf_counter()
        with learn.running_lab(work, python=str(LEARNER), port=0):
            starts.append(time.perf_counter() - start)
    rows.append(Figure("JupyterLab answers", f"{statistics.median(starts):.1f} s", "median of 3"))
    return rows


def measure(wanted: Sequence[str], moves: int) -> list[Figure]:
    """Take all measurements that were asked for."""
    rows: list[Figure] = []
    if "models" in wanted:
        learn.say("Measuring the simulator")
        rows += bench_models.measure()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        if "import" in wanted:
            learn.say("Measuring imports")
            rows += bench_import(folder)
        if "slider" in wanted or "lessons" in wanted:
            rows += _in_browser(folder, wanted, moves)
        if "set-up" in wanted:
            learn.say("Measuring set-up")
            rows += bench_set_up(folder)
    return rows


def _in_browser(folder: Path, wanted: Sequence[str], moves: int) -> list[Figure]:
    executable = browser.chromium_path()
    if executable is None:
        return [Figure("slider and lessons", "not measured", "there is no Chromium here")]
    work = folder / "lab"
    learn.place_all(learn.ROOT, work, datetime.date.today())
    config = browser.extra_config(folder / "config")
    rows: list[Figure] = []
    with (
        learn.running_lab(work, python=str(LEARNER), port=0, configs=(config,)) as lab,
        browser.running_browser(executable) as chromium,
    ):
        steps: list[tuple[str, Callable[[], list[Figure]]]] = [
            ("lessons", lambda: bench_lessons(lab, chromium)),
            ("slider", lambda: bench_slider(lab, chromium, moves)),
            ("slider", lambda: bench_explorers(lab, chromium, moves)),
        ]
        for name, step in steps:
            if name in wanted:
                learn.say(f"Measuring in the browser: {name}")
                rows += step()
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    everything = ("models", "import", "lessons", "slider", "set-up", "grading")
    parser = argparse.ArgumentParser(description="Measure what a learner waits for.")
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--only", default=",".join(everything))
    options = parser.parse_args(arguments)
    wanted = [name for name in options.only.split(",") if name in everything]
    if not wanted:
        parser.error(f"--only takes some of {', '.join(everything)}")
    # As learners have it: otherwise every process compiles what it imports.
    os.environ.pop(bench_grading.NEVER_COMPILED, None)
    if wanted != ["grading"]:
        rows = measure(wanted, options.moves)
        cores = os.cpu_count()
        learn.say(f"\nPython {platform.python_version()}, {platform.machine()}, {cores} cores\n")
        learn.say(table(rows))
    if "grading" in wanted:
        bench_grading.main([])
    learn.say("\nNext: compare with the same table from before a change, on the same machine.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
