"""Check the types of the whole checkout with mypy: the two packages, then tools and tests.

They are two runs because tests and tools are scripts beside the packages, not part of them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = (
    ("-p", "crs", "-p", "autograder"),
    ("tools", "tests"),
)


def main() -> int:
    """Run the command; return 1 where mypy found anything."""
    statuses = [
        subprocess.run([sys.executable, "-m", "mypy", *run], cwd=ROOT, check=False).returncode
        for run in RUNS
    ]
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
