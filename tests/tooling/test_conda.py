"""environment.yml installs the learner's side: its form, and that it keeps in step.

Conda's channels are not reached from here, so that it resolves is not shown by these tests.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement


@pytest.fixture(scope="module")
def environment(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / "environment.yml").read_text())
    return loaded


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = tomllib.loads((root / "course" / "pyproject.toml").read_text())
    return loaded["project"]  # type: ignore[no-any-return]


def conda_packages(environment: dict[str, Any]) -> dict[str, Requirement]:
    plain = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    return {requirement.name: requirement for requirement in map(Requirement, plain)}


def pip_packages(environment: dict[str, Any]) -> dict[str, Requirement]:
    """Return what pip installs, other than the course itself."""
    lists = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    lines = [line for listed in lists for line in listed if not line.startswith("-e ")]
    return {requirement.name: requirement for requirement in map(Requirement, lines)}


def test_its_parts_are_the_ones_conda_knows(environment: dict[str, Any]) -> None:
    assert set(environment) == {"name", "channels", "dependencies"}
    assert environment["name"] == "crs-course"
    # Packages of the default channel need a license in many institutions.
    assert environment["channels"] == ["conda-forge", "nodefaults"]


def test_it_asks_for_what_the_course_asks_for(
    environment: dict[str, Any], project: dict[str, Any]
) -> None:
    wanted = {
        requirement.name: requirement.specifier
        for requirement in map(Requirement, project["dependencies"])
    }
    found = {
        name: requirement.specifier
        for name, requirement in (conda_packages(environment) | pip_packages(environment)).items()
        if name not in ("python", "pip")
    }
    assert found == wanted


def test_python_is_as_new_as_the_course_needs(
    environment: dict[str, Any], project: dict[str, Any]
) -> None:
    assert str(conda_packages(environment)["python"].specifier) == project["requires-python"]


def test_pip_installs_the_learners_side_of_this_checkout_and_what_conda_may_not_have(
    root: Path, environment: dict[str, Any]
) -> None:
    by_pip = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    # COPASI is sure to be on PyPI alone.
    assert by_pip == [["python-copasi>=4.44", "-e ./course"]]
    assert "pip" in conda_packages(environment)
    assert (root / "course" / "pyproject.toml").is_file()
