"""Wards where the machine refuses namespaces: the second backend.

Files are guarded by Landlock, processes by a user id for each ward (where the grader is root), the
network by the filter of system calls. What that leaves open, the self-test says.
"""

# System calls take paths as text.
# ruff: noqa: PTH101, PTH102, PTH118, PTH123, PTH208, PTH116

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

from . import landlock, privileges, rlimits, seccomp
from .spec import RawLimits
from .syscalls import syscall

PLAN_VARIABLE = "JAIL_PLAN"
# Capabilities of the template of a grader that is root: to give each ward a user of its own, to
# end what that user runs, and to count and remove its files.
CAPABILITIES = (1, 5, 6, 7)  # CAP_DAC_OVERRIDE, CAP_KILL, CAP_SETGID, CAP_SETUID
WARDS = 99
_LOOK_SECONDS = 0.1
_MOST_ENTRIES = 20_000
_ROUNDS = 200
_ETC = ("ld.so.cache", "localtime", "nsswitch.conf")
_DEVICES = ("null", "zero", "full", "urandom", "random")
# A user of its own owns none of the machine's files; the grader's user may own them all.
_POLICIES = {own: seccomp.Policy(unix_sockets=False, attributes=own) for own in (True, False)}


@dataclass(frozen=True)
class Plan:
    """What a template needs to know to make wards.

    Attributes
    ----------
    scratch : str
        The folder in which each ward has one.
    users : tuple of int
        One for each ward; none where all run as the grader's user.
    rules : tuple
        What may be read: path, and Landlock's rights.
    """

    scratch: str
    users: tuple[int, ...]
    rules: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class _Place:
    """A ward's folder and its user; None for the grader's own."""

    folder: str
    user: int | None


_here: list[_Place] = []


@functools.lru_cache(maxsize=1)
def plan() -> Plan | None:
    """Read the plan that the launcher left; None where namespaces do this module's work."""
    path = os.environ.get(PLAN_VARIABLE)
    if not path:
        return None
    with open(path, encoding="utf-8") as file:
        told = json.load(file)
    rules = tuple((place, rights) for place, rights in told["rules"])
    return Plan(told["scratch"], tuple(told["users"]), rules)


def rules(furniture: dict[str, Any]) -> list[tuple[str, int]]:
    """Say in Landlock's terms what a jail with this furniture may read.

    Landlock allows whole folders and forbids nothing below them, so a folder of which a part is
    hidden is allowed piece by piece. Names in it can still be listed, but not read.

    Parameters
    ----------
    furniture : dict
        The fields of ``system.Furniture``.

    Returns
    -------
    list of (str, int)
        Paths and rights.
    """
    closed = {os.path.realpath(place) for place in [*furniture["masks"], *furniture["only"]]}
    found: dict[str, int] = {}

    def allow(path: str) -> None:
        path = os.path.realpath(path)
        if path in closed:
            return
        if not any(place.startswith(path + "/") for place in closed):
            found[path] = landlock.READ
            return
        found[path] = landlock.LIST
        for name in os.listdir(path):
            allow(os.path.join(path, name))

    for source in furniture["binds"].values():
        if not source.startswith("/dev/"):
            allow(source)
    for folder, allowed in furniture["only"].items():
        found[os.path.realpath(folder)] = landlock.LIST
        for source in allowed.values():
            found[source] = landlock.READ
    for name in _ETC:
        found[f"/etc/{name}"] = landlock.READ
        found[os.path.realpath(f"/etc/{name}")] = landlock.READ
    for name in _DEVICES:
        found[f"/dev/{name}"] = landlock.USE_DEVICE
    return sorted(found.items())


def restrict_template(made: Plan) -> None:
    """Let the template, and so every ward, touch no files but those of the plan."""
    everything = landlock.rights(landlock.abi())
    landlock.restrict(
        [*made.rules, ("/proc", landlock.READ | landlock.USE_DEVICE), (made.scratch, everything)]
    )


def enter_ward(made: Plan, limits: RawLimits) -> None:
    """Do for this backend what ``inner.enter_ward`` says."""
    privileges.die_with_parent()
    privileges.adopt_orphans()
    place = _settle(made)
    leash = privileges.Leash()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    init = os.fork()
    if init:
        _keep(init, leash.hold(), place, limits.disk_bytes)
    leash.tie()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.setsid()
    privileges.adopt_orphans()
    if place.user is not None:
        # Reads and writes files as the ward's user does, but is not that user for signals.
        ctypes.CDLL(None).setfsuid(place.user)
    _here.append(place)
    os.umask(0o022)
    home = f"{place.folder}/home"
    os.environ.pop(PLAN_VARIABLE, None)
    os.environ.update(HOME=home, TMPDIR=f"{place.folder}/tmp")
    os.chdir(home)


def _settle(made: Plan) -> _Place:
    """Find a folder, and a user, that no other ward has."""
    for number in made.users or range(WARDS):
        folder = f"{made.scratch}/{number}"
        try:
            os.mkdir(folder, 0o711)
        except FileExistsError:
            continue
        place = _Place(folder, number if made.users else None)
        if place.user is not None:
            os.chmod(folder, 0o777)
            _as_user(place.user, functools.partial(_make_rooms, folder))
            os.chmod(folder, 0o711)
        else:
            _make_rooms(folder)
        return place
    raise OSError(11, f"more than {WARDS} wards at one time", made.scratch)


def _make_rooms(folder: str) -> None:
    for name in ("home", "tmp"):
        os.mkdir(f"{folder}/{name}", 0o700)


