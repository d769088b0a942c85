"""`autograder grade`, which also says how long a worker took for each submission."""

import sys
from typing import Any

from autograder import cli
from autograder.batch import run


def main() -> int:
    """Run the command with the arguments of this one."""
    take = run._Run.take

    def timed(self: Any, submission: Any, graded: Any) -> Any:
        sys.stderr.write(f"\nTIMED {submission.student} {graded.seconds:.3f}\n")
        return take(self, submission, graded)

    run._Run.take = timed  # type: ignore[method-assign]
    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
