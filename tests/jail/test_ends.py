"""Nothing survives: neither a ward's end, nor a jail's, nor a grader's."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from tests.jail.bare import STRANGER, BareJail, bare_jail
from tests.jail.conftest import AS_ROOT

# A daemon by the book: two forks, a session of its own, every signal ignored.
DAEMON = """
import os, signal, time
def daemon():
    if child := os.fork():
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    open("/home/learner/alive", "w").close()
    while True:
        time.sleep(1)
for _ in range(3):
    daemon()
while not os.path.exists("/home/learner/alive"):
    time.sleep(0.01)
"""


def descendants(of: int) -> list[int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {of}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {of})


def settled(waiting: int) -> list[int]:
    """Wait for the template, a keeper, init, main and three daemons, and nothing in between."""
    until = time.monotonic() + 10
    found: list[int] = []
    while time.monotonic() < until:
        before, found = found, descendants(waiting)
        if before == found and len(found) >= 7:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{len(found)} processes")


def alive(process: int) -> bool:
    """Whether a process can still do anything; one that is dead may wait for its parent to look."""
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[
            0
        ] != "Z"
    except OSError:
        return False


def remaining(processes: list[int], seconds: float = 5) -> list[int]:
    until = time.monotonic() + seconds
    while True:
        left = [process for process in processes if alive(process)]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.02)


def test_a_daemon_dies_with_its_ward(jailed: BareJail) -> None:
    waiting = jailed.told["waiting"]
    before = set(descendants(waiting))
    ran = jailed.run(DAEMON)
    assert ran.status == 0, ran
    # By now, not some time later.
    assert set(descendants(waiting)) <= before


def test_a_daemon_dies_when_its_ward_is_ended(jailed: BareJail) -> None:
    waiting = jailed.told["waiting"]
    before = set(descendants(waiting))
    ran = jailed.run(DAEMON + "time.sleep(60)", seconds=1)
    assert ran.late
    assert set(descendants(waiting)) <= before


@pytest.fixture(params=["as root", "as a user"] if AS_ROOT else ["as a user"])
def own_jail(request: pytest.FixtureRequest, open_python: tuple[Path, Path, Path]):  # type: ignore[no-untyped-def]
    interpreter, package, driver = open_python
    if request.param == "as root":
        with bare_jail(backend="namespaces") as jail:
            yield jail
    else:
        uid = STRANGER if AS_ROOT else None
        with bare_jail(
            interpreter=interpreter, package=package, driver=driver, uid=uid, backend="namespaces"
        ) as jail:
            yield jail


@pytest.mark.parametrize("victim", ["driver", "waiting", "template", "keeper"])
def test_whoever_is_killed_takes_the_ward_along(own_jail: BareJail, victim: str) -> None:
    own_jail.start(DAEMON + "time.sleep(60)")
    waiting, driver = own_jail.told["waiting"], own_jail.told["driver"]
    everyone = settled(waiting)
    template, keeper = everyone[:2]
    os.kill(
        {"driver": driver, "waiting": waiting, "template": template, "keeper": keeper}[victim],
        signal.SIGKILL,
    )
    doomed = [process for process in everyone if victim != "keeper" or process != template]
    assert remaining(doomed) == []


def test_the_end_of_the_life_line_ends_the_jail(own_jail: BareJail) -> None:
    own_jail.start(DAEMON + "time.sleep(60)")
    everyone = [own_jail.told["waiting"], *descendants(own_jail.told["waiting"])]
    assert own_jail.process.stdin is not None
    own_jail.process.stdin.close()
    assert remaining(everyone) == []
