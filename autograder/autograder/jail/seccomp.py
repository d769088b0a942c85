"""A filter of system calls, as the program that the kernel runs on every call.

Most calls are allowed; those with which a process could look at others, leave its limits, reach the
network or poke at rarely used parts of the kernel are not. A filter cannot be taken off again.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from . import namespaces
from .spec import JailError
from .syscalls import MACHINES, NUMBERS, machine, prctl, syscall

DENIED: Final = (
    # looking into other processes, or acting on them
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease"),
    *("kcmp", "pidfd_getfd", "move_pages", "migrate_pages"),
    *("sched_setscheduler", "sched_setparam", "sched_setattr", "ioprio_set"),
    # mounts and namespaces
    *("mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick"),
    *("open_tree", "open_tree_attr", "move_mount", "mount_setattr", "statmount", "listmount"),
    *("unshare", "setns", "name_to_handle_at", "open_by_handle_at"),
    # the kernel itself
    *("bpf", "perf_event_open", "userfaultfd", "kexec_load", "kexec_file_load", "init_module"),
    *("finit_module", "delete_module", "create_module", "query_module", "get_kernel_syms"),
    *("reboot", "syslog", "acct", "swapon", "swapoff", "iopl", "ioperm", "modify_ldt", "_sysctl"),
    *("sysfs", "uselib", "ustat", "nfsservctl", "lookup_dcookie", "quotactl", "quotactl_fd"),
    *("vhangup", "vserver", "security", "tuxcall", "afs_syscall", "getpmsg", "putpmsg"),
    *("set_mempolicy_home_node", "lsm_set_self_attr"),
    # clocks and names of the machine
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex"),
    *("sethostname", "setdomainname"),
    # stores that outlive a process, or are shared by all processes of a user
    *("add_key", "request_key", "keyctl", "shmget", "msgget", "semget", "mq_open"),
    # watching the files that others use
    *("inotify_init", "inotify_init1", "inotify_add_watch", "fanotify_init", "fanotify_mark"),
    # more of the same kind, once inside
    *("seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"),
)
# Programs know how to do without these: they see a kernel that is too old for them. Files in
# anonymous memory would escape every limit; clone3 hides its flags behind a pointer.
MISSING: Final = (
    *("clone3", "memfd_create", "memfd_secret"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),
)
# What Landlock does not guard: the mode, the owner, the times and the attributes of any file.
ATTRIBUTES: Final = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "futimesat", "utimensat", "file_setattr"),
    *("setxattr", "lsetxattr", "fsetxattr", "setxattrat"),
    *("removexattr", "lremovexattr", "fremovexattr", "removexattrat"),
)
_AF_UNIX = 1
_TERMINAL_REQUESTS = (0x5412, 0x541C, 0x540E)  # TIOCSTI, TIOCLINUX, TIOCSCTTY
# To be told when others use a file, or to ask what they have locked: wards share the files that
# they read, and could send messages by locks. Of those files none can be locked for writing.
_WATCHING_REQUESTS = (5, 36, 1024, 1026)  # F_GETLK, F_OFD_GETLK, F_SETLEASE, F_NOTIFY
_DENIED_PRCTL = (4, 22, 35)  # PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_MM
_ORDINARY_PERSONALITIES = (0, 0xFFFFFFFF)  # plain Linux, and the question which one it is

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000

# Instructions of the classic Berkeley packet filter.
_LOAD = 0x20
_JUMP_EQUAL = 0x15
_JUMP_GREATER_EQUAL = 0x35
_JUMP_ANY_BIT = 0x45
_RETURN = 0x06
ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
ERRNO = 0x00050000
_NUMBER_AT = 0
_ARCHITECTURE_AT = 4
_ARGUMENTS_AT = 16

Instruction = tuple[int, int, int, int]


@dataclass(frozen=True)
class Policy:
    """What differs between backends.

    Attributes
    ----------
    unix_sockets : bool
        Whether named sockets may be made. Only where no socket of the host is in reach.
    attributes : bool
        Whether attributes of files may be changed. Only where all files in reach are the ward's;
        elsewhere nothing happens, and no error is seen.
    """

    unix_sockets: bool = True
    attributes: bool = True


def program(policy: Policy, of_machine: str) -> list[Instruction]:
    """Write the filter.

    Parameters
    ----------
    policy : Policy
        What to allow.
    of_machine : str
        ``"x86_64"`` or ``"aarch64"``.

    Returns
    -------
    list of tuple
        Instructions: code, jump if true, jump if false, constant.
    """
    column = MACHINES.index(of_machine)

    def on(name: str, body: Iterable[Instruction]) -> list[Instruction]:
        number = NUMBERS[name][column]
        if number is None:
            return []
        body = list(body)
        return [(_JUMP_EQUAL, 0, len(body), number), *body]

    code: list[Instruction] = [
        _load(_ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[of_machine]),
        _return(KILL_PROCESS),
        _load(_NUMBER_AT),
    ]
    if of_machine == "x86_64":
        code += [(_JUMP_GREATER_EQUAL, 0, 1, _X32), _return(KILL_PROCESS)]
    for name in DENIED:
        code += on(name, [_return(_refuse(errno.EPERM))])
    for name in MISSING:
        code += on(name, [_return(_refuse(errno.ENOSYS))])
    code += on("clone", _unless_any_bit(0, namespaces.ANY))
    code += on(
        "socket",
        _only_if(0, (_AF_UNIX,)) if policy.unix_sockets else [_return(_refuse(errno.EPERM))],
    )
    code += on("socketpair", _only_if(0, (_AF_UNIX,)))
    code += on("ioctl", _unless(1, _TERMINAL_REQUESTS))
    code += on("prctl", _unless(0, _DENIED_PRCTL))
    code += on("personality", _only_if(0, _ORDINARY_PERSONALITIES))
    # These act on a process by its number; 0 is oneself.
    code += on("prlimit64", _only_if(0, (0,)))
    code += on("sched_setaffinity", _only_if(0, (0,)))
    code += on("setpriority", [*_only_if(0, (0,))[:-1], *_only_if(1, (0,))])
    code += on("fcntl", _unless(1, _WATCHING_REQUESTS))
    code += on("flock", [_return(_refuse(errno.ENOLCK))])
    for name in () if policy.attributes else ATTRIBUTES:
        code += on(name, [_return(ERRNO)])
    return [*code, _return(ALLOW)]


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _return(action: int) -> Instruction:
    return (_RETURN, 0, 0, action)


def _refuse(error: int) -> int:
    return ERRNO | error


def _argument(index: int) -> Instruction:
    # The lower half, which is what the kernel reads of an int; both machines are little-endian.
    return _load(_ARGUMENTS_AT + 8 * index)


def _only_if(index: int, values: tuple[int, ...]) -> list[Instruction]:
    tests: list[Instruction] = [
        (_JUMP_EQUAL, len(values) - position, 0, value) for position, value in enumerate(values)
    ]
    return [_argument(index), *tests, _return(_refuse(errno.EPERM)), _return(ALLOW)]


def _unless(index: int, values: tuple[int, ...]) -> list[Instruction]:
    tests: list[Instruction] = [
        (_JUMP_EQUAL, len(values) - position, 0, value) for position, value in enumerate(values)
    ]
    return [_argument(index), *tests, _return(ALLOW), _return(_refuse(errno.EPERM))]


def _unless_any_bit(index: int, bits: int) -> list[Instruction]:
    return [
        _argument(index),
        (_JUMP_ANY_BIT, 1, 0, bits),
        _return(ALLOW),
        _return(_refuse(errno.EPERM)),
    ]


@functools.lru_cache(maxsize=4)
def assembled(policy: Policy) -> bytes:
    """Write the filter for this machine, as the kernel takes it."""
    return b"".join(struct.pack("=HBBI", *line) for line in program(policy, machine()))


def install(policy: Policy) -> None:
    """Put the filter on this process and on whatever it starts.

    Needs ``forbid_new_privileges`` first.

    Parameters
    ----------
    policy : Policy
        What to allow.
    """
    if machine() not in MACHINES:
        raise JailError("filter system calls", f"no filter is written for {machine()}")
    load(assembled(policy))


def load(code: bytes) -> None:
    """Hand a filter to the kernel.

    Parameters
    ----------
    code : bytes
        Its instructions, 8 bytes each.
    """
    filters = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(filters))
    holder = ctypes.create_string_buffer(head, len(head))
    try:
        syscall("seccomp", 1, 0, holder)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        prctl(22, 2, ctypes.addressof(holder))
