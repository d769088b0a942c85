"""The Makefile: every command is listed, says what it does and what comes next."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

COMMANDS = (
    "learn",
    "practice",
    "demo",
    "models",
    "release",
    "test",
    "batches",
    "differential",
    "hostile",
    "cohort",
    "compat",
    "lint",
    "format",
    "bench",
    "lock",
    "clean",
)


def make(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_plain_make_lists_every_command(root: Path) -> None:
    listed = make(root).stdout
    for command in COMMANDS:
        assert re.search(rf"^  make {command} +\S", listed, re.MULTILINE), command
    targets = re.findall(r"^\.PHONY: (\S+)", (root / "Makefile").read_text(), re.MULTILINE)
    assert sorted(targets) == sorted((*COMMANDS, "help"))


@pytest.mark.parametrize(
    ("command", "venvs"),
    [
        ("learn", {".venv"}),
        ("practice", {".venv-grading"}),
        ("demo", {".venv-grading"}),
        ("release", {".venv-grading"}),
        ("cohort", {".venv-grading"}),
        ("test", {".venv-grading"}),
        ("compat", {".venv-grading"}),
        ("bench", {".venv-grading"}),
    ],
)
def test_each_command_runs_in_its_own_environment(
    root: Path, command: str, venvs: set[str]
) -> None:
    plan = make(root, "--dry-run", command, "A=05-grading").stdout
    assert set(re.findall(r"(\.venv[a-z-]*)/bin/", plan)) == venvs


def test_practice_needs_the_graders_lock_alone(root: Path) -> None:
    plan = make(root, "--dry-run", "practice", "A=05-grading").stdout
    assert "tools/environment.py grading\n" in plan
    assert "practice 05-grading" in plan


def test_practice_asks_which_assignment(root: Path) -> None:
    done = make(root, "practice")
    assert done.returncode != 0
    assert "make practice A=05-grading" in done.stdout


def test_clean_leaves_the_learners_work(root: Path) -> None:
    plan = make(root, "--dry-run", "clean").stdout
    removed = " ".join(line for line in plan.splitlines() if "rm -rf" in line)
    assert ".venv" in removed
    assert not re.search(r"\bwork\b", removed)
