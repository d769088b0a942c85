"""The ward with the interface that users of Gymnasium expect.

`Ward` adds nothing to `crs.patients.ward`: it turns an array of choices into orders, an observation
into arrays, and the change of the score into a reward. After this module is imported,
``gymnasium.make("crs/Ward-v0")`` makes one too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from crs.errors import InvalidInput
from crs.guidelines.dosing import siltuximab_dose_mg, steroid_equivalent_mg, tocilizumab_dose_mg
from crs.models.cascade import GIVEN
from crs.patients.bedside import OXYGEN_DEVICES
from crs.patients.virtual import LARGEST_SEED
from crs.patients.ward import (
    ANTIBIOTICS_H,
    BOLUS_L,
    LAST_H,
    STEP_H,
    Stay,
    admit,
    advance,
    observe,
    outcome_of,
)
from crs.patients.ward_orders import ORDERS, Order, orders_of
from crs.patients.ward_scoring import score
from crs.patients.ward_seen import Observation

Arrays = dict[str, Any]
Choices = npt.NDArray[np.int64]

_POINTS = 100.0
_VISITS = int(LAST_H / STEP_H)


@dataclass(frozen=True)
class Choice:
    """One entry of an action.

    Attributes
    ----------
    name : str
        What it decides.
    options : tuple of str
        What 0, 1, 2, … stand for.
    """

    name: str
    options: tuple[str, ...]


# An amount in words, as the dose for the weight differs between patients.
_BY_LABEL = "dose for the weight"
_AMOUNTS: dict[str, tuple[str | float, ...]] = {
    "tocilizumab": (_BY_LABEL, 800.0),
    "siltuximab": (_BY_LABEL,),
    "dexamethasone": (10.0, 20.0),
    "methylprednisolone": (500.0, 1000.0),
    "anakinra": (100.0, 200.0),
    "acetaminophen": (650.0, 1000.0),
    "fluids": (0.5, 1.0),
}
_SWITCHES = (
    "antibiotics",
    "gm-csf",
    "blood cultures",
    "blood count",
    "inflammation panel",
    "cytokine panel",
)
_PLACES = ("icu", "floor")

ACTION: tuple[Choice, ...] = (
    *(
        Choice(
            drug,
            (
                "none",
                *(
                    amount if isinstance(amount, str) else f"{amount:g} {ORDERS[drug].unit}"
                    for amount in amounts
                ),
            ),
        )
        for drug, amounts in _AMOUNTS.items()
    ),
    *(Choice(name, ("no", "yes")) for name in _SWITCHES),
    Choice("place", ("stay", *_PLACES)),
)


@dataclass(frozen=True)
class Column:
    """One number of a vector of the observation, with its range."""

    name: str
    low: float
    high: float


_TOTAL_STEROIDS_MG = sum(
    steroid_equivalent_mg(drug, GIVEN[drug].most, "dexamethasone") * 24 / STEP_H
    for drug in ("dexamethasone", "methylprednisolone")
)
_MOST_BOLUSES = (2 + ORDERS["fluids"].most / BOLUS_L) * 24 / STEP_H

VITALS = (
    Column("temp_c", 34, 43),
    Column("map_mmhg", 0, 200),
    Column("spo2_percent", 40, 100),
    Column("norepinephrine_ug_min", 0, 60),
    Column("epinephrine_ug_min", 0, 20),
    Column("vasopressin_units_min", 0, 0.1),
    Column("flow_l_min", 0, 80),
    Column("fio2", 0.2, 1),
)
PATIENT = (
    Column("time_h", 0, LAST_H),
    Column("weight_kg", 30, 200),
    Column("age_years", 18, 80),
)
LABS = (
    Column("anc_10e9_l", 0, 50),
    Column("crp_mg_l", 0, 600),
    Column("ferritin_ug_l", 0, 500_000),
    Column("il6_pg_ml", 0, 1500),
    Column("ifn_gamma_pg_ml", 0, 2900),
)
GIVEN_SO_FAR = (
    Column("tocilizumab_doses", 0, _VISITS),
    Column("hours_since_tocilizumab", 0, LAST_H),
    Column("dexamethasone_mg_24h", 0, _TOTAL_STEROIDS_MG),
    Column("fluid_boluses_24h", 0, _MOST_BOLUSES),
    Column("hours_of_antibiotics_left", 0, ANTIBIOTICS_H),
    Column("hours_since_cultures", 0, LAST_H),
)
_NOT_TESTABLE_ICE, _NOT_TESTABLE_ICANS = 11, 5
CULTURES = ("none reported", "latest negative", "latest positive")


def _box(columns: Sequence[Column]) -> spaces.Box:
    low = np.array([column.low for column in columns], dtype=np.float32)
    high = np.array([column.high for column in columns], dtype=np.float32)
    return spaces.Box(low, high, dtype=np.float32)


class Ward(gymnasium.Env[Arrays, Choices]):
    """One virtual patient after CAR T cells; a step is four hours.

    Attributes
    ----------
    action_space : MultiDiscrete
        One choice per entry of `ACTION`.
    observation_space : Dict
        ``patient``, ``vitals``, ``labs`` and ``given`` hold the columns of `PATIENT`, `VITALS`,
        `LABS` and `GIVEN_SO_FAR`. A lab value that is not known is 0, and ``labs_known`` is 0 for
        it. ``crs_grade`` is 0 to 4, ``icans_grade`` 0 to 4 or 5 where it does not apply, ``ice`` 0
        to 10 or 11 where it cannot be tested. ``oxygen`` counts `OXYGEN_DEVICES`, ``cultures``
        counts `CULTURES`. ``flags`` are: in intensive care, needs intensive care, hypotension,
        treated, antibiotics running, cultures pending.

    Notes
    -----
    A patient starts with 100 points. The reward of a step is the change of the score as if the stay
    ended now, divided by 100; so the rewards of a stay add up to the final score / 100 - 1.
    ``terminated`` is True for patients who die or go home, ``truncated`` after 28 days. The same
    seed and the same orders make the same course; wards share nothing.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012 - Gymnasium's own form

    def __init__(self, render_mode: str | None = None) -> None:
        if render_mode not in (None, "ansi"):
            raise InvalidInput("render_mode", render_mode, 'None or "ansi"')
        self.render_mode = render_mode
        self.action_space = spaces.MultiDiscrete([len(choice.options) for choice in ACTION])
        self.observation_space = spaces.Dict(
            {
                "patient": _box(PATIENT),
                "vitals": _box(VITALS),
                "labs": _box(LABS),
                "labs_known": spaces.MultiBinary(len(LABS)),
                "given": _box(GIVEN_SO_FAR),
                "oxygen": spaces.Discrete(len(OXYGEN_DEVICES)),
                "crs_grade": spaces.Discrete(5),
                "icans_grade": spaces.Discrete(6),
                "ice": spaces.Discrete(12),
                "cultures": spaces.Discrete(len(CULTURES)),
                "flags": spaces.MultiBinary(6),
            }
        )
        self._stay: Stay | None = None
        self._points = _POINTS

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Arrays, dict[str, Any]]:
        """Admit a patient.

        Parameters
        ----------
        seed : int, optional
            Of the patient. Without one, the next patient in a sequence that the last seed began.
        options : dict, optional
            There are none; it must be empty or left out.

        Returns
        -------
        observation : dict
        info : dict
            ``observation``, the record that policies get; ``points``, the score so far.

        Raises
        ------
        InvalidInput
            Names the field, the value and what is allowed.
        """
        super().reset(seed=seed)
        if options:
            raise InvalidInput("options", options, "left out: there are none")
        patient = int(self.np_random.integers(LARGEST_SEED + 1)) if seed is None else seed
        self._stay = admit(patient)
        self._points = _POINTS
        return self._seen()

    def step(
        self, orders: Choices | Sequence[object]
    ) -> tuple[Arrays, float, bool, bool, dict[str, Any]]:
        """Carry orders out, and let four hours pass.

        Parameters
        ----------
        orders : ndarray of int, or a list of orders
            An action of `action_space`, or orders as `crs.patients.ward_orders.orders_of` reads
            them.

        Returns
        -------
        observation : dict
        reward : float
        terminated, truncated : bool
        info : dict
            As for `reset`; at the end also ``outcome`` and ``score``.

        Raises
        ------
        InvalidInput
            If an order is none, or there is no patient.
        """
        if self._stay is None:
            raise InvalidInput("ward", "empty", "reset before its first step")
        if isinstance(orders, np.ndarray):
            asked = orders_from(orders, self._stay.patient.weight_kg)
        else:
            asked = orders_of(orders)
        self._stay = advance(self._stay, asked)
        before, self._points = self._points, score(outcome_of(self._stay)).total
        observation, info = self._seen()
        ended = self._stay.end
        if self._stay.over:
            info["outcome"] = outcome_of(self._stay)
            info["score"] = score(info["outcome"])
        reward = (self._points - before) / _POINTS
        return observation, reward, ended in ("well", "died"), ended == "still here", info

    def render(self) -> str | None:
        """Return the visit in words, where render_mode is ``"ansi"``.

        Returns
        -------
        str or None
        """
        if self.render_mode is None or self._stay is None:
            return None
        return in_words(observe(self._stay))

    def _seen(self) -> tuple[Arrays, dict[str, Any]]:
        assert self._stay is not None  # both callers have just set it
        seen = observe(self._stay)
        return arrays_of(seen), {"observation": seen, "points": self._points}


