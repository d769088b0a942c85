"""Grade a class: find, skip what is whole, hand out, write, and sum up."""

import contextlib
import dataclasses
import fcntl
import importlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from autograder.batch import keys, submissions, tree, work
from autograder.batch.course import Course
from autograder.batch.errors import BatchError, StoppedError
from autograder.batch.gradebook import AssignmentRows, Book, Present
from autograder.batch.outputs import output_options
from autograder.batch.pool import LocalWorkers
from autograder.batch.progress import Progress
from autograder.batch.records import Graded, Source, Submission
from autograder.batch.summary import BROKEN, GRADED, UNCHANGED, Outcome, Summary
from autograder.sealed.course import secrets_of
from autograder.sealed.notebook import MAX_REPLAYS

_WORTH_WARMING = 5
# Results that wait to be written: a few, so that memory does not grow with the class.
_MOST_WAITING = 3
# How long a worker may be silent, beside what the limits allow: to start, and to prove the seal.
_START_SECONDS = 180.0


class Workers(Protocol):
    """What grades: processes here, or a cluster."""

    def results(self, submissions: Iterator[Submission]) -> Iterator[tuple[Submission, Graded]]:
        """Grade submissions, in whatever order they are done."""

    def close(self) -> None:
        """End them."""


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes
    ----------
    assignment : str
        Its name.
    students : tuple of str
        Ids or patterns; all by default.
    workers : int
        How many processes; 0 for as many as there are processors.
    scheduler : str
        Address of a Dask scheduler, instead of processes here.
    preview : bool
        Whether to write nothing.
    """

    assignment: str
    students: tuple[str, ...] = ()
    workers: int = 0
    scheduler: str = ""
    preview: bool = False


def grade(
    course: Course,
    order: Order,
    *,
    settings: Any,
    runner: str = work.SEALED,
    packages: Sequence[str] = ("autograder",),
    interpreters: Sequence[Path] = (),
    job_seconds: float | None = None,
    prove: Callable[[], object] | None = None,
    progress: Callable[[int], Progress] = Progress,
) -> Summary:
    """Grade an assignment, or only look at what would come of it.

    Parameters
    ----------
    course : Course
        The course.
    order : Order
        What is asked for.
    settings : object
        How cells run, for `runner`.
    runner : str
        Dotted name of what runs a notebook; see `autograder.batch.work.Runner`.
    packages : sequence of str
        Whose code counts for the keys.
    interpreters : sequence of Path
        Whose environments count for the keys.
    job_seconds : float or None
        When a worker that gives no answer is killed; by default some time after all limits are.
    prove : callable or None
        Called once before anything runs: proves that this machine can grade, or raises.
    progress : callable
        Makes what shows progress, from the number of submissions.

    Returns
    -------
    Summary

    Raises
    ------
    BatchError
        If it cannot be done as asked.
    StoppedError
        If it cannot go on; what is written stays.
    """
    begun = time.monotonic()
    found = submissions.find(course, order.assignment, order.students)
    if not found:
        whose = f" of {', '.join(order.students)}" if order.students else ""
        where = course.folder(course.directory.submitted_directory, "*", order.assignment)
        raise BatchError(f"There is no submission{whose}: nothing matches {where}.")
    with _only_one(course, order), Book(course, writing=not order.preview) as book:
        rows = book.assignment(order.assignment)
        source = _source(course, order.assignment, rows, settings, runner)
        code = keys.of_code(packages, interpreters)
        source = dataclasses.replace(
            source, key=keys.of_source(source, code, _effects(course, rows))
        )
        run = _Run(course, order, book, rows, source, book.present(rows))
        summary = Summary(order.assignment, len(found), order.preview)
        todo = [each for each in found if not run.is_done(each, summary)]
        if todo:
            if prove is not None:
                prove()
            warm = dataclasses.replace(source, warm=len(todo) >= _WORTH_WARMING)
            workers = _workers(order, warm, len(todo), job_seconds or _patience(source))
            bar = progress(len(todo))
            try:
                for outcome in run.outcomes(workers.results(map(run.read, todo))):
                    summary.outcomes.append(outcome)
                    bar.step(broken=outcome.state == BROKEN)
            finally:
                bar.close()
                workers.close()
    summary.seconds = time.monotonic() - begun
    return summary


@dataclass
class _Run:
    course: Course
    order: Order
    book: Book
    rows: AssignmentRows
    source: Source
    present: dict[str, Present]

    def read(self, found: submissions.Found) -> Submission:
        submission = submissions.read(self.course, found, self.source.notebooks)
        granted = self.present.get(found.student, Present()).extension_seconds
        key = keys.of_submission(submission, self.source.key, granted)
        self._hook("pre_convert_hook", submission)
        return submissions.with_key(submission, key)

    def is_done(self, found: submissions.Found, summary: Summary) -> bool:
        """Say whether gradebook and folder hold what would come of it, and count it then."""
        place = self._place(found.student)
        if not self.order.preview:
            tree.sweep(place)
        present = self.present.get(found.student)
        if self.course.options.force or present is None or not present.key:
            return False
        submission = submissions.read(self.course, found, self.source.notebooks)
        key = keys.of_submission(submission, self.source.key, present.extension_seconds)
        names = {*submission.notebooks, *submission.broken} or set(self.source.notebooks)
        if present.key != key or not tree.is_whole(place, key, names):
            return False
        reasons = (present.broken,) if present.broken else ()
        state = BROKEN if present.broken else UNCHANGED
        summary.outcomes.append(Outcome(found.student, state, reasons))
        return True

    def outcomes(self, results: Iterable[tuple[Submission, Graded]]) -> Iterator[Outcome]:
        """Write results one after the other, while workers are handed their next submission.

        The writer is one thread: it mostly waits for the disk.
        """
        writing: deque[Future[Outcome]] = deque()
        with ThreadPoolExecutor(1, "writer") as writer:
            try:
                for submission, graded in results:
                    writing.append(writer.submit(self.take, submission, graded))
                    while writing and (len(writing) > _MOST_WAITING or writing[0].done()):
                        yield writing.popleft().result()
                while writing:
                    yield writing.popleft().result()
            finally:
                for left in writing:
                    left.cancel()

    def take(self, submission: Submission, graded: Graded) -> Outcome:
        """Write a result, or compare it with what there is."""
        if graded.failure:
            return Outcome(submission.student, BROKEN, graded.broken)
        try:
            moves = (
                self._compare(submission, graded)
                if self.order.preview
                else self._write(submission, graded)
            )
        except BatchError as error:
            return Outcome(submission.student, BROKEN, (str(error),))
        remarks = tuple(
            dict.fromkeys(remark for book in graded.notebooks for remark in book.remarks)
        )
        state = BROKEN if graded.broken else GRADED
        return Outcome(submission.student, state, graded.broken, tuple(moves), remarks)

    def _compare(self, submission: Submission, graded: Graded) -> list[Any]:
        return self.book.compare(self.rows, submission, graded)

    def _write(self, submission: Submission, graded: Graded) -> list[Any]:
        """Make the folder, write the gradebook, and put the folder in its place.

        Killed in between, the two bear different keys, and a rerun grades the submission again.
        """
        try:
            stage = tree.Stage(self.course, self._place(submission.student))
            try:
                stage.fill(submission, self.source.replacing, graded)
                moves = self.book.write(self.rows, submission, graded)
                stage.land()
            except BaseException:
                stage.drop()
                raise
        except OSError as error:
            raise StoppedError(
                f"The autograded notebooks of {submission.student} cannot be written: {error}. "
                "What is written stays; run the same command again to go on."
            ) from error
        self._hook("post_convert_hook", submission)
        return moves

    def _place(self, student: str) -> Path:
        return self.course.folder(
            self.course.directory.autograded_directory, student, self.order.assignment
        )

    def _hook(self, name: str, submission: Submission) -> None:
        """Call a hook of nbgrader's; as there, one that fails stops nothing."""
        hook = None if self.order.preview else self.course.hook(name)
        if hook is not None:
            step = self.course.directory.submitted_directory
            folder = self.course.folder(step, submission.student, self.order.assignment)
            paths = [str(folder / f"{book}.ipynb") for book in submission.notebooks]
            with contextlib.suppress(Exception):
                hook(assignment=self.order.assignment, student=submission.student, notebooks=paths)


