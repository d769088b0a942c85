"""Run a command as a whole process tree, and say what it took: time, processor, memory."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.2
# To look at memory stops the processes for a moment; so much of the time may go into it.
SAMPLE_SHARE = 0.03
# How long descendants may outlive the command.
ORPHAN_SECONDS = 10
MIB = 1024 * 1024


@dataclass(frozen=True)
class Taken:
    """What a command took.

    Attributes
    ----------
    status : int
        Its exit status; negative for a signal.
    wall_seconds : float
        From its start to its end.
    cpu_seconds : float
        Of the process and of all descendants, user and system; also of those that outlived it, but
        not of those whose parent had the kernel forget them.
    busy_seconds : float
        For how long the processors of the whole machine worked meanwhile: on an idle machine, what
        the tree took and nobody was told of. NaN where the kernel does not tell.
    peak_mib : float
        The most memory of the whole tree at one moment, sampled. Pages that processes share are
        counted once, where the kernel tells (``Pss``); elsewhere once per process.
    processes : int
        The most processes at one moment, sampled.
    output : str
        What it printed, both streams.
    """

    status: int
    wall_seconds: float
    cpu_seconds: float
    busy_seconds: float
    peak_mib: float
    processes: int
    output: str


def measure(
    command: Sequence[object],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = 3600,
) -> Taken:
    """Run a command and measure it with all its descendants.

    Parameters
    ----------
    command : sequence
        Program and arguments.
    cwd : Path
        Where to run it. Its output is kept beside, in ``<cwd>.log``.
    env : mapping or None
        Its environment; this process's by default.
    timeout : float
        After so many seconds the tree is killed.

    Returns
    -------
    Taken
    """
    log = cwd.parent / f"{cwd.name}.log"
    others = set(_children(os.getpid()))
    with log.open("wb") as output, _adopting_orphans():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start, busy = time.perf_counter(), machine_busy_seconds()
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watch = _Watch(process.pid, timeout)
        watch.start()
        process.wait()
        wall = time.perf_counter() - start
        watch.stop()
        _wait_for_orphans(others)
        busy = machine_busy_seconds() - busy
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Taken(
        status=process.returncode,
        wall_seconds=wall,
        cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        busy_seconds=busy,
        peak_mib=watch.peak_bytes / MIB,
        processes=watch.peak_processes,
        output=log.read_text(encoding="utf-8", errors="replace"),
    )


def machine_busy_seconds() -> float:
    """Return for how long this machine's processors have worked since it started.

    Returns
    -------
    float
        Summed over the processors; NaN where the kernel does not tell.
    """
    try:
        words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except OSError:
        return math.nan
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts = map(int, words[1:8])
    ticks = user + nice + system + interrupts + soft_interrupts
    return ticks / os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """Return a process and all its descendants.

    Parameters
    ----------
    root : int
        Its id.

    Returns
    -------
    list of int
    """
    children = _all_children()
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _children(parent: int) -> list[int]:
    return _all_children().get(parent, [])


def _all_children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            stat = Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        parent = int(stat[stat.rindex(")") + 2 :].split()[1])
        children.setdefault(parent, []).append(int(entry.name))
    return children


@contextlib.contextmanager
def _adopting_orphans() -> Iterator[None]:
    """Become the parent of descendants whose own parents end, so that their time is counted."""
    prctl, subreaper = ctypes.CDLL(None).prctl, 36
    prctl(subreaper, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(subreaper, 0, 0, 0, 0)


def _wait_for_orphans(others: set[int]) -> None:
    """Wait a little for what outlived a command; then end it."""
    end = time.monotonic() + ORPHAN_SECONDS
    while orphans := set(_children(os.getpid())) - others:
        for pid in orphans:
            with contextlib.suppress(ChildProcessError, ProcessLookupError):
                if time.monotonic() > end:
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.02)


def memory_bytes(pid: int) -> int:
    """Return the memory of a process: its share of what it shares, or all that it maps.

    Parameters
    ----------
    pid : int
        Its id.

    Returns
    -------
    int
        0 for a process that has ended.
    """
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # ended, or not ours to read
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


class _Watch(threading.Thread):
    """Samples the tree until it is told to stop; kills it when time is up."""

    def __init__(self, root: int, timeout: float) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.end = time.monotonic() + timeout
        self.peak_bytes = 0
        self.peak_processes = 0
        self._stopped = threading.Event()

    def run(self) -> None:
        pause = SAMPLE_SECONDS
        while not self._stopped.wait(pause):
            began = time.monotonic()
            pids = tree(self.root)
            self.peak_processes = max(self.peak_processes, len(pids))
            self.peak_bytes = max(self.peak_bytes, sum(map(memory_bytes, pids)))
            if time.monotonic() > self.end:
                for pid in pids:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        continue
                return
            pause = max(SAMPLE_SECONDS, (time.monotonic() - began) / SAMPLE_SHARE)

    def stop(self) -> None:
        self._stopped.set()
        self.join()
