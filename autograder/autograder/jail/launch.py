"""Start an interpreter in a jail."""

# System calls take paths as text.
# ruff: noqa: PTH100, PTH123

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from .spec import HOME, RUNTIME, Backend, JailError, JailSpec, RawLimits
from .system import furniture

_START = "import sys; sys.path.append(sys.argv.pop()); from jail.outer import main; main()"
ENVIRONMENT = {
    "HOME": HOME,
    "LANG": "C.UTF-8",
    "LOGNAME": "learner",
    # Each thread would otherwise reserve 64 MiB of the address space that a ward may use.
    "MALLOC_ARENA_MAX": "2",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    # One thread each: a template with more than one must not fork.
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_MAX_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


# Where these fail, the machine refuses namespaces, and will refuse them again.
_MACHINE_STAGES = ("make namespaces", "furnish its root", "make a ward's namespaces")
_refused: set[str] = set()


class JailProcess(subprocess.Popen[bytes]):
    """The process that waits for a jail.

    Attributes
    ----------
    backend : str
        How the jail is built: ``"namespaces"`` or ``"landlock"``.
    """

    backend: Backend = "namespaces"


def launch(
    spec: JailSpec,
    argv: Sequence[str],
    pass_fds: Sequence[int],
    limits: RawLimits,
    *,
    stderr: bool = False,
) -> JailProcess:
    """Start the learner's Python in a jail.

    It runs ``interpreter -I *argv`` with an empty environment but for what ``ENVIRONMENT`` says, no
    capabilities, and no descriptors but those passed. It is the first process of its PID namespace,
    so that all its descendants end with it.

    Parameters
    ----------
    spec : JailSpec
        The jail.
    argv : sequence of str
        Arguments of the interpreter.
    pass_fds : sequence of int
        Descriptors that stay open inside, under the same numbers.
    limits : RawLimits
        Limits of the wards.
    stderr : bool, optional
        Whether to let the interpreter write on the grader's standard error, to look for faults.

    Returns
    -------
    JailProcess
        The process that waits for the jail. ``terminate`` ends the jail and then exits; so does
        closing its ``stdin``, and the end of this process, however it comes.

    Raises
    ------
    JailError
        Where the machine refuses. It says what was being done.
    """
    backends: tuple[Backend, ...] = (
        ("namespaces", "landlock") if spec.backend == "auto" else (spec.backend,)
    )
    troubles: list[JailError] = []
    for backend in backends:
        if len(backends) > 1 and backend in _refused:
            continue
        try:
            return _launch(spec, backend, argv, pass_fds, limits, stderr)
        except JailError as error:
            troubles.append(error)
            if error.stage not in _MACHINE_STAGES:
                break
            _refused.add(backend)
    if len(troubles) == 1:
        raise troubles[0]
    raise JailError(troubles[0].stage, f"{troubles[0].reason}; nor could it {troubles[1]}"[:1000])


def _launch(
    spec: JailSpec,
    backend: Backend,
    argv: Sequence[str],
    pass_fds: Sequence[int],
    limits: RawLimits,
    stderr: bool,
) -> JailProcess:
    report, status = os.pipe()
    try:
        process = JailProcess(
            [sys.executable, "-I", "-S", "-B", "-c", _START, str(Path(__file__).parent.parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=None if stderr else subprocess.DEVNULL,
            env={},
            cwd="/",
            pass_fds=(status, *pass_fds),
            start_new_session=True,
        )
    except BaseException:
        os.close(report)
        raise
    finally:
        os.close(status)
    process.backend = backend
    plan = {
        "backend": backend,
        "runtime": RUNTIME,
        "argv": [os.path.abspath(spec.interpreter), "-I", *argv],
        "environment": ENVIRONMENT,
        "furniture": asdict(furniture(spec)),
        "keep": list(pass_fds),
        "limits": asdict(limits),
        "status": status,
        "stderr": stderr,
        "worker_uid": spec.worker_uid,
        "parent": os.getpid(),
        # The kernel means the parent's thread; only the first one lives as long as the process.
        # Without namespaces it has to clean up, and sees the end by the life line.
        "dies_with_parent": backend == "namespaces"
        and threading.current_thread() is threading.main_thread(),
    }
    try:
        _send(process, plan)
        with open(report, "rb") as answer:
            trouble = answer.read()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if trouble:
        process.wait()
        raise JailError(*json.loads(trouble))
    return process


def _send(process: subprocess.Popen[bytes], plan: dict[str, object]) -> None:
    data = json.dumps(plan).encode()
    assert process.stdin is not None
    try:
        process.stdin.write(len(data).to_bytes(4, "big") + data)
        process.stdin.flush()
    except BrokenPipeError as error:
        raise JailError("start its first process", "it ended at once") from error
