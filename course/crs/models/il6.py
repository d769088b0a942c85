"""Interleukin-6: what it binds to, what it signals, and why it rises under tocilizumab.

Two models. ``il6_binding`` has the molecules in one volume: `binding_equilibrium` solves where it
settles, `crs.models.simulation.simulate` how it gets there. ``il6_signaling`` makes and clears
IL-6 over days; `il6_steady_pg_ml` and `stat3_steady` say where that settles. Teaching models: they
show which way a change works, not how much IL-6 a person has.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from crs.errors import InvalidInput
from crs.guidelines.engine import check_value
from crs.guidelines.schema import Input
from crs.models.parameters import load_model
from crs.models.simulation import Infusion, Numbers, SimulationFailed, simulate

BindingDrug = Literal["tocilizumab", "siltuximab"]
Blockade = Literal["none", "by hand", "tocilizumab", "siltuximab"]

_BINDING = "il6_binding"
_SIGNALING = "il6_signaling"

# Baran 2018, doi:10.1074/jbc.RA117.001163, abstract: in serum most IL-6 is free. The affinities
# say otherwise; whoever shows the shares says both.
MEASURED_MOSTLY_FREE = "measurements in serum found most IL-6 free"

_PM_IN_NM = 1e3
_PM_IN_UM = 1e6
_HOURS_A_DAY = 24.0

# What there is to bind, and which complexes of it there are, by position.
_COMPONENTS = (
    "il6",
    "membrane_receptor",
    "soluble_receptor",
    "gp130",
    "soluble_gp130",
    "tocilizumab",
    "siltuximab",
)
_COMPLEXES: dict[str, tuple[str, ...]] = {
    "il6_membrane": ("il6", "membrane_receptor"),
    "il6_soluble": ("il6", "soluble_receptor"),
    "classic": ("il6", "membrane_receptor", "gp130"),
    "trans": ("il6", "soluble_receptor", "gp130"),
    "buffered": ("il6", "soluble_receptor", "soluble_gp130"),
    "tocilizumab_membrane": ("tocilizumab", "membrane_receptor"),
    "tocilizumab_soluble": ("tocilizumab", "soluble_receptor"),
    "il6_siltuximab": ("il6", "siltuximab"),
}
# Rows: every free component, then every complex. Columns: how much of a component it holds.
_HOLDS = np.array(
    [[float(name == component) for component in _COMPONENTS] for name in _COMPONENTS]
    + [[float(component in parts) for component in _COMPONENTS] for parts in _COMPLEXES.values()]
)
_PAIRS = np.einsum("jk,jl->jkl", _HOLDS, _HOLDS).reshape(len(_HOLDS), -1)

# Less than a molecule in a liter counts as none.
_NONE_PM = 1e-12
_ABSENT = -2000.0  # the logarithm of nothing, far enough down for every product to vanish
_BALANCE = 1e-12  # mass balance, against what there is
_MOST_STEPS = 500
_LONGEST_STEP = 4.0  # in natural logarithms
_POLISHING_STEPS = 2


@dataclass(frozen=True)
class Complexes:
    """What IL-6, its receptors and the drugs have become, all in pmol/L.

    Attributes
    ----------
    il6, membrane_receptor, soluble_receptor, gp130, soluble_gp130 : float
        What is free.
    tocilizumab, siltuximab : float
        Free binding sites; an antibody has two.
    il6_membrane, il6_soluble : float
        IL-6 on its receptor on cells, and on the soluble one, without gp130.
    classic, trans : float
        The same with gp130 on cells: the two ways to signal.
    buffered : float
        IL-6 on its soluble receptor with soluble gp130, which gives no signal.
    tocilizumab_membrane, tocilizumab_soluble : float
        Receptors that carry tocilizumab.
    il6_siltuximab : float
        IL-6 on siltuximab.
    """

    il6: float
    membrane_receptor: float
    soluble_receptor: float
    gp130: float
    soluble_gp130: float
    tocilizumab: float
    siltuximab: float
    il6_membrane: float
    il6_soluble: float
    classic: float
    trans: float
    buffered: float
    tocilizumab_membrane: float
    tocilizumab_soluble: float
    il6_siltuximab: float

    def total(self, component: str) -> float:
        """Return how much there is of a component, free and in complexes.

        Parameters
        ----------
        component : str
            Such as "il6" or "gp130".

        Returns
        -------
        float
            pmol/L.

        Raises
        ------
        InvalidInput
            If there is no such component.
        """
        if component not in _COMPONENTS:
            raise InvalidInput("component", component, "one of " + ", ".join(_COMPONENTS))
        held = (getattr(self, name) for name, parts in _COMPLEXES.items() if component in parts)
        return float(getattr(self, component) + sum(held))

    @property
    def signal(self) -> float:
        """Signaling complexes of both kinds, pmol/L."""
        return self.classic + self.trans

    @property
    def gp130_share(self) -> float:
        """Share of gp130 on cells that signals; 0 where there is none."""
        total = self.total("gp130")
        return self.signal / total if total > 0 else 0.0

    @property
    def blocked_share(self) -> float:
        """Share of the receptor, on cells and soluble, that carries tocilizumab."""
        total = self.total("membrane_receptor") + self.total("soluble_receptor")
        blocked = self.tocilizumab_membrane + self.tocilizumab_soluble
        return blocked / total if total > 0 else 0.0

    def il6_share(self, *names: str) -> float:
        """Return the share of all IL-6 that is in some of its forms; 0 where there is none.

        Parameters
        ----------
        *names : str
            Attributes that hold IL-6, such as "il6" or "buffered".

        Returns
        -------
        float
            From 0 to 1.
        """
        total = self.total("il6")
        return sum(float(getattr(self, name)) for name in names) / total if total > 0 else 0.0


def binding_equilibrium(parameters: Mapping[str, float] | None = None) -> Complexes:
    """Solve the equilibrium of IL-6, its receptors and two antibodies, exactly.

    No ligand is taken to be in excess: the mass of all seven components is balanced. In the
    logarithms of the free concentrations that is the minimum of a convex function, so that there
    is one solution, and damped Newton steps find it.

    Parameters
    ----------
    parameters : mapping of str to float, optional
        Those of the model ``il6_binding`` that differ from its values, such as ``il6_pg_ml``,
        ``soluble_receptor_ng_ml`` or ``tocilizumab_ug_ml``. Rates make no difference.

    Returns
    -------
    Complexes
        pmol/L. Less than 1e-12 pmol/L of a component counts as none.

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    numbers = _checked_parameters(_BINDING, parameters or {})
    row = _solve(_totals_pm(numbers)[np.newaxis], _log_constants(numbers))[0]
    return Complexes(*map(float, row))


