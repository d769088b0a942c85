"""Attack the jail from inside a ward, in every way that we know of."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.jail.bare import BareJail

SYSCALL = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
from jail import syscalls
def call(name, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(syscalls.number(name), *arguments)
    return result if result != -1 else errno.errorcode[ctypes.get_errno()]
"""


def test_a_ward_sees_its_own_processes_alone(jailed: BareJail) -> None:
    found = jailed.value(
        'sorted(int(name) for name in os.listdir("/proc") if name.isdigit())', "import os"
    )
    assert found == [1, 2]


def test_a_ward_has_one_ordinary_user_without_groups_and_capabilities(jailed: BareJail) -> None:
    status = jailed.value('open("/proc/self/status").read()')
    lines = dict(line.split(":\t") for line in status.splitlines())
    assert lines["Uid"].split() == ["1000"] * 4
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(lines[kind], 16) == 0, kind
    assert lines["NoNewPrivs"] == "1"
    assert lines["Seccomp"] == "2"


@pytest.mark.parametrize(
    "place",
    [
        "environ",
        "root",
        "cwd",
        "exe",
        "mem",
        "maps",
        "fd",
        "task/1/mem",
        "root/etc/passwd",
        "map_files",
    ],
)
def test_nothing_of_init_can_be_read(jailed: BareJail, place: str) -> None:
    found = jailed.value(
        'os.listdir(p) if os.path.isdir(p) else open(p, "rb").read(9).hex()',
        f"import os; p = '/proc/1/{place}'",
    )
    assert found == "PermissionError"


def test_a_ward_sees_no_more_of_the_machine_than_it_needs(jailed: BareJail) -> None:
    assert set(jailed.value('os.listdir("/dev")', "import os")) == {
        *("fd", "stdin", "stdout", "stderr", "shm"),
        *("null", "zero", "full", "random", "urandom"),
    }
    assert set(jailed.value('os.listdir("/etc")', "import os")) <= {
        *("passwd", "group", "hosts", "nsswitch.conf", "ld.so.cache", "localtime"),
    }
    for absent in (
        "/sys",
        "/run",
        "/var/log",
        "/boot",
        "/proc/sys",
        "/proc/meminfo",
        "/dev/tty",
        "/dev/pts",
    ):
        assert jailed.value(f'os.path.lexists("{absent}")', "import os") is False, absent


@pytest.mark.parametrize("up", ["/proc/self/root/../../..", "/proc/self/cwd/../../../..", "/../.."])
def test_no_way_up_leads_out(jailed: BareJail, up: str) -> None:
    same = jailed.value(f'os.stat("{up}").st_ino == os.stat("/").st_ino', "import os")
    assert same is True


def test_the_checkout_and_the_grader_are_not_there(jailed: BareJail, root: Path) -> None:
    for secret in (
        root / "source",
        root / "autograder",
        root / "gradebook.db",
        root / "tests",
        root / ".git",
    ):
        assert jailed.value(f"os.path.lexists({str(secret)!r})", "import os") is False, secret
    assert jailed.value("__import__('autograder.exams') and 1") == "ModuleNotFoundError"


def test_only_the_own_home_can_be_written(jailed: BareJail) -> None:
    code = """
import json, os
written = []
for folder, folders, files in os.walk("/"):
    if folder.startswith("/proc"):
        folders.clear()
        continue
    place = os.path.join(folder, "written-by-a-ward")
    try:
        open(place, "w").close()
    except OSError:
        continue
    written.append(folder)
for name in "self/oom_score_adj self/mem self/uid_map self/comm 1/oom_score_adj".split():
    try:
        os.open("/proc/" + name, os.O_WRONLY)
    except OSError:
        continue
    written.append(name)
print(json.dumps(sorted(written)))
"""
    ran = jailed.run(code, seconds=60)
    places = [place for place in json.loads(ran.output) if not place.startswith("/tmp/")]
    assert places == ["/dev/shm", "/home/learner", "/tmp"], ran


