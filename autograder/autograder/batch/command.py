"""The commands ``autograder grade`` and ``autograder selftest``."""

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.batch.errors import BatchError, StoppedError
from autograder.batch.exits import GRADED_ALL, REFUSED, SOME_BROKEN, STOPPED

if TYPE_CHECKING:
    from autograder.batch.course import Course
    from autograder.sealed.settings import SealSettings

NOT_SEALED = (
    "{config} does not switch sealed grading on. Add two lines to it:\n\n"
    "    from autograder import seal\n"
    "    seal(c)\n\n"
    "nbgrader autograde grades without them; a submission that sets out to cheat then can."
)
PRACTICE = (
    'This course is set to mode="practice", which is not for marks. Use seal(c), or '
    'seal(c, mode="shared"), in {config}.'
)


def grade(
    start: Path,
    assignment: str,
    *,
    students: Sequence[str] = (),
    workers: int = 0,
    scheduler: str = "",
    preview: bool = False,
    force: bool = False,
    as_json: bool = False,
    say: Callable[[str], None] = print,
) -> int:
    """Grade an assignment of the course that a folder lies in.

    Parameters
    ----------
    start : Path
        The folder.
    assignment : str
        Name of the assignment.
    students : sequence of str
        Ids or patterns; all by default.
    workers : int
        How many processes; 0 for as many as there are processors.
    scheduler : str
        Address of a Dask scheduler, instead.
    preview : bool
        Whether to write nothing, and say who would move.
    force : bool
        Whether to grade again what is unchanged.
    as_json : bool
        Whether to tell the outcome as JSON.
    say : callable
        Takes what is told, on stdout.

    Returns
    -------
    int
        0 if all submissions are graded, 1 if some are broken, 2 if it could not begin, 3 if it
        stopped on the way.
    """
    try:
        if not scheduler:
            # What workers are forked from imports its modules while this process does.
            from autograder.batch.warming import warm

            warm()
        from autograder.batch import run
        from autograder.batch.course import find_course, read_course
        from autograder.sealed.errors import SealError

        try:
            course = read_course(find_course(start), force=force)
            settings = _settings(course)
            summary = run.grade(
                course,
                run.Order(assignment, tuple(students), workers, scheduler, preview),
                settings=settings,
                packages=("autograder", *settings.ward.course_packages),
                interpreters=(settings.ward.interpreter,),
                prove=None if scheduler else functools.partial(_prove, settings),
            )
        except SealError as error:
            raise BatchError(str(error)) from error
    except BatchError as error:
        sys.stderr.write(f"\n{error}\n")
        return REFUSED
    except StoppedError as error:
        sys.stderr.write(f"\n{error}\n")
        return STOPPED
    if as_json:
        say(summary.as_json())
    else:
        for line in summary.lines():
            say(line)
    return SOME_BROKEN if summary.count("broken") else GRADED_ALL


def selftest(start: Path, *, say: Callable[[str], None] = print) -> int:
    """Prove the seal on this machine, with the settings of the course that a folder lies in.

    Parameters
    ----------
    start : Path
        The folder. Where it lies in no sealed course, the usual settings are tried.
    say : callable
        Takes what is told, on stdout.

    Returns
    -------
    int
        0 if every property holds, 1 if one does not, 2 if it could not begin.
    """
    from dataclasses import replace

    from autograder.batch.course import find_course, read_course
    from autograder.sealed.course import secrets_of
    from autograder.sealed.errors import SealError
    from autograder.sealed.selftest import prove, table
    from autograder.sealed.settings import settings_of
    from autograder.sealed.wards import WardSettings

    secrets: tuple[Path, ...] = ()
    try:
        course = read_course(find_course(start))
        settings = settings_of(course.config)
        if settings is not None:
            secrets = secrets_of(course.directory)
            ward = replace(settings.ward, mode="sealed")
        else:
            ward = WardSettings(interpreter=Path(sys.executable))
            say("This folder lies in no sealed course, so the usual settings are tried.\n")
    except (BatchError, SealError, ValueError) as error:
        sys.stderr.write(f"\n{error}\n")
        return REFUSED
    found = prove(ward, secrets)
    say(table(found))
    return 0 if found.held else 1


def _prove(settings: "SealSettings") -> None:
    """Prove the seal once, before workers begin; in shared mode nothing is claimed."""
    if settings.mode == "sealed":
        from autograder.sealed.selftest import ensure

        ensure(settings.ward)


def _settings(course: "Course") -> "SealSettings":
    """Read how the course is sealed."""
    from autograder.sealed.settings import settings_of

    config = course.root / "nbgrader_config.py"
    try:
        settings = settings_of(course.config)
    except ValueError as error:
        raise BatchError(f"{config}: {error}") from error
    if settings is None:
        raise BatchError(NOT_SEALED.format(config=config))
    if settings.mode == "practice":
        raise BatchError(PRACTICE.format(config=config))
    return settings