def _source(
    course: Course, assignment: str, rows: AssignmentRows, settings: Any, runner: str
) -> Source:
    folder = course.folder(course.directory.source_directory, ".", assignment)
    notebooks = {}
    for name, book in rows.notebooks.items():
        path = folder / f"{name}.ipynb"
        template = path.read_bytes() if path.is_file() else None
        notebooks[name] = dataclasses.replace(book, template=template)
    kept = tuple(course.options.exclude_overwriting.get(assignment, ()))
    files = submissions.read_trusted(folder, course.directory.ignore)
    options = output_options(course.config)
    secrets = tuple(map(str, secrets_of(course.directory)))
    return Source(assignment, notebooks, files, settings, options, runner, kept, secrets=secrets)


def _effects(course: Course, rows: AssignmentRows) -> dict[str, Any]:
    """Name what else of the configuration changes what is written."""
    late = course.config.get("AssignLatePenalties", {})
    plugin = course.config.get("LateSubmissionPlugin", {})
    return {
        "due": str(rows.duedate),
        "late": [repr(sorted(late.items(), key=str)), repr(sorted(plugin.items(), key=str))],
        "permissions": course.permissions,
        "groupshared": course.directory.groupshared,
    }


def _patience(source: Source) -> float:
    """Say how long a submission may take if it meets every limit."""
    limits = getattr(source.settings, "limits", None)
    if limits is None:
        return _START_SECONDS
    checks = sum(cell.grade for book in source.notebooks.values() for cell in book.cells)
    wards = len(source.notebooks) * limits.notebook_seconds * (1 + MAX_REPLAYS)
    return float(_START_SECONDS + wards + 2 * checks * limits.checks_seconds)


def _workers(order: Order, source: Source, jobs: int, seconds: float) -> Workers:
    if order.scheduler:
        cluster = importlib.import_module("autograder.batch.cluster")
        made: Workers = cluster.Cluster(source, order.scheduler)
        return made
    wanted = order.workers or len(os.sched_getaffinity(0))
    return LocalWorkers(source, max(1, min(wanted, jobs)), seconds)


@contextlib.contextmanager
def _only_one(course: Course, order: Order) -> Iterator[None]:
    """Let one run at a time write into a course's folder; a killed one leaves no lock behind."""
    if order.preview:
        yield
        return
    folder = os.open(course.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BatchError(
                f"Another autograder grade is at work in {course.root}. Wait until it is done."
            ) from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(folder)
