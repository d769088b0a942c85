"""Giving privileges up, and dying with one's parent."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import signal
import struct

from .syscalls import prctl, syscall

_PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_CHILD_SUBREAPER = 36
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522


def drop_bounding_set() -> None:
    """Make sure that no program can give this process a capability again."""
    for capability in range(64):
        try:
            if prctl(_PR_CAPBSET_READ, capability):
                prctl(_PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:
                return  # the kernel knows no more of them
            if error.errno != errno.EPERM:
                raise
            return  # it was given up before


def drop_capabilities() -> None:
    """Give up all capabilities, for this process and for whatever it starts."""
    drop_bounding_set()
    with contextlib.suppress(OSError):
        prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), 8)
    data = ctypes.create_string_buffer(24)
    syscall("capset", header, data)


def keep_as_user(uid: int, gid: int, capabilities: tuple[int, ...]) -> None:
    """Become an ordinary user, with a few capabilities that programs which it runs have, too.

    Parameters
    ----------
    uid, gid : int
        The user and its group.
    capabilities : tuple of int
        What to keep, by number; all below 32.
    """
    prctl(_PR_SET_KEEPCAPS, 1)
    become(uid, gid)
    bits = sum(1 << capability for capability in capabilities)
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), 8)
    data = ctypes.create_string_buffer(struct.pack("=6I", bits, bits, bits, 0, 0, 0), 24)
    syscall("capset", header, data)
    for capability in capabilities:
        prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def forbid_new_privileges() -> None:
    """Make setuid programs and file capabilities ineffective from now on."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def become(uid: int, gid: int) -> None:
    """Become an ordinary user, for good."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def set_dumpable(dumpable: bool) -> None:
    """Say whether processes of the same user may look into this one."""
    prctl(PR_SET_DUMPABLE, int(dumpable))


def die_with_parent() -> None:
    """Be killed when the thread that started this process ends."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has died."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Leash:
    """Ties a child to its parent's life without a gap.

    Make it before the fork, and call ``tie`` in the child.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def tie(self) -> None:
        """Die with the parent; exit at once if it is dead already. Called in the child."""
        os.close(self._write)
        die_with_parent()
        if select.select([self._read], [], [], 0)[0]:
            os._exit(1)
        os.close(self._read)

    def hold(self) -> int:
        """Close the child's end, and return the other, which must stay open. For the parent."""
        os.close(self._read)
        return self._write
