"""Workers of a Dask cluster: the same function, where one machine is not enough."""

import importlib
import threading
from collections.abc import Iterator
from typing import Any

from autograder.batch import keys, work
from autograder.batch.errors import BatchError, StoppedError
from autograder.batch.records import Graded, Source, Submission
from autograder.batch.worker import Answer

_CONNECT_SECONDS = 15
# So many submissions lie ready per worker, so that none waits for the network.
_AHEAD = 2
MISSING = (
    "--scheduler needs dask.distributed, which is not installed. "
    "Install it with: pip install 'crs-autograder[cluster]'"
)
LOST = "The process that graded it died more than once, on different workers."

# The hosts of a process serve one submission at a time, and a Dask worker may have many threads.
_one_at_a_time = threading.Lock()


class Cluster:
    """A Dask cluster that grades.

    Parameters
    ----------
    source : Source
        The assignment.
    address : str
        Of the scheduler, such as ``tcp://grading.example.org:8786``.

    Raises
    ------
    BatchError
        If Dask is not installed, the scheduler is not there, it has no workers, or they would
        grade by other code than ours.
    """

    def __init__(self, source: Source, address: str) -> None:
        try:
            distributed: Any = importlib.import_module("distributed")
        except ImportError as error:
            raise BatchError(MISSING) from error
        self._source = source
        try:
            self._distributed = distributed
            self._client: Any = distributed.Client(address, timeout=_CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise BatchError(f"There is no Dask scheduler at {address}: {error}") from error
        try:
            self._check_workers(address)
        except BaseException:
            self.close()
            raise

    def results(self, submissions: Iterator[Submission]) -> Iterator[tuple[Submission, Graded]]:
        """Grade submissions, in whatever order they are done.

        Parameters
        ----------
        submissions : iterator of Submission
            Read as workers become free.

        Yields
        ------
        submission, graded

        Raises
        ------
        BatchError
            If a worker's machine cannot grade.
        StoppedError
            If the scheduler is lost.
        """
        under_way: dict[Any, Submission] = {}
        more = True
        while more or under_way:
            most = max(1, len(self._client.nthreads())) * _AHEAD
            while more and len(under_way) < most:
                submission = next(submissions, None)
                if submission is None:
                    more = False
                    break
                # Impure: the same work twice is done twice, whatever the scheduler remembers.
                future = self._client.submit(
                    answer, self._source, submission, pure=False, retries=1
                )
                under_way[future] = submission
            if not under_way:
                return
            try:
                ready = self._distributed.wait(list(under_way), return_when="FIRST_COMPLETED").done
            except (OSError, RuntimeError) as error:
                raise StoppedError(
                    f"The Dask scheduler is lost: {error}. What is written stays; run the same "
                    "command again to go on."
                ) from error
            for future in ready:
                submission = under_way.pop(future)
                yield submission, self._take(future, submission)

    def close(self) -> None:
        """Leave the cluster; it goes on without us."""
        self._client.close(timeout=2)

    def _take(self, future: Any, submission: Submission) -> Graded:
        try:
            said: Answer = future.result()
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                return work.given_up(self._source, submission, LOST)
            return work.failed(submission, f"{type(error).__name__}: {error}")
        if said.kind == "refused":
            raise BatchError(str(said.value))
        graded: Graded = said.value
        return graded

    def _check_workers(self, address: str) -> None:
        found = self._client.run(code_here)
        if not found:
            raise BatchError(f"The Dask scheduler at {address} has no workers yet.")
        ours = code_here()
        others = sorted(worker for worker, code in found.items() if code != ours)
        if others:
            raise BatchError(
                f"These workers have other code than this machine: {', '.join(others)}. Install "
                "the same version of the autograder and of the course there, and restart them."
            )


def answer(source: Source, submission: Submission) -> Answer:
    """Grade a submission on a worker of a cluster.

    Parameters
    ----------
    source : Source
        The assignment.
    submission : Submission
        What was handed in.

    Returns
    -------
    Answer
    """
    from autograder.jail import JailError
    from autograder.sealed.errors import SealError

    with _one_at_a_time:
        try:
            return Answer("graded", work.grade(source, submission))
        except (SealError, JailError) as error:
            return Answer("refused", str(error))


def code_here() -> str:
    """Digest this machine's autograder, to tell whether two machines grade alike."""
    return keys.of_package("autograder")