def _checked_parameters(model: str, given: Mapping[str, float]) -> dict[str, float]:
    known = _inputs(model)
    numbers = {name: item.value for name, item in load_model(model).parameters.items()}
    for name, value in given.items():
        if name not in known:
            raise InvalidInput("parameters", name, "one of " + ", ".join(known))
        numbers[name] = float(check_value(known[name], value))
    return numbers


@cache
def _inputs(model: str) -> dict[str, Input]:
    return {
        name: Input(
            name=name,
            meaning=item.meaning,
            kind="number",
            unit="" if item.unit == "1" else item.unit,
            minimum=item.minimum,
            maximum=item.maximum,
        )
        for name, item in load_model(model).parameters.items()
    }


def _totals_pm(numbers: Mapping[str, float]) -> Numbers:
    """Return how much there is of each component; 1 pg/mL of 1 kDa is 1 pmol/L."""
    sites = _PM_IN_UM * numbers["sites_per_antibody"]
    return np.array(
        [
            numbers["il6_pg_ml"] / numbers["il6_kda"],
            numbers["membrane_receptor_pm"],
            _PM_IN_NM * numbers["soluble_receptor_ng_ml"] / numbers["soluble_receptor_kda"],
            numbers["gp130_pm"],
            _PM_IN_NM * numbers["soluble_gp130_ng_ml"] / numbers["soluble_gp130_kda"],
            sites * numbers["tocilizumab_ug_ml"] / numbers["tocilizumab_kda"],
            sites * numbers["siltuximab_ug_ml"] / numbers["siltuximab_kda"],
        ]
    )


