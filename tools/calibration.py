"""Hold the cascade against published summaries, and write docs/calibration.md.

Usage: python tools/calibration.py [--check]

With ``--check`` nothing is written; the exit status says whether the page is fresh. Seeds are
fixed:
every run gives the same page.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from crs.models.cascade import Dose, Snapshot, run_cascade
from crs.patients.cohort import CohortPatient, follow, peaks, rows_of
from crs.patients.observation import ASSAYS
from crs.patients.roc import auroc
from crs.patients.virtual import population

PAGE = Path(__file__).resolve().parent.parent / "docs" / "calibration.md"
# Other patients than those of the cohort that the course ships, and than those it was fitted to.
SEEDS = range(40_000, 40_300)

CAR22 = "CD22 study"
HOSSEINI = "Hosseini 2020, npj Syst Biol Appl 6:28, text of the paper"
SUNTHARALINGAM = (
    "Suntharalingam 2006, N Engl J Med 355:1018, by way of the review that the course grew out of"
)
STEIN = "Stein 2019, CPT Pharmacometrics Syst Pharmacol 8:285"
NISHIMOTO = "Nishimoto 2008, Blood 112:3959"


@dataclass(frozen=True)
class Row:
    """One figure: what is published, and what the model gives.

    Attributes
    ----------
    what : str
    target : str
        In words.
    low, high : float
        Between which the result is in range.
    result : float
    shown : str
        The result in words.
    source : str
    note : str
        Why a result is out of range, or what a reader must know.
    """

    what: str
    target: str
    low: float
    high: float
    result: float
    shown: str
    source: str
    note: str = ""

    @property
    def in_range(self) -> bool:
        """Whether the result lies where the published figure does."""
        return self.low <= self.result <= self.high


# Published peaks: median and interquartile range, by highest ASTCT grade 1, 2, and 3 with 4.
PEAKS: dict[str, tuple[str, tuple[tuple[float, float, float], ...]]] = {
    "il6_pg_ml": ("IL-6, pg/mL", ((43, 25, 142), (301, 53, 829), (880, 241, 1480))),
    "ifn_gamma_pg_ml": ("IFN-γ, pg/mL", ((364, 246, 1412), (2761, 764, 2880), (2391, 877, 2900))),
    "crp_mg_l": ("CRP, mg/L", ((65, 23, 117), (91, 42, 210), (152, 96, 216))),
    "il10_pg_ml": ("IL-10, pg/mL", ((61, 35, 139), (195, 92, 436), (391, 107, 720))),
    "tnf_pg_ml": ("TNF, pg/mL", ((13, 8, 23), (23, 14, 28), (37, 16, 48))),
    "il1_beta_pg_ml": ("IL-1β, pg/mL", ((0.7, 0.3, 1.8), (1.6, 0.8, 3.0), (2.8, 1.8, 15.6))),
}
GROUPS = (("grade 1", 1, 1), ("grade 2", 2, 2), ("grades 3 and 4", 3, 4))
GRADE_COUNTS = (7, 21, 19, 10, 2)
AREAS = {
    "il6_pg_ml": ("IL-6", 0.74),
    "ifn_gamma_pg_ml": ("IFN-γ", 0.67),
    "il10_pg_ml": ("IL-10", 0.70),
    "tnf_pg_ml": ("TNF", 0.74),
    "il1_beta_pg_ml": ("IL-1β", 0.77),
}
NOTES = {
    "CAR T cells, typical patient: day of the peak": "The published curve grows at one rate up to "
    "its peak. Here growth slows as antigen is used up, so the same doubling time ends later",
}


def figure(value: float) -> str:
    """Write a number as a reader wants it: three significant digits."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def cohort_rows(followed: Sequence[CohortPatient]) -> Iterator[Row]:
    """Compare peaks, days, grades and areas with the published cohort."""
    table = pd.DataFrame([row for each in followed for row in rows_of(each)])
    top = peaks(table)
    grades = top["astct_grade_peak"]
    for column, (name, published) in PEAKS.items():
        for (group, low, high), (median, first, third) in zip(GROUPS, published, strict=True):
            found = top.loc[grades.between(low, high), column].quantile([0.25, 0.5, 0.75])
            q1, middle, q3 = (float(value) for value in found)
            yield Row(
                f"Peak {name}, {group}",
                f"median {figure(median)} ({figure(first)} to {figure(third)})",
                first,
                third,
                middle,
                f"median {figure(middle)} ({figure(q1)} to {figure(q3)})",
                CAR22,
            )
    onsets = np.array([each.onset_day for each in followed if each.onset_day is not None])
    yield _days("Day of the first grade above 0", onsets, 8, 6, 10)
    with_crs = table[table["astct_grade_peak"] > 0].dropna(subset=["il6_pg_ml"])
    at = with_crs.groupby("synthetic_id")["il6_pg_ml"].idxmax()
    yield _days("Day of the highest IL-6", with_crs.loc[at, "day"].to_numpy(float), 10, 9, 12)
    for grade, count in enumerate(GRADE_COUNTS):
        least, most = interval(count, sum(GRADE_COUNTS))
        share = float((grades == grade).mean())
        yield Row(
            f"Patients whose highest grade is {grade}",
            f"{count} of {sum(GRADE_COUNTS)} ({least:.0%} to {most:.0%} with 95 % confidence)",
            least,
            most,
            share,
            f"{share:.0%}",
            CAR22,
        )
    severe = grades[grades > 0] >= 3
    for column, (name, area) in AREAS.items():
        values = top.loc[severe.index, column]
        reached_area = auroc(list(values[severe]), list(values[~severe]))
        assert reached_area is not None  # there are patients of both kinds
        yield Row(
            f"AUROC of the peak of {name} for grade 3 or more",
            f"{area:.2f} (± 0.17: 12 patients against 40)",
            area - 0.17,
            area + 0.17,
            reached_area,
            f"{reached_area:.2f}",
            CAR22,
        )


