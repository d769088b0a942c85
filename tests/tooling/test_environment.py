"""Setting up: what it says where it cannot, and that it does no work twice."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import environment


def test_an_old_python_is_told_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(environment.SetUpError, match=r"needs Python 3\.11 or newer.* is 3\.9"):
        environment.find_python("/usr/bin/python3", (3, 9))


def test_a_newer_python_beside_an_old_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "shutil.which", lambda name: "/opt/python3.12" if name == "python3.12" else None
    )
    monkeypatch.setattr(environment, "version_of", lambda command: (3, 12))
    assert environment.find_python("/usr/bin/python3", (3, 9)) == "/opt/python3.12"


def test_a_new_enough_python_is_used_as_it_is() -> None:
    assert environment.find_python("/usr/bin/python3", (3, 11)) == "/usr/bin/python3"


def test_the_script_can_be_read_by_an_old_python(root: Path) -> None:
    # It must get as far as saying that the interpreter is too old.
    ast.parse((root / "tools" / "environment.py").read_text(), feature_version=(3, 6))


def test_a_missing_venv_module_is_told_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A Python without ensurepip, as Debian ships it without python3-venv.
    crippled = tmp_path / "python"
    crippled.write_text(
        f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n{sys.executable} "$@"\n'
    )
    crippled.chmod(0o755)
    with pytest.raises(environment.SetUpError, match="apt-get install python3-venv"):
        environment.make_venv(str(crippled), tmp_path / "venv")
    assert not (tmp_path / "venv").exists()


@pytest.fixture
def small_venv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make environments quickly: a link to this Python, and nothing else."""

    def run(command: list[object]) -> None:
        inside = Path(str(command[-1])) / "bin"
        inside.mkdir(parents=True)
        (inside / "python").symlink_to(sys.executable)

    monkeypatch.setattr(environment, "run", run)
    venv = tmp_path / "here" / ".venv"
    environment.make_venv(sys.executable, venv)
    return venv


def test_a_working_environment_is_kept(
    small_venv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small_venv / "mark").touch()
    environment.make_venv(sys.executable, small_venv)
    assert (small_venv / "mark").exists()
    assert "Removing" not in capsys.readouterr().out


def test_an_environment_of_a_moved_checkout_is_made_anew(
    small_venv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = small_venv.parent.rename(small_venv.parent.parent / "there") / ".venv"
    (moved / "mark").touch()
    environment.make_venv(sys.executable, moved)
    assert not (moved / "mark").exists()
    assert "made for another folder" in capsys.readouterr().out


def test_an_environment_whose_python_is_gone_is_made_anew(
    small_venv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small_venv / "bin" / "python").unlink()
    (small_venv / "bin" / "python").symlink_to("/nowhere/python")
    environment.make_venv(sys.executable, small_venv)
    assert (small_venv / "bin" / "python").exists()
    assert "does not run" in capsys.readouterr().out


def test_an_unknown_installer_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INSTALL", "conda")
    with pytest.raises(environment.SetUpError, match="'conda'; it may be auto, uv or pip"):
        environment.install(sys.executable, tmp_path, [], [])


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what would run; uv fails as on a network that only pip knows."""
    commands: list[str] = []

    def run(command: list[object]) -> None:
        commands.append(" ".join(map(str, command)))
        if "/uv" in commands[-1]:
            raise environment.SetUpError("This command failed with status 2: uv")

    monkeypatch.setattr(environment, "run", run)
    monkeypatch.setattr(environment, "uv", lambda python: Path("/bootstrap/uv"))
    return commands


def test_where_uv_does_not_get_through_pip_takes_over(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    ran: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("INSTALL", "auto")
    environment.install("python", tmp_path, ["for-uv"], ["for-pip"])
    environment.install("python", tmp_path, ["for-uv"], ["for-pip-again"])
    assert [command.split()[-1] for command in ran] == ["for-uv", "for-pip", "for-pip-again"]
    assert "Trying again with pip" in capsys.readouterr().out


def test_asked_for_uv_alone_it_does_not_fall_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ran: list[str]
) -> None:
    monkeypatch.setenv("INSTALL", "uv")
    with pytest.raises(environment.SetUpError, match="status 2"):
        environment.install("python", tmp_path, ["for-uv"], ["for-pip"])
    assert len(ran) == 1


def test_a_failing_step_names_its_command(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(environment.SetUpError, match=r"status 3:\n  sh -c exit 3"):
        environment.run(["sh", "-c", "exit 3"])


def test_the_hash_follows_every_file_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    package = tmp_path / "crs"
    (package / "__pycache__").mkdir(parents=True)
    (package / "rule.yaml").write_text("a: 1")
    first = environment.digest_of([package])
    (package / "__pycache__" / "rule.pyc").write_text("cache")
    assert environment.digest_of([package]) == first
    (package / "rule.yaml").write_text("a: 2")
    second = environment.digest_of([package])
    (package / "rule.yaml").rename(package / "law.yaml")
    assert len({first, second, environment.digest_of([package])}) == 3


def test_what_is_up_to_date_is_left_alone(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, root / "tools" / "environment.py", "dev"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""


def test_an_unknown_environment_shows_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert environment.main(["learners"]) == 2
    assert "learner|grading|dev" in capsys.readouterr().out
