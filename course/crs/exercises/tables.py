"""Tables and timelines that assignments work on. The timelines are SYNTHETIC."""

import pandas as pd

_COLUMNS = ("hour", "temp_c", "drug_given", "hypotension_grade", "hypoxia_grade")

_TIMELINES: dict[str, tuple[tuple[int, float, str, int, int], ...]] = {
    # Afebrile after tocilizumab, but in need of a vasopressor.
    "tocilizumab": (
        (0, 37.2, "", 0, 0),
        (4, 38.6, "", 0, 0),
        (8, 39.3, "", 2, 0),
        (12, 39.1, "tocilizumab", 2, 2),
        (16, 37.4, "", 3, 2),
        (20, 36.9, "", 3, 2),
        (24, 36.8, "", 2, 0),
        (28, 36.7, "", 0, 0),
    ),
    # A drug before the infusion, no fever ever, and low blood pressure from another cause.
    "premedication": (
        (0, 36.8, "acetaminophen", 0, 0),
        (6, 37.1, "", 0, 0),
        (12, 37.4, "", 2, 0),
        (18, 37.0, "", 2, 0),
    ),
}
TIMELINE_NAMES = tuple(_TIMELINES)


def example_timeline(name: str) -> pd.DataFrame:
    """Return the SYNTHETIC timeline of a fictional patient.

    Parameters
    ----------
    name : str
        One of `TIMELINE_NAMES`.

    Returns
    -------
    DataFrame
        One row per observation, with the columns ``hour``, ``temp_c``, ``drug_given``,
        ``hypotension_grade`` and ``hypoxia_grade``; a new table at every call.

    Raises
    ------
    ValueError
        If there is no timeline of this name.
    """
    if name not in _TIMELINES:
        raise ValueError(f"name must be one of {', '.join(TIMELINE_NAMES)}")
    table = pd.DataFrame(list(_TIMELINES[name]), columns=list(_COLUMNS))
    table.attrs["label"] = f'SYNTHETIC timeline "{name}"'
    return table


def lee_against_astct() -> pd.DataFrame:
    """Return how many of 59 patients had each pair of grades on two scales.

    The patients received CD22 CAR T cells (Lichtenstein and colleagues, Blood 2021;138:2469-2484,
    doi:10.1182/blood.2021011898). The counts were made from the authors' published data; no
    patient-level data is kept here.

    Returns
    -------
    DataFrame
        Rows are grades by Lee 2014, columns grades by ASTCT 2019, both from 0 to 4.
    """
    counts = [
        [7, 0, 0, 0, 0],
        [0, 21, 5, 0, 0],
        [0, 0, 13, 8, 0],
        [0, 0, 1, 2, 0],
        [0, 0, 0, 0, 2],
    ]
    grades = range(5)
    return pd.DataFrame(
        counts,
        index=pd.Index(grades, name="Lee 2014"),
        columns=pd.Index(grades, name="ASTCT 2019"),
    )
