"""What `autograder.seal` put into nbgrader's configuration, as plain data."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from traitlets.config import Config

from autograder.sealed.errors import SealConfigError
from autograder.sealed.limits import Limits
from autograder.sealed.wards import WardSettings


@dataclass(frozen=True)
class SealSettings:
    """How a course is graded.

    Attributes
    ----------
    mode : str
        ``"sealed"``, ``"shared"``, or ``"practice"``: not for marks, where there are no jails.
    ward : WardSettings
        What wards are like; `autograder.sealed.hosts.hosts_for` takes it.
    limits : Limits
        Of one notebook, nbgrader's own ``Execute.timeout`` applied.
    execute : bool
        Whether notebooks are run; ``--no-execute`` switches it off.
    kernel_name : str
        The kernel that the course asks for, whatever a notebook says; often empty.
    """

    mode: Literal["sealed", "shared", "practice"]
    ward: WardSettings
    limits: Limits
    execute: bool = True
    kernel_name: str = ""


def settings_of(config: Config) -> SealSettings | None:
    """Read from nbgrader's configuration what `autograder.seal` put there.

    Parameters
    ----------
    config : Config
        nbgrader's configuration.

    Returns
    -------
    SealSettings or None
        None where the course is not sealed.
    """
    if not config.SealedExecute:
        return None
    section: dict[str, Any] = {**config.Execute, **config.SealedExecute}
    mode = str(section.get("mode", "sealed"))
    shared = mode == "shared"
    limits = Limits(**section.get("limits", {}))
    python = sys.executable if shared else section.get("learner_python") or sys.executable
    return SealSettings(
        mode="shared" if shared else "practice" if mode == "practice" else "sealed",
        ward=WardSettings(
            # A virtual environment's interpreter is a link, which must not be followed.
            interpreter=Path(os.path.abspath(python)),  # noqa: PTH100
            course_packages={
                str(package): tuple(modules)
                for package, modules in section.get("course_packages", {}).items()
            },
            hidden_packages=tuple(section.get("hidden_packages", ("autograder",))),
            limits=limits,
            backend=section.get("backend", "auto"),
            mode="shared" if shared else "sealed",
        ),
        limits=with_timeout(limits, section.get("timeout", limits.cell_seconds)),
        execute=bool(section.get("enabled", True)),
        kernel_name=str(section.get("kernel_name", "")),
    )


def with_timeout(limits: Limits, timeout: Any) -> Limits:
    """Let nbgrader's own option for the time of a cell go before ours.

    Parameters
    ----------
    limits : Limits
        The course's.
    timeout : object
        ``Execute.timeout``, also as the command line gives it: a text. None and -1 mean no limit.

    Returns
    -------
    Limits
        Where the option says something else than `limits`, it holds for check cells, too.

    Raises
    ------
    SealConfigError
        If it is no number of seconds.
    """
    if isinstance(timeout, str):
        timeout = None if timeout == "None" else timeout
    try:
        seconds = None if timeout is None else float(timeout)
    except (TypeError, ValueError):
        raise SealConfigError(f"Execute.timeout = {timeout!r}: it must be seconds.") from None
    if seconds is None or seconds < 0:
        return replace(limits, cell_seconds=limits.notebook_seconds)
    if seconds == limits.cell_seconds:
        return limits
    return replace(limits, cell_seconds=seconds, checks_seconds=seconds)
