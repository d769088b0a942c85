"""The pinned requirements: one set of versions, every file with its hash, no registry named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

NAMES = ("bootstrap", "learner", "grading", "dev")


def logical_lines(root: Path, name: str) -> list[str]:
    text = (root / "requirements" / f"{name}.txt").read_text()
    joined = text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def pins(root: Path, name: str) -> dict[str, set[str]]:
    """Return the versions of each package; more than one where Python versions need it."""
    found: dict[str, set[str]] = {}
    for line in logical_lines(root, name):
        requirement = Requirement(line.split(" --hash=")[0].strip())
        found.setdefault(requirement.name, set()).add(str(requirement.specifier))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_requirement_is_one_version_with_hashes(root: Path, name: str) -> None:
    lines = logical_lines(root, name)
    assert lines
    for line in lines:
        assert re.match(r"^[a-z0-9.-]+(\[[a-z,]+\])?==[^ ]+ ", line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize(("smaller", "larger"), [("learner", "grading"), ("grading", "dev")])
def test_the_larger_lock_holds_the_smaller(root: Path, smaller: str, larger: str) -> None:
    inner, outer = pins(root, smaller), pins(root, larger)
    assert inner == {name: outer.get(name) for name in inner}


@pytest.mark.parametrize("name", NAMES)
def test_no_registry_is_named(root: Path, name: str) -> None:
    text = (root / "requirements" / f"{name}.txt").read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_the_learners_lock_meets_what_the_course_asks_for(root: Path) -> None:
    project = tomllib.loads((root / "course" / "pyproject.toml").read_text())["project"]
    locked = pins(root, "learner")
    for text in project["dependencies"]:
        wanted = Requirement(text)
        assert wanted.name in locked, text
        for pin in locked[wanted.name]:
            assert wanted.specifier.contains(pin.removeprefix("==")), text


def test_what_builds_the_wheels_is_pinned(root: Path) -> None:
    locked = set(pins(root, "learner"))
    for side in ("course", "autograder"):
        build = tomllib.loads((root / side / "pyproject.toml").read_text())["build-system"]
        assert set(build["requires"]) <= locked


def test_the_grading_lock_is_made_from_what_the_autograder_asks_for(root: Path) -> None:
    project = tomllib.loads((root / "autograder" / "pyproject.toml").read_text())["project"]
    lines = (root / "requirements" / "grading.in").read_text().splitlines()
    asked = {line for line in lines if line and not line.startswith("#")}
    assert asked == {name for name in project["dependencies"] if name != "crs-course"}


def test_optional_extras_are_there_for_the_tests(root: Path) -> None:
    project = tomllib.loads((root / "autograder" / "pyproject.toml").read_text())["project"]
    locked = pins(root, "dev")
    for extra in project["optional-dependencies"].values():
        for text in extra:
            assert Requirement(text).name in locked