def _days(what: str, days: np.ndarray, median: float, first: float, third: float) -> Row:
    q1, middle, q3 = (float(value) for value in np.quantile(days, [0.25, 0.5, 0.75]))
    return Row(
        what,
        f"median {median:g} ({first:g} to {third:g})",
        first,
        third,
        middle,
        f"median {middle:.1f} ({q1:.1f} to {q3:.1f})",
        CAR22,
    )


def interval(count: int, total: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    z, share = 1.96, count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total**2)) / (1 + z * z / total)
    return middle - half, middle + half


def typical(times_h: np.ndarray, doses: Sequence[Dose], **start: float) -> dict[str, np.ndarray]:
    """Follow the typical patient: the middle of every effect."""
    burden = population().effects["burden"].middle
    course = run_cascade(times_h, start=Snapshot(0.0, {"tumor": burden, **start}), doses=doses)
    return dict(course.values)


def reached(times: np.ndarray, values: np.ndarray, share: float) -> float:
    """Return when a course first covers a share of its way from start to peak."""
    level = values[0] + share * (values.max() - values[0])
    return float(times[np.argmax(values >= level)])


def antibody_rows() -> Iterator[Row]:
    """Order of mediators after an antibody that activates T cells."""
    hours = np.arange(0, 48.05, 0.05)
    found = typical(hours, [Dose("activating antibody", 0, 7)])
    half = {name: reached(hours, found[name], 0.5) for name in ("tnf", "ifn_gamma", "il6_free")}
    first = max(half["tnf"], half["ifn_gamma"])
    yield Row(
        "Activating antibody: half of the peak of TNF and of IFN-γ",
        "within 1 to 2 h",
        0.5,
        2.5,
        first,
        f"{half['tnf']:.1f} and {half['ifn_gamma']:.1f} h",
        SUNTHARALINGAM,
    )
    later = half["il6_free"] - first
    yield Row(
        "Activating antibody: IL-6 after both",
        "later",
        0.1,
        24,
        later,
        f"{later:.1f} h later",
        SUNTHARALINGAM,
    )


