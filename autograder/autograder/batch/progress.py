"""How far a batch is: a bar on a terminal, and a line now and then elsewhere."""

import sys
import time
from typing import Any, TextIO

_EVERY_SECONDS = 15.0


class Progress:
    """Shows progress on stderr.

    Parameters
    ----------
    total : int
        How many submissions there are to grade.
    stream : file or None
        Where to; stderr by default.
    """

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._total = total
        self._stream = stream or sys.stderr
        self._done = 0
        self._broken = 0
        self._begun = self._said = time.monotonic()
        self._bar: Any = None
        if total and self._stream.isatty():
            import tqdm

            tqdm.tqdm.monitor_interval = 0  # no thread of its own
            self._bar = tqdm.tqdm(
                total=total, file=self._stream, unit=" submissions", dynamic_ncols=True, leave=False
            )

    def step(self, *, broken: bool = False) -> None:
        """Count one more submission.

        Parameters
        ----------
        broken : bool
            Whether it could not be graded.
        """
        self._done += 1
        self._broken += broken
        if self._bar is not None:
            if self._broken:
                self._bar.set_postfix_str(f"{self._broken} broken", refresh=False)
            self._bar.update()
            return
        now = time.monotonic()
        if now - self._said >= _EVERY_SECONDS:
            self._said = now
            self._stream.write(self._line(now) + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _line(self, now: float) -> str:
        each = (now - self._begun) / self._done
        left = each * (self._total - self._done)
        broken = f", {self._broken} broken" if self._broken else ""
        return (
            f"{self._done} of {self._total} graded{broken}; {60 / each:.0f} a minute, "
            f"about {duration(left)} left"
        )


def duration(seconds: float) -> str:
    """Say a time in words."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
