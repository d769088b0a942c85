"""The command ``autograder``: release, practice, demo, grade and selftest."""

import argparse
import os
import sys
from pathlib import Path

from autograder.roundtrip.errors import RoundTripError

_DEFAULT_DEMO = "05-grading"


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : list of str or None
        Words of the command line; those of this process by default.

    Returns
    -------
    int
        The exit status: 0, or 1 where the command could not do what it was asked. ``grade`` has
        more; see its help.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.anywhere:
            root = (options.course or Path.cwd()).resolve()
        else:
            from autograder.roundtrip.project import find_root

            root = options.course.resolve() if options.course else find_root(Path.cwd())
        return int(options.run(root, options))
    except RoundTripError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Who reads has closed the pipe, such as head: the work is done.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autograder",
        description="The grading side of a course: release, practice, demo, grade, selftest.",
    )
    parser.set_defaults(anywhere=False)
    parser.add_argument(
        "--course", type=Path, help="the course's folder (default: found from here)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    release = commands.add_parser("release", help="rebuild release/ from source/")
    release.add_argument("assignment", nargs="*", help="such as 05-grading (default: all)")
    release.add_argument("--check", action="store_true", help="compare, and write nothing")
    release.set_defaults(run=_release)

    practice = commands.add_parser("practice", help="grade your own copy of an assignment")
    practice.add_argument("assignment", help="such as 05-grading")
    practice.add_argument("--from", dest="folder", type=Path, help="its folder (default: in work/)")
    practice.add_argument("--no-browser", action="store_true", help="only name the feedback page")
    practice.set_defaults(run=_practice)

    demo = commands.add_parser("demo", help="an instructor's round trip in a temporary folder")
    demo.add_argument("assignment", nargs="?", default=_DEFAULT_DEMO, help="default: %(default)s")
    demo.set_defaults(run=_demo)

    grade = commands.add_parser(
        "grade",
        help="grade what a class has handed in, sealed and in parallel",
        description="Grade what lies in submitted/, as nbgrader autograde with the seal does, by "
        "several processes. What is unchanged is left as it is.",
        epilog="Exit status: 0 all graded, 1 some broken, 2 could not begin (usage, no course, not "
        "sealed), 3 stopped on the way; the same command then goes on from there.",
    )
    grade.add_argument("assignment", help="such as 05-grading")
    grade.add_argument(
        "--student",
        action="append",
        default=[],
        metavar="ID",
        help="only this one; may be a pattern such as 'a*', and may be given several times",
    )
    grade.add_argument(
        "--workers", type=_count, default=0, metavar="N", help="processes (default: one per core)"
    )
    grade.add_argument(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="a Dask cluster's, such as tcp://host:8786",
    )
    grade.add_argument("--preview", action="store_true", help="say who would move, write nothing")
    grade.add_argument("--force", action="store_true", help="grade also what is unchanged")
    grade.add_argument("--json", action="store_true", help="tell the outcome as JSON")
    grade.set_defaults(run=_grade, anywhere=True)

    selftest = commands.add_parser(
        "selftest", help="prove on this machine, by attack, that submissions are sealed in"
    )
    selftest.set_defaults(run=_selftest, anywhere=True)
    return parser


# nbgrader takes seconds to import, so each command says what it does and then imports it.


def _release(root: Path, options: argparse.Namespace) -> int:
    from autograder.roundtrip.project import assignments, check_assignment

    names = options.assignment or assignments(root)
    for name in names:
        check_assignment(root, name)
    if not names:
        raise RoundTripError(f"There is no assignment in {root / 'source'}.")
    verb = "Comparing" if options.check else "Rebuilding"
    _say(f"{verb} the release of {', '.join(names)}")
    from autograder.roundtrip.release import build, differences, without_source, write

    built = {name: build(root, name) for name in names}
    if not options.assignment:
        built |= {name: {} for name in without_source(root, names)}
    found = [line for name, files in built.items() for line in differences(root, name, files)]
    for line in found:
        _say(f"  {line}")
    if options.check:
        if found:
            _say("Next: autograder release rebuilds it.")
            return 1
        _say("release/ is what source/ makes.")
        return 0
    for name, files in built.items():
        write(root, name, files)
        _say(f"  {name}: {len(files)} files" if files else f"  {name}: removed")
    _say("Next: read git diff release, and commit it with its source.")
    return 0


def _practice(root: Path, options: argparse.Namespace) -> int:
    from autograder.roundtrip.project import check_assignment

    name = options.assignment
    check_assignment(root, name)
    folder = (options.folder or root / "work" / name).resolve()
    _say(f"Grading your copy of {name} (nothing is sent anywhere)")
    from autograder.report import number
    from autograder.roundtrip.practice import grade_own_copy, open_page
    from autograder.roundtrip.table import of_one

    done = grade_own_copy(root, name, folder, _say)
    _say("")
    for line in of_one(done.graded):
        _say(line)
    by_hand = sum(score.exercise.points for score in done.graded.scores if score.points is None)
    attainable = sum(score.exercise.points for score in done.graded.scores) - by_hand
    _say(f"\n{number(done.graded.total)} of {number(attainable)} points by the hidden checks.")
    opened = False
    for page in done.pages:
        _say(f"Feedback: {page}")
        opened |= not options.no_browser and open_page(page)
    first = "read the page in your browser" if opened else "open the page above in a browser"
    if done.graded.total < attainable:
        _say(f"Next: {first}, change your notebook, save it, and run the same command again.")
    else:
        _say(f"Next: {first}. Every hidden check is content: go on to the next module.")
    return 0


def _demo(root: Path, options: argparse.Namespace) -> int:
    from autograder.roundtrip.project import check_assignment

    name = options.assignment
    check_assignment(root, name)
    _say(f"An instructor's round trip of {name}, on made-up submissions (about a minute)")
    from autograder.roundtrip.demo import demonstrate
    from autograder.roundtrip.table import by_exercise

    done = demonstrate(root, name, _say)
    _say("")
    for line in by_exercise(done.graded):
        _say(line)
    _say("\nLate work is graded like any other and marked as late; no points are taken off.")
    _say(f"Feedback pages: {done.folder / 'feedback'}/SUBMISSION/{name}/")
    _say(f"Gradebook:      {done.folder / 'gradebook.db'}")
    _say("Next: open a feedback page, and read docs/instructor-guide.md.")
    return 0


def _grade(root: Path, options: argparse.Namespace) -> int:
    from autograder.batch.command import grade

    return grade(
        root,
        options.assignment,
        students=options.student,
        workers=options.workers,
        scheduler=options.scheduler,
        preview=options.preview,
        force=options.force,
        as_json=options.json,
        say=_say,
    )


def _selftest(root: Path, options: argparse.Namespace) -> int:
    from autograder.batch.command import selftest

    return selftest(root, say=_say)


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return number


def _say(text: str) -> None:
    print(text, flush=True)