def _as_user(user: int, action: Callable[[], object]) -> int:
    """Do something in a fork as another user, without any privilege; return its exit status."""
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setresuid(user, user, user)
            privileges.drop_capabilities()
            action()
            status = 0
        except ProcessLookupError:
            status = 3
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _keep(init: int, leash: int, place: _Place, disk_bytes: int) -> NoReturn:
    """Watch a ward's disk, wait for its init, and leave nothing of it behind."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)

    def note(_signal: int, _frame: FrameType | None) -> None:
        return None

    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, note)
    signal.set_wakeup_fd(wake_write)
    ended = os.pidfd_open(init)
    _close_all_but(leash, wake_read, wake_write, ended)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    ready: list[int] = []
    while not ready and _size(place.folder) <= disk_bytes:
        ready, _, _ = select.select([ended, wake_read], [], [], _LOOK_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.kill(init, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(init, 0)[1])
    end_all([place.user] if place.user is not None else [])
    shutil.rmtree(place.folder, ignore_errors=True)
    os._exit(code if code >= 0 else 128 - code)


def _close_all_but(*keep: int) -> None:
    lowest = 0
    for descriptor in sorted(keep):
        if lowest < descriptor:
            syscall("close_range", lowest, descriptor - 1, 0)
        lowest = descriptor + 1
    syscall("close_range", lowest, 0x7FFFFFFF, 0)


def _size(folder: str) -> int:
    """Sum the sizes of all files; a folder that cannot be summed is too large."""
    total = entries = 0
    left = [folder]
    while left:
        try:
            found = list(os.scandir(left.pop()))
        except OSError:
            continue  # it has just been removed
        entries += len(found)
        if entries > _MOST_ENTRIES:
            return 1 << 62
        for entry in found:
            with contextlib.suppress(OSError):
                total += 4096 + entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
    return total


def end_all(users: Iterable[int]) -> None:
    """End every process of these users, and every descendant of this process.

    The caller has adopted orphans, so that all that a ward started is a descendant.

    Parameters
    ----------
    users : iterable of int
        User ids that wards alone have.
    """
    for _ in range(_ROUNDS):
        left = sorted(set(users).intersection(_users_of_processes()))
        for user in left:
            _as_user(user, lambda: os.kill(-1, signal.SIGKILL))
        victims = _descendants(os.getpid())
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in victims:
                with contextlib.suppress(OSError):
                    os.kill(process, number)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not left and not victims:
            return
        time.sleep(0.001)


def _users_of_processes() -> set[int]:
    users = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                users.add(os.stat(f"/proc/{name}").st_uid)
    return users


def _descendants(of: int) -> list[int]:
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as stat:
                parents[int(name)] = int(stat.read().rpartition(b")")[2].split()[1])
    found = {of}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {of})


def protect_init() -> None:
    """Do for this backend what ``inner.protect_init`` says, but keep what it needs to end main."""
    if _here[-1].user is None:
        privileges.drop_capabilities()
    privileges.forbid_new_privileges()
    privileges.set_dumpable(False)


def confine(made: Plan, limits: RawLimits) -> None:
    """Do for this backend what ``inner.confine`` says."""
    place = _here[-1]
    with contextlib.suppress(PermissionError):
        os.setsid()
    if place.user is None:
        rlimits.apply(limits, already=_processes_of(os.getuid()))
    else:
        os.setresuid(place.user, place.user, place.user)
        rlimits.apply(limits, already=0)
    privileges.drop_capabilities()
    privileges.forbid_new_privileges()
    privileges.set_dumpable(True)
    privileges.die_with_parent()
    if os.getppid() == 1:
        os._exit(1)
    own = landlock.write(landlock.abi())
    landlock.restrict([*made.rules, *((f"{place.folder}/{name}", own) for name in ("home", "tmp"))])
    seccomp.install(_POLICIES[place.user is not None])


def _processes_of(user: int) -> int:
    """Count a user's processes and threads."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == user:
                    count += len(os.listdir(f"/proc/{name}/task"))
    return count


# The launcher's side


def check_interpreter(made: Plan, interpreter: str) -> None:
    """Make sure that a ward's user, who has no privileges, can run the learner's Python."""
    if made.users and _as_user(made.users[0], functools.partial(_run_nothing, interpreter)):
        raise PermissionError(13, "Permission denied", interpreter)


def _run_nothing(interpreter: str) -> None:
    if os.spawnve(os.P_WAIT, interpreter, [interpreter, "-I", "-S", "-c", ""], {}):
        raise PermissionError(interpreter)


def prepare(told: dict[str, Any], worker: int | None, scratch: str) -> Plan:
    """Lay out the scratch folder: our own code, the plan, and room for wards.

    Parameters
    ----------
    told : dict
        The launcher's plan.
    worker : int or None
        The template's user; None for the present one.
    scratch : str
        An empty folder.

    Returns
    -------
    Plan
        As the template will read it.
    """
    furniture = told["furniture"]
    runtime = f"{scratch}/runtime"
    os.mkdir(runtime, 0o755)
    for place, source in list(furniture["binds"].items()):
        if place.startswith(told["runtime"] + "/"):
            name = place.removeprefix(told["runtime"] + "/")
            shutil.copytree(source, f"{runtime}/{name}", ignore=_no_caches)
            del furniture["binds"][place]
    for folder, _, files in os.walk(runtime):
        os.chmod(folder, 0o755)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o644)
    users = () if worker is None else tuple(range(worker + 1, worker + 1 + WARDS))
    made = Plan(scratch, users, (*rules(furniture), (runtime, landlock.READ)))
    with open(f"{runtime}/plan.json", "w", encoding="utf-8") as file:
        json.dump({"scratch": scratch, "users": users, "rules": made.rules}, file)
    os.chmod(f"{runtime}/plan.json", 0o644)
    os.chmod(scratch, 0o711)
    if worker is not None:
        os.chown(scratch, worker, worker)
    return made


_no_caches = shutil.ignore_patterns("__pycache__")
