"""Measure what a learner waits for, and print it as a table. Nothing here is a test.

Usage: .venv-grading/bin/python tools/bench.py [--moves 60]
           [--only slider,import,lessons,set-up,grading]

- slider: from the key that moves a slider of the grading comparator to the redrawn page, in a real
  Chromium before a real JupyterLab. The moment after the last change on the page, at the next
  frame, is taken.
- import: a new process each time; the bare interpreter is shown beside it.
- lessons: from *Run All Cells* to the last cell being done, kernel start not included.
- set-up: a new .venv for a copy of the checkout, with uv's cache as it is; and from the start
  command to a JupyterLab that answers.
- grading: a table of its own, see `bench_grading`; it takes about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

import bench_grading
import browser
import learn

LEARNER = learn.ROOT / ".venv" / "bin" / "python"
COMPARATOR = ".crs-comparator"

# Waits for the page to come to rest after one key, and returns the milliseconds that took: to the
# first frame after the last change outside the controls. 150 ms without a change count as rest.
MEASURE_MOVE = """
([selector, key]) => new Promise((resolve, reject) => {
    const explorer = document.querySelector(selector);
    const slider = explorer.querySelector('.crs-panel input[type=range]');
    let start = null, last = null, rest = null;
    const give_up = setTimeout(() => { observer.disconnect(); reject('nothing changed'); }, 5000);
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


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    value: str
    note: str = ""


def percentile(values: Sequence[float], fraction: float) -> float:
    """Return the smallest value that at least ``fraction`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]


def milliseconds(values: Sequence[float]) -> str:
    """Return median and 95th percentile in words."""
    return f"median {statistics.median(values):.0f} ms, p95 {percentile(values, 0.95):.0f} ms"


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
    return rows


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


def bench_slider(lab: learn.Lab, chromium: Browser, moves: int) -> list[Figure]:
    """Measure moves of the comparator's first slider, by the keyboard."""
    lesson = "05-grading.ipynb"
    if not (lab.root / lesson).exists():
        return [Figure("slider to redrawn page", "not measured", f"there is no {lesson}")]
    with opened(lab, chromium, lesson) as page:
        browser.run_all(page)
        page.locator(
            f"{COMPARATOR} .crs-panel input[type=range]"
        ).first.scroll_into_view_if_needed()
        taken = []
        for number in range(moves + 5):
            key = "ArrowRight" if (number // 10) % 2 == 0 else "ArrowLeft"
            page.evaluate("window.crsReady = false")
            page.evaluate(
                f"args => {{ window.crsMove = ({MEASURE_MOVE})(args); }}",
                [COMPARATOR, key],
            )
            page.wait_for_function("window.crsReady")
            page.keyboard.press(key)
            taken.append(float(page.evaluate("window.crsMove")))
    # The first moves compile what the browser and the kernel need.
    steady = taken[5:]
    note = f"{moves} moves by keyboard; the very first took {taken[0]:.0f} ms; aim: p95 under 100"
    return [Figure("slider to redrawn page, comparator", milliseconds(steady), note)]


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
        ]
        for name, step in steps:
            if name in wanted:
                learn.say(f"Measuring in the browser: {name}")
                rows += step()
    return rows


def table(rows: Sequence[Figure]) -> str:
    """Return the measurements as text in columns."""
    widths = [max(len(text) for text in column) for column in zip(*map(_cells, rows), strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(_cells(row), widths, strict=True)
        ).rstrip()
        for row in rows
    )


def _cells(row: Figure) -> tuple[str, str, str]:
    return row.what, row.value, row.note


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    everything = ("import", "lessons", "slider", "set-up", "grading")
    parser = argparse.ArgumentParser(description="Measure what a learner waits for.")
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--only", default=",".join(everything))
    options = parser.parse_args(arguments)
    wanted = [name for name in options.only.split(",") if name in everything]
    if not wanted:
        parser.error(f"--only takes some of {', '.join(everything)}")
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
