"""What `make bench` says a command took is what its whole tree took."""

from __future__ import annotations

import sys
from pathlib import Path

import process_tree

BURN = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\n"


def run(tmp_path: Path, source: str) -> process_tree.Taken:
    folder = tmp_path / "work"
    folder.mkdir()
    return process_tree.measure([sys.executable, "-c", source], cwd=folder)


def test_a_command_is_timed(tmp_path: Path) -> None:
    taken = run(tmp_path, BURN + "print('done')")
    assert (taken.status, taken.output) == (0, "done\n")
    assert taken.cpu_seconds >= 0.4
    assert taken.wall_seconds >= 0.4
    assert taken.peak_mib > 1


def test_children_count_though_their_parent_does_not_wait_for_them(tmp_path: Path) -> None:
    child = f"    if not os.fork():\n        exec({BURN!r})\n        os._exit(0)\n"
    source = f"import os\nfor _ in range(3):\n{child}os._exit(0)"
    assert run(tmp_path, source).cpu_seconds >= 1.2


def test_memory_of_the_tree_counts_shared_pages_once(tmp_path: Path) -> None:
    source = (
        "import os, time\nheld = bytearray(os.urandom(200_000_000))\n"
        "for _ in range(3):\n    if not os.fork():\n        time.sleep(1.5)\n        os._exit(0)\n"
        "time.sleep(1.5)"
    )
    taken = run(tmp_path, source)
    assert 180 < taken.peak_mib < 450
    assert taken.processes == 4


def test_a_signal_is_its_status(tmp_path: Path) -> None:
    assert run(tmp_path, "import os; os.kill(os.getpid(), 9)").status == -9
