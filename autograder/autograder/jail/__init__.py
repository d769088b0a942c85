"""A jail for learners' code: only what is needed is there, and nothing leaves but data.

``launch`` starts an interpreter in a jail. In it, ``jail.inner`` makes a ward for each submission.
Standard library only; this package is also imported inside the jail.
"""

from .launch import JailProcess, launch
from .spec import HOME, RUNTIME, JailError, JailSpec, RawLimits

__all__ = ["HOME", "RUNTIME", "JailError", "JailProcess", "JailSpec", "RawLimits", "launch"]
