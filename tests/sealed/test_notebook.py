"""The order of events, and what becomes of cells that end the process: on hosts that only pretend.

What they pretend is written in a cell's text: ``die``, ``hang``, ``boom`` or anything else.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.sealed.cells import Given, plan
from autograder.sealed.definitions import Definitions
from autograder.sealed.hosts import Hosts
from autograder.sealed.limits import Limits
from autograder.sealed.notebook import MAX_REPLAYS, NotebookRun, modules_of, run_notebook
from autograder.sealed.wards import CellRun, WardError


def said(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def failed(name: str) -> dict[str, Any]:
    return {"output_type": "error", "ename": name, "evalue": "", "traceback": []}


class Pretender:
    """Both hosts, with a diary of what was asked of them."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.files: list[Mapping[str, bytes]] = []
        self.folders: list[dict[str, bytes]] = []
        self.asked: list[Collection[str]] = []
        self.seconds: dict[str, float] = {}

    def hosts(self, mode: str = "sealed") -> Hosts:
        ward = SimpleNamespace(open=self.open_ward)
        examiner = SimpleNamespace(open=self.open_examiner)
        return cast(Hosts, SimpleNamespace(mode=mode, ward=ward, examiner=examiner))

    @contextmanager
    def open_ward(
        self, files: Mapping[str, bytes], environment: Mapping[str, str], copies: int = 0
    ) -> Iterator[PretendedWard]:
        self.diary.append("open")
        self.files.append(dict(files))
        yield PretendedWard(self)
        self.diary.append("close")

    @contextmanager
    def open_examiner(
        self,
        environment: Mapping[str, str],
        folder: Path | None,
        asked: Collection[str] = (),
        definitions: Definitions | None = None,
        lines: Mapping[int, int] | None = None,
    ) -> Iterator[PretendedExaminer]:
        self.diary.append("examine")
        self.asked.append(asked)
        self.folders.append(
            {}
            if folder is None
            else {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*")
                if path.is_file()
            }
        )
        yield PretendedExaminer(self)


class PretendedWard:
    def __init__(self, diary: Pretender) -> None:
        self._diary = diary
        self.alive = True
        self._last = ""

    def run(self, source: str, seconds: float, *, number: int | None = None) -> CellRun:
        assert self.alive
        self._diary.diary.append(f"run {source}")
        self._diary.seconds[source] = seconds
        self._last = source
        if source.startswith("die"):
            self.alive = False
            return CellRun((said("last words"), failed("DeadKernelError")), "died", "It died.", 0.1)
        if source.startswith("hang"):
            self.alive = "hard" not in source
            return CellRun((failed("CellTimeoutError"),), "timeout", "Too long.", seconds)
        if source.startswith("boom"):
            return CellRun((failed("ValueError"),), "error", "", 0.1)
        return CellRun((said(f"{source} [{number}]"),), "ok", "", 0.1, number)

    def checkpoint(self) -> socket.socket:
        if self._last.startswith("uncopyable"):
            self.alive = False
            raise WardError("the notebook could not be copied for its checks: no answer")
        self._diary.diary.append("checkpoint")
        ours, theirs = socket.socketpair()
        theirs.close()
        return ours

    def sweep(self) -> None:
        self._diary.diary.append("sweep")

    def finish(self) -> None:
        self._diary.diary.append("finish")

    def files(self, max_bytes: int) -> dict[str, bytes]:
        return {"made.txt": b"x"}


class PretendedExaminer:
    def __init__(self, diary: Pretender) -> None:
        self._diary = diary
        self.alive = True

    def run(
        self,
        source: str,
        *,
        is_check: bool,
        holder: socket.socket | None = None,
        seconds: float,
        number: int | None = None,
        answered: Collection[str] = (),
    ) -> CellRun:
        assert self.alive
        if holder is not None:
            assert holder.fileno() >= 0, "the copy must still be there"
        kind = "check" if is_check else "trusted"
        self._diary.diary.append(f"{kind} {source}{' without' if is_check and not holder else ''}")
        if source.startswith("die"):
            self.alive = False
            return CellRun((failed("RuntimeError"),), "died", "The check died.", 0.1)
        if source.startswith("hang"):
            return CellRun((failed("TimeoutError"),), "timeout", "Too long.", seconds)
        result = {
            "output_type": "execute_result",
            "data": {"text/plain": "4.0"},
            "metadata": {},
            "execution_count": 99,
        }
        return CellRun((said("careful", "stderr"), result), "ok", "", 0.1)


def cell(source: str, role: str = "learner") -> NotebookNode:
    flags: dict[str, Any] = {"grade_id": source.replace(" ", "-"), "schema_version": 3}
    flags |= {"grade": role == "check", "solution": role == "learner", "locked": role != "learner"}
    if role == "check":
        flags["points"] = 4
    if role == "text":
        return cast(NotebookNode, new_markdown_cell(source))
    return cast(
        NotebookNode, new_code_cell(source, metadata={"nbgrader": {**flags, "task": False}})
    )


