"""A host of wards with short limits, and one with the limits that a course has by default."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.sealed.limits import Limits
from autograder.sealed.wards import WardHost, WardSettings

COURSE = {"crs": ("crs.exercises",)}


@pytest.fixture(scope="session")
def host() -> Iterator[WardHost]:
    limits = Limits(
        cell_seconds=3,
        notebook_seconds=60,
        cpu_seconds=20,
        memory_mib=400,
        processes=24,
        open_files=64,
        disk_mib=8,
        cell_output_kib=16,
        notebook_output_kib=1024,
    )
    with WardHost(WardSettings(Path(sys.executable), COURSE, limits=limits)) as made:
        yield made
