"""Build the root of a jail from a list of what it holds."""

# System calls take paths as text.
# ruff: noqa: PTH102, PTH103, PTH108, PTH110, PTH112, PTH114, PTH116, PTH120, PTH211

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from . import mounts
from .spec import HOME

_OLD = "/old"
_NEW = "/new"
_READ_ONLY = mounts.RDONLY | mounts.NOSUID | mounts.NODEV
_ROOT_BYTES = 16 << 20
_SCRATCH_BYTES = 64 << 20


def build(furniture: dict[str, Any], owner: int | None) -> None:
    """Build a root and move into it; the former root is gone afterwards.

    Called in a mount namespace of its own, by a process that may mount.

    Parameters
    ----------
    furniture : dict
        The fields of ``system.Furniture``.
    owner : int or None
        User and group of the scratch folder; None for the present ones.
    """
    mounts.mount("none", "/", flags=mounts.REC | mounts.PRIVATE)
    # An empty file system first, in which the former root and the new one both have a place.
    mounts.tmpfs("/tmp", 1 << 20, 64, "755")
    os.mkdir(f"/tmp{_OLD}")
    os.mkdir(f"/tmp{_NEW}")
    mounts.pivot("/tmp", f"/tmp{_OLD}")
    os.chdir("/")
    mounts.tmpfs(_NEW, _ROOT_BYTES, 1 << 16, "755")
    for place in ("/proc", "/tmp", "/dev/shm", HOME):
        os.makedirs(_NEW + place, exist_ok=True)
    # Before what is shown: a learner's environment may itself lie below /tmp.
    mounts.tmpfs(
        f"{_NEW}/tmp", _SCRATCH_BYTES, 4096, "700", mounts.NOSUID | mounts.NODEV | mounts.NOEXEC
    )
    if owner is not None:
        os.chown(f"{_NEW}/tmp", owner, owner)
    _fill(furniture)
    _only(furniture["only"])
    for place in furniture["masks"]:
        _mask(_NEW + place)
    # Fully visible, or the wards could not mount their own.
    mounts.proc(f"{_NEW}/proc", mounts.NOSUID | mounts.NODEV | mounts.NOEXEC)
    mounts.unmount(_OLD)
    os.chdir(_NEW)
    mounts.pivot(".", ".")
    mounts.unmount(".")
    os.chdir("/")
    _close_root()


def _close_root() -> None:
    mounts.mount("none", "/", flags=mounts.REMOUNT | mounts.BIND | _READ_ONLY | mounts.NOEXEC)


def _fill(furniture: dict[str, Any]) -> None:
    for place, text in furniture["links"].items():
        if place not in furniture["binds"]:
            _link(place, text)
    shown: dict[str, str] = {}
    for place, source in sorted(furniture["binds"].items()):
        parent = next((top for top in shown if place.startswith(top + "/")), None)
        if parent and shown[parent] + place[len(parent) :] == source:
            continue  # within what is shown already
        _bind(source, _NEW + place)
        shown[place] = source
    for place, text in furniture["files"].items():
        _parent(_NEW + place)
        Path(_NEW + place).write_text(text, encoding="utf-8")
    for place, source in furniture["copies"].items():
        _parent(_NEW + place)
        Path(_NEW + place).write_bytes(Path(_OLD + source).read_bytes())


def _link(place: str, text: str) -> None:
    _parent(_NEW + place)
    if not os.path.lexists(_NEW + place):
        os.symlink(text, _NEW + place)


def _parent(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)


def _bind(source: str, target: str) -> None:
    source = _OLD + source
    mode = os.stat(source).st_mode
    if os.path.islink(target):
        os.unlink(target)
    if stat.S_ISDIR(mode):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        _parent(target)
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    flags = _READ_ONLY & ~mounts.NODEV if stat.S_ISCHR(mode) else _READ_ONLY
    mounts.bind(source, target, flags)


def _only(folders: dict[str, dict[str, str]]) -> None:
    for place, allowed in folders.items():
        os.makedirs(_NEW + place, exist_ok=True)
        mounts.tmpfs(_NEW + place, 1 << 20, 1024, "755")
        for name, source in allowed.items():
            _bind(source, f"{_NEW}{place}/{name}")
        mounts.mount(
            "none", _NEW + place, flags=mounts.REMOUNT | mounts.BIND | _READ_ONLY | mounts.NOEXEC
        )


def _mask(target: str) -> None:
    if os.path.isdir(target):
        mounts.tmpfs(target, 4096, 2, "000")
        mounts.restrict(target, _READ_ONLY | mounts.NOEXEC)
    elif os.path.exists(target):
        mounts.bind(f"{_OLD}/dev/null", target, _READ_ONLY)  # nodev: cannot even be opened