def check(source: str) -> NotebookNode:
    return cell(source, "check")


def run(
    cells: Sequence[NotebookNode],
    mode: str = "sealed",
    limits: Limits | None = None,
    files: Mapping[str, bytes] | None = None,
    **options: Any,
) -> tuple[NotebookNode, NotebookRun, Pretender]:
    nb = new_notebook(cells=list(cells))
    pretender = Pretender()
    done = run_notebook(
        nb, plan(nb), files or {}, pretender.hosts(mode), limits or Limits(), {}, **options
    )
    nbformat.validate(nb)
    return nb, done, pretender


def texts(cell: NotebookNode) -> list[str]:
    return [output.get("text") or output.get("ename") or "result" for output in cell.outputs]


def test_everything_of_the_learners_runs_before_any_check() -> None:
    cells = [
        cell("import x", "instructor"),
        cell("a"),
        check("c1"),
        cell("words", "text"),
        check("c2"),
        cell("b"),
        check("c3"),
        cell("last"),
    ]
    nb, done, pretender = run(cells)
    assert pretender.diary == [
        "open",
        "run import x",
        "run a",
        "checkpoint",
        "run b",
        "checkpoint",
        "run last",
        "finish",
        "examine",
        "trusted import x",
        "check c1",
        "check c2",
        "sweep",
        "check c3",
        "close",
    ]
    assert done.diagnosis == ()
    assert [c.get("execution_count") for c in nb.cells] == [1, 2, 3, None, 4, 5, 6, 7]
    assert texts(nb.cells[1]) == ["a [2]"]
    # stderr of a check is shown, and costs nothing; the number is the notebook's.
    assert texts(nb.cells[2]) == ["careful", "result"]
    assert nb.cells[2].outputs[0].name == "stdout"
    assert nb.cells[2].outputs[1].execution_count == 3
    assert all("autograder" not in c.metadata for c in nb.cells)


def test_without_checks_there_is_no_examiner() -> None:
    _, _, pretender = run([cell("a"), cell("import x", "instructor")])
    assert "examine" not in pretender.diary


def test_a_lethal_cell_costs_only_itself() -> None:
    nb, done, pretender = run([cell("a"), cell("die"), cell("b"), check("c")])
    assert pretender.diary == [
        *("open", "run a", "run die", "close"),
        *("open", "run a", "run b", "checkpoint", "finish", "examine", "check c", "close"),
    ]
    assert texts(nb.cells[1]) == ["last words", "DeadKernelError"]
    assert nb.cells[1].metadata.autograder == {"status": "died", "diagnosis": "It died."}
    assert texts(nb.cells[2]) == ["b [3]"]
    assert done.replays == 1
    assert done.diagnosis == (
        "One cell ended the notebook's process. The notebook was run again without it.",
    )
    assert done.cells[1].status == "died"


def test_replays_end() -> None:
    cells = [cell(f"die {n}") for n in range(MAX_REPLAYS + 3)]
    nb, done, pretender = run([cell("a"), check("c"), *cells, cell("b"), check("d")])
    assert pretender.diary.count("open") == MAX_REPLAYS + 1
    assert "run b" not in pretender.diary
    assert texts(nb.cells[-2]) == ["DeadKernelError"]
    assert "not run" in nb.cells[-2].metadata.autograder.diagnosis
    assert "check c" in pretender.diary
    assert "check d without" in pretender.diary
    assert "More than 3 cells ended the notebook's process" in done.diagnosis[0]


def test_what_cannot_be_copied_is_run_again_without() -> None:
    nb, done, pretender = run([cell("a"), cell("uncopyable"), check("c"), cell("b")])
    assert pretender.diary[-7:] == [
        *("run a", "checkpoint", "run b", "finish", "examine", "check c", "close")
    ]
    assert nb.cells[1].metadata.autograder.status == "died"
    assert "could not be copied" in nb.cells[1].metadata.autograder.diagnosis
    assert done.replays == 1


def test_a_machine_that_cannot_copy_is_no_fault_of_the_submission() -> None:
    class Failing(Pretender):
        @contextmanager
        def open_ward(
            self, files: Mapping[str, bytes], environment: Mapping[str, str], copies: int = 0
        ) -> Iterator[PretendedWard]:
            ward = PretendedWard(self)
            ward._last = "uncopyable"
            yield ward

    nb = new_notebook(cells=[check("c")])
    with pytest.raises(WardError):
        run_notebook(nb, plan(nb), {}, Failing().hosts(), Limits(), {})


