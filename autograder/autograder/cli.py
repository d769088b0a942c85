"""The command ``autograder``: release, practice and demo."""

import argparse
import sys
from pathlib import Path

from autograder.roundtrip.errors import RoundTripError
from autograder.roundtrip.project import assignments, check_assignment, find_root

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
        The exit status: 0, or 1 where the command could not do what it was asked.
    """
    options = _parser().parse_args(arguments)
    try:
        root = options.course.resolve() if options.course else find_root(Path.cwd())
        return int(options.run(root, options))
    except RoundTripError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autograder", description="The grading side of the course: release, practice, demo."
    )
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
    return parser


# nbgrader takes seconds to import, so each command says what it does and then imports it.


def _release(root: Path, options: argparse.Namespace) -> int:
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


def _say(text: str) -> None:
    print(text, flush=True)