@pytest.mark.parametrize(
    "attempt",
    [
        'os.chmod("/", 0o777)',
        "os.utime(sys.executable)",
        "os.open(sys.executable, os.O_RDWR)",
        "os.truncate(os.__file__, 0)",
        "os.unlink(os.__file__)",
        'os.rename(os.__file__, "/tmp/os.py")',
        'os.link("/etc/passwd", "/tmp/passwd")',
        'os.mknod("/tmp/memory", 0o020666, os.makedev(1, 1))',
        'os.mknod("/tmp/disk", 0o060666, os.makedev(254, 0))',
        'os.chown("/tmp", 0, 0)',
        "os.setuid(0)",
        "os.setgroups([0])",
        "os.nice(-1)",
        "os.sched_setaffinity(1, {0})",
        "os.setpriority(os.PRIO_PROCESS, 1, 19)",
        "os.setpriority(os.PRIO_USER, 0, 19)",
        "os.kill(1, 9)",
        "os.kill(1, 2)",
        "os.kill(-1, 9)",
        "signal.pidfd_send_signal(os.pidfd_open(1), 9)",
        "resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0))",
        "resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6))",
        "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "resource.setrlimit(resource.RLIMIT_CPU, (-1, -1))",
        'os.memfd_create("x")',
        "socket.socket(socket.AF_INET)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_INET6)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "socket.socket(socket.AF_VSOCK)",
        "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)",
        'socket.create_connection(("127.0.0.1", 22), 1)',
        'fcntl.fcntl(os.open("/", os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS)',
        "fcntl.fcntl(os.open(os.__file__, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)",
        'fcntl.ioctl(0, termios.TIOCSTI, b"x")',
    ],
)
def test_attempts_fail(jailed: BareJail, attempt: str) -> None:
    found = jailed.value(attempt, "import fcntl, os, resource, signal, socket, sys, termios")
    assert found in ("PermissionError", "OSError", "ValueError", "ProcessLookupError"), found


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ptrace", "0, 0, 0, 0"),
        ("ptrace", "16, 1, 0, 0"),
        ("process_vm_readv", "1, 0, 0, 0, 0, 0"),
        ("mount", "b'x', b'/tmp', b'tmpfs', 0, 0"),
        ("umount2", "b'/tmp', 2"),
        ("pivot_root", "b'/', b'/'"),
        ("chroot", "b'/tmp'"),
        ("unshare", "0x10000000"),
        ("unshare", "0x20000"),
        ("setns", "0, 0"),
        ("clone", "0x10000011, 0, 0, 0, 0"),
        ("clone", "0x40000011, 0, 0, 0, 0"),
        ("open_tree", "-100, b'/', 1"),
        ("fsopen", "b'tmpfs', 0"),
        ("bpf", "0, 0, 0"),
        ("perf_event_open", "0, 0, -1, -1, 0"),
        ("userfaultfd", "0"),
        ("keyctl", "0, -3, 0"),
        ("add_key", "b'user', b'x', b'y', 1, -3"),
        ("personality", "0x0040000"),
        ("shmget", "0, 4096, 0o1600"),
        ("msgget", "0, 0o1600"),
        ("semget", "0, 1, 0o1600"),
        ("mq_open", "b'/x', 0o102, 0o600, 0"),
        ("inotify_init1", "0"),
        ("kcmp", "1, 1, 0, 0, 0"),
        ("pidfd_getfd", "0, 0, 0"),
        ("open_by_handle_at", "0, 0, 0"),
        ("init_module", "0, 0, 0"),
        ("syslog", "3, 0, 0"),
        ("prctl", "4, 0, 0, 0, 0"),
        ("seccomp", "1, 0, 0"),
    ],
)
def test_system_calls_are_refused(jailed: BareJail, name: str, arguments: str) -> None:
    assert jailed.value(f'call("{name}", {arguments})', SYSCALL) == "EPERM"


@pytest.mark.parametrize("name", ["clone3", "io_uring_setup", "memfd_create"])
def test_some_system_calls_seem_not_to_exist(jailed: BareJail, name: str) -> None:
    assert jailed.value(f'call("{name}", 0, 0)', SYSCALL) == "ENOSYS"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="x32 belongs to x86_64")
def test_calls_of_another_architecture_kill(jailed: BareJail) -> None:
    ran = jailed.run(SYSCALL + "libc.syscall(0x40000000 | 39)\nprint('alive')")
    assert "alive" not in ran.output
    assert ran.status == 128 + 31  # SIGSYS


def test_a_listener_of_the_host_cannot_be_reached(jailed: BareJail, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as named, socket.socket(socket.AF_UNIX) as abstract:
        named.bind(str(tmp_path / "socket"))
        name = f"\0jail-test-{os.getpid()}"
        abstract.bind(name)
        for listener in (named, abstract):
            listener.listen()
        for address in (str(tmp_path / "socket"), name):
            found = jailed.value(
                f"socket.socket(socket.AF_UNIX).connect({address!r})", "import socket"
            )
            assert found in ("FileNotFoundError", "ConnectionRefusedError")


def test_locks_carry_no_messages(jailed: BareJail) -> None:
    """Wards read the same files, of the same kernel."""
    setup = "import fcntl, struct; file = open('/etc/passwd'); import os; lib = open(os.__file__)"
    for attempt in (
        "fcntl.flock(lib, fcntl.LOCK_EX)",
        "fcntl.flock(lib, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        "fcntl.fcntl(lib, fcntl.F_GETLK, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 0, 0, 0)) and 1",
        "fcntl.lockf(lib, fcntl.LOCK_EX | fcntl.LOCK_NB)",
    ):
        assert jailed.value(attempt, setup) in ("OSError", "PermissionError"), attempt


