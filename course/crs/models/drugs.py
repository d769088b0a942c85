"""Drugs and cells in the blood of a typical patient, from published models."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from crs.errors import InvalidInput
from crs.models.parameters import load_model
from crs.models.simulation import Infusion, Numbers, simulate

_HOURS_A_DAY = 24.0


def tocilizumab_ug_ml(
    times_d: Sequence[float] | Numbers,
    infusions: Sequence[Infusion],
    *,
    body_surface_m2: float = 1.8,
    female: bool = False,
) -> Numbers:
    """Return the concentration of tocilizumab in serum.

    Parameters
    ----------
    times_d : sequence of float, shape (n,)
        Days, in order.
    infusions : sequence of Infusion
        Start and duration in days, amount in mg.
    body_surface_m2 : float
        Changes clearance.
    female : bool
        Clearance of a female patient is lower.

    Returns
    -------
    ndarray of shape (n,)
        µg/mL.

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.

    References
    ----------
    Frey 2010, J Clin Pharmacol 50:754: adults with rheumatoid arthritis.
    """
    patient = {"body_surface_m2": body_surface_m2, "female": float(female)}
    return _concentration("tocilizumab", times_d, infusions, patient)


def siltuximab_ug_ml(
    times_d: Sequence[float] | Numbers,
    infusions: Sequence[Infusion],
    *,
    relative_albumin: float = 1.0,
) -> Numbers:
    """Return the concentration of siltuximab in serum.

    Parameters
    ----------
    times_d : sequence of float, shape (n,)
        Days, in order.
    infusions : sequence of Infusion
        Start and duration in days, amount in mg.
    relative_albumin : float
        Albumin against the typical patient's.

    Returns
    -------
    ndarray of shape (n,)
        µg/mL.

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.

    References
    ----------
    Nikanjam 2019.
    """
    return _concentration("siltuximab", times_d, infusions, {"relative_albumin": relative_albumin})


@dataclass(frozen=True)
class RateStep:
    """A rate from some hour on; a rate of 0 is an interruption.

    Attributes
    ----------
    from_h : float
        Hour.
    ug_day : float
        Rate in µg per day.
    """

    from_h: float
    ug_day: float


def blinatumomab_pg_ml(
    times_h: Sequence[float] | Numbers,
    steps: Sequence[RateStep],
    *,
    body_surface_m2: float = 1.876,
) -> Numbers:
    """Return the concentration of blinatumomab in serum during a constant infusion.

    Parameters
    ----------
    times_h : sequence of float, shape (n,)
        Hours, in order.
    steps : sequence of RateStep
        Each rate holds until the next one; the last one holds to the end.
    body_surface_m2 : float
        Changes clearance.

    Returns
    -------
    ndarray of shape (n,)
        pg/mL.

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.

    References
    ----------
    Clements 2020, doi:10.1007/s40262-019-00823-8.
    """
    end = load_model("blinatumomab").longest_time
    bounds = [step.from_h for step in steps[1:]] + [end]
    infusions = []
    for step, stop in zip(steps, bounds, strict=True):
        hours = stop - step.from_h
        if not hours > 0:
            raise InvalidInput("from_h", stop, f"later than {step.from_h:g}")
        infusions.append(Infusion(step.from_h, step.ug_day / _HOURS_A_DAY * hours, hours))
    return _concentration("blinatumomab", times_h, infusions, {"body_surface_m2": body_surface_m2})


def car_t_copies_ug(times_d: Sequence[float] | Numbers) -> Numbers:
    """Return CAR T cells in blood after an infusion of tisagenlecleucel.

    Parameters
    ----------
    times_d : sequence of float, shape (n,)
        Days after the infusion, in order.

    Returns
    -------
    ndarray of shape (n,)
        Copies of the transgene per µg of DNA.

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.

    References
    ----------
    Stein 2019, doi:10.1002/psp4.12388.
    """
    return simulate("car_t_cells", times_d, outputs=["cells"]).values["cells"]


def car_t_doubling_time_d() -> float:
    """Return how long CAR T cells take to double before their peak, in days."""
    parameters = load_model("car_t_cells").parameters
    return math.log(2) * parameters["peak_day"].value / math.log(parameters["fold"].value)


def _concentration(
    model: str,
    times: Sequence[float] | Numbers,
    infusions: Sequence[Infusion],
    patient: dict[str, float],
) -> Numbers:
    found = simulate(
        model, times, infusions=infusions, parameters=patient, outputs=["concentration"]
    )
    return found.values["concentration"]
