"""The second backend: where the machine refuses namespaces."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.jail.bare import LIMITS, STRANGER, BareJail, bare_jail
from tests.jail.conftest import AS_ROOT
from tests.jail.test_ends import DAEMON, descendants, remaining, settled

from autograder.jail import landlock, unshared

USERS = ["as root", "as a user"] if AS_ROOT else ["as a user"]
HOME_DAEMON = DAEMON.replace("/home/learner/", "")


def refused(stack: ExitStack, user: str, open_python: tuple[Path, Path, Path]) -> BareJail:
    interpreter, package, driver = open_python
    return stack.enter_context(
        bare_jail(
            interpreter=interpreter,
            package=package,
            driver=driver,
            uid=STRANGER if AS_ROOT and user == "as a user" else None,
            backend="auto",
            refuse=True,
        )
    )


@pytest.fixture(scope="module", params=USERS)
def unjailed(
    request: pytest.FixtureRequest, open_python: tuple[Path, Path, Path]
) -> Iterator[BareJail]:
    """Start a jail where namespaces are refused."""
    with ExitStack() as stack:
        jail = refused(stack, request.param, open_python)
        assert "stage" not in jail.told, jail.told
        yield jail


def scratches() -> set[Path]:
    """List the folders that such a jail makes for its wards."""
    return {path.parent for path in Path(tempfile.gettempdir()).glob("autograder-*/runtime")}


def test_this_kernel_has_landlock() -> None:
    assert landlock.abi() >= 1


@pytest.fixture
def secret() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        path = Path(folder) / "secret"
        path.write_text("secret")
        path.chmod(0o666)
        yield path


def test_files_cannot_be_read_or_changed(unjailed: BareJail, secret: Path) -> None:
    before = secret.stat()
    known = before.st_mode, before.st_mtime_ns, before.st_size
    for attempt in (
        f"open({str(secret)!r}).read()",
        f"open({str(secret)!r}, 'a')",
        f"os.truncate({str(secret)!r}, 0)",
        f"os.unlink({str(secret)!r})",
        f"os.rename({str(secret)!r}, 'secret')",
        f"os.listdir({str(secret.parent)!r})",
        "open('/etc/passwd').read()",
        "open('/proc/self/environ').read()",
        "open('/proc/1/stat').read()",
        "os.listdir('/proc')",
        "os.listdir('/')",
        "open('/tmp/x', 'w')",
        "open('/dev/shm/x', 'w')",
    ):
        assert unjailed.value(attempt, "import os") == "PermissionError", attempt
    for attempt in (f"os.chmod({str(secret)!r}, 0)", f"os.utime({str(secret)!r}, (0, 0))"):
        unjailed.value(attempt, "import os")
    after = secret.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_size) == known
    assert secret.read_text() == "secret"


def test_the_own_home_is_a_home(unjailed: BareJail) -> None:
    setup = "import os, subprocess, tempfile; from pathlib import Path"
    assert unjailed.value("Path('a').write_text('abc'), os.listdir('.')", setup) == [3, ["a"]]
    assert unjailed.value("os.environ['HOME'] == os.getcwd() == str(Path.home())", setup) is True
    assert unjailed.value("tempfile.NamedTemporaryFile().write(b'x')", setup) == 1
    assert unjailed.value("subprocess.check_output('echo x', shell=True).decode()", setup) == "x\n"
    assert unjailed.value("os.listdir('.')", setup) == [], "every ward has a new one"


def test_a_ward_reads_no_folder_of_another(unjailed: BareJail) -> None:
    scratch = unjailed.value("os.path.dirname(os.path.dirname(os.getcwd()))", "import os")
    assert unjailed.value(f"os.listdir({scratch!r})", "import os") == "PermissionError"
    code = """
import json, os
here = os.getcwd()
open("answer", "w").write("mine")
others = os.path.dirname(os.path.dirname(here))
found = []
for number in [*range(3), *range(50000, 60100)]:
    for name in ("home", "home/answer", "tmp"):
        place = f"{others}/{number}/{name}"
        try:
            os.listdir(place) if name != "home/answer" else open(place).read()
        except OSError:
            continue
        found.append(place)
