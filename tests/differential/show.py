"""Print how sealed grading differs from stock, with what each check said.

Usage: .venv-grading/bin/python -m tests.differential.show [THEME ...] [--group NAME] [--new]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path

from tests.differential.corpus import read_themes, theme_names
from tests.differential.differences import describe, directions, read_groups
from tests.differential.grading import Outcome, grade

NEW = "not listed"
GONE = "listed, and does not show (or the other way round)"


def by_group(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Sort differences by the group that lists them.

    Parameters
    ----------
    outcomes : sequence of Outcome

    Returns
    -------
    dict of str to list of Outcome
        Under `NEW` what is listed nowhere, under `GONE` what is listed and not so.
    """
    groups = read_groups()
    expected = directions(groups)
    group_of = {key: group.name for group in groups for key in (*group.less, *group.more)}
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        listed = expected.get(outcome.key, "same")
        if listed == outcome.direction:
            if listed != "same":
                found.setdefault(group_of[outcome.key], []).append(outcome)
        else:
            found.setdefault(NEW if listed == "same" else GONE, []).append(outcome)
    return found


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines if line)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 where the list of differences is not what shows."""
    parser = argparse.ArgumentParser(description="Print how sealed grading differs from stock.")
    parser.add_argument("themes", nargs="*", metavar="THEME", help=", ".join(theme_names()))
    parser.add_argument("--group", help="only this group of tests/differential/differences.toml")
    parser.add_argument("--new", action="store_true", help="only what the list does not hold")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.themes) - set(theme_names())
    if unknown:
        parser.error(f"no theme {', '.join(sorted(unknown))}; there are {', '.join(theme_names())}")
    with tempfile.TemporaryDirectory() as folder:
        outcomes = grade(Path(folder) / "run", read_themes(chosen.themes))
    found = by_group(outcomes)
    reasons = {group.name: group.reason for group in read_groups()}
    for name in sorted(found, key=lambda name: (name in (NEW, GONE), name)):
        if (chosen.group and name != chosen.group) or (chosen.new and name not in (NEW, GONE)):
            continue
        _say(f"\n== {name} ({len(found[name])})", reasons.get(name, ""))
        for outcome in found[name]:
            _say(f"\n  {describe(outcome)}", textwrap.indent(outcome.code, "      "))
    count = sum(outcome.direction != "same" for outcome in outcomes)
    _say(f"\n{len(outcomes)} scores compared, {count} differ.")
    return int(NEW in found or GONE in found)


if __name__ == "__main__":
    sys.exit(main())
