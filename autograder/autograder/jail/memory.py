"""How much memory a ward uses, asked by its init.

A limit on each process's address space does not bound a ward of many processes, and control groups
may not be writable. So init looks.
"""

from __future__ import annotations

import os

_PAGE = os.sysconf("SC_PAGE_SIZE")
_WORTH_A_CLOSER_LOOK = 256 << 20


def used(enough: int = _WORTH_A_CLOSER_LOOK) -> int:
    """Sum what the processes of this PID namespace use, without init.

    Pages that several processes share are counted once where that matters.

    Parameters
    ----------
    enough : int, optional
        Where the quick sum, which counts shared pages for each process, stays below this, it is
        good enough. Default is 256 MiB.

    Returns
    -------
    int
        Bytes.
    """
    processes = [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]  # noqa: PTH208
    quick = sum(_resident(process) for process in processes)
    if quick < enough:
        return quick
    return sum(_proportional(process) for process in processes)


def _resident(process: int) -> int:
    data = _read(process, "statm").split()
    return int(data[1]) * _PAGE if len(data) > 1 else 0


def _proportional(process: int) -> int:
    for line in _read(process, "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) << 10
    return _resident(process)


def _read(process: int, name: str) -> bytes:
    try:
        with open(f"/proc/{process}/{name}", "rb") as file:  # noqa: PTH123 - asked often
            return file.read()
    except OSError:
        return b""  # it has ended
