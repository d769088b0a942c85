"""Inside a jail: make a ward in a fork of the warm interpreter.

``enter_ward`` is called in a fork of the template and returns in the ward's first process, its
init. Init calls ``protect_init`` and forks; in the fork, ``confine`` is called before the first
line of a learner's code runs.
"""

# System calls take paths as text.
# ruff: noqa: PTH123, PTH102, PTH103, PTH112, PTH120, PTH208

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Collection
from types import FrameType

from . import landlock, mounts, namespaces, privileges, rlimits, seccomp, syscalls, unshared
from .spec import HOME, RawLimits
from .syscalls import syscall

_PAGE = 4096
_STAGE = "/dev/shm"
# The writable places of a ward: folders of one file system, so that they share its size.
_WRITABLE = {"home": HOME, "tmp": "/tmp", "shm": _STAGE}

_POLICY = seccomp.Policy()
if syscalls.machine() in syscalls.MACHINES:
    seccomp.assembled(_POLICY)  # once, in the template, rather than in every ward
unshared.plan()


def enter_ward(limits: RawLimits, keep: Collection[int] | None = None) -> None:
    """Become the first process of a new ward.

    Called in a fork of the template that has one thread. A keeper process stays outside the ward
    and never returns: it waits for init, and exits with its status. To end a ward, send the keeper
    SIGTERM: it exits when every process of the ward is gone. If the keeper is killed, so is the
    ward.

    Parameters
    ----------
    limits : RawLimits
        Used for the size of the private home.
    keep : collection of int, optional
        Descriptors that the ward has, beside the standard ones. All others lead nowhere: what
        the template has open, all wards would share, and could leave messages in. None changes
        nothing.

    Raises
    ------
    OSError
        Where the ward cannot be made, or where it would share writable memory with others.
    """
    refuse_shared_memory()
    plan = unshared.plan()
    if plan:
        unshared.enter_ward(plan, limits)
        blind_all_but(keep)
        return
    namespaces.leave_all_with_user()
    leash = privileges.Leash()
    # Nothing may end the keeper between the fork and its handler.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    init = os.fork()
    if init:
        _keep(init, leash.hold())
    leash.tie()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.setsid()
    blind_all_but(keep)
    _furnish(limits)


def blind_all_but(keep: Collection[int] | None) -> None:
    """Turn all descriptors but the standard ones and some others to nothing; None does none.

    They stay open, so that what still knows their numbers closes nothing else by them later.
    """
    if keep is None:
        return
    nowhere = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor > 2 and descriptor != nowhere and descriptor not in keep:
            with contextlib.suppress(OSError):  # the listing's own
                os.fstat(descriptor)
                os.dup2(nowhere, descriptor, inheritable=False)
    os.close(nowhere)


def refuse_shared_memory() -> None:
    """Refuse to go on where a fork shares writable memory with this process and its other forks."""
    with contextlib.suppress(FileNotFoundError), open("/proc/self/maps", "rb") as maps:
        for line in maps:
            if line.split(None, 2)[1] == b"rw-s":
                raise OSError(
                    errno.EBUSY, "the template shares memory with its forks", "/proc/self/maps"
                )


def _keep(init: int, leash: int) -> None:
    """Wait for a ward's init and exit with its status."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(init, signal.SIGKILL)

    signal.set_wakeup_fd(-1)
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(ignored, signal.SIG_DFL if ignored == signal.SIGCHLD else signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    # The ward's channels must not stay open here.
    syscall("close_range", 0, leash - 1, 0)
    syscall("close_range", leash + 1, 0x7FFFFFFF, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    status = 1
    with contextlib.suppress(ChildProcessError):
        _, code = os.waitpid(init, 0)
        status = os.waitstatus_to_exitcode(code)
    os._exit(status if status >= 0 else 128 - status)


def _furnish(limits: RawLimits) -> None:
    """Give the ward a private home and a fresh ``/proc``; all else stays read-only."""
    inodes = 256 + min(limits.disk_bytes // _PAGE, 1 << 16)
    flags = mounts.NOSUID | mounts.NODEV | mounts.NOEXEC
    os.umask(0o022)
    mounts.tmpfs(_STAGE, limits.disk_bytes, inodes, "755", flags)
    for folder, place in _WRITABLE.items():
        os.mkdir(f"{_STAGE}/{folder}", 0o755)
        _carry(place, f"{_STAGE}/{folder}")
    for folder, place in _WRITABLE.items():  # the stage itself comes last, and is covered
        mounts.mount(f"{_STAGE}/{folder}", place, flags=mounts.BIND | mounts.REC)
    mounts.proc("/proc", flags | mounts.RDONLY, "subset=pid")
    os.chdir(HOME)


def _carry(place: str, target: str) -> None:
    """Keep in sight what the jail shows below a folder that is about to be covered."""
    if place == _STAGE or not os.listdir(place):
        return
    carried = "//"
    for point in mounts.below(place):
        if not point.startswith(carried + "/"):
            goal = target + point[len(place) :]
            if os.path.isdir(point):
                os.makedirs(goal)
            else:
                os.makedirs(os.path.dirname(goal), exist_ok=True)
                os.close(os.open(goal, os.O_CREAT | os.O_WRONLY, 0o644))
            mounts.mount(point, goal, flags=mounts.BIND | mounts.REC)
            carried = point


def protect_init() -> None:
    """Make this process untouchable for those that it will fork.

    They cannot read its memory or its descriptors, and the kernel delivers none of their signals
    to the first process of a PID namespace that handles none.
    """
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    if unshared.plan():
        unshared.protect_init()
        return
    privileges.drop_capabilities()
    privileges.forbid_new_privileges()
    privileges.set_dumpable(False)


def confine(limits: RawLimits) -> None:
    """Give up, for good, everything that a learner's code does not need.

    Called in a fork of init.

    Parameters
    ----------
    limits : RawLimits
        The limits of this process and of whatever it starts.
    """
    plan = unshared.plan()
    if plan:
        unshared.confine(plan, limits)
        return
    with contextlib.suppress(PermissionError):  # it leads a session already
        os.setsid()
    privileges.drop_capabilities()
    privileges.forbid_new_privileges()
    privileges.set_dumpable(True)
    rlimits.apply(limits)
    own = landlock.write(landlock.abi())
    landlock.restrict(
        [
            ("/", landlock.READ),
            *((place, own) for place in (HOME, "/tmp", "/dev/shm")),
            *((f"/dev/{name}", landlock.USE_DEVICE) for name in ("null", "zero", "full")),
        ]
    )
    seccomp.install(_POLICY)