@pytest.mark.parametrize(("source", "again"), [("hang", False), ("hang hard", True)])
def test_a_cell_that_takes_too_long_is_named(source: str, again: bool) -> None:
    limits = Limits(cell_seconds=7)
    nb, done, pretender = run([cell(source), cell("b"), check("c")], limits=limits)
    assert pretender.diary.count("open") == 1 + again
    assert "run b" in pretender.diary
    assert nb.cells[0].outputs[-1].ename == "CellTimeoutError"
    assert "longer than 7 seconds" in nb.cells[0].metadata.autograder.diagnosis
    assert done.cells[0].status == "timeout"
    assert pretender.seconds["b"] <= 7


def test_a_notebook_has_a_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, *range(0, 10_000, 40)])
    monkeypatch.setattr("autograder.sealed.notebook.time.monotonic", lambda: float(next(clock)))
    nb, done, pretender = run(
        [cell(f"a{n}") for n in range(5)] + [check("c")], limits=Limits(notebook_seconds=100)
    )
    assert pretender.diary.count("run a0") == 1
    assert "run a4" not in pretender.diary
    assert nb.cells[4].outputs[0].ename == "LimitError"
    assert "longer than 100 seconds in all" in nb.cells[4].metadata.autograder.diagnosis
    assert done.cells[4].status == "limit"
    assert "check c" in pretender.diary


def test_a_check_that_ends_the_examiner_costs_only_itself() -> None:
    cells = [cell("import x", "instructor"), cell("a"), check("c"), check("die"), check("d")]
    nb, done, pretender = run(cells)
    at = pretender.diary.index("examine")
    assert pretender.diary[at:] == [
        *("examine", "trusted import x", "check c", "check die"),
        *("examine", "trusted import x", "check c", "check d", "close"),
    ]
    assert texts(nb.cells[2]) == ["careful", "result"]
    assert texts(nb.cells[3]) == ["RuntimeError"]
    assert texts(nb.cells[4]) == ["careful", "result"]
    assert done.cells[3].diagnosis == "The check died."


def test_examiners_that_always_end_are_given_up() -> None:
    nb, _, pretender = run([cell("a"), *(check(f"die {n}") for n in range(9)), check("c")])
    assert pretender.diary.count("examine") == MAX_REPLAYS + 1
    assert "Tell your instructor" in nb.cells[-1].metadata.autograder.diagnosis
    assert texts(nb.cells[-1]) == ["DeadKernelError"]


def test_a_check_that_takes_too_long_is_named() -> None:
    nb, _, _ = run([cell("a"), check("hang"), check("c")], limits=Limits(checks_seconds=9))
    assert nb.cells[1].outputs[-1].ename == "CellTimeoutError"
    assert "longer than 9 seconds" in nb.cells[1].metadata.autograder.diagnosis
    assert texts(nb.cells[2]) == ["careful", "result"]


def test_checks_get_the_instructors_files_and_nothing_of_the_learners() -> None:
    _, _, pretender = run(
        [cell("a"), check("c")],
        files={"numpy.py": b"evil", "data.csv": b"theirs"},
        trusted_files={"data.csv": b"ours", "more/x.csv": b"too"},
        given=Given("import math", {"a": frozenset({"f"})}),
    )
    assert pretender.files == [{"numpy.py": b"evil", "data.csv": b"theirs"}]
    assert pretender.folders == [{"data.csv": b"ours", "more/x.csv": b"too"}]
    assert pretender.asked == [{"f"}]
    assert "trusted import math" in pretender.diary


def test_files_that_cannot_be_there_are_left_out_and_named() -> None:
    files = {"ok.csv": b"1", "../evil": b"2", "a\nb": b"3", "big": bytes(2**20), "x" * 400: b""}
    _, done, pretender = run([cell("a")], files=files, limits=Limits(disk_mib=1))
    assert pretender.files == [{"ok.csv": b"1"}]
    assert len(done.diagnosis) == 4
    assert done.diagnosis[0].startswith("The file ../evil was left out: it has a name")
    assert done.diagnosis[-1] == "1 more files were left out."


def test_shared_mode_runs_all_in_one_process() -> None:
    nb, done, pretender = run([cell("a"), check("c"), cell("b"), check("die")], mode="shared")
    assert pretender.diary == [
        *("open", "run a", "run c", "run b", "run die", "close"),
        *("open", "run a", "run c", "run b", "finish", "close"),
    ]
    assert texts(nb.cells[1]) == ["c [2]"]
    assert texts(nb.cells[3]) == ["last words", "DeadKernelError"]
    assert done.files == {"made.txt": b"x"}


def test_only_trusted_cells_are_asked_for_modules() -> None:
    nb = new_notebook(
        cells=[
            cell("import numpy as np\nfrom os import path", "instructor"),
            cell("import evil"),
            check("    import toy.exams\n# import no"),
        ]
    )
    assert modules_of(plan(nb), "instructor") == ["numpy", "os", "os.path"]
    assert modules_of(plan(nb), "instructor", "check")[-1] == "toy.exams"