print(json.dumps(sorted(found)))
"""
    found = json.loads(unjailed.run(code).output)
    assert len({Path(place).parts[3] for place in found}) == 1, found


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_INET)",
        "socket.socket(socket.AF_INET6)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "os.kill(os.getppid(), 9)",
        "os.kill(os.getppid(), 2)",
        "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))",
        "open(f'/proc/{os.getppid()}/mem', 'rb')",
        "os.setuid(0)",
    ],
)
def test_attempts_fail(unjailed: BareJail, attempt: str) -> None:
    assert unjailed.value(attempt, "import os, resource, socket") == "PermissionError"


def test_socket_pairs_work(unjailed: BareJail) -> None:
    setup = "import asyncio\nasync def later(): return 5"
    assert unjailed.value("asyncio.run(later())", setup) == 5


def test_a_process_of_the_same_user_cannot_be_ended(unjailed: BareJail) -> None:
    user = {"user": STRANGER, "group": STRANGER, "extra_groups": []} if AS_ROOT else {}
    with subprocess.Popen(["sleep", "60"], **user) as bystander:  # type: ignore[call-overload]
        try:
            assert unjailed.value(f"os.kill({bystander.pid}, 9)", "import os") == "PermissionError"
            time.sleep(0.05)
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_limits_hold(unjailed: BareJail) -> None:
    limit = LIMITS["memory_bytes"]
    assert unjailed.value(f"len(bytearray({limit + (8 << 20)}))") == "MemoryError"
    fork = """
import os, time
def forks():
    for count in range(200):
        try:
            if not os.fork():
                time.sleep(60)
                os._exit(0)
        except OSError:
            return count
"""
    assert unjailed.value("forks()", fork) <= LIMITS["processes"]
    fill = """
import time
for number in range(8):
    open(str(number), "wb").write(bytes(4 << 20))
time.sleep(30)
"""
    ran = unjailed.run(fill, seconds=20)
    assert not ran.late, "a ward that fills the disk is ended"


def test_daemons_die_with_their_ward(unjailed: BareJail) -> None:
    waiting = unjailed.told["waiting"]
    before = set(descendants(waiting))
    ran = unjailed.run(HOME_DAEMON)
    assert ran.status == 0, ran
    assert set(descendants(waiting)) <= before


def test_a_fork_bomb_ends_with_its_ward(unjailed: BareJail) -> None:
    waiting = unjailed.told["waiting"]
    before = set(descendants(waiting))
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    ran = unjailed.run(bomb, seconds=1)
    assert ran.late
    assert set(descendants(waiting)) <= before


@pytest.mark.parametrize("user", USERS)
def test_the_death_of_the_grader_ends_all_and_leaves_no_file(
    user: str, open_python: tuple[Path, Path, Path]
) -> None:
    before = scratches()
    with ExitStack() as stack:
        jail = refused(stack, user, open_python)
        jail.start(HOME_DAEMON + "time.sleep(60)")
        waiting = jail.told["waiting"]
        everyone = settled(waiting)
        jail.process.kill()
        assert remaining([waiting, *everyone]) == []
    assert scratches() <= before


def test_what_is_hidden_is_allowed_nowhere(tmp_path: Path) -> None:
    for name in (
        "site/open/a.py",
        "site/hidden/b.py",
        "site/course/__init__.py",
        "site/course/c.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    site = tmp_path / "site"
    rules = dict(
        unshared.rules(
            {
                "binds": {str(site): str(site)},
                "masks": [str(site / "hidden")],
                "only": {
                    str(site / "course"): {"__init__.py": str(site / "course" / "__init__.py")}
                },
            }
        )
    )
    ours = {place: right for place, right in rules.items() if place.startswith(str(tmp_path))}
    assert ours == {
        str(site): landlock.LIST,
        str(site / "open"): landlock.READ,
        str(site / "course"): landlock.LIST,
        str(site / "course" / "__init__.py"): landlock.READ,
    }


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user's jail runs as that user")
def test_an_interpreter_that_only_root_can_read_is_named(
    tmp_path: Path, open_python: tuple[Path, Path, Path]
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    copy = private / "python"
    shutil.copytree(open_python[0].parent.parent, copy)
    interpreter = copy / "bin" / open_python[0].name
    with bare_jail(interpreter=interpreter, backend="landlock") as jail:
        assert jail.told["stage"] == "let an ordinary user run the learner's Python"
        assert str(interpreter) in jail.told["reason"]


def test_abstract_sockets_of_the_host_are_out_of_reach(unjailed: BareJail) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0unjailed-test")
        listener.listen()
        found = unjailed.value(
            "socket.socket(socket.AF_UNIX).connect('\\0unjailed-test')", "import socket"
        )
        assert found == "PermissionError"
