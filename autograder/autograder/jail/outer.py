"""The process between a grader and a jail: builds the jail, starts what runs in it, and waits.

Run as a program of its own, so that it starts with one thread and nothing of the grader's memory.
The plan comes on its standard input, which then stays open: its end is the grader's end, and the
jail's.
"""

# System calls take paths as text.
# ruff: noqa: PTH116, PTH123, PTH208

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from . import build, inner, landlock, namespaces, privileges, unshared
from .spec import RawLimits

_FIRST_WORKER = 50_000
_WORKERS = 10_000


def main() -> NoReturn:
    """Do what the plan on standard input says."""
    length = int.from_bytes(_read(4), "big")
    plan = json.loads(_read(length))
    if plan["dies_with_parent"]:
        privileges.die_with_parent()
        if os.getppid() != plan["parent"]:
            os._exit(1)
    try:
        child = _start(plan)
    except _StageError as error:
        _tell(plan["status"], error)
        _clean()
        os._exit(1)
    for descriptor in [*plan["keep"], plan["status"]]:
        os.close(descriptor)
    _wait(child)


class _StageError(Exception):
    def __init__(self, stage: str, error: BaseException) -> None:
        super().__init__(stage)
        self.stage = stage
        self.reason = (os.strerror(error.errno or 0) if isinstance(error, OSError) else "") or str(
            error
        )
        if isinstance(error, OSError) and error.filename:
            self.reason += f" ({error.filename})"


