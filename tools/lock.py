"""Refresh the pinned requirements: one set of versions for the learner, the grader and the tools.

Each lock is held to the one before it, so that what a learner ran is what is graded. They carry
hashes and name no registry host: each machine's own configuration says where packages come from.
"""

from __future__ import annotations

import subprocess
import sys

import environment

COURSE = "course/pyproject.toml"
# Each lock: what it is made from, beyond the inputs of those before it.
STEPS = (
    ("learner", (COURSE, "requirements/build.in")),
    ("grading", ("requirements/grading.in",)),
    ("dev", ("requirements/dev.in",)),
)


def compile_lock(uv: str, name: str, inputs: list[str], held_to: str | None) -> None:
    """Write one lock file."""
    command = [uv, "pip", "compile", "--quiet", "--universal", "--upgrade"]
    command += [
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-annotate",
    ]
    command += ["--custom-compile-command", "make lock"]
    command += [*inputs, "--output-file", f"requirements/{name}.txt"]
    if held_to:
        command += ["--constraint", f"requirements/{held_to}.txt"]
    environment.say(f"Resolving requirements/{name}.txt")
    subprocess.run(command, cwd=environment.ROOT, check=True)


def main() -> int:
    """Run the command; return its exit status."""
    try:
        uv = str(environment.uv(environment.find_python()))
        compile_lock(uv, "bootstrap", ["requirements/bootstrap.in"], None)
        inputs: list[str] = []
        held_to = None
        for name, more in STEPS:
            inputs += more
            compile_lock(uv, name, inputs, held_to)
            held_to = name
    except environment.SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError:
        print("The locks were not all refreshed; uv says why above.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