def _log_constants(numbers: Mapping[str, float]) -> Numbers:
    """Return the logarithm of what a product of free concentrations is multiplied by."""
    ligand, gp130 = numbers["ligand_kd_pm"], numbers["gp130_kd_pm"]
    tocilizumab, siltuximab = numbers["tocilizumab_kd_pm"], numbers["siltuximab_kd_pm"]
    divisors = {
        "il6_membrane": ligand,
        "il6_soluble": ligand,
        "classic": ligand * gp130,
        "trans": ligand * gp130,
        "buffered": ligand * gp130,
        "tocilizumab_membrane": tocilizumab,
        "tocilizumab_soluble": tocilizumab,
        "il6_siltuximab": siltuximab,
    }
    return np.array([0.0] * len(_COMPONENTS) + [-math.log(divisors[name]) for name in _COMPLEXES])


def _solve(totals: Numbers, log_constants: Numbers) -> Numbers:
    """Balance the mass of every row of components, shape (n, 7); return species, shape (n, 15)."""
    there = totals > _NONE_PM
    amounts = np.where(there, totals, 0.0)
    logs = np.where(there, np.log(np.where(there, totals, 1.0)), _ABSENT)
    absent = np.eye(len(_COMPONENTS)) * ~there[:, :, np.newaxis]
    scale = np.where(there, totals, 1.0)
    polishing = 0
    species, potential = _species(logs, amounts, there, log_constants)
    for _ in range(_MOST_STEPS):
        slope = np.where(there, species @ _HOLDS - amounts, 0.0)
        if np.max(np.abs(slope) / scale) <= _BALANCE:
            # Where a component is nearly used up, its small rest gains from one or two steps more.
            polishing += 1
            if polishing > _POLISHING_STEPS:
                return species
        step = _newton_step(species, slope, absent)
        longest = np.max(np.abs(step), axis=1, keepdims=True)
        step *= np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, _LONGEST_STEP))
        logs, species, potential = _go_down(
            logs, step, slope, potential, amounts, there, log_constants
        )
    raise SimulationFailed("The binding equilibrium could not be solved.")


def _species(
    logs: Numbers, amounts: Numbers, there: npt.NDArray[np.bool_], log_constants: Numbers
) -> tuple[Numbers, Numbers]:
    """Return all species, and the convex function whose minimum is the equilibrium."""
    species = np.exp(logs @ _HOLDS.T + log_constants)
    return species, species.sum(axis=1) - np.where(there, amounts * logs, 0.0).sum(axis=1)


def _newton_step(species: Numbers, slope: Numbers, absent: Numbers) -> Numbers:
    size = len(_COMPONENTS)
    curvature = (species @ _PAIRS).reshape(-1, size, size) + absent
    # Scaled to a diagonal of ones: concentrations span many orders of magnitude.
    scaling = 1 / np.sqrt(np.diagonal(curvature, axis1=1, axis2=2))
    scaled = curvature * scaling[:, :, np.newaxis] * scaling[:, np.newaxis, :]
    step = -scaling * np.linalg.solve(scaled, (scaling * slope)[:, :, np.newaxis])[:, :, 0]
    return np.asarray(step, dtype=float)


def _go_down(
    logs: Numbers,
    step: Numbers,
    slope: Numbers,
    potential: Numbers,
    amounts: Numbers,
    there: npt.NDArray[np.bool_],
    log_constants: Numbers,
) -> tuple[Numbers, Numbers, Numbers]:
    """Go along the step as far as the function falls, each row by itself."""
    promised = np.minimum(0.0, (slope * step).sum(axis=1))
    rounding = 1e-13 * (1 + np.abs(potential) + np.abs(amounts * np.where(there, logs, 0)).sum(1))
    share = np.ones(len(logs))
    while True:
        tried = logs + share[:, np.newaxis] * step
        species, reached = _species(tried, amounts, there, log_constants)
        high = reached > potential + 1e-4 * share * promised + rounding
        if not high.any() or share.min() < 1e-6:
            return tried, species, reached
        share = np.where(high, share / 2, share)


@dataclass(frozen=True)
class OccupancyQuestion:
    """A mixture that is looked at with a drug and without.

    Attributes
    ----------
    il6_pg_ml, soluble_receptor_ng_ml, soluble_gp130_ng_ml : float
        All of it, free or not.
    drug : {"tocilizumab", "siltuximab"}
    drug_ug_ml : float
    membrane_receptor : bool
        Whether the cells carry the IL-6 receptor. Without it only trans-signaling reaches them.
    """

    il6_pg_ml: float
    soluble_receptor_ng_ml: float
    soluble_gp130_ng_ml: float
    drug: BindingDrug
    drug_ug_ml: float
    membrane_receptor: bool = True


