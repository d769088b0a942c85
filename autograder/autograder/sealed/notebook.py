"""Run one restored notebook: first the learner's cells to their end, then the checks.

The order is the heart of the seal. The ward runs everything but the checks and keeps a copy of
itself wherever checks stand. Then it ends. Only then does the examiner run, and each check asks a
copy. No hidden input exists in any process of the learner's before the last of the learner's
outputs is in.
"""

import contextlib
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbformat import NotebookNode

from autograder.sealed.cells import Given, PlannedCell
from autograder.sealed.limits import Limits
from autograder.sealed.outputs import clean, without_stderr
from autograder.sealed.wards import BadFile, CellRun, WardError, check_files

if TYPE_CHECKING:
    from autograder.sealed.examiner import Examiner
    from autograder.sealed.hosts import Hosts
    from autograder.sealed.wards import Ward

MAX_REPLAYS = 3
_COPIED_BACK_MIB = 8
_KIB = 1024


@dataclass(frozen=True)
class CellReport:
    """How one cell went.

    Attributes
    ----------
    status : str
        Of `CellRun`.
    diagnosis : str
        A sentence, or nothing.
    seconds : float
        Wall time, on whichever side it was graded.
    """

    status: str
    diagnosis: str
    seconds: float


@dataclass(frozen=True)
class NotebookRun:
    """How a notebook went.

    Attributes
    ----------
    diagnosis : tuple of str
        Sentences about the notebook as a whole.
    cells : mapping of int to CellReport
        By index, for the cells that ran.
    ward_seconds, check_seconds : float
        Wall time of the two halves.
    replays : int
        How often the notebook was run again without a lethal cell.
    files : mapping of str to bytes
        What the notebook wrote beside itself; in shared mode alone.
    """

    diagnosis: tuple[str, ...]
    cells: Mapping[int, CellReport]
    ward_seconds: float = 0.0
    check_seconds: float = 0.0
    replays: int = 0
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class _Pass:
    """One run of the notebook in a ward."""

    runs: dict[int, CellRun] = field(default_factory=dict)
    holders: dict[int, socket.socket] = field(default_factory=dict)
    # The cell that ended the process, if one did.
    lethal: int | None = None


