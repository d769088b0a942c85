"""Hold sealed grading against nbgrader's own tests of ``nbgrader autograde``.

Usage: .venv-grading/bin/python tools/compat.py [--modes stock,shared,sealed] [--jobs 2] [-k WORDS]

nbgrader ships its tests in its wheel. They run here unchanged, once as they are (stock) and once
in each mode of the seal, which comes in through ``JUPYTER_CONFIG_PATH``. What comes out otherwise
than in stock nbgrader must be named, with its reason, in ``tests/compat/differences.toml``;
anything else fails, and so does a difference that is named but not there.

The two tests that nbgrader itself skips, and its quickstart course, are run by ``tests/compat``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv-grading" / "bin"
LEARNER = ROOT / ".venv" / "bin" / "python"
DIFFERENCES = ROOT / "tests" / "compat" / "differences.toml"
TESTS = "nbgrader.tests.apps.test_nbgrader_autograde"
MODES = ("stock", "shared", "sealed")
# What nbgrader says of itself, here and upstream: all pass but two, which it skips.
SKIPPED = frozenset({"test_many_students", "test_infinite_loop_with_output"})
FEWEST = 42

CONFIG = """
from autograder import seal

c = get_config()
seal(c, mode={mode!r}, learner_python={learner!r})
"""


@dataclass(frozen=True)
class Ran:
    """What nbgrader's tests said in one mode.

    Attributes
    ----------
    mode : str
        One of `MODES`.
    outcomes : mapping of str to str
        passed, failed or skipped, by the test's name.
    reasons : mapping of str to str
        The end of a failure's report, by the test's name.
    seconds : float
        How long all took.
    """

    mode: str
    outcomes: Mapping[str, str]
    reasons: Mapping[str, str]
    seconds: float


def write_config(folder: Path, mode: str) -> Path:
    """Write settings for nbgrader that switch a mode of the seal on.

    Parameters
    ----------
    folder : Path
        Where to; made where it is missing.
    mode : str
        One of `MODES`; stock has no settings.

    Returns
    -------
    Path
        The folder, for ``JUPYTER_CONFIG_PATH``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = "" if mode == "stock" else CONFIG.format(mode=mode, learner=str(LEARNER))
    (folder / "nbgrader_config.py").write_text(text)
    return folder


