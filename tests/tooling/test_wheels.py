"""The two wheels: the learner's holds no grading side, no exam and no solution."""

from __future__ import annotations

import email
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


def build(root: Path, side: str, out: Path) -> zipfile.ZipFile:
    """Build a wheel as the environments do: with what is pinned, without the network."""
    script = (
        "import os, sys; from hatchling.builders.wheel import WheelBuilder; "
        f"print(next(WheelBuilder({str(root / side)!r}).build(directory={str(out)!r})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=out
    )
    return zipfile.ZipFile(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def learner_wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build(root, "course", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def grading_wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build(root, "autograder", tmp_path_factory.mktemp("wheel"))


def modules(wheel: zipfile.ZipFile) -> list[str]:
    return [name for name in wheel.namelist() if ".dist-info/" not in name]


def required(wheel: zipfile.ZipFile) -> list[str]:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_string(wheel.read(name).decode()).get_all("Requires-Dist", [])


def tracked(root: Path, folder: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (root / name).is_file()]


def test_the_learners_wheel_is_the_package_crs_with_its_data(
    root: Path, learner_wheel: zipfile.ZipFile
) -> None:
    wanted = {name.removeprefix("course/") for name in tracked(root, "course/crs")}
    assert set(modules(learner_wheel)) == wanted
    assert any(name.endswith(".yaml") for name in wanted)


def test_the_learners_wheel_holds_no_notebook_and_no_grading_side(
    learner_wheel: zipfile.ZipFile,
) -> None:
    for name in modules(learner_wheel):
        assert name.startswith("crs/"), name
        assert not name.endswith(".ipynb"), name
        words = set(Path(name).with_suffix("").parts)
        assert not words & {"autograder", "exam", "exams", "solutions", "source"}, name


def test_nothing_in_the_learners_wheel_reaches_for_the_grading_side(
    learner_wheel: zipfile.ZipFile,
) -> None:
    for name in modules(learner_wheel):
        text = learner_wheel.read(name).decode("utf-8", errors="replace")
        assert "import autograder" not in text, name
        assert "from autograder" not in text, name
        for mark in ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME"):
            assert mark not in text, name
    assert not [line for line in required(learner_wheel) if "autograder" in line]


def test_the_grading_wheel_is_the_package_autograder_with_its_data(
    root: Path, grading_wheel: zipfile.ZipFile
) -> None:
    wanted = {name.removeprefix("autograder/") for name in tracked(root, "autograder/autograder")}
    assert set(modules(grading_wheel)) == wanted
    asked = [line for line in required(grading_wheel) if "extra ==" not in line]
    assert sorted(asked) == ["crs-course", "nh3", "tqdm"]


LEARNER_PROBE = """
import importlib.metadata, importlib.util, pathlib, sys
import crs
assert importlib.util.find_spec("autograder") is None, "a learner can import autograder"
names = {d.metadata["Name"] for d in importlib.metadata.distributions()}
assert "crs-course" in names and "crs-autograder" not in names, names
print(pathlib.Path(crs.__file__).resolve())
"""


def test_a_learner_has_crs_and_cannot_import_autograder(root: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [root / ".venv" / "bin" / "python", "-c", LEARNER_PROBE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # A copy: the checkout with its source/ is out of the learner's sight.
    assert Path(done.stdout.strip()).is_relative_to((root / ".venv").resolve())


def test_the_learners_copy_is_the_crs_of_this_checkout(root: Path) -> None:
    site = next((root / ".venv" / "lib").glob("python*/site-packages"))
    wanted = {
        name.removeprefix("course/"): (root / name).read_bytes()
        for name in tracked(root, "course/crs")
    }
    found = {name: (site / name).read_bytes() for name in wanted if (site / name).is_file()}
    # make test and make learn bring .venv up to date before anything else.
    assert found == wanted, "the learner's copy is behind: run make test, not pytest alone"