@dataclass(frozen=True)
class OccupancyResult:
    """The mixture without the drug and with it.

    Attributes
    ----------
    asked : OccupancyQuestion
    without, treated : Complexes
        pmol/L.
    """

    asked: OccupancyQuestion
    without: Complexes
    treated: Complexes

    @property
    def signal_left(self) -> float:
        """Signal with the drug against without; 1 where there is no signal at all."""
        return self.treated.signal / self.without.signal if self.without.signal > 0 else 1.0


def run_occupancy(asked: OccupancyQuestion) -> OccupancyResult:
    """Solve the equilibrium of a mixture, with the drug and without.

    Parameters
    ----------
    asked : OccupancyQuestion

    Returns
    -------
    OccupancyResult

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    if asked.drug not in ("tocilizumab", "siltuximab"):
        raise InvalidInput("drug", asked.drug, "one of tocilizumab, siltuximab")
    mixture = {
        "il6_pg_ml": asked.il6_pg_ml,
        "soluble_receptor_ng_ml": asked.soluble_receptor_ng_ml,
        "soluble_gp130_ng_ml": asked.soluble_gp130_ng_ml,
    }
    if not asked.membrane_receptor:
        mixture["membrane_receptor_pm"] = 0.0
    # The field that a caller knows, in place of the two that the model has.
    level = float(check_value(_inputs(_BINDING)[f"{asked.drug}_ug_ml"], asked.drug_ug_ml))
    numbers = _checked_parameters(_BINDING, mixture)
    treated = {**numbers, f"{asked.drug}_ug_ml": level}
    rows = _solve(
        np.array([_totals_pm(numbers), _totals_pm(treated)]), _log_constants(numbers)
    ).tolist()
    return OccupancyResult(asked, Complexes(*rows[0]), Complexes(*rows[1]))


def il6_steady_pg_ml(
    production_pg_ml_h: float, half_life_h: float, receptor_share: float, blocked: float
) -> float:
    """Return where IL-6 settles: production over what clears it.

    Parameters
    ----------
    production_pg_ml_h : float
        IL-6 made, pg/mL/h.
    half_life_h : float
        With all receptors open.
    receptor_share : float
        Share of that clearance, from 0 to 1, that receptors do.
    blocked : float
        Share of the receptors, from 0 to 1, that is blocked.

    Returns
    -------
    float
        pg/mL; infinite where receptors alone clear IL-6, and all are blocked.

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    numbers = _checked_parameters(
        _SIGNALING,
        {
            "production_pg_ml_h": production_pg_ml_h,
            "half_life_h": half_life_h,
            "receptor_share": receptor_share,
        },
    )
    open_share = 1 - float(check_value(_inputs(_SIGNALING)["blocked_by_hand"], blocked))
    share = numbers["receptor_share"]
    cleared = math.log(2) / numbers["half_life_h"] * ((1 - share) + share * open_share)
    if numbers["production_pg_ml_h"] == 0:
        return 0.0
    return numbers["production_pg_ml_h"] / cleared if cleared > 0 else math.inf


