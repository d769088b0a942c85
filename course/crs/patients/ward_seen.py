"""What a clinician sees on the ward: frozen records, which can also be had as plain data."""

from dataclasses import dataclass, fields, is_dataclass
from typing import Literal

Location = Literal["floor", "intensive care"]
Consciousness = Literal["awake", "unarousable", "sedated"]


@dataclass(frozen=True)
class LabResult:
    """One reported value.

    Attributes
    ----------
    name : str
        One of `LAB_NAMES`, which hold the unit.
    value : float
    taken_h, reported_h : float
        When the sample was drawn, and when the result was there.
    """

    name: str
    value: float
    taken_h: float
    reported_h: float


@dataclass(frozen=True)
class Culture:
    """Two sets of blood cultures, reported.

    Attributes
    ----------
    taken_h, reported_h : float
    positive : bool
        One in ten misses an infection.
    """

    taken_h: float
    reported_h: float
    positive: bool


@dataclass(frozen=True)
class DrugGiven:
    """Something that was given.

    Attributes
    ----------
    what : str
        As in `crs.patients.ward_orders.ORDERS`.
    time_h : float
    amount : float or None
        In the unit of the order; None for what is ordered without one.
    """

    what: str
    time_h: float
    amount: float | None


@dataclass(frozen=True)
class ChartEntry:
    """One line of the chart.

    Attributes
    ----------
    time_h : float
    temp_c, map_mmhg, spo2_percent : float
        As shown, with support.
    crs_grade : int
        ASTCT 2019, by the support that the patient needs.
    icans_grade : int or None
        ASTCT 2019; None under sedation.
    """

    time_h: float
    temp_c: float
    map_mmhg: float
    spo2_percent: float
    crs_grade: int
    icans_grade: int | None


@dataclass(frozen=True)
class Observation:
    """What a clinician sees at a visit.

    Attributes
    ----------
    time_h, day : float, int
        Hours, and whole days, since the cells were given.
    product : str
    weight_kg, age_years : float
    location : {"floor", "intensive care"}
    temp_c : float
    map_mmhg, spo2_percent : float
        As the monitor shows them, with the support that runs.
    norepinephrine_ug_min, epinephrine_ug_min, vasopressin_units_min : float
        Rates that run.
    oxygen : str
        Device that runs, as ASTCT 2019 names it here.
    flow_l_min, fio2 : float
    hypotension : bool
        Whether pressure is too low without support.
    needs_icu : bool
        Whether the team asks for vasopressors or devices that a floor does not have.
    fluid_boluses_24h : int
        Boluses of 0.5 L in the last 24 hours, ordered fluids included.
    crs_grade : int
        ASTCT 2019, by the support that the patient needs, also where the floor cannot give it. An
        infection that looks like the syndrome is graded like it.
    ice : int or None
        ICE score, 0 to 10. None when it cannot be tested: sedated, or unarousable.
    consciousness : {"awake", "unarousable", "sedated"}
    icans_grade : int or None
        None under sedation, where it does not apply.
    treated : bool
        Whether an antipyretic or anticytokine drug was given after the first fever.
    anc_10e9_l, crp_mg_l, ferritin_ug_l, il6_pg_ml, ifn_gamma_pg_ml : float or None
        The latest results. None before the first.
    results : tuple of LabResult
        All results so far, in order of the samples.
    cultures : tuple of Culture
        All that were reported.
    cultures_pending : int
    antibiotics_running : bool
    antibiotics_until_h : float
        When those that were ordered end; 0 without any.
    given : tuple of DrugGiven
        All that was given by order.
    chart : tuple of ChartEntry
        All visits, this one last.
    """

    time_h: float
    day: int
    product: str
    weight_kg: float
    age_years: float
    location: Location
    temp_c: float
    map_mmhg: float
    spo2_percent: float
    norepinephrine_ug_min: float
    epinephrine_ug_min: float
    vasopressin_units_min: float
    oxygen: str
    flow_l_min: float
    fio2: float
    hypotension: bool
    needs_icu: bool
    fluid_boluses_24h: int
    crs_grade: int
    ice: int | None
    consciousness: Consciousness
    icans_grade: int | None
    treated: bool
    anc_10e9_l: float | None
    crp_mg_l: float | None
    ferritin_ug_l: float | None
    il6_pg_ml: float | None
    ifn_gamma_pg_ml: float | None
    results: tuple[LabResult, ...]
    cultures: tuple[Culture, ...]
    cultures_pending: int
    antibiotics_running: bool
    antibiotics_until_h: float
    given: tuple[DrugGiven, ...]
    chart: tuple[ChartEntry, ...]

    def hours_given(self, *drugs: str) -> tuple[float, ...]:
        """Return when any of these drugs was given.

        Parameters
        ----------
        *drugs : str

        Returns
        -------
        tuple of float
            Hours, in order.
        """
        return tuple(item.time_h for item in self.given if item.what in drugs)

    def plain(self) -> dict[str, object]:
        """Return the same as dictionaries, lists, text and numbers.

        Returns
        -------
        dict of str to object
        """
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return dict(vars(value))  # the records inside hold numbers and text alone
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
