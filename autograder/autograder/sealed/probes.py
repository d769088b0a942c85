"""What the self-test tries inside a ward.

The text of this file is sent into a ward and run there, like a learner's cell: it imports nothing
but the standard library. Each function returns plain data about what it could do.
"""

# System calls take paths as text.
# ruff: noqa: PTH101, PTH104, PTH106, PTH108, PTH109, PTH118, PTH120, PTH123, PTH208, PTH211
# ruff: noqa: SIM115

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import os
import re
import resource
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable
from typing import Any

HOMES = ("/home/learner", "/tmp", "/dev/shm")


def attempt(action: Callable[[], object]) -> str:
    """Return "done", or the name of the exception."""
    try:
        action()
    except BaseException as error:
        return type(error).__name__
    return "done"


def seen(paths: list[str], names: list[str]) -> list[str]:
    """List the paths that exist, and every file or folder with one of the names."""
    found = [path for path in paths if os.path.lexists(path)]
    wanted = set(names)
    for folder, folders, files in os.walk("/"):
        if folder == "/":
            folders[:] = [name for name in folders if name not in ("proc", "sys")]
        found += [os.path.join(folder, name) for name in wanted.intersection(folders, files)]
        found += [os.path.join(folder, name) for name in wanted.intersection(files)]
    return sorted(set(found))


def readable(paths: list[str]) -> list[str]:
    """List the files that can be read, by any of several names for them."""
    found = []
    for path in paths:
        for way in (path, f"/proc/1/root{path}", f"/proc/self/root{path}", f"/../..{path}"):
            with contextlib.suppress(OSError), open(way, "rb") as file:
                file.read(1)
                found.append(way)
    return found


def writable() -> list[str]:
    """List folders outside the home where a file can be made, and files that can be changed."""
    home = (os.getcwd(), *HOMES)
    found = []
    for folder, folders, files in os.walk("/"):
        if folder == "/":
            folders[:] = [name for name in folders if name not in ("proc", "sys")]
        if folder in home:
            folders.clear()
            continue
        place = os.path.join(folder, "written-by-the-self-test")
        with contextlib.suppress(OSError):
            os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.unlink(place)
            found.append(folder)
        if files and not folder.startswith("/dev"):
            with contextlib.suppress(OSError):
                os.close(os.open(os.path.join(folder, files[0]), os.O_WRONLY))
                found.append(os.path.join(folder, files[0]))
    for name in ("self/oom_score_adj", "self/mem", "sys/kernel/core_pattern", "sysrq-trigger"):
        with contextlib.suppress(OSError):
            os.close(os.open(f"/proc/{name}", os.O_WRONLY))
            found.append(f"/proc/{name}")
    return found


def tampered(path: str, elsewhere: str) -> bool:
    """Try to change a file and what is known of it, in every way."""
    attempts: list[Callable[[], object]] = [
        lambda: os.chmod(path, 0o600),
        lambda: os.utime(path, (0, 0)),
        lambda: os.setxattr(path, "user.self-test", b"x"),
        lambda: os.chown(path, os.getuid(), os.getgid()),
        lambda: os.truncate(path, 0),
        lambda: os.rename(path, elsewhere),
        lambda: os.link(path, elsewhere),
        lambda: os.symlink(path, elsewhere),
        lambda: os.unlink(path),
        lambda: os.rmdir(os.path.dirname(path)),
    ]
    for action in attempts:
        attempt(action)
    return True


def reached(port: int, named: str, abstract: str) -> list[str]:
    """List the listeners that could be reached."""
    found = []
    for family, host, number in (
        (socket.AF_INET, "127.0.0.1", port),
        (socket.AF_INET6, "::1", port),
        (socket.AF_INET, "192.0.2.1", 9),  # an address for documentation, which nobody has
    ):
        with contextlib.suppress(OSError), socket.socket(family) as connection:
            connection.settimeout(0.2)
            if connection.connect_ex((host, number)) == 0:
                found.append(f"{host} port {number}")
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ("127.0.0.1", port))
        found.append("a datagram to 127.0.0.1")
    for address in (named, "\0" + abstract):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address)
            found.append("a socket named " + address.replace("\0", "@"))
    return found


def processes(bystander: int) -> dict[str, Any]:
    """Say which processes can be seen, and what came of signals to those of the machine."""
    numbers = []
    with contextlib.suppress(OSError):
        numbers = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    return {
        "seen": numbers,
        "own": [os.getpid(), os.getppid()],
        "signal": attempt(lambda: os.kill(bystander, 0)),
        "kill": attempt(lambda: os.kill(bystander, signal.SIGKILL)),
    }


def init() -> list[str]:
    """List what could be done to the process that watches over the ward."""
    first = os.getppid()
    done = []
    for name in ("mem", "environ", "maps", "fd", "root", "cwd", "exe"):
        place = f"/proc/{first}/{name}"
        with contextlib.suppress(OSError):
            os.listdir(place) if name in ("fd", "root", "cwd") else open(place, "rb").read(1)
            done.append(f"read {name}")
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGSEGV):
        attempt(functools.partial(os.kill, first, number))
    if attempt(lambda: resource.prlimit(first, resource.RLIMIT_NOFILE, (0, 0))) == "done":
        done.append("limit it")
    time.sleep(0.02)
    return done + ([] if os.getppid() == first else ["end it"])