class _Stage:
    """Name what is being done, for the error if it fails."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, _StageError):
            raise _StageError(self._name, error) from error


def _read(size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            os._exit(1)
        data += piece
    return data


def _tell(status: int, error: _StageError) -> None:
    with contextlib.suppress(OSError):
        os.write(status, json.dumps([error.stage, error.reason]).encode())


def _start(plan: dict[str, Any]) -> int:
    """Start the jail; return the process that is its first."""
    alone = plan["backend"] == "namespaces"
    worker = _choose_worker(plan["worker_uid"], 1 if alone else 1 + unshared.WARDS)
    if alone:
        _leave_namespaces(worker)
        start = functools.partial(_run, plan, worker)
    else:
        start = functools.partial(_run_unshared, plan, worker, _prepare_unshared(plan, worker))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("500")  # where memory runs out, wards go first
    leash = privileges.Leash()
    child = os.fork()
    if child:
        leash.hold()
        return child
    try:
        try:
            os.setsid()
            start(leash)
        except _StageError:
            raise
        except Exception as error:
            raise _StageError("start the interpreter", error) from error
    except _StageError as error:
        _tell(plan["status"], error)
    finally:
        os._exit(1)


def _leave_namespaces(worker: int | None) -> None:
    with _Stage("make namespaces"):
        if worker is None:
            namespaces.leave_all_with_user()
        else:
            namespaces.leave(namespaces.ALL_BUT_USER)
        namespaces.name_host("ward")
        namespaces.hide_cgroup()


# What to do when the jail has ended, last first.
_cleaning: list[Callable[[], object]] = []
_claims: list[list[socket.socket]] = []


def _choose_worker(wanted: int | None, count: int) -> int | None:
    """Choose user ids that nobody has: no account, no process, and no other grader.

    The first of ``count`` in a row; None for a grader that is not root.
    """
    if os.geteuid() != 0:
        return None
    if wanted is not None:
        return wanted
    taken = _used_uids()
    for step in range(0, _WORKERS, count):
        first = _FIRST_WORKER + (os.getpid() * count + step) % _WORKERS
        if taken.intersection(range(first, first + count)):
            continue
        with contextlib.suppress(OSError):
            _claims.append(_claim(first, count))
            return first
    raise _StageError("find a free user id", RuntimeError("all are taken"))


def _claim(first: int, count: int) -> list[socket.socket]:
    """Claim user ids by names that are free again as soon as this process ends, however it ends."""
    with contextlib.ExitStack() as stack:
        claims = []
        for uid in range(first, first + count):
            claims.append(stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)))
            claims[-1].bind(f"\0autograder-worker-{uid}")
        stack.pop_all()
        return claims


def _used_uids() -> set[int]:
    used = set()
    with contextlib.suppress(OSError), open("/etc/passwd", encoding="utf-8") as lines:
        used |= {int(line.split(":")[2]) for line in lines if line.count(":") >= 6}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                used.add(os.stat(f"/proc/{name}").st_uid)
    return used


def _run(plan: dict[str, Any], worker: int | None, leash: privileges.Leash) -> NoReturn:
    """Furnish the jail, give up all privileges and become the interpreter."""
    with _Stage("furnish its root"):
        build.build(plan["furniture"], worker)
    with _Stage("give up privileges"):
        privileges.drop_bounding_set()
        if worker is not None:
            privileges.become(worker, worker)
        privileges.drop_capabilities()
        privileges.forbid_new_privileges()
        privileges.set_dumpable(True)
    leash.tie()
    with _Stage("make a ward's namespaces"):
        _try_a_ward(RawLimits(**plan["limits"]))
    with _Stage("start the interpreter"):
        _execute(plan, plan["environment"])


def _prepare_unshared(plan: dict[str, Any], worker: int | None) -> unshared.Plan:
    with _Stage("lay out a folder for wards without namespaces"):
        privileges.adopt_orphans()
        scratch = tempfile.mkdtemp(prefix="autograder-")
        _cleaning.append(functools.partial(shutil.rmtree, scratch, ignore_errors=True))
        made = unshared.prepare(plan, worker, scratch)
        _cleaning.append(functools.partial(unshared.end_all, made.users))
        return made


def _run_unshared(
    plan: dict[str, Any], worker: int | None, made: unshared.Plan, leash: privileges.Leash
) -> NoReturn:
    """Give up what the template does not need, and become the interpreter."""
    with _Stage("give up privileges"):
        if worker is not None:
            privileges.keep_as_user(worker, worker, unshared.CAPABILITIES)
        privileges.forbid_new_privileges()
        privileges.set_dumpable(True)
    with _Stage("let an ordinary user run the learner's Python"):
        unshared.check_interpreter(made, plan["argv"][0])
    with _Stage("use Landlock"):
        if not landlock.abi():
            raise RuntimeError("this kernel has none")
        unshared.restrict_template(made)
    leash.tie()
    with _Stage("start the interpreter"):
        runtime = f"{made.scratch}/runtime"
        plan["argv"] = [argument.replace(plan["runtime"], runtime) for argument in plan["argv"]]
        os.chdir("/")
        _execute(plan, {**plan["environment"], unshared.PLAN_VARIABLE: f"{runtime}/plan.json"})


def _execute(plan: dict[str, Any], environment: dict[str, str]) -> NoReturn:
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        if standard != 2 or not plan["stderr"]:
            os.dup2(null, standard)
    _close_all_but([0, 1, 2, plan["status"], *plan["keep"]])
    os.set_inheritable(plan["status"], False)
    for kept in plan["keep"]:
        os.set_inheritable(kept, True)
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.umask(0o077)
    os.execve(plan["argv"][0], plan["argv"], environment)


def _try_a_ward(limits: RawLimits) -> None:
    """Make a ward and end it, so that a machine that refuses is known at once."""
    report, answer = os.pipe()
    child = os.fork()
    if not child:
        try:
            inner.enter_ward(limits)
        except OSError as error:
            os.write(answer, f"{os.strerror(error.errno or 0)} ({error.filename})".encode())
        finally:
            os._exit(0)
    os.close(answer)
    reason = os.read(report, 1000).decode()
    os.close(report)
    os.waitpid(child, 0)
    if reason:
        raise RuntimeError(reason)


def _close_all_but(keep: list[int]) -> None:
    lowest = 0
    for descriptor in sorted(set(keep)):
        if lowest < descriptor:
            os.closerange(lowest, descriptor)
        lowest = descriptor + 1
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))


def _wait(child: int) -> NoReturn:
    """Wait until the jail ends, or end it when the grader does."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)

    def note(_signal: int, _frame: FrameType | None) -> None:
        return None

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, note)
    signal.set_wakeup_fd(wake_write)
    while True:
        done, status = os.waitpid(-1, os.WNOHANG)
        if done and done != child:
            continue  # an orphan of the jail
        if done == child:
            code = os.waitstatus_to_exitcode(status)
            _clean()
            os._exit(code if code >= 0 else 128 - code)
        ready, _, _ = select.select([0, wake_read], [], [])
        ended = 0 in ready and not os.read(0, 4096)
        asked = wake_read in ready and signal.SIGTERM in os.read(wake_read, 4096)
        if ended or asked:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            _clean()
            os._exit(0)


def _clean() -> None:
    while _cleaning:
        _cleaning.pop()()