def run_notebook(
    nb: NotebookNode,
    planned: Sequence[PlannedCell],
    files: Mapping[str, bytes],
    hosts: "Hosts",
    limits: Limits,
    environment: Mapping[str, str],
    *,
    trusted_files: Mapping[str, bytes] | None = None,
    given: Given | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> NotebookRun:
    """Run a notebook and put the outputs into its cells.

    Parameters
    ----------
    nb : NotebookNode
        As `autograder.sealed.cells.restore` returned it. Outputs and execution counts are changed
        in place, and ``metadata["autograder"]`` of cells that have a diagnosis.
    planned : sequence of PlannedCell
        As `autograder.sealed.cells.plan` returned it.
    files : mapping of str to bytes
        What lies beside the notebook in the ward, by relative name.
    hosts : Hosts
        Ward and examiner.
    limits : Limits
        Times and outputs of this notebook.
    environment : mapping of str to str
        For both sides.
    trusted_files : mapping of str to bytes, optional
        The instructor's files, which check cells may read. By default none.
    given : Given, optional
        What check cells may rely on, from `autograder.sealed.cells.given_by`.
    say : callable
        Told what is unusual, for a log.

    Returns
    -------
    NotebookRun
    """
    diagnosis: list[str] = []
    files, left_out = _fitting(files, limits)
    diagnosis += left_out
    shared = hosts.mode == "shared"
    checks = [cell for cell in planned if cell.role == "check" and not shared]
    started = time.monotonic()
    with _ward_pass(hosts, planned, files, limits, environment, shared) as (ward, done, deaths):
        ward_seconds = time.monotonic() - started
        runs = {**done.runs, **deaths}
        written: dict[str, bytes] = {}
        if shared:
            written = ward.files(_COPIED_BACK_MIB * 2**20)
        ward.finish()
        started = time.monotonic()
        if checks:
            runs |= _examine(
                hosts,
                planned,
                done.holders,
                ward.sweep,
                limits,
                environment,
                trusted_files or {},
                given or Given(),
                say,
            )
        check_seconds = time.monotonic() - started
    reports = _fill(nb, planned, runs, limits)
    for index, run in deaths.items():
        say(f"Cell {index} ended the notebook's process: {run.diagnosis}")
    if done.lethal is not None:
        diagnosis.append(
            f"More than {MAX_REPLAYS} cells ended the notebook's process. The cells below the last "
            "of them were not run."
        )
    elif deaths:
        several = len(deaths) > 1
        diagnosis.append(f"{len(deaths)} cells" if several else "One cell")
        diagnosis[-1] += (
            " ended the notebook's process. The notebook was run again without "
            f"{'them' if several else 'it'}."
        )
    return NotebookRun(tuple(diagnosis), reports, ward_seconds, check_seconds, len(deaths), written)


@contextlib.contextmanager
def _ward_pass(
    hosts: "Hosts",
    planned: Sequence[PlannedCell],
    files: Mapping[str, bytes],
    limits: Limits,
    environment: Mapping[str, str],
    shared: bool,
) -> Iterator[tuple["Ward", _Pass, dict[int, CellRun]]]:
    """Run the ward's cells, again without those that end its process, and keep the last ward."""
    end = time.monotonic() + limits.notebook_seconds
    deaths: dict[int, CellRun] = {}
    while True:
        with contextlib.ExitStack() as stack:
            copies = sum(cell.role == "check" for cell in planned)
            ward = stack.enter_context(hosts.ward.open(files, environment, copies))
            done = _Pass()
            stack.callback(_close, done.holders)
            _run_cells(ward, planned, done, deaths, limits, end, shared)
            if done.lethal is None or len(deaths) >= MAX_REPLAYS or time.monotonic() > end:
                yield ward, done, deaths
                return
            deaths[done.lethal] = done.runs[done.lethal]


def _close(holders: Mapping[int, socket.socket]) -> None:
    for holder in {id(holder): holder for holder in holders.values()}.values():
        holder.close()


def _run_cells(
    ward: "Ward",
    planned: Sequence[PlannedCell],
    done: _Pass,
    deaths: Mapping[int, CellRun],
    limits: Limits,
    end: float,
    shared: bool,
) -> None:
    """Run a notebook's cells in one ward, until the end or until one ends the process."""
    holder: socket.socket | None = None
    last: int | None = None
    for cell in planned:
        if cell.role == "text" or cell.index in deaths:
            continue
        if cell.role == "check" and not shared:
            if holder is None:
                try:
                    holder = ward.checkpoint()
                except WardError as error:
                    if last is None:
                        raise
                    # What keeps the notebook from being copied is what its last cell did.
                    done.lethal = last
                    done.runs[last] = _stopped("died", _sentence(error), done.runs[last].outputs)
                    return
            done.holders[cell.index] = holder
            continue
        holder = None
        left = end - time.monotonic()
        if left <= 0:
            done.runs[cell.index] = _stopped("limit", limits.diagnosis("notebook_seconds"))
            continue
        seconds = limits.checks_seconds if cell.role == "check" else limits.cell_seconds
        run = ward.run(cell.source, min(seconds, left), number=cell.number)
        if run.status == "timeout":
            by = "notebook_seconds" if left < seconds else "cell_seconds"
            by = "checks_seconds" if by == "cell_seconds" and cell.role == "check" else by
            run = _retold(run, "limit" if left < seconds else "timeout", limits.diagnosis(by))
        done.runs[cell.index] = run
        if not ward.alive:
            done.lethal = cell.index
            return
        last = cell.index


def _examine(
    hosts: "Hosts",
    planned: Sequence[PlannedCell],
    holders: Mapping[int, socket.socket],
    sweep: Callable[[], None],
    limits: Limits,
    environment: Mapping[str, str],
    files: Mapping[str, bytes],
    given: Given,
    say: Callable[[str], None],
) -> dict[int, CellRun]:
    """Run the instructor's cells and the checks in examiners, each check against its copy."""
    if hosts.examiner is None:
        raise ValueError("sealed grading needs an examiner")
    runs: dict[int, CellRun] = {}
    last_check = max(cell.index for cell in planned if cell.role == "check")
    todo: list[_Task] = []
    answered: frozenset[str] = frozenset()
    for cell in planned[: last_check + 1]:
        if cell.role in ("check", "instructor"):
            todo.append(_Task(cell, answered))
            answered = frozenset()
        elif cell.grade_id is not None:
            answered |= given.answers.get(cell.grade_id, frozenset())
    lines = {
        cell.number: cell.source.count("\n") + 1
        for cell in planned
        if cell.number is not None and cell.role != "check"
    }
    with _folder(files) as folder:
        at = openings = 0
        lost: set[int] = set()
        asked: socket.socket | None = None
        while at < len(todo):
            openings += 1
            with hosts.examiner.open(
                environment, folder, given.asked, given.definitions, lines
            ) as examiner:
                if given.prelude:
                    examiner.run(given.prelude, is_check=False, seconds=limits.cell_seconds)
                # An examiner that was lost is replaced by one that has seen the same cells.
                for seen in todo[:at]:
                    if seen.cell.index not in lost and examiner.alive:
                        _ask(examiner, seen, holders, limits)
                while at < len(todo) and examiner.alive:
                    cell = todo[at].cell
                    holder = holders.get(cell.index)
                    if holder is not None and holder is not asked:
                        if asked is not None:
                            # What a function started must not be in the way of the next one.
                            sweep()
                        asked = holder
                    run = _ask(examiner, todo[at], holders, limits)
                    if cell.role == "check":
                        runs[cell.index] = run
                    at += 1
                    if run.status not in ("ok", "error"):
                        lost.add(cell.index)
                    if not examiner.alive:
                        say(f"The examiner ended in cell {cell.index}: {run.diagnosis}")
                if at < len(todo) and openings > MAX_REPLAYS:
                    said = "The checks above ended the examiner too often. Tell your instructor."
                    for left in todo[at:]:
                        if left.cell.role == "check":
                            runs[left.cell.index] = _stopped("died", said)
                    return runs
    return runs


@dataclass(frozen=True)
class _Task:
    """A cell for the examiner, and the names that the answers before it shall define."""

    cell: PlannedCell
    answered: frozenset[str]


def _ask(
    examiner: "Examiner",
    task: _Task,
    holders: Mapping[int, socket.socket],
    limits: Limits,
) -> CellRun:
    cell = task.cell
    is_check = cell.role == "check"
    run = examiner.run(
        cell.source,
        is_check=is_check,
        holder=holders.get(cell.index) if is_check else None,
        seconds=limits.checks_seconds if is_check else limits.cell_seconds,
        number=cell.number,
        answered=task.answered,
    )
    if run.status == "timeout":
        run = _retold(run, "timeout", limits.diagnosis("checks_seconds"))
    return run


@contextlib.contextmanager
def _folder(files: Mapping[str, bytes]) -> Iterator[Path | None]:
    """Lay the instructor's files into a folder for the checks."""
    if not files:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="examiner-") as name:
        folder = Path(name)
        for relative, content in files.items():
            path = folder / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        yield folder