def environment_for(folder: Path, mode: str) -> dict[str, str]:
    """Return the environment in which nbgrader runs in a mode, and without a user's settings.

    Parameters
    ----------
    folder : Path
        For the settings and for a home of its own.
    mode : str
        One of `MODES`.

    Returns
    -------
    dict
    """
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER_")}
    return {
        **kept,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_PATH": str(write_config(folder / "config", mode)),
        "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", "")]),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def run_tests(mode: str, jobs: int, words: str, folder: Path) -> Ran:
    """Run nbgrader's tests in one mode.

    Parameters
    ----------
    mode : str
        One of `MODES`.
    jobs : int
        Processes at a time.
    words : str
        Only tests whose names match, as pytest's ``-k``; empty for all.
    folder : Path
        An empty folder to work in.

    Returns
    -------
    Ran
    """
    report = folder / "report.xml"
    (folder / "pytest.ini").write_text("[pytest]\n")  # none of this project's own settings
    command = [BIN / "python", "-m", "pytest", "--pyargs", TESTS, "-q", "-p", "no:cacheprovider"]
    command += ["-c", folder / "pytest.ini", f"--rootdir={folder}", f"--junitxml={report}"]
    command += ["-n", jobs] if jobs > 1 else []
    command += ["-k", words] if words else []
    start = time.perf_counter()
    with (folder / "output.txt").open("w") as output:
        subprocess.run(
            [str(word) for word in command],
            cwd=folder,
            env=environment_for(folder, mode),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    seconds = time.perf_counter() - start
    if not report.exists():
        raise SystemExit((folder / "output.txt").read_text()[-3000:])
    return read_report(report, mode, seconds)


def read_report(report: Path, mode: str, seconds: float) -> Ran:
    """Read pytest's report.

    Parameters
    ----------
    report : Path
        In JUnit's form.
    mode, seconds
        For `Ran`.

    Returns
    -------
    Ran
    """
    outcomes: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        name = case.get("name", "")
        outcome = "passed"
        for child in case:
            if child.tag in ("failure", "error"):
                outcome = "failed"
                reasons[name] = (child.text or "")[-1500:]
            elif child.tag == "skipped" and outcome == "passed":
                outcome = "skipped"
        outcomes[name] = outcome
    return Ran(mode, outcomes, reasons, seconds)


def expected_differences(path: Path = DIFFERENCES) -> dict[str, dict[str, str]]:
    """Read what may come out otherwise than in stock nbgrader.

    Parameters
    ----------
    path : Path
        The list.

    Returns
    -------
    dict
        By mode: the reason, by the test's name.
    """
    listed = tomllib.loads(path.read_text(encoding="utf-8"))
    return {mode: dict(listed.get(mode, {})) for mode in MODES}


def unexpected(ran: Ran, listed: Mapping[str, str], *, whole: bool = True) -> list[str]:
    """Say what came out otherwise than expected.

    Parameters
    ----------
    ran : Ran
        What nbgrader's tests said.
    listed : mapping of str to str
        The expected differences of this mode.
    whole : bool
        Whether all tests were asked for.

    Returns
    -------
    list of str
        A sentence each; empty where all is as expected.
    """
    found = []
    if whole and len(ran.outcomes) < FEWEST:
        found.append(f"{ran.mode}: only {len(ran.outcomes)} of {FEWEST} tests ran")
    for name, outcome in ran.outcomes.items():
        wanted = "skipped" if name in SKIPPED else "failed" if name in listed else "passed"
        if outcome != wanted:
            found.append(f"{ran.mode}: {name} {outcome}, and was expected to be {wanted}")
    found += [
        f"{ran.mode}: {name} is a listed difference, and there is no such test"
        for name in listed
        if whole and name not in ran.outcomes
    ]
    return found


def table(runs: Sequence[Ran]) -> list[str]:
    """Return the outcomes side by side, as lines of Markdown.

    Parameters
    ----------
    runs : sequence of Ran
        One per mode.

    Returns
    -------
    list of str
    """
    names = list(dict.fromkeys(name for ran in runs for name in ran.outcomes))
    lines = [
        "| nbgrader's test | " + " | ".join(ran.mode for ran in runs) + " |",
        "|---|" + "---|" * len(runs),
    ]
    for name in sorted(names):
        cells = " | ".join(ran.outcomes.get(name, "not run") for ran in runs)
        lines.append(f"| {name} | {cells} |")
    for words, count in (
        ("passed", [sum(o == "passed" for o in ran.outcomes.values()) for ran in runs]),
        ("seconds", [round(ran.seconds) for ran in runs]),
    ):
        lines.append(f"| **{words}** | " + " | ".join(map(str, count)) + " |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Run nbgrader's own tests under the seal.")
    parser.add_argument("--modes", default=",".join(MODES), help="some of " + ", ".join(MODES))
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("-k", dest="words", default="", help="only tests whose names match")
    options = parser.parse_args(arguments)
    modes = [mode for mode in MODES if mode in options.modes.split(",")]
    if not modes:
        parser.error(f"--modes takes some of {', '.join(MODES)}")
    differences = expected_differences()
    runs: list[Ran] = []
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="compat-", ignore_cleanup_errors=True) as temporary:
        for mode in modes:
            print(f"nbgrader's own tests, {mode} (minutes)", flush=True)
            folder = Path(temporary) / mode
            folder.mkdir()
            ran = run_tests(mode, options.jobs, options.words, folder)
            runs.append(ran)
            for fault in unexpected(ran, differences[mode], whole=not options.words):
                name = fault.split()[1]
                faults += [fault, ran.reasons.get(name, "")]
    print("\n".join(["", *table(runs), ""]))
    for mode in modes:
        for name, reason in differences[mode].items():
            print(f"- {mode}, {name}: {reason}")
    if faults:
        print("\n".join(["", "Not as expected:", *faults]))
        return 1
    print("\nAll as expected. Next: tests/compat/differences.toml says what differs, and why.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