def orders_from(action: Choices, weight_kg: float) -> tuple[Order, ...]:
    """Turn an action into orders.

    Parameters
    ----------
    action : ndarray of int, shape (len(ACTION),)
    weight_kg : float

    Returns
    -------
    tuple of Order

    Raises
    ------
    InvalidInput
        If it is no action.
    """
    allowed = ", ".join(f"{choice.name} 0 to {len(choice.options) - 1}" for choice in ACTION)
    sizes = [len(choice.options) for choice in ACTION]
    whole = np.issubdtype(action.dtype, np.integer) and action.shape == (len(ACTION),)
    if not whole or bool(np.any((action < 0) | (action >= sizes))):
        raise InvalidInput("action", action.tolist(), f"whole numbers: {allowed}")
    orders = []
    for choice, number in zip(ACTION, map(int, action), strict=True):
        if number == 0:
            continue
        if choice.name == "place":
            orders.append(Order(_PLACES[number - 1]))
        elif choice.name in _AMOUNTS:
            amount = _AMOUNTS[choice.name][number - 1]
            if isinstance(amount, str):
                by_label = {"tocilizumab": tocilizumab_dose_mg, "siltuximab": siltuximab_dose_mg}
                amount = by_label[choice.name](weight_kg)
            orders.append(Order(choice.name, amount))
        else:
            orders.append(Order(choice.name))
    return tuple(orders)


