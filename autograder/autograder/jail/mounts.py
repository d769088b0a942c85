"""Mounting: only what a jail needs."""

# System calls take paths as text.
# ruff: noqa: PTH123

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct

from .syscalls import syscall

RDONLY = 0x1
NOSUID = 0x2
NODEV = 0x4
NOEXEC = 0x8
REMOUNT = 0x20
BIND = 0x1000
REC = 0x4000
PRIVATE = 0x40000
_DETACH = 2

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
# mount_setattr counts these four alike with the flags above.
_ATTRIBUTES = RDONLY | NOSUID | NODEV | NOEXEC
_STATVFS_TO_FLAGS = {
    os.ST_RDONLY: RDONLY,
    os.ST_NOSUID: NOSUID,
    os.ST_NODEV: NODEV,
    os.ST_NOEXEC: NOEXEC,
    os.ST_NOATIME: 0x400,
    os.ST_NODIRATIME: 0x800,
    os.ST_RELATIME: 0x200000,
}


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount; the arguments are those of ``mount(2)``."""
    syscall(
        "mount",
        source.encode() + b"\0",
        target.encode() + b"\0",
        kind.encode() + b"\0" if kind else None,
        flags,
        data.encode() + b"\0" if data else None,
    )


def unmount(target: str) -> None:
    """Take a mount out of sight, with all below it."""
    syscall("umount2", target.encode() + b"\0", _DETACH)


def restrict(target: str, flags: int) -> None:
    """Set read-only, nosuid, nodev or noexec on a mount and on all below it.

    Parameters
    ----------
    target : str
        The mount point.
    flags : int
        Any of ``RDONLY``, ``NOSUID``, ``NODEV``, ``NOEXEC``.
    """
    attributes = ctypes.create_string_buffer(struct.pack("=QQQQ", flags & _ATTRIBUTES, 0, 0, 0), 32)
    path = target.encode() + b"\0"
    try:
        syscall("mount_setattr", _AT_FDCWD, path, _AT_RECURSIVE, attributes, 32)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EPERM):
            raise
        # Before Linux 5.12: one mount after the other, keeping the flags that it has.
        for point in [target, *below(target)]:
            mount("none", point, flags=REMOUNT | BIND | flags | _flags_of(point))


def _flags_of(point: str) -> int:
    present = os.statvfs(point).f_flag
    return sum(flag for bit, flag in _STATVFS_TO_FLAGS.items() if present & bit)


def below(folder: str) -> list[str]:
    """List the mount points below a folder, outermost first."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        for line in lines:
            point = line.split()[4].encode().decode("unicode_escape")
            if point.startswith(folder.rstrip("/") + "/"):
                found.append(point)
    return sorted(found)


def bind(source: str, target: str, flags: int) -> None:
    """Show a file or folder at another place.

    Parameters
    ----------
    source, target : str
        What to show, and where; the target must exist.
    flags : int
        Restrictions, such as ``RDONLY | NOSUID | NODEV``.
    """
    mount(source, target, flags=BIND | REC)
    restrict(target, flags)


def tmpfs(target: str, size: int, inodes: int, mode: str, flags: int = NOSUID | NODEV) -> None:
    """Mount a file system that lives in memory, of limited size."""
    mount("tmpfs", target, "tmpfs", flags, f"size={size},nr_inodes={inodes},mode={mode}")


def proc(target: str, flags: int, options: str = "") -> None:
    """Mount a fresh ``/proc`` of the present process-id namespace."""
    if options:
        with contextlib.suppress(OSError):
            mount("proc", target, "proc", flags, options)
            return
    mount("proc", target, "proc", flags)


def pivot(new_root: str, old_root: str) -> None:
    """Make ``new_root`` the root; what was the root appears at ``old_root``."""
    syscall("pivot_root", new_root.encode() + b"\0", old_root.encode() + b"\0")