def bispecific_rows() -> Iterator[Row]:
    """First-dose and step-dose behavior of a bispecific antibody."""
    hours = np.arange(0, 21 * 24 + 1, 1.0)
    surface = 1.8

    def course(*steps: tuple[float, float, float]) -> np.ndarray:
        doses = [
            Dose(
                "blinatumomab",
                first * 24,
                ug_m2_day * surface * (last - first),
                (last - first) * 24,
            )
            for first, last, ug_m2_day in steps
        ]
        return typical(hours, doses)["il6_free"]

    flat = course((0, 21, 60))
    stepped = course((0, 7, 5), (7, 14, 15), (14, 21, 60))
    first_day, week = hours <= 24, hours <= 7 * 24
    peak_hour = float(hours[np.argmax(flat)])
    yield Row(
        "60 µg/m² per day from the start: hour of the highest IL-6",
        "before 24 h",
        0.5,
        24,
        peak_hour,
        f"{peak_hour:.0f} h",
        HOSSEINI,
    )
    left = float(flat[hours == 48][0] / flat.max())
    yield Row(
        "the same: IL-6 at 48 h against its peak",
        "declined within 2 days",
        0,
        0.5,
        left,
        f"{left:.0%}",
        HOSSEINI,
        "In range where less than half is left (convention).",
    )
    ratio = float(flat[first_day].max() / stepped[week].max())
    yield Row(
        "60 µg/m² per day against 5: first peak",
        "higher",
        1.05,
        1000,
        ratio,
        f"{ratio:.1f} times",
        HOSSEINI,
    )
    later = float(stepped[~week].max() / stepped[week].max())
    yield Row(
        "Steps 5, 15, 60: later peaks against the first",
        "about an order of magnitude lower",
        0.032,
        0.32,
        later,
        f"{later:.2f} times",
        HOSSEINI,
        "In range between a half and one and a half orders of magnitude (convention).",
    )


def mechanism_rows() -> Iterator[Row]:
    """Cells of the typical patient, and what tocilizumab does."""
    hours = np.arange(0, 28 * 24 + 1, 2.0)
    cells = population().effects["infused_cells"].middle
    plain = typical(hours, [], effector=cells)
    rising = plain["car_t"]
    inside = (hours >= 48) & (hours <= 120)
    slope = np.polyfit(hours[inside], np.log(rising[inside]), 1)[0]
    doubling = math.log(2) / slope / 24
    yield Row(
        "CAR T cells, typical patient: doubling time",
        "0.78 days",
        0.74,
        0.82,
        doubling,
        f"{doubling:.2f} days",
        STEIN,
    )
    peak_day = float(hours[np.argmax(rising)] / 24)
    yield Row(
        "CAR T cells, typical patient: day of the peak",
        "9.3",
        8.3,
        10.3,
        peak_day,
        f"{peak_day:.1f}",
        STEIN,
        "In range within a day (convention).",
    )
    peak = float(rising.max())
    yield Row(
        "CAR T cells, typical patient: peak, copies/µg",
        "24,000",
        12_000,
        48_000,
        peak,
        figure(peak),
        STEIN,
        "In range within a factor of 2 (convention): patients of that study differ much more.",
    )
    onset = float(hours[np.argmax(plain["temp_c"] >= 38)])
    treated = typical(hours, [Dose("tocilizumab", onset + 24, 560)], effector=cells)
    day_after = hours == onset + 48
    rise = float((treated["il6_free"] / plain["il6_free"])[day_after][0])
    yield Row(
        "Tocilizumab: serum IL-6 a day later against no drug",
        "rises",
        1.2,
        100,
        rise,
        f"{rise:.1f} times",
        NISHIMOTO,
    )
    signal = float((treated["il6_signal"] / plain["il6_signal"])[day_after][0])
    yield Row(
        "Tocilizumab: IL-6 signal a day later against no drug",
        "falls",
        0,
        0.5,
        signal,
        f"{signal:.2f} times",
        NISHIMOTO,
    )


SECTIONS: tuple[tuple[str, Callable[[], Iterator[Row]]], ...] = (
    ("After an antibody that activates T cells", antibody_rows),
    ("Blinatumomab", bispecific_rows),
    ("Cells and tocilizumab in the typical patient", mechanism_rows),
)

HEAD = """# Calibration of the virtual patient

This page is made by `python tools/calibration.py`, with fixed seeds; a test holds it fresh.
It shows what the cascade model (`course/crs/models/antimony/cascade.ant`) was calibrated to, and
what it gives.

**A teaching model.** Its links are plausible and its sizes are calibrated. It was fitted to
medians of one small study, and predicts nothing for any person. Every patient here is
SYNTHETIC.

"CD22 study" below are 59 patients on CAR T cells against CD22, graded by ASTCT 2019 (Lichtenstein
DA et al. Blood 2021;138:2469), as summarized from their published data. A median is in range where
it lies between the study's quartiles; a share where it lies in the 95 % interval of the study's.

"""

