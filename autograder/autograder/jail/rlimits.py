"""Resource limits of one process."""

from __future__ import annotations

import resource

from .spec import RawLimits

_OURS = 2  # a ward's keeper and its init count as the same user's
_PAGE = resource.getpagesize()


def apply(limits: RawLimits, already: int = _OURS) -> None:
    """Limit this process and whatever it starts; the limits cannot be raised again.

    Parameters
    ----------
    limits : RawLimits
        The address space counts from what is mapped now.
    already : int, optional
        Processes and threads that count for the same user, but are not the ward's.
    """
    with open("/proc/self/statm", "rb") as sizes:  # noqa: PTH123 - this runs for every ward
        mapped = int(sizes.read().split()[0]) * _PAGE
    _limit(resource.RLIMIT_AS, mapped + limits.memory_bytes)
    # A process may ignore what the soft limit sends, but not what the hard one sends.
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1)
    _limit(resource.RLIMIT_NPROC, limits.processes + already)
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    for nothing in (
        resource.RLIMIT_CORE,
        resource.RLIMIT_MEMLOCK,
        resource.RLIMIT_MSGQUEUE,
        resource.RLIMIT_NICE,
        resource.RLIMIT_RTPRIO,
    ):
        _limit(nothing, 0)
    _limit(resource.RLIMIT_SIGPENDING, 1024)


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    _, ceiling = resource.getrlimit(kind)
    hard = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(kind, (soft, hard))
