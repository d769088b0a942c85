"""`seal` only assigns, may run many times, and refuses what it would lose."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from traitlets.config import Config
from traitlets.utils.importstring import import_item

import autograder
from autograder import seal
from autograder.sealed import seal as switch
from autograder.sealed.errors import SealConfigError, SealError
from autograder.sealed.limits import InvalidLimit, Limits
from autograder.sealed.settings import SealSettings, settings_of, with_timeout


def sealed(**options: object) -> Config:
    config = Config()
    seal(config, **options)  # type: ignore[arg-type]
    return config


def settings(config: Config) -> SealSettings:
    found = settings_of(config)
    assert found is not None
    return found


def test_it_may_run_many_times_and_be_merged() -> None:
    once = sealed(learner_python="/x/bin/python", course_packages={"crs": ["crs.exercises"]})
    seal(once, learner_python="/x/bin/python", course_packages={"crs": ["crs.exercises"]})
    merged = Config()
    for _ in range(3):
        merged.merge(
            sealed(learner_python="/x/bin/python", course_packages={"crs": ("crs.exercises",)})
        )
    assert merged == once
    assert merged.Autograde.autograde_preprocessors == list(switch.AUTOGRADE)


def test_a_later_call_goes_before_an_earlier_one() -> None:
    config = sealed(memory_mib=2048)
    seal(config, mode="shared")
    assert settings(config).mode == "shared"
    assert settings(config).limits == Limits()


def test_every_name_that_it_assigns_exists() -> None:
    config = sealed()
    names = [
        *config.Autograde.sanitize_preprocessors,
        *config.Autograde.autograde_preprocessors,
        *config.GenerateFeedback.preprocessors,
        config.Autograde.exporter_class,
        config.GenerateFeedback.exporter_class,
    ]
    for name in names:
        assert isinstance(import_item(name), type), name


@pytest.mark.parametrize(
    ("section", "option"),
    [
        ("Autograde", "sanitize_preprocessors"),
        ("Autograde", "autograde_preprocessors"),
        ("Autograde", "exporter_class"),
        ("GenerateFeedback", "preprocessors"),
    ],
)
def test_a_list_of_the_courses_own_is_not_lost(section: str, option: str) -> None:
    config = Config()
    config[section][option] = ["mycourse.Step"]
    with pytest.raises(
        SealConfigError, match=f"c.{section}.{option} is already set.*mycourse.Step"
    ):
        seal(config)
    # One that is assigned afterwards stands.
    config = sealed()
    config[section][option] = ["mycourse.Step"]
    assert config[section][option] == ["mycourse.Step"]


def test_what_was_inserted_into_nbgraders_list_is_not_lost_either() -> None:
    config = Config()
    config.Autograde.autograde_preprocessors.insert(0, "mycourse.Step")
    with pytest.raises(SealConfigError, match="would overwrite it"):
        seal(config)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "open"}, "mode='open'.*'sealed', 'shared'"),
        ({"backend": "docker"}, "backend='docker'.*'landlock'"),
        ({"memory": 3}, "memory=.*no such option or limit.*memory_mib"),
        ({"course_packages": {"crs": "crs.exercises"}}, "must be a list"),
        ({"course_packages": {"crs": ["exercises"]}}, "no module of 'crs'"),
    ],
)
def test_what_makes_no_sense_is_said(options: dict[str, object], words: str) -> None:
    with pytest.raises(SealConfigError, match=words):
        sealed(**options)
    assert issubclass(SealConfigError, SealError)


@pytest.mark.parametrize("value", [0, -1, "3", True, None, float("nan")])
def test_a_limit_out_of_its_range_is_said(value: object) -> None:
    with pytest.raises(InvalidLimit, match=r"memory_mib = .*MiB from 64"):
        sealed(memory_mib=value)


def test_nothing_heavy_is_imported_and_nothing_is_started() -> None:
    code = (
        "import sys; from autograder import seal; from traitlets.config import Config\n"
        "seal(Config())\n"
        "heavy = {'nbgrader', 'nbconvert', 'IPython', 'numpy', 'sqlalchemy', 'nh3'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "import os; assert len(os.listdir('/proc/self/task')) == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys, autograder; assert 'autograder.sealed' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_package_offers_nothing_else() -> None:
    assert autograder.__all__ == ["seal"]
    with pytest.raises(AttributeError, match="no attribute 'unseal'"):
        _ = autograder.unseal


def test_settings_are_plain_data() -> None:
    found = settings(sealed(learner_python="venv/bin/python", memory_mib=2048, cell_seconds=5))
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.mode == found.ward.mode == "sealed"
    assert found.ward.interpreter == Path("venv/bin/python").absolute()
    assert found.ward.limits.memory_mib == 2048
    assert found.limits.cell_seconds == 5
    assert found.limits.checks_seconds == 60
    assert found.execute
    assert settings_of(Config()) is None


def test_shared_mode_runs_where_the_checks_are_installed() -> None:
    found = settings(sealed(mode="shared", learner_python="/elsewhere/python"))
    assert found.ward.interpreter == Path(sys.executable).absolute()
    assert found.ward.mode == "shared"


def test_nbgraders_own_options_hold() -> None:
    config = sealed()
    config.Execute.timeout = 2
    config.Execute.enabled = False
    config.Execute.kernel_name = "python3"
    found = settings(config)
    assert (found.limits.cell_seconds, found.limits.checks_seconds) == (2, 2)
    assert found.ward.limits == Limits()
    assert not found.execute
    assert found.kernel_name == "python3"


@pytest.mark.parametrize(
    ("timeout", "cell", "check"),
    [(30, 30, 60), (2, 2, 2), ("2", 2, 2), (None, 300, 60), (-1, 300, 60), ("None", 300, 60)],
)
def test_a_timeout_goes_before_the_limits(timeout: object, cell: float, check: float) -> None:
    limits = with_timeout(Limits(), timeout)
    assert (limits.cell_seconds, limits.checks_seconds) == (cell, check)


def test_a_timeout_that_is_none_is_said() -> None:
    with pytest.raises(SealConfigError, match=r"Execute\.timeout = 'soon'"):
        with_timeout(Limits(), "soon")
