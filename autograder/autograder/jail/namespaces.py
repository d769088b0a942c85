"""Namespaces: what a process can see at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .spec import INNER_ID
from .syscalls import syscall

MOUNT = 0x00020000
UTS = 0x04000000
IPC = 0x08000000
USER = 0x10000000
PID = 0x20000000
NET = 0x40000000
CGROUP = 0x02000000
ALL_BUT_USER = MOUNT | UTS | IPC | PID | NET
ANY = ALL_BUT_USER | USER | CGROUP


def leave(flags: int) -> None:
    """Leave the present namespaces for new ones; a new PID namespace begins with the next child."""
    syscall("unshare", flags)


def hide_cgroup() -> None:
    """Hide where in the machine's tree of control groups this process lies, if that is possible."""
    with contextlib.suppress(OSError):
        leave(CGROUP)


def leave_all_with_user() -> None:
    """Make new namespaces of every kind as an ordinary user, with one user id mapped."""
    uid, gid = os.geteuid(), os.getegid()
    leave(USER | ALL_BUT_USER)
    own = Path("/proc/self")
    with contextlib.suppress(FileNotFoundError):
        (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"{INNER_ID} {uid} 1")
    (own / "gid_map").write_text(f"{INNER_ID} {gid} 1")


def name_host(name: str) -> None:
    """Name this machine, as seen from the present namespace."""
    text = name.encode()
    syscall("sethostname", text, len(text))