LIMITS = """
## How it was calibrated

Parameters marked *calibrated* in [clinical sources](clinical-sources.md) and the spreads in
`course/crs/patients/population.yaml` were moved by a random search on 120 other patients (seeds
30,000 to 30,119) until medians of the peaks, days, grades and areas came close; the patients of
this page were not used. Patients are seen through the observation layer: mediators are sampled
nearly every day, C-reactive protein and ferritin on days 0, 7, 14, 21 and 28, as in the study,
and IL-6 ends at 1500 and IFN-γ at 2900 pg/mL, where the study's values pile up (inferred).
Grade 3 is treated with tocilizumab eight hours after it is first seen (convention; the study's
rule was not read).

## What the model cannot do

- **Other products.** The targets are those of one CAR T product against CD22, in children and
  young adults, with much macrophage activation. Days and levels of other products differ.
- **Ferritin** is not held against the study: a third of its patients had a second syndrome
  (HLH-like), which this model does not have.
- **Persons.** Random effects are independent of each other, of age and of weight. Real ones are
  not.
- **Neurotoxicity** has an order (later than the syndrome, through an opened barrier) and no
  calibrated frequency.
- **Infection** is one kind of bacteria that antibiotics always kill.
- **Single drugs.** Which drug does how much beyond its mechanism is not calibrated, with the
  exception of direction, so that no drug can be ranked against another. Anakinra, etanercept,
  infliximab and emapalumab have no controlled trial here to fit to.
- **Support is not part of the patient.** The model says which support a patient would need;
  only fluids act back on it.
- **Small peaks of cytokines in the first hours after CAR T cells,** the early fall of the
  infused cells, and a second rise of the cells are not there.
"""


def table(rows: Sequence[Row]) -> str:
    """Write rows as a Markdown table."""
    lines = ["| Figure | Published | Model | | Source |", "|---|---|---|---|---|"]
    for row in rows:
        note = NOTES.get(row.what, row.note)
        verdict = "in range" if row.in_range else "**out of range**"
        verdict = f"{verdict}. {note}" if note else verdict
        lines.append(f"| {row.what} | {row.target} | {row.shown} | {verdict} | {row.source} |")
    return "\n".join(lines)


def between_samples() -> str:
    """Say what weekly samples of C-reactive protein do not show."""
    hours = np.arange(0, 28 * 24 + 1, 2.0)
    cells = population().effects["infused_cells"].middle
    peak = float(typical(hours, [], effector=cells)["crp"].max())
    return f"""- **C-reactive protein between the samples.** Without treatment the middle patient
  peaks at {peak:.0f} mg/L. Weekly samples, and treatment, show less, in the study and above.
  Medians of grade 2 and of grades 3 and 4 do not differ as in the study: who is treated at grade 3
  has often come down by the next sample. So do not read a severity from a level of this model.
- **An activating antibody** brings mediators in the published order and at the published hours.
  Their levels were not fitted; those of TNF and IL-6 stay far below the published ones.
- **Bedside conventions.** Two boluses make up for a mean pressure down to 52 mmHg. Where courses
  are compared, low pressure and low oxygen count without fever once the syndrome has begun,
  treated or not; word by word ASTCT 2019 does without fever only after treatment.
- **Death.** Nobody dies, whatever the pressure and the oxygen would be without support.
"""


def page() -> tuple[str, list[Row]]:
    """Make the page, and return it with all its rows."""
    followed = [follow(seed) for seed in SEEDS]
    rows = list(cohort_rows(followed))
    text = HEAD
    text += f"## {len(followed)} synthetic patients after CAR T cells\n\n"
    text += f"Assays: {', '.join(assay.column for assay in ASSAYS.values())}.\n\n{table(rows)}\n"
    for title, make in SECTIONS:
        found = list(make())
        rows += found
        text += f"\n## {title}\n\n{table(found)}\n"
    inside = sum(row.in_range for row in rows)
    text += f"\n{inside} of {len(rows)} figures are in range.\n{LIMITS}{between_samples()}"
    return text, rows


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Hold the cascade against published figures.")
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    text, rows = page()
    for row in rows:
        if not row.in_range:
            print(f"Out of range: {row.what}: {row.shown}, published {row.target}")
    unexplained = [r.what for r in rows if not r.in_range and not (NOTES.get(r.what) or r.note)]
    if check and (not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text):
        print("docs/calibration.md is not fresh. Run python tools/calibration.py.", file=sys.stderr)
        return 1
    if not check:
        PAGE.write_text(text, encoding="utf-8")
    print(f"{sum(row.in_range for row in rows)} of {len(rows)} figures are in range")
    if unexplained:
        print(f"Not explained: {', '.join(unexplained)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