def privileges() -> list[str]:
    """List privileges that this process has, or can get."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    with contextlib.suppress(OSError):
        with open("/proc/self/status", encoding="ascii") as lines:
            status = dict(line.split(":", 1) for line in lines)
        found += [name for name in status if name.startswith("Cap") and int(status[name], 16)]
        found += [] if int(status["NoNewPrivs"]) else ["new privileges"]
        found += [] if int(status["Seccomp"]) == 2 else ["all system calls"]
    if os.getuid() == 0 or attempt(lambda: os.setuid(0)) == "done":
        found.append("root")
    trials: dict[str, Callable[[], int]] = {
        "unshare": lambda: libc.unshare(0x10000000),
        "mount": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
        "chroot": lambda: libc.chroot(b"/tmp"),
        "ptrace": lambda: libc.ptrace(0, 0, 0, 0),
        "personality": lambda: libc.personality(0x0040000),
        "memfd_create": lambda: libc.memfd_create(b"x", 0),
        "flock": lambda: libc.flock(os.open(os.__file__, os.O_RDONLY), 2),
        "shmget": lambda: libc.shmget(0, 4096, 0o1600),
    }
    return found + [name for name, trial in trials.items() if trial() != -1]


def raised() -> list[str]:
    """List the limits that can be raised."""
    found = []
    for name in ("AS", "CPU", "NPROC", "NOFILE", "FSIZE", "CORE"):
        kind = getattr(resource, "RLIMIT_" + name)
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY:
            found.append(f"{name} is not limited")
        elif attempt(functools.partial(resource.setrlimit, kind, (hard + 1, hard + 1))) == "done":
            found.append(name)
    return found


def environment() -> list[str]:
    """Return all that the environment says, now and when the process was started."""
    texts = [f"{name}={value}" for name, value in os.environ.items()]
    for process in ("self", 1, os.getppid()):
        with (
            contextlib.suppress(OSError),
            open(f"/proc/{process}/environ", encoding="utf-8", errors="replace") as file,
        ):
            texts += file.read().split("\0")
    return texts


def remembers(digest: str) -> bool:
    """Say whether this process's memory holds a secret, of which only the digest is told."""
    pattern = re.compile(b"canary" + b"[0-9a-f]{32}")
    with open("/proc/self/maps", encoding="ascii", errors="replace") as lines:
        regions = [line.split() for line in lines]
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        for region in regions:
            if not region[1].startswith("rw") or region[-1] in ("[vvar]", "[vsyscall]"):
                continue
            at, end = (int(text, 16) for text in region[0].split("-"))
            while at < end:
                try:
                    memory.seek(at)
                    block = memory.read(min(1 << 22, end - at))
                except (OSError, ValueError, OverflowError):
                    break
                if any(
                    hashlib.sha256(found).hexdigest() == digest for found in pattern.findall(block)
                ):
                    return True
                at += max(1, len(block))
    return False


def modules(prefixes: list[str]) -> list[str]:
    """List the loaded modules of these packages that have a file."""
    return sorted(
        name
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in prefixes and getattr(module, "__file__", None)
    )


def most_memory() -> int:
    """Take memory, a MiB at a time, and return how many were given."""
    blocks: list[bytearray] = []
    try:
        while len(blocks) < 4096:
            blocks.append(bytearray(1 << 20))
    except MemoryError:
        pass
    return len(blocks)


def most_processes() -> int:
    """Start processes until that is refused, and return how many there were."""
    children: list[int] = []
    try:
        while len(children) < 500:
            child = os.fork()
            if not child:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    except OSError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return len(children)


def most_files() -> int:
    """Open files until that is refused, and return how many there were."""
    opened: list[int] = []
    try:
        while len(opened) < 5000:
            opened.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    for descriptor in opened:
        os.close(descriptor)
    return len(opened)


def most_disk() -> int:
    """Fill every writable folder, and return how many bytes there was room for."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    written = 0
    for folder in {os.getcwd(), *HOMES}:
        for number in range(64):
            try:
                file = os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY)
                while written < 1 << 30:
                    written += os.write(file, bytes(1 << 18))
            except OSError:
                continue
    return written


def held() -> list[str]:
    """List what this process holds that other processes may hold, too."""
    found = []
    for descriptor in range(1024):
        with contextlib.suppress(OSError):
            about = os.fstat(descriptor)
            # Links of the kernel's anonymous files are all alike, and devices are for all.
            if stat.S_IFMT(about.st_mode) not in (0, stat.S_IFCHR):
                found.append(f"a descriptor of {about.st_dev}:{about.st_ino}")
    with contextlib.suppress(OSError), open("/proc/self/maps", encoding="ascii") as lines:
        found += ["memory of " + line.split()[4] for line in lines if " rw-s " in line]
    return found


def leave(name: str) -> bool:
    """Leave messages for other wards: files, and a listener."""
    for folder in {os.getcwd(), *HOMES}:
        with contextlib.suppress(OSError), open(f"{folder}/{name}", "w") as file:
            file.write("x")
    with contextlib.suppress(OSError):
        globals()["listener"] = listener = socket.socket(socket.AF_UNIX)
        listener.bind("\0" + name)
        listener.listen()
    return True


def start_daemon(name: str) -> bool:
    """Start a process that nothing but SIGKILL ends, under a name by which it can be found."""
    child = os.fork()
    if not child:
        os.setsid()
        if os.fork():
            os._exit(0)
        for number in range(1, 65):
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_IGN)
        ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)
        while True:
            time.sleep(10)
    os.waitpid(child, 0)
    return True
