"""Drives one jail for the tests, as whatever user it is started.

Reads requests as lines of JSON on standard input and answers on standard output. Run with the
folder of the package ``jail`` as its first argument, so that it needs nothing but the standard
library.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(sys.argv[1])

import jail  # type: ignore[import-not-found]  # a package of its own, as in the jail
from jail import privileges, seccomp, syscalls

TEMPLATE = """
import json, os, select, signal, socket, sys, time
sys.path.append("/opt/ward")
sys.path += json.loads(sys.argv[2])
from jail import inner
from jail.spec import RawLimits
channel = socket.socket(fileno=int(sys.argv[1]))
channel.set_inheritable(False)
# What a library may leave open: no ward may have it, or all would share it.
left_open = socket.socketpair(), os.pipe()

def ward(code, limits, output):
    inner.enter_ward(limits, [output])
    inner.protect_init()
    main = os.fork()
    if not main:
        inner.confine(limits)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        exec(compile(code, "<ward>", "exec"), {"__name__": "__main__"})
        sys.stdout.flush()
        os._exit(0)
    while True:
        done, status = os.waitpid(-1, 0)
        if done == main:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)

while request := channel.recv(1 << 20):
    request = json.loads(request)
    limits = RawLimits(**request["limits"])
    started = time.perf_counter()
    shared = __import__("mmap").mmap(-1, 4096) if request["shared"] else None
    read, write = os.pipe()
    keeper = os.fork()
    if not keeper:
        os.close(read)
        try:
            ward(request["code"], limits, write)
        finally:
            import traceback
            os.write(write, traceback.format_exc().encode())
            os._exit(99)
    os.close(write)
    output, late = b"", False
    until = started + request["seconds"]
    while True:
        ready, _, _ = select.select([read], [], [], max(0, until - time.perf_counter()))
        if not ready:
            late = True
            break
        piece = os.read(read, 65536)
        if not piece:
            break
        output = (output + piece)[:100_000]
    os.kill(keeper, signal.SIGTERM)
    _, status = os.waitpid(keeper, 0)
    os.close(read)
    if shared:
        shared.close()
    answer = {
        "output": output.decode(errors="replace"),
        "status": os.waitstatus_to_exitcode(status),
        "late": late,
        "seconds": time.perf_counter() - started,
    }
    channel.send(json.dumps(answer).encode())
"""


def refuse_namespaces() -> None:
    """Make this machine look like a container that refuses namespaces and mounts."""
    refuse = (6, 0, 0, seccomp.ERRNO | 1)
    code = [(0x20, 0, 0, 0)]
    for name in ("unshare", "mount", "clone3"):
        code += [(0x15, 0, 1, syscalls.number(name)), refuse]
    code += [(6, 0, 0, seccomp.ALLOW)]
    privileges.forbid_new_privileges()
    seccomp.load(b"".join(struct.pack("=HBBI", *line) for line in code))


def main() -> None:
    plan = json.loads(sys.stdin.readline())
    if plan["refuse"]:
        refuse_namespaces()
    spec = jail.JailSpec(
        interpreter=Path(plan["interpreter"]),
        runtime=(Path(jail.__file__).parent,),
        hidden=tuple(map(Path, plan["hidden"])),
        only={Path(place): tuple(names) for place, names in plan["only"].items()},
        backend=plan["backend"],
    )
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    limits = jail.RawLimits(**plan["limits"])
    runtime = json.dumps([str(Path(jail.__file__).parent.parent)])
    started = time.perf_counter()
    try:
        process = jail.launch(
            spec,
            ["-c", TEMPLATE, str(theirs.fileno()), runtime],
            [theirs.fileno()],
            limits,
            stderr=True,
        )
    except jail.JailError as error:
        answer({"stage": error.stage, "reason": error.reason})
        return
    theirs.close()
    answer(
        {"waiting": process.pid, "driver": os.getpid(), "seconds": time.perf_counter() - started}
    )
    for line in sys.stdin:
        request = json.loads(line)
        ours.send(
            json.dumps(
                {
                    "code": request["code"],
                    "limits": plan["limits"] | request["limits"],
                    "seconds": request["seconds"],
                    "shared": request.get("shared", False),
                }
            ).encode()
        )
        if not request["wait"]:
            answer({})
            continue
        answer(json.loads(ours.recv(1 << 20)))
    process.terminate()
    process.wait()


def answer(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
