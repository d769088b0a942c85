"""What Git holds: no registry host, nothing that was generated on one machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

# Written in parts, so that this file does not name them either.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("anaconda", "org"),
        ("repo", "anaconda", "com"),
        ("registry", "npmjs", "org"),
        ("ghcr", "io"),
        ("docker", "io"),
    )
]


@pytest.fixture(scope="module")
def files(root: Path) -> list[Path]:
    """Return what is tracked, and what would be with the next ``git add``."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [root / name for name in listed.stdout.split("\0") if name]
    return [path for path in names if path.is_file()]


def test_no_file_names_a_package_registry(files: list[Path]) -> None:
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8", errors="ignore").lower()
        for host in REGISTRIES:
            assert host not in text, f"{path} names {host}"


def test_no_learners_or_graders_file_is_held(root: Path, files: list[Path]) -> None:
    tops = {path.relative_to(root).parts[0] for path in files}
    assert not tops & {"work", "submitted", "autograded", "feedback", "gradebook.db", ".venv"}


def test_the_top_level_holds_what_a_reader_looks_for(root: Path) -> None:
    for name in (
        "CITATION.cff",
        "LICENSE",
        "LICENSE-content",
        "Makefile",
        "README.md",
        "autograder",
        "course",
        "environment.yml",
        "release",
        "source",
    ):
        assert (root / name).exists(), name