def arrays_of(seen: Observation) -> Arrays:
    """Turn an observation into the arrays of the observation space.

    Parameters
    ----------
    seen : Observation

    Returns
    -------
    dict of str to ndarray or int
    """
    now = seen.time_h
    tocilizumab = seen.hours_given("tocilizumab")
    steroids = [
        steroid_equivalent_mg(item.what, item.amount or 0.0, "dexamethasone")
        for item in seen.given
        if item.what in ("dexamethasone", "methylprednisolone") and item.time_h > now - 24
    ]
    given = (
        len(tocilizumab),
        now - tocilizumab[-1] if tocilizumab else LAST_H,
        sum(steroids),
        seen.fluid_boluses_24h,
        max(0.0, seen.antibiotics_until_h - now),
        now - seen.cultures[-1].taken_h if seen.cultures else LAST_H,
    )
    labs = [getattr(seen, column.name) for column in LABS]
    latest = seen.cultures[-1].positive if seen.cultures else None
    return {
        "patient": _row(getattr(seen, column.name) for column in PATIENT),
        "vitals": _row(getattr(seen, column.name) for column in VITALS),
        "labs": _row(0.0 if value is None else value for value in labs),
        "labs_known": np.array([value is not None for value in labs], dtype=np.int8),
        "given": _row(given),
        "oxygen": np.int64(OXYGEN_DEVICES.index(seen.oxygen)),
        "crs_grade": np.int64(seen.crs_grade),
        "icans_grade": np.int64(
            _NOT_TESTABLE_ICANS if seen.icans_grade is None else seen.icans_grade
        ),
        "ice": np.int64(_NOT_TESTABLE_ICE if seen.ice is None else seen.ice),
        "cultures": np.int64(0 if latest is None else 1 + latest),
        "flags": np.array(
            [
                seen.location == "intensive care",
                seen.needs_icu,
                seen.hypotension,
                seen.treated,
                seen.antibiotics_running,
                seen.cultures_pending > 0,
            ],
            dtype=np.int8,
        ),
    }


def _row(values: Any) -> npt.NDArray[np.float32]:
    return np.array(list(values), dtype=np.float32)


def in_words(seen: Observation) -> str:
    """Say in one line what is seen.

    Parameters
    ----------
    seen : Observation

    Returns
    -------
    str
    """
    icans = "ICANS not applicable" if seen.icans_grade is None else f"ICANS {seen.icans_grade}"
    return (
        f"Day {seen.day}, hour {seen.time_h:g}, {seen.location}: {seen.temp_c:.1f} °C, mean "
        f"arterial pressure {seen.map_mmhg:g} mmHg, saturation {seen.spo2_percent:g} % with "
        f"{seen.oxygen}; CRS {seen.crs_grade}, {icans}."
    )


gymnasium.register(id="crs/Ward-v0", entry_point="crs.patients.ward_env:Ward")