def test_wards_do_not_meet(jailed: BareJail) -> None:
    leave = """
import os, socket, time
for folder in ("/tmp", "/dev/shm", "/home/learner"):
    open(folder + "/message", "w").write("hidden input")
if not os.fork():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\\0meet")
    listener.listen()
    time.sleep(60)
    os._exit(0)
time.sleep(60)
"""
    jailed.run(leave, seconds=0.5)
    found = jailed.value(
        '[os.listdir(folder) for folder in ("/tmp", "/dev/shm", "/home/learner")]', "import os"
    )
    assert not [names for names in found if "message" in names], found
    found = jailed.value("socket.socket(socket.AF_UNIX).connect('\\0meet')", "import socket")
    assert found == "ConnectionRefusedError"


def test_no_descriptor_leaks(jailed: BareJail) -> None:
    found = jailed.value(
        '[os.readlink(link).split(":")[0] for link in links if os.path.lexists(link)]',
        "import os; links = ['/proc/self/fd/' + n for n in os.listdir('/proc/self/fd')]",
    )
    assert set(found) == {"/dev/null", "pipe"}, "what the template has open is not here"
    assert found.count("pipe") == 2


def test_no_ward_is_made_where_it_would_share_memory(jailed: BareJail) -> None:
    ran = jailed.run_sharing_memory("print('made')")
    assert "made" not in ran.output
    assert "the template shares memory with its forks" in ran.output
    assert jailed.run("print('made')").output == "made\n"


def test_the_environment_is_clean(jailed: BareJail) -> None:
    found = jailed.value('open("/proc/self/environ").read()')
    names = {entry.split("=")[0] for entry in found.split("\0") if entry}
    assert names <= {
        *("HOME", "LANG", "LOGNAME", "MALLOC_ARENA_MAX", "PATH"),
        *("MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    }


def test_the_host_cannot_be_named_anew_and_has_no_network(jailed: BareJail) -> None:
    assert jailed.value("os.uname().nodename", "import os") == "ward"
    assert jailed.value('open("/proc/self/net/dev").read().count("\\n")') == 3  # a heading, and lo


def test_what_notebooks_need_works(jailed: BareJail) -> None:
    code = """
import asyncio, multiprocessing, os, socket, subprocess, tempfile, threading, time
print(subprocess.run("echo shell; ls /home", shell=True, capture_output=True, text=True).stdout)
async def later():
    await asyncio.sleep(0)
    return "asynchronous"
print(asyncio.run(later()))
with tempfile.TemporaryFile() as file:
    file.write(b"x")
thread = threading.Thread(target=lambda: print("thread"))
thread.start(); thread.join()
lock = multiprocessing.get_context("fork").Lock()
with lock: print("semaphore")
import getpass; print(getpass.getuser(), os.path.expanduser("~"), os.getcwd())
print(time.localtime().tm_year > 2000, len(os.urandom(4)))
import decimal, sqlite3, zoneinfo
with sqlite3.connect("/home/learner/a.db") as writer:
    writer.execute("create table t (x)")
    writer.execute("insert into t values (1)")
print(sqlite3.connect("/home/learner/a.db").execute("select x from t").fetchone())
"""
    ran = jailed.run(code)
    for word in ("shell", "learner\n", "asynchronous", "thread", "semaphore", "True 4", "(1,)"):
        assert word in ran.output, ran.output
    assert "learner /home/learner /home/learner" in ran.output


def test_a_ward_costs_little_time(jailed: BareJail) -> None:
    seconds = sorted(jailed.run("pass").seconds for _ in range(9))
    assert seconds[4] < 0.5, seconds


def test_processes_of_the_host_are_out_of_reach(jailed: BareJail) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as bystander:
        try:
            found = jailed.value(f"os.kill({bystander.pid}, 9)", "import os")
            time.sleep(0.05)
            assert found == "ProcessLookupError"
            assert bystander.poll() is None
        finally:
            bystander.kill()
