"""What leaves the blood by itself once nothing more is made, and what an exchange takes out."""

import math
from collections.abc import Sequence

import numpy as np

from crs.guidelines.engine import check_value
from crs.guidelines.schema import Input
from crs.models.parameters import Parameter
from crs.models.simulation import Numbers

CRP_HALF_LIFE = Parameter(
    value=19,
    unit="h",
    meaning="half-life of C-reactive protein in plasma, the same in health and disease",
    source="Vigushin 1993, doi:10.1172/JCI116336, abstract",
    status="read",
    minimum=0.1,
    maximum=1000,
)

_INPUTS = {
    name: Input(name=name, meaning=meaning, kind="number", unit=unit, minimum=low, above=above)
    for name, meaning, unit, low, above in (
        ("times_h", "hours since the blockade", "h", 0, None),
        ("crp0_mg_l", "CRP at the blockade", "mg/L", 0, None),
        ("baseline_mg_l", "CRP to which it returns", "mg/L", 0, None),
        ("half_life_h", "half-life", "h", None, 0),
        ("exchanged_volume_l", "volume of plasma exchanged", "L", 0, None),
        ("plasma_volume_l", "volume of plasma in the body", "L", None, 0),
    )
}


def _checked(name: str, value: object) -> float:
    return float(check_value(_INPUTS[name], value))


def crp_after_blockade_mg_l(
    times_h: Sequence[float],
    crp0_mg_l: float,
    baseline_mg_l: float,
    half_life_h: float = CRP_HALF_LIFE.value,
) -> Numbers:
    """Return CRP after interleukin-6 signaling stopped, at its fastest possible fall.

    Parameters
    ----------
    times_h : sequence of float, shape (n,)
        Hours since the blockade.
    crp0_mg_l, baseline_mg_l : float
        CRP at the blockade, and the level to which it returns.
    half_life_h : float
        Of CRP in plasma.

    Returns
    -------
    ndarray of shape (n,)
        mg/L.

    Raises
    ------
    InvalidInput
        If a value is negative or a half-life of zero.
    """
    hours = np.array([_checked("times_h", time) for time in times_h])
    start, rest = _checked("crp0_mg_l", crp0_mg_l), _checked("baseline_mg_l", baseline_mg_l)
    half_life = _checked("half_life_h", half_life_h)
    return np.asarray(rest + (start - rest) * 0.5 ** (hours / half_life), dtype=float)


def fraction_removed(exchanged_volume_l: float, plasma_volume_l: float) -> float:
    """Return the share of a substance of plasma that an exchange removes.

    The plasma is taken as well mixed, and nothing as made or coming back from tissue meanwhile.

    Parameters
    ----------
    exchanged_volume_l, plasma_volume_l : float
        Plasma that was exchanged, and plasma in the body.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    InvalidInput
        If a volume is negative, or the plasma volume zero.
    """
    exchanged = _checked("exchanged_volume_l", exchanged_volume_l)
    return 1 - math.exp(-exchanged / _checked("plasma_volume_l", plasma_volume_l))