def stat3_steady(il6_free_pg_ml: float, blocked: float) -> float:
    """Return where the phosphorylation of STAT3 settles, with SOCS3 holding it down.

    Parameters
    ----------
    il6_free_pg_ml : float
        0 or more.
    blocked : float
        Share of the receptors, from 0 to 1, that is blocked.

    Returns
    -------
    float
        Share of STAT3 that is phosphorylated.

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    level = float(check_value(_FREE, il6_free_pg_ml))
    seen = level * (1 - float(check_value(_inputs(_SIGNALING)["blocked_by_hand"], blocked)))
    known = load_model(_SIGNALING).parameters
    activation = seen / (seen + known["half_signal_pg_ml"].value)
    drive = known["stat3_on_h"].value / known["stat3_off_h"].value * activation
    held = 4 * drive / known["socs3_half"].value
    return 2 * drive / (1 + drive + math.sqrt((1 + drive) ** 2 + held))


_FREE = Input(name="il6_free_pg_ml", meaning="free IL-6", kind="number", unit="pg/mL", minimum=0)


@dataclass(frozen=True)
class ParadoxQuestion:
    """A patient in whom IL-6 is made at a constant rate, and what blocks it from day 1 on.

    Attributes
    ----------
    production_pg_ml_h : float
        IL-6 made.
    half_life_h : float
        Of IL-6, with all receptors open.
    receptor_share : float
        Share of that clearance, from 0 to 1, that receptors do.
    blockade : {"none", "by hand", "tocilizumab", "siltuximab"}
    blocked : float
        Share of the receptors that is blocked by hand. Of no effect otherwise.
    dose_mg : float
        Of each dose of a drug.
    doses : int
        How many.
    interval_h : float
        From the start of one dose to the start of the next.
    horizon_d : float
        How many days are looked at.
    """

    production_pg_ml_h: float
    half_life_h: float
    receptor_share: float
    blockade: Blockade
    blocked: float = 0.0
    dose_mg: float = 0.0
    doses: int = 1
    interval_h: float = 8.0
    horizon_d: float = 14.0


@dataclass(frozen=True)
class ParadoxResult:
    """The course, and what can be read off it.

    Attributes
    ----------
    asked : ParadoxQuestion
    days, il6_free_pg_ml, il6_total_pg_ml, stat3, crp_mg_l, blocked : tuple of float
        Course over days; shares from 0 to 1 where there is no unit.
    starts_d : tuple of float
        Day of each dose.
    before_pg_ml, before_stat3, before_crp_mg_l : float
        What there was just before the blockade.
    day_after : int
        Position in the course 24 h after the last dose, or after the blockade by hand.
    """

    asked: ParadoxQuestion
    days: tuple[float, ...]
    il6_free_pg_ml: tuple[float, ...]
    il6_total_pg_ml: tuple[float, ...]
    stat3: tuple[float, ...]
    crp_mg_l: tuple[float, ...]
    blocked: tuple[float, ...]
    starts_d: tuple[float, ...]
    before_pg_ml: float
    before_stat3: float
    before_crp_mg_l: float
    day_after: int


BLOCKED_FROM_D = 1.0
INFUSION_H = 1.0
_SHORTEST_HORIZON_D, _LONGEST_HORIZON_D = 4.0, 120.0
_POINTS = 97
_SAME_MOMENT_D = 1e-6
_HOURS_AFTER_A_DOSE = (0.5, 2.0, 3.0, 4.0, 6.0, 9.0, 12.0, 16.0, 20.0, 24.0)


def run_paradox(asked: ParadoxQuestion) -> ParadoxResult:
    """Work out IL-6, its signal and CRP before and after a blockade.

    Parameters
    ----------
    asked : ParadoxQuestion

    Returns
    -------
    ParadoxResult

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    starts = _dose_days(asked)
    parameters = {
        "production_pg_ml_h": asked.production_pg_ml_h,
        "half_life_h": asked.half_life_h,
        "receptor_share": asked.receptor_share,
        "siltuximab_given": float(asked.blockade == "siltuximab"),
        "blocked_from_day": BLOCKED_FROM_D,
    }
    by_hand = float(check_value(_BLOCKED, asked.blocked))
    if asked.blockade == "by hand":
        parameters["blocked_by_hand"] = by_hand
    days = _days_to_look_at(asked.horizon_d, starts)
    hour = INFUSION_H / _HOURS_A_DAY
    found = simulate(
        _SIGNALING,
        days,
        infusions=[Infusion(start, asked.dose_mg, hour) for start in starts],
        parameters=parameters,
        outputs=["il6_free_pg_ml", "il6_total_pg_ml", "stat3", "crp_mg_l", "blocked"],
    ).values
    before = int(np.searchsorted(days, BLOCKED_FROM_D)) - 1
    last = (starts or (BLOCKED_FROM_D,))[-1]
    # A solver leaves zero by as little as its tolerance.
    courses = {name: tuple(np.maximum(0.0, course).tolist()) for name, course in found.items()}
    return ParadoxResult(
        asked=asked,
        days=tuple(days.tolist()),
        il6_free_pg_ml=courses["il6_free_pg_ml"],
        il6_total_pg_ml=courses["il6_total_pg_ml"],
        stat3=courses["stat3"],
        crp_mg_l=courses["crp_mg_l"],
        blocked=courses["blocked"],
        starts_d=starts,
        before_pg_ml=courses["il6_free_pg_ml"][before],
        before_stat3=courses["stat3"][before],
        before_crp_mg_l=courses["crp_mg_l"][before],
        day_after=int(np.argmin(np.abs(days - (last + 1)))),
    )


