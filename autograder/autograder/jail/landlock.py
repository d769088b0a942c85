"""Landlock: which files a process may touch, said by the process itself and never taken back."""

# System calls take paths as text.
# ruff: noqa: PTH112

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from .syscalls import syscall

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_REFER = 1 << 13
_TRUNCATE = 1 << 14
_IOCTL_DEVICE = 1 << 15
_MAKE_CHARACTER_DEVICE = 1 << 6
_MAKE_BLOCK_DEVICE = 1 << 11
_FILE_ONLY = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE

READ = _EXECUTE | _READ_FILE | _READ_DIR
LIST = _READ_DIR
USE_DEVICE = _READ_FILE | _WRITE_FILE

_VERSION = 1
_PATH_BENEATH = 1
_SCOPE_ABSTRACT_SOCKETS = 1
_SCOPE_SIGNALS = 2


def abi() -> int:
    """Ask the kernel which version of Landlock it has; 0 where it has none."""
    try:
        return syscall("landlock_create_ruleset", 0, 0, _VERSION)
    except OSError:
        return 0


def rights(version: int) -> int:
    """Return every right over files that a version of Landlock can take away."""
    return (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1 if version else 0


def write(version: int) -> int:
    """Return what a process may do in its own home: everything but making devices."""
    return rights(version) & ~(_MAKE_CHARACTER_DEVICE | _MAKE_BLOCK_DEVICE | _IOCTL_DEVICE)


def restrict(allowed: Iterable[tuple[str, int]]) -> int:
    """Allow this process these files alone, and signals only to what it starts.

    Needs ``forbid_new_privileges`` first. Paths that do not exist are left out.

    Parameters
    ----------
    allowed : iterable of (path, rights)
        Files, and folders with all below them.

    Returns
    -------
    int
        The version of Landlock; 0 where there is none, and nothing is restricted.
    """
    version = abi()
    if not version:
        return 0
    handled = rights(version)
    network = 3 if version >= 4 else 0
    scoped = _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS if version >= 6 else 0
    attributes = struct.pack("=QQQ", handled, network, scoped)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    buffer = ctypes.create_string_buffer(attributes[:size], size)
    rules = syscall("landlock_create_ruleset", buffer, size, 0)
    try:
        for path, wanted in allowed:
            _allow(rules, path, wanted & handled)
        syscall("landlock_restrict_self", rules, 0)
    finally:
        os.close(rules)
    return version


def _allow(rules: int, path: str, wanted: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            wanted &= _FILE_ONLY
        rule = ctypes.create_string_buffer(struct.pack("=Qi", wanted, place), 12)
        if wanted:
            syscall("landlock_add_rule", rules, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)