def _fitting(
    files: Mapping[str, bytes], limits: Limits
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Leave out the files that a ward must not be given, and say so."""
    fitting = dict(files)
    said: list[str] = []
    while fitting:
        try:
            check_files(fitting, limits)
        except BadFile as error:
            if error.name not in fitting:
                # Too long a name is quoted in part.
                name = next(name for name in fitting if name.startswith(error.name))
            else:
                name = error.name
            del fitting[name]
            said.append(f"The file {name[:80]} was left out: it {error.reason}.")
        else:
            break
    if len(said) > 3:
        said[3:] = [f"{len(said) - 3} more files were left out."]
    return fitting, tuple(said)


def _fill(
    nb: NotebookNode,
    planned: Sequence[PlannedCell],
    runs: Mapping[int, CellRun],
    limits: Limits,
) -> dict[int, CellReport]:
    """Put outputs and diagnoses into the notebook."""
    reports: dict[int, CellReport] = {}
    for planned_cell in planned:
        cell = nb.cells[planned_cell.index]
        if cell.cell_type != "code":
            continue
        cell.outputs = []
        cell.execution_count = None
        if planned_cell.role == "text":
            continue
        run = runs.get(planned_cell.index)
        if run is None:
            run = _stopped("died", "The notebook was stopped above, so this cell was not run.")
        is_check = planned_cell.role == "check"
        outputs = clean(run.outputs, max_bytes=limits.cell_output_kib * _KIB, is_check=is_check)
        if is_check:
            outputs = without_stderr(outputs)
        for output in outputs:
            if output.output_type == "execute_result":
                output["execution_count"] = planned_cell.number
        cell.outputs = outputs
        cell.execution_count = planned_cell.number
        reports[planned_cell.index] = CellReport(run.status, run.diagnosis, run.seconds)
        if run.diagnosis:
            cell.metadata["autograder"] = NotebookNode(
                {"status": run.status, "diagnosis": run.diagnosis}
            )
    return reports


def _sentence(error: Exception) -> str:
    said = str(error)
    return f"{said[:1].upper()}{said[1:]}."


def _stopped(
    status: Literal["died", "limit"],
    diagnosis: str,
    outputs: Sequence[Mapping[str, Any]] = (),
) -> CellRun:
    name = "DeadKernelError" if status == "died" else "LimitError"
    error = {
        "output_type": "error",
        "ename": name,
        "evalue": diagnosis,
        "traceback": [f"\x1b[0;31m{name}\x1b[0m: {diagnosis}"],
    }
    return CellRun((*(dict(output) for output in outputs), error), status, diagnosis, 0.0)


def _retold(run: CellRun, status: Literal["timeout", "limit"], diagnosis: str) -> CellRun:
    """Say of a stopped cell which limit of this notebook it met."""
    name = "CellTimeoutError"
    outputs = tuple(output for output in run.outputs if output.get("ename") != name)
    error = {
        "output_type": "error",
        "ename": name,
        "evalue": diagnosis,
        "traceback": [f"\x1b[0;31m{name}\x1b[0m: {diagnosis}"],
    }
    return replace(run, outputs=(*outputs, error), status=status, diagnosis=diagnosis)


_IMPORT = re.compile(
    r"^[ \t]*(?:import|from)[ \t]+([A-Za-z_][\w.]*)(?:[ \t]+import[ \t(]+([\w, \t]+))?",
    re.MULTILINE,
)


def modules_of(planned: Sequence[PlannedCell], *roles: str) -> list[str]:
    """List the modules that cells import, so that a host can import them once.

    Parameters
    ----------
    planned : sequence of PlannedCell
        A notebook.
    *roles : str
        Whose cells: never ``"learner"``.

    Returns
    -------
    list of str
    """
    found: list[str] = []
    for cell in planned:
        if cell.role in roles:
            for module, names in _IMPORT.findall(cell.source):
                found.append(module)
                # `from package import module`: what is no module cannot be imported, and is not.
                words = [part.split()[0] for part in names.split(",") if part.split()]
                found += [f"{module}.{word}" for word in words if word.islower()]
    return list(dict.fromkeys(found))
