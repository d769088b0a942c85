"""Run a command, and find every process that it leaves behind.

Run as a script: ``python supervise.py REPORT.json SECONDS GRACE COMMAND...``. Whatever the command
starts stays below this process, however often it forks (a subreaper), so that no survivor can hide.
Survivors are reported, then killed.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def _parents() -> dict[int, int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text()
                state, parent = stat.rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents[int(entry.name)] = int(parent)
    return parents


def descendants(pid: int) -> list[int]:
    """Give the living processes below a process."""
    parents = _parents()
    found: list[int] = []
    layer = {pid}
    while layer:
        layer = {child for child, parent in parents.items() if parent in layer}
        found += layer
    return sorted(found)


def _describe(pid: int) -> str:
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("latin-1")
        status = Path(f"/proc/{pid}/status").read_text()
        uid = next(line for line in status.splitlines() if line.startswith("Uid:"))
        return f"{pid} {uid.split()[1]} {command.strip()[:200]}"
    return f"{pid} gone"


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main(report: str, seconds: str, grace: str, *command: str) -> int:
    """Run the command and write the report."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    late = False
    try:
        code = child.wait(float(seconds))
    except subprocess.TimeoutExpired:
        late, code = True, -1
    took = time.monotonic() - start
    end = time.monotonic() + float(grace)
    while (left := descendants(os.getpid())) and not late and time.monotonic() < end:
        _reap()
        time.sleep(0.05)
    survivors = [_describe(pid) for pid in left]
    while left:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
        _reap()
        left = descendants(os.getpid())
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of the largest process
    found = {
        "code": code,
        "late": late,
        "seconds": took,
        "survivors": survivors,
        "peak_mib": peak,
    }
    Path(report).write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