@dataclass(frozen=True)
class BlockadeSteps:
    """Where IL-6 and its signal settle, the more receptors are blocked.

    Attributes
    ----------
    blocked : tuple of float
        Shares from 0 to 1.
    il6_pg_ml, stat3 : tuple of float
        Free IL-6, and the share of STAT3 that is phosphorylated, at each of them.
    """

    blocked: tuple[float, ...]
    il6_pg_ml: tuple[float, ...]
    stat3: tuple[float, ...]


def blockade_steps(
    production_pg_ml_h: float, half_life_h: float, receptor_share: float
) -> BlockadeSteps:
    """Block receptors step by step, and let everything settle at each step.

    Parameters
    ----------
    production_pg_ml_h, half_life_h, receptor_share : float
        As for `il6_steady_pg_ml`; a share below 1.

    Returns
    -------
    BlockadeSteps

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    if receptor_share == 1:
        raise InvalidInput("receptor_share", receptor_share, "below 1, or IL-6 has no way out")
    levels = tuple(
        il6_steady_pg_ml(production_pg_ml_h, half_life_h, receptor_share, blocked)
        for blocked in _BLOCKED_STEPS
    )
    signals = tuple(map(stat3_steady, levels, _BLOCKED_STEPS))
    return BlockadeSteps(_BLOCKED_STEPS, levels, signals)


# The signal goes within the last steps, so that these are finer.
_BLOCKED_STEPS = (
    *(step / 20 for step in range(19)),
    *(0.9 + step / 100 for step in range(1, 10)),
    *(0.99 + step / 1000 for step in range(1, 11)),
)


def _days_to_look_at(horizon_d: float, starts: tuple[float, ...]) -> Numbers:
    """Return days, closer together where the curves bend: after each dose."""
    begins = starts or (BLOCKED_FROM_D,)
    corners = [day for start in begins for day in (start, start + INFUSION_H / _HOURS_A_DAY)]
    bends = [start + hour / _HOURS_A_DAY for start in begins for hour in _HOURS_AFTER_A_DOSE]
    even = np.union1d(np.linspace(0, horizon_d, _POINTS), bends)
    # The solver refuses two moments that differ in their last digits, so the corner itself stays.
    apart = np.abs(even[:, np.newaxis] - np.array(corners)).min(axis=1) > _SAME_MOMENT_D
    apart[1:] &= np.diff(even) > _SAME_MOMENT_D
    days = np.union1d(even[apart], corners)
    return np.asarray(days[days <= horizon_d], dtype=float)


def _dose_days(asked: ParadoxQuestion) -> tuple[float, ...]:
    """Check what is not a parameter of the model, and return the day of each dose."""
    if asked.blockade not in ("none", "by hand", "tocilizumab", "siltuximab"):
        allowed = "one of none, by hand, tocilizumab, siltuximab"
        raise InvalidInput("blockade", asked.blockade, allowed)
    check_value(_HORIZON, asked.horizon_d)
    if asked.blockade in ("none", "by hand"):
        return ()
    check_value(_DOSE, asked.dose_mg)
    doses = int(check_value(_DOSES, asked.doses))
    interval_h = float(check_value(_INTERVAL, asked.interval_h))
    starts = tuple(BLOCKED_FROM_D + dose * interval_h / _HOURS_A_DAY for dose in range(doses))
    if starts[-1] + 1 > asked.horizon_d:
        allowed = f"long enough to see a day after the last dose, {starts[-1] + 1:g} days or more"
        raise InvalidInput("horizon_d", asked.horizon_d, allowed)
    return starts


_BLOCKED = Input(
    name="blocked", meaning="share blocked by hand", kind="number", minimum=0, maximum=1
)
_HORIZON = Input(
    name="horizon_d",
    meaning="days looked at",
    kind="number",
    unit="days",
    minimum=_SHORTEST_HORIZON_D,
    maximum=_LONGEST_HORIZON_D,
)
_DOSE = Input(
    name="dose_mg", meaning="each dose", kind="number", unit="mg", minimum=0, maximum=2000
)
_DOSES = Input(name="doses", meaning="doses", kind="integer", minimum=1, maximum=16)
_INTERVAL = Input(
    name="interval_h",
    meaning="hours from dose to dose",
    kind="number",
    unit="h",
    above=INFUSION_H,
    maximum=2000,
)
