"""The filter of system calls, run by a small model of the kernel's machine, for both processors."""

from __future__ import annotations

import errno
import struct

import pytest

from autograder.jail import seccomp
from autograder.jail.seccomp import (
    ALLOW,
    ATTRIBUTES,
    DENIED,
    ERRNO,
    KILL_PROCESS,
    MISSING,
    Policy,
    program,
)
from autograder.jail.syscalls import MACHINES, NUMBERS

ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
REFUSED = ERRNO | errno.EPERM
ABSENT = ERRNO | errno.ENOSYS


def verdict(
    machine: str,
    name: str | int,
    *arguments: int,
    policy: Policy | None = None,
    architecture: int | None = None,
) -> int:
    """Run the filter on one call."""
    number = name if isinstance(name, int) else NUMBERS[name][MACHINES.index(machine)]
    assert number is not None
    padded = (*arguments, *[0] * 6)[:6]
    arch = ARCHITECTURE[machine] if architecture is None else architecture
    data = struct.pack("=IIQ6Q", number, arch, 0, *padded)
    code = program(policy or Policy(), machine)
    at = accumulator = 0
    while True:
        operation, if_true, if_false, constant = code[at]
        at += 1
        if operation == 0x20:
            accumulator = struct.unpack_from("=I", data, constant)[0]
        elif operation == 0x06:
            return constant
        else:
            truth = {
                0x15: accumulator == constant,
                0x35: accumulator >= constant,
                0x45: bool(accumulator & constant),
            }[operation]
            at += if_true if truth else if_false


@pytest.mark.parametrize("machine", MACHINES)
def test_every_listed_call_is_refused_and_others_are_allowed(machine: str) -> None:
    column = MACHINES.index(machine)
    for names, expected in ((DENIED, REFUSED), (MISSING, ABSENT)):
        for name in names:
            if NUMBERS[name][column] is not None:
                assert verdict(machine, name) == expected, name
    listed = {numbers[column] for numbers in NUMBERS.values()}
    assert all(verdict(machine, n) == ALLOW for n in range(450) if n not in listed)


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_are_judged_by_their_arguments(machine: str) -> None:
    def asks(name: str, *arguments: int) -> int:
        return verdict(machine, name, *arguments)

    assert asks("clone", 17) == ALLOW
    assert asks("clone", 0x3D0F00) == ALLOW  # a thread, as the C library makes one
    for flag in (0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert asks("clone", 17 | flag) == REFUSED
    for name in ("socket", "socketpair"):
        assert asks(name, 1) == ALLOW
        assert [asks(name, family) for family in (0, 2, 10, 16, 17, 38, 40)] == [REFUSED] * 7
    assert asks("ioctl", 0, 0x5413) == ALLOW
    assert [asks("ioctl", 0, r) for r in (0x5412, 0x541C, 0x540E)] == [REFUSED] * 3
    # The kernel reads the lower half alone; so must the filter.
    assert asks("ioctl", 0, 0x1_0000_5412) == REFUSED
    assert asks("socket", 0x1_0000_0002) == REFUSED
    assert asks("prctl", 15) == ALLOW
    assert [asks("prctl", option) for option in (4, 22, 35)] == [REFUSED] * 3
    assert [asks("personality", persona) for persona in (0, 0xFFFFFFFF)] == [ALLOW] * 2
    assert asks("personality", 0x40000) == REFUSED
    assert asks("prlimit64", 0, 7) == ALLOW
    assert asks("prlimit64", 1, 7) == REFUSED
    assert asks("setpriority", 0, 0, 5) == ALLOW
    assert [asks("setpriority", *who) for who in ((0, 1), (1, 0), (2, 0))] == [REFUSED] * 3
    assert asks("fcntl", 0, 3) == ALLOW
    assert [asks("fcntl", 0, request) for request in (5, 36, 1024, 1026)] == [REFUSED] * 4
    assert asks("flock") == ERRNO | errno.ENOLCK


@pytest.mark.parametrize("machine", MACHINES)
def test_without_namespaces_no_named_sockets_and_no_attributes(machine: str) -> None:
    policy = Policy(unix_sockets=False, attributes=False)
    assert verdict(machine, "socket", 1, policy=policy) == REFUSED
    assert verdict(machine, "socketpair", 1, policy=policy) == ALLOW
    for name in ATTRIBUTES:
        if NUMBERS[name][MACHINES.index(machine)] is not None:
            assert verdict(machine, name) == ALLOW
            assert verdict(machine, name, policy=policy) == ERRNO  # no error, and nothing done


def test_other_architectures_are_killed() -> None:
    for machine in MACHINES:
        for other in (
            0x40000003,
            0x40000028,
            ARCHITECTURE["aarch64" if machine == "x86_64" else "x86_64"],
        ):
            assert verdict(machine, 39, architecture=other) == KILL_PROCESS
    assert verdict("x86_64", 0x40000000 | 39) == KILL_PROCESS


def test_the_program_is_short_enough_for_the_kernel() -> None:
    for machine in MACHINES:
        code = program(Policy(), machine)
        assert len(code) < 4096
        assert all(jump < 256 for _, if_true, if_false, _ in code for jump in (if_true, if_false))
    assert len(seccomp.assembled(Policy())) % 8 == 0
