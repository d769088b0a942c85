"""Workers on this machine: processes that are fed one submission at a time."""

import contextlib
import multiprocessing
import sys
import time
import types
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from autograder.batch import work
from autograder.batch.errors import BatchError
from autograder.batch.records import Graded, Source, Submission
from autograder.batch.warming import warm
from autograder.batch.worker import Answer, serve

if TYPE_CHECKING:
    from autograder.sealed.examiner import WarmInterpreter

ATTEMPTS = 2
# So many workers that die before anything is graded mean that none will grade.
_MOST_DEATHS = 6
_GRACE_SECONDS = 5.0

DIED = "The process that graded it died twice, the second time in another worker."
SLOW = "Grading it was stopped twice after {seconds:.0f} seconds without an answer."


@dataclass
class _Job:
    submission: Submission
    attempts: int = 0


@dataclass
class _Worker:
    process: Any
    connection: Connection
    job: _Job | None = None
    deadline: float = 0.0


@dataclass
class LocalWorkers:
    """A pool of worker processes.

    Attributes
    ----------
    source : Source
        The assignment.
    count : int
        How many work at a time.
    seconds : float
        When a worker that gives no answer is killed.
    """

    source: Source
    count: int
    seconds: float
    _workers: list[_Worker] = field(default_factory=list)
    _deaths: int = 0
    _graded: bool = False
    _examiner: "WarmInterpreter | None" = None

    def __post_init__(self) -> None:
        warm()
        if self.source.runner == work.SEALED:
            # What every worker's examiners need is imported and worked out once, and meanwhile.
            from autograder.batch.sealing import warm_examiner

            self._examiner = warm_examiner(self.source)

    def results(self, submissions: Iterable[Submission]) -> Iterator[tuple[Submission, Graded]]:
        """Grade submissions, in whatever order they are done.

        Parameters
        ----------
        submissions : iterable of Submission
            Read as workers become free, so that a large class needs no more memory.

        Yields
        ------
        submission, graded

        Raises
        ------
        BatchError
            If this machine cannot grade.
        """
        coming = iter(submissions)
        again: deque[_Job] = deque()
        done: deque[tuple[Submission, Graded]] = deque()
        # One submission lies ready, so that a free worker does not wait for a disk.
        following = _next(coming)
        while True:
            while (again or following is not None) and (worker := self._free()) is not None:
                if again:
                    self._give(worker, again.popleft())
                elif following is not None:
                    self._give(worker, following)
                    following = _next(coming)
            # Workers are busy while the caller writes.
            while done:
                yield done.popleft()
            if not any(worker.job for worker in self._workers):
                if following is None and not again:
                    return
                continue
            for worker in self._ready():
                taken = self._take(worker, again)
                if taken is not None:
                    done.append(taken)

    def close(self) -> None:
        """End all workers, whatever they are doing."""
        for worker in self._workers:
            worker.connection.close()
            if worker.job is not None:
                worker.process.kill()
        until = time.monotonic() + _GRACE_SECONDS
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()
        if self._examiner is not None:
            self._examiner.close()
            self._examiner = None

    def _free(self) -> _Worker | None:
        """Find a worker without a job; start one while there are fewer than wanted."""
        for worker in self._workers:
            if worker.job is None:
                return worker
        if len(self._workers) >= self.count:
            return None
        self._workers.append(self._start())
        return self._workers[-1]

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("forkserver")
        ours, theirs = context.Pipe()
        examiner = None if self._examiner is None else self._examiner.fork()
        process = context.Process(
            target=serve,
            args=(theirs, self.source, examiner),
            name="autograder-worker",
            daemon=False,
        )
        with _without_main():
            process.start()
        theirs.close()
        if examiner is not None:
            examiner.close()
        return _Worker(process, ours)

    def _give(self, worker: _Worker, job: _Job) -> None:
        worker.job = job
        worker.deadline = time.monotonic() + self.seconds
        job.attempts += 1
        # One that died is seen when its answer is taken.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            worker.connection.send(job.submission)

    def _ready(self) -> list[_Worker]:
        """Wait for answers, deaths and deadlines."""
        busy = [worker for worker in self._workers if worker.job is not None]
        soonest = min(worker.deadline for worker in busy)
        found = wait([worker.connection for worker in busy], max(0.0, soonest - time.monotonic()))
        now = time.monotonic()
        return [worker for worker in busy if worker.connection in found or worker.deadline <= now]

    def _take(self, worker: _Worker, again: deque[_Job]) -> tuple[Submission, Graded] | None:
        job, worker.job = worker.job, None
        assert job is not None
        slow = not worker.connection.poll()
        answer: Answer | None = None
        if not slow:
            try:
                answer = worker.connection.recv()
            except (EOFError, OSError):
                answer = None
        if answer is None:
            self._bury(worker)
            if job.attempts < ATTEMPTS:
                again.append(job)
                return None
            reason = SLOW.format(seconds=self.seconds) if slow else DIED
            return job.submission, work.given_up(self.source, job.submission, reason)
        if answer.kind == "refused":
            raise BatchError(answer.value)
        self._graded = True
        if answer.kind == "failed":
            return job.submission, work.failed(job.submission, answer.value)
        return job.submission, answer.value

    def _bury(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.kill()
        worker.process.join()
        self._deaths += 1
        if self._deaths >= _MOST_DEATHS and not self._graded:
            raise BatchError(
                f"{self._deaths} workers died one after the other, and nothing is graded. Try "
                "autograder selftest, and look at the machine's memory."
            )


def _next(coming: Iterator[Submission]) -> _Job | None:
    submission = next(coming, None)
    return None if submission is None else _Job(submission)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keep a new process from importing the program that started this one: it needs none of it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
