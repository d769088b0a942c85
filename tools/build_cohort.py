"""Make the SYNTHETIC cohort that the course ships; the same bytes every time.

Usage: python tools/build_cohort.py [--check]

With ``--check`` nothing is written; the exit status says whether the file is fresh.
"""

from __future__ import annotations

import argparse
import sys

from crs.patients.cohort import COHORT_FILE, FIRST_SEED, PATIENTS, make_cohort


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Make the SYNTHETIC cohort.")
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    made = make_cohort(range(FIRST_SEED, FIRST_SEED + PATIENTS))
    text = made.to_csv(index=False, lineterminator="\n")
    fresh = COHORT_FILE.exists() and COHORT_FILE.read_bytes() == text.encode()
    if check and not fresh:
        print(f"{COHORT_FILE.name} is not fresh. Run make cohort.", file=sys.stderr)
        return 1
    if not check:
        COHORT_FILE.parent.mkdir(exist_ok=True)
        COHORT_FILE.write_bytes(text.encode())
    print(f"{PATIENTS} SYNTHETIC patients, {len(made)} rows, {len(text.encode()) // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
