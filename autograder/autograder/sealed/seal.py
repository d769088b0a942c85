"""Switch sealed grading on, in any course's ``nbgrader_config.py``.

Nothing of nbgrader is imported here, and nothing is tested or started: nbgrader reads its
configuration several times, and so does every learner's server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args

from autograder.sealed.errors import SealConfigError
from autograder.sealed.limits import InvalidLimit, Limits

Mode = Literal["sealed", "shared"]
Backend = Literal["auto", "namespaces", "landlock"]

SANITIZE = (
    "autograder.sealed.preprocessors.RestoreSubmission",
    "nbgrader.preprocessors.ClearOutput",
    # What is restored needs no check of its metadata, which takes longer than restoring it.
    "nbgrader.preprocessors.OverwriteKernelspec",
)
AUTOGRADE = (
    "autograder.sealed.execute.SealedExecute",
    "autograder.sealed.preprocessors.CleanOutputs",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "autograder.sealed.preprocessors.SaveSealedGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
)
FEEDBACK = ("autograder.feedback.DropHiddenChecks", "autograder.feedback.MakePage")
READER = "autograder.sealed.exporter.SubmissionExporter"
PAGE = "autograder.feedback.FeedbackExporter"

# What `seal` assigns, by section and option.
_ASSIGNED: Mapping[tuple[str, str], str | tuple[str, ...]] = {
    ("Autograde", "exporter_class"): READER,
    ("Autograde", "sanitize_preprocessors"): SANITIZE,
    ("Autograde", "autograde_preprocessors"): AUTOGRADE,
    ("GenerateFeedback", "exporter_class"): PAGE,
    ("GenerateFeedback", "preprocessors"): FEEDBACK,
}


def seal(
    c: Any,
    mode: Mode = "sealed",
    *,
    learner_python: str | Path | None = None,
    course_packages: Mapping[str, Sequence[str]] | None = None,
    hidden_packages: Sequence[str] = ("autograder",),
    backend: Backend = "auto",
    **limits: float,
) -> None:
    """Have nbgrader grade this course sealed.

    It only assigns, and may run many times.

    Parameters
    ----------
    c : traitlets.config.Config
        What ``get_config()`` returned.
    mode : str
        ``"sealed"``: submissions and checks never meet. ``"shared"``: both run in one jailed
        process, as nbgrader does it, for checks that need that; a submission that sets out to cheat
        can.
    learner_python : str or Path, optional
        The Python that runs the submissions, such as ``<course>/.venv/bin/python``. It needs
        IPython. By default the one that grades.
    course_packages : mapping of str to sequence of str, optional
        Packages of the course and the modules of each that submissions may import, such as
        ``{"crs": ["crs.exercises"]}``. All others of a package named here import as inert
        stand-ins.
    hidden_packages : sequence of str
        Packages that submissions must not find at all.
    backend : str
        How the jail is built: ``"namespaces"``, ``"landlock"``, or ``"auto"`` for the first that
        works.
    **limits : float
        Fields of `autograder.sealed.limits.Limits`, such as ``memory_mib=2048``.

    Raises
    ------
    SealConfigError
        For an unknown mode or limit, and for a list of preprocessors of the course's own, which
        would be lost.
    InvalidLimit
        For a limit out of its range.
    """
    _check_choice("mode", mode, get_args(Mode))
    _check_choice("backend", backend, get_args(Backend))
    known = [item.name for item in fields(Limits)]
    for name in limits:
        if name not in known:
            raise SealConfigError(
                f"seal(c, {name}=...): there is no such option or limit. The limits are "
                f"{', '.join(known)}."
            )
    asked = Limits(**limits)  # type: ignore[arg-type]  # checked by Limits itself
    packages = _packages(course_packages or {})
    for (section, option), value in _ASSIGNED.items():
        _assign(c, section, option, list(value) if isinstance(value, tuple) else value)
    execute = c.SealedExecute
    execute.mode = mode
    execute.backend = backend
    execute.learner_python = "" if learner_python is None else str(learner_python)
    execute.course_packages = packages
    execute.hidden_packages = list(hidden_packages)
    execute.limits = {name: getattr(asked, name) for name in limits}
    if "cell_seconds" in limits:
        # nbgrader's own option, so that --Execute.timeout goes before it.
        c.Execute.timeout = asked.cell_seconds


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SealConfigError(
            f"seal(c, {name}={value!r}): it must be one of {', '.join(map(repr, choices))}."
        )


def _packages(course_packages: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    packages: dict[str, list[str]] = {}
    for package, modules in course_packages.items():
        if isinstance(modules, str):
            raise SealConfigError(
                f"seal(c, course_packages=...): the modules of {package!r} must be a list, such as "
                f"[{modules!r}]."
            )
        for module in modules:
            if not module.startswith(f"{package}."):
                raise SealConfigError(
                    f"seal(c, course_packages=...): {module!r} is no module of {package!r}. Give "
                    f"its whole name, such as '{package}.exercises'."
                )
        packages[package] = list(modules)
    return packages


def _assign(c: Any, section: str, option: str, value: str | list[str]) -> None:
    there = c[section].get(option) if section in c else None
    if there is not None and there != value:
        raise SealConfigError(
            f"c.{section}.{option} is already set to {there!r}, and seal(c) would overwrite it. "
            "Remove that line. If you need steps of your own, call seal(c) first and then assign "
            f"a whole list that holds all of seal's: {value!r}."
        )
    c[section][option] = value


__all__ = ["InvalidLimit", "SealConfigError", "seal"]
