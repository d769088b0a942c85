"""Fictional patients followed hour by hour for fourteen days.

A case file holds what was charted at a few hours. Between them a vital sign runs in a straight
line, a laboratory value along a constant proportional change (so that a falling CRP has a
half-life), and a device, an infusion rate or a score holds until it is changed. Nothing is random.
All of it is SYNTHETIC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crs.checked_yaml import ProblemAt, Record, file_of, ids_in, limits, line_of, read_checked
from crs.errors import InvalidFile, InvalidInput
from crs.guidelines.conditions import Value
from crs.guidelines.loader import guideline
from crs.patients.bedside import VASOPRESSORS, BedsideState, bedside_inputs, facts_of

LAST_HOUR = 336
SYNTHETIC = "SYNTHETIC"

EventKind = Literal[
    "infusion",
    "premedication",
    "antipyretic",
    "tocilizumab",
    "dexamethasone",
    "methylprednisolone",
    "antibiotic",
    "culture",
    "result",
    "fluid",
    "support",
    "note",
]
AskedGrade = Literal["astct-2019", "lee-2014"]
Order = Literal["antibiotics", "icans-workup", "icu", "tocilizumab", "steroid", "second-line"]

STEROIDS = ("dexamethasone", "methylprednisolone")
# What ends the need for fever on the ASTCT scale, once CRS is established.
TREATMENTS = ("antipyretic", "tocilizumab", *STEROIDS)

# name: (meaning, unit, lowest, highest); the range is what a charting error would break.
VITALS: dict[str, tuple[str, str, float, float]] = {
    "temp_c": ("temperature", "°C", 34.0, 42.0),
    "heart_rate_bpm": ("heart rate", "/min", 30, 200),
    "systolic_mmhg": ("systolic pressure", "mmHg", 50, 220),
    "diastolic_mmhg": ("diastolic pressure", "mmHg", 25, 130),
    "respiratory_rate_min": ("respiratory rate", "/min", 6, 50),
    "spo2_percent": ("oxygen saturation", "%", 70, 100),
}
LABS: dict[str, tuple[str, str, float, float]] = {
    "crp_mg_l": ("CRP", "mg/L", 0.5, 500),
    "ferritin_ug_l": ("ferritin", "µg/L", 5, 200_000),
    "il6_pg_ml": ("IL-6", "pg/mL", 1, 100_000),
    "anc_10e9_l": ("neutrophils (ANC)", "×10⁹/L", 0.01, 30),
    "platelets_10e9_l": ("platelets", "×10⁹/L", 1, 1000),
    "alt_u_l": ("ALT", "U/L", 5, 10_000),
    "creatinine_mg_dl": ("creatinine", "mg/dL", 0.2, 15),
}
# Charted besides the fields of BedsideState, with the value before anything is charted.
FURTHER_CHART: dict[str, Value] = {
    "ice_score": 10.0,
    "icans_grade": 0.0,
    "infection_suspected": False,
    "improving": False,
    "support": "",
}
# Worked out from the rest of the file, so that it cannot disagree with it.
DERIVED = ("temp_c", "treated", "vasopressor_hours")


class About(Record):
    """Who the fictional patient is.

    Attributes
    ----------
    age_years, weight_kg : int, float
        Of an adult.
    sex, disease : str, str
        As a chart would say it.
    product : str
        The CAR-T product.
    """

    age_years: Annotated[int, limits(ge=18, le=100)]
    sex: Literal["woman", "man"]
    weight_kg: Annotated[float, limits(ge=35, le=200)]
    disease: str
    product: str


class ChartEntry(Record):
    """Devices, rates and scores from one hour on, until they are changed."""

    at: Annotated[int, limits(ge=0, le=LAST_HOUR)]
    set: Annotated[dict[str, bool | float | str | None], limits(min_length=1)]
    note: str = ""


class Event(Record):
    """Something that happened or was given.

    Attributes
    ----------
    at : int
        Hours since the infusion.
    kind : str
        What sort of event.
    text : str
        As the chart would say it.
    dose_mg : float or None
        Of a drug.
    until : int or None
        First hour at which a course of a drug no longer runs.
    """

    at: Annotated[int, limits(ge=0, le=LAST_HOUR)]
    kind: EventKind
    text: str
    dose_mg: Annotated[float | None, limits(gt=0)] = None
    until: Annotated[int | None, limits(ge=0, le=LAST_HOUR)] = None


class Decision(Record):
    """An hour at which the learner commits to a grade and to orders.

    Attributes
    ----------
    id, title : str
        Names of the decision.
    at : int
        Hours since the infusion.
    situation : str
        What is new at the bedside, and what is asked.
    grades : tuple of str
        The scales to grade on.
    orders : tuple of str
        The orders to decide on; empty where only a grade is asked.
    debrief : str
        What to take away. ``{astct}`` and ``{lee}`` stand for the grades that the engine finds, and
        ``{astct_if_crs}`` for what it would find if there were no other cause.
    """

    id: str
    title: str
    at: Annotated[int, limits(ge=0, le=LAST_HOUR)]
    situation: str
    grades: tuple[AskedGrade, ...] = ("astct-2019",)
    orders: tuple[Order, ...] = ("antibiotics", "icu", "tocilizumab", "steroid")
    debrief: str


class CaseFile(Record):
    """A case as it is written."""

    id: str
    label: Literal["SYNTHETIC"]
    title: Annotated[str, limits(pattern=r"\(fictional\)$")]
    summary: str
    about: About
    vitals: dict[str, dict[int, float]]
    labs: dict[str, dict[int, float]]
    chart: tuple[ChartEntry, ...]
    events: tuple[Event, ...]
    decisions: Annotated[tuple[Decision, ...], limits(min_length=1)]

    def __post_init__(self) -> None:
        for group, known, tracks in (("vitals", VITALS, self.vitals), ("labs", LABS, self.labs)):
            for name, track in tracks.items():
                _check_track((group, name), known, track)
        for name in VITALS:
            if name not in self.vitals:
                raise ProblemAt(("vitals",), f"{name!r} is missing")
        charted = set(bedside_inputs()) - set(DERIVED) | set(FURTHER_CHART)
        for group, entries in (("chart", self.chart), ("events", self.events)):
            hours = [entry.at for entry in entries]
            for position in range(1, len(hours)):
                if hours[position] < hours[position - 1]:
                    raise ProblemAt((group, position, "at"), "the hours must not go back")
        for position, entry in enumerate(self.chart):
            for name in entry.set:
                if name not in charted:
                    known_names = ", ".join(sorted(charted))
                    raise ProblemAt(
                        ("chart", position, "set", name),
                        f"{name!r} cannot be charted; known are {known_names}",
                    )
        given = {event.at for event in self.events if event.kind in TREATMENTS}
        last = 0
        seen: set[str] = set()
        for position, decision in enumerate(self.decisions):
            place = ("decisions", position, "at")
            if decision.at <= last:
                raise ProblemAt(place, "decisions must follow each other, the first after hour 0")
            if decision.at in given:
                raise ProblemAt(
                    place, "a treatment is given in this very hour; decide an hour before it"
                )
            if decision.id in seen:
                raise ProblemAt(("decisions", position, "id"), f"two are called {decision.id!r}")
            seen.add(decision.id)
            last = decision.at


def _check_track(
    place: tuple[str, str],
    known: Mapping[str, tuple[str, str, float, float]],
    track: Mapping[int, float],
) -> None:
    name = place[1]
    if name not in known:
        raise ProblemAt(place, f"{name!r} is not known; known are {', '.join(known)}")
    _, unit, low, high = known[name]
    hours = list(track)
    if not hours or hours[0] != 0:
        raise ProblemAt(place, "the first value must be that of hour 0")
    for hour, before in zip(hours[1:], hours[:-1], strict=True):
        if hour <= before or hour > LAST_HOUR:
            raise ProblemAt((*place, hour), f"hours must go up, to {LAST_HOUR} at most")
    for hour, value in track.items():
        if not low <= value <= high:
            raise ProblemAt((*place, hour), f"{value:g} is not from {low:g} to {high:g} {unit}")


@dataclass(frozen=True)
class LabValue:
    """The latest result of one laboratory value, and the hour it was drawn."""

    name: str
    value: float
    drawn_h: int

    @property
    def meaning(self) -> str:
        """What it is, in words."""
        return LABS[self.name][0]

    @property
    def unit(self) -> str:
        """Its unit."""
        return LABS[self.name][1]


@dataclass(frozen=True)
class Case:
    """A fictional patient over fourteen days. SYNTHETIC.

    Attributes
    ----------
    written : CaseFile
        The case as its file has it.
    """

    written: CaseFile

    @property
    def id(self) -> str:
        """Short name, which is the file's."""
        return self.written.id

    @property
    def title(self) -> str:
        """For example ``"Patient A (fictional)"``."""
        return self.written.title

    @property
    def summary(self) -> str:
        """Two or three sentences on admission."""
        return self.written.summary

    @property
    def about(self) -> About:
        """Age, weight, disease and product."""
        return self.written.about

    @property
    def label(self) -> str:
        """``"SYNTHETIC"``: shown wherever the data are."""
        return self.written.label

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened and what was given, in order."""
        return self.written.events

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Where the learner commits, in order."""
        return self.written.decisions

    @property
    def table(self) -> pd.DataFrame:
        """One row per hour from 0 to 336: vitals, labs, and every field of `BedsideState`.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``hour``; the column ``label`` reads SYNTHETIC. A copy: change it freely.
        """
        return self._table.copy()

    @cached_property
    def _table(self) -> pd.DataFrame:
        hours = np.arange(LAST_HOUR + 1)
        columns: dict[str, Any] = {
            name: np.round(_straight(track, hours), 1 if name == "temp_c" else 0)
            for name, track in self.written.vitals.items()
        }
        columns |= {name: _proportional(track, hours) for name, track in self.written.labs.items()}
        charted: dict[str, Any] = {**_bedside_defaults(), **FURTHER_CHART}
        rows: list[dict[str, Any]] = []
        entries = list(self.written.chart)
        for hour in range(LAST_HOUR + 1):
            while entries and entries[0].at <= hour:
                charted = {**charted, **entries.pop(0).set}
            rows.append(charted)
        held = pd.DataFrame(rows)
        columns |= {name: held[name].to_numpy() for name in held.columns}
        columns["vasopressor_hours"] = _hours_on_vasopressors(held)
        columns["treated"] = self._treated(columns["temp_c"], columns["other_cause"])
        columns["label"] = self.label
        table = pd.DataFrame(columns, index=pd.Index(hours, name="hour"))
        table.attrs["label"] = self.label
        return table

    def _treated(
        self, temp_c: NDArray[np.float64], other_cause: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        has_fever = _fever_test()
        onset = next(
            (
                hour
                for hour in range(LAST_HOUR + 1)
                if has_fever(float(temp_c[hour])) and not other_cause[hour]
            ),
            LAST_HOUR + 1,
        )
        doses = [event.at for event in self.events if event.kind in TREATMENTS]
        first = min((hour for hour in doses if hour >= onset), default=LAST_HOUR + 1)
        return np.arange(LAST_HOUR + 1) >= first

    def state_at(self, hour: int) -> BedsideState:
        """Return what the bedside shows at one hour.

        Parameters
        ----------
        hour : int
            From 0 to 336, hours since the infusion.

        Returns
        -------
        BedsideState

        Raises
        ------
        InvalidInput
            If the hour is not in the fourteen days.
        """
        row = self.row_at(hour)
        values = {name: row[name] for name in bedside_inputs()}
        return BedsideState.from_mapping(values)

    def row_at(self, hour: int) -> dict[str, Value | None]:
        """Return one row of the table, as built-in values; None where nothing is known.

        Parameters
        ----------
        hour : int
            From 0 to 336.

        Returns
        -------
        dict
        """
        row = self._table.loc[_checked_hour(hour)]
        return {str(name): _plain(value) for name, value in row.items()}

    def table_until(self, hour: int) -> pd.DataFrame:
        """Return the rows of the table up to one hour, that hour included.

        Parameters
        ----------
        hour : int
            From 0 to 336.

        Returns
        -------
        pandas.DataFrame
            A copy.
        """
        return self._table.loc[: _checked_hour(hour)].copy()

    def charts(self, name: str) -> bool:
        """Say whether the case charts something, such as ``"ice_score"``, at any hour."""
        return any(name in entry.set for entry in self.written.chart)

    def labs_at(self, hour: int) -> tuple[LabValue, ...]:
        """Return the latest results at one hour; a result is known when it is drawn.

        Parameters
        ----------
        hour : int
            From 0 to 336.

        Returns
        -------
        tuple of LabValue
        """
        hour = _checked_hour(hour)
        found = []
        for name, track in self.written.labs.items():
            drawn = max(at for at in track if at <= hour)
            found.append(LabValue(name, track[drawn], drawn))
        return tuple(found)

    def events_until(self, hour: int) -> tuple[Event, ...]:
        """Return what has happened up to one hour, that hour included."""
        return tuple(event for event in self.events if event.at <= _checked_hour(hour))

    def tocilizumab_given_h(self, hour: int) -> tuple[int, ...]:
        """Return the start hours of the tocilizumab doses given so far."""
        return tuple(e.at for e in self.events_until(hour) if e.kind == "tocilizumab")

    def steroids_running(self, hour: int) -> bool:
        """Say whether a course of steroids runs at one hour."""
        return any(
            event.kind in STEROIDS and (event.until is None or hour < event.until)
            for event in self.events_until(hour)
        )

    def fever_days(self, hour: int) -> float:
        """Return the days since this fever began; 0 after a whole day without fever."""
        has_fever = _fever_test()
        temperatures = self._table["temp_c"].to_numpy()
        febrile = [at for at in range(_checked_hour(hour) + 1) if has_fever(temperatures[at])]
        if not febrile or hour - febrile[-1] >= 24:
            return 0.0
        start = febrile[-1]
        for at in reversed(febrile):
            if start - at >= 24:
                break
            start = at
        return (hour - start) / 24

    def management_facts(self, hour: int, crs_grade: int) -> dict[str, object]:
        """Return what the management table asks for, at one hour.

        Parameters
        ----------
        hour : int
            From 0 to 336.
        crs_grade : int
            The ASTCT grade, from the engine.

        Returns
        -------
        dict
            Inputs of `crs.guidelines.dosing.recommend`.
        """
        row = self.row_at(hour)
        bedside = self.state_at(hour)
        neutrophils = {lab.name: lab.value for lab in self.labs_at(hour)}["anc_10e9_l"]
        return {
            "product": self.about.product,
            "crs_grade": crs_grade,
            "icans_grade": int(row["icans_grade"] or 0),
            "fever_days": self.fever_days(hour),
            "temp_c": bedside.temp_c,
            "anc_10e9_l": neutrophils,
            "infection_suspected": bool(row["infection_suspected"]),
            "hypotension": facts_of(bedside)["hypotension"],
            "fluid_boluses": bedside.fluid_boluses,
            "improving": bool(row["improving"]),
            "now_h": hour,
            "tocilizumab_given_h": list(self.tocilizumab_given_h(hour)),
            "steroids_running": self.steroids_running(hour),
        }


def case_folder() -> Path:
    """Return the folder that holds the case files."""
    return Path(str(resources.files("crs.patients"))) / "cases"


@cache
def case_ids() -> tuple[str, ...]:
    """Return the ids of all cases, which are the file names without their ending."""
    return ids_in(case_folder())


@cache
def load_case(case_id: str) -> Case:
    """Load one fictional patient by id.

    Parameters
    ----------
    case_id : str
        `case_ids` lists them.

    Returns
    -------
    Case

    Raises
    ------
    InvalidInput
        If there is no case of that id.
    InvalidFile
        If the file does not follow the schema.
    """
    return read_case(file_of(case_folder(), "case_id", case_id))


def read_case(path: Path) -> Case:
    """Read and check one case file.

    Parameters
    ----------
    path : Path
        A YAML file.

    Returns
    -------
    Case

    Raises
    ------
    InvalidFile
        Names the file, the line, what is wrong and what would be right.
    """
    case = Case(read_checked(path, CaseFile))
    for position, entry in enumerate(case.written.chart):
        try:
            case.state_at(entry.at)
        except InvalidInput as error:
            line = line_of(path.read_text(encoding="utf-8"), ("chart", position, "set"))
            raise InvalidFile(path, line, f"chart, hour {entry.at}: {error}") from error
    return case


def _checked_hour(hour: int) -> int:
    if isinstance(hour, bool) or hour != int(hour) or not 0 <= hour <= LAST_HOUR:
        raise InvalidInput("hour", hour, f"a whole number from 0 to {LAST_HOUR}")
    return int(hour)


def _plain(value: Any) -> Value | None:
    """Return a cell of a table as a built-in value."""
    if pd.isna(value):
        return None
    built_in: Value = value.item() if isinstance(value, np.generic) else value
    return built_in


def _straight(track: Mapping[int, float], hours: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.interp(hours, list(track), list(track.values())))


def _proportional(track: Mapping[int, float], hours: NDArray[np.int64]) -> NDArray[np.float64]:
    logs = np.log(np.asarray(list(track.values())))
    return np.asarray(np.exp(np.interp(hours, list(track), logs)))


def _bedside_defaults() -> dict[str, Any]:
    return {item.name: item.default for item in fields(BedsideState) if item.name not in DERIVED}


def _fever_test() -> Callable[[float], bool]:
    row = guideline("astct-2019").row("fever")
    return lambda temp_c: row.when.is_met({"temp_c": float(temp_c)})


def _hours_on_vasopressors(held: pd.DataFrame) -> NDArray[np.float64]:
    running = (held[[*VASOPRESSORS, "vasopressin_units_min"]] > 0).any(axis=1).to_numpy()
    hours = np.zeros(len(running))
    for hour in range(1, len(running)):
        if running[hour] and running[hour - 1]:
            hours[hour] = hours[hour - 1] + 1
    return hours
