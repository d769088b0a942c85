"""How well a marker tells two groups of patients apart, at one threshold and over all of them.

Throughout, a test is positive when the value is at least the threshold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from crs.errors import InvalidInput
from crs.models.simulation import Numbers


@dataclass(frozen=True)
class Confusion:
    """How many patients a threshold sorts rightly and wrongly.

    Attributes
    ----------
    true_positives, false_negatives : int
        Of those who have the condition.
    false_positives, true_negatives : int
        Of those who do not.
    """

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int

    @property
    def ill(self) -> int:
        """How many have the condition."""
        return self.true_positives + self.false_negatives

    @property
    def well(self) -> int:
        """How many do not."""
        return self.false_positives + self.true_negatives

    @property
    def sensitivity(self) -> float | None:
        """Share of those with the condition that the test finds; None without any."""
        return _share(self.true_positives, self.ill)

    @property
    def specificity(self) -> float | None:
        """Share of those without the condition that the test leaves alone; None without any."""
        return _share(self.true_negatives, self.well)

    @property
    def prevalence(self) -> float | None:
        """Share of all that have the condition; None without any patient."""
        return _share(self.ill, self.ill + self.well)


@dataclass(frozen=True)
class PredictiveValues:
    """What a result means for the patient who has it.

    Attributes
    ----------
    positive : float or None
        Probability of the condition after a positive test; None where no test is positive.
    negative : float or None
        Probability of being free of it after a negative test; None where no test is negative.
    """

    positive: float | None
    negative: float | None


@dataclass(frozen=True)
class RocCurve:
    """Sensitivity and specificity at every threshold that changes them.

    Attributes
    ----------
    thresholds : tuple of float
        From above all values (infinite) down to the lowest value.
    sensitivity, specificity : tuple of float
        At each threshold.
    """

    thresholds: tuple[float, ...]
    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]


def auroc(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """Return the area under the ROC curve: P(x⁺ > x⁻) + ½ P(x⁺ = x⁻).

    Parameters
    ----------
    positives, negatives : sequence of float
        Values of the patients with the condition and of those without it, in one unit.

    Returns
    -------
    float or None
        The probability that a patient with the condition has the higher value, a tie counted half.
        None where a group is empty.

    Raises
    ------
    InvalidInput
        If a value is not a finite number.
    """
    ill, well = _numbers("positives", positives), np.sort(_numbers("negatives", negatives))
    if not len(ill) or not len(well):
        return None
    below = np.searchsorted(well, ill, side="left")
    upto = np.searchsorted(well, ill, side="right")
    # Whole and half pairs, counted as integers so that the order of patients changes nothing.
    return int(np.sum(below) + np.sum(upto)) / (2 * len(ill) * len(well))


def roc_curve(positives: Sequence[float], negatives: Sequence[float]) -> RocCurve | None:
    """Return sensitivity and specificity at every threshold.

    Parameters
    ----------
    positives, negatives : sequence of float
        As for `auroc`.

    Returns
    -------
    RocCurve or None
        None where a group is empty.

    Raises
    ------
    InvalidInput
        If a value is not a finite number.
    """
    ill, well = np.sort(_numbers("positives", positives)), np.sort(_numbers("negatives", negatives))
    if not len(ill) or not len(well):
        return None
    cuts = np.append(math.inf, np.unique(np.concatenate([ill, well]))[::-1])
    found = 1 - np.searchsorted(ill, cuts, side="left") / len(ill)
    left_alone = np.searchsorted(well, cuts, side="left") / len(well)
    return RocCurve(
        tuple(map(float, cuts)), tuple(map(float, found)), tuple(map(float, left_alone))
    )


def confusion_at(
    positives: Sequence[float], negatives: Sequence[float], threshold: float
) -> Confusion:
    """Count what a test does that is positive from a threshold on.

    Parameters
    ----------
    positives, negatives : sequence of float
        As for `auroc`; either may be empty.
    threshold : float
        In the unit of the values. A value equal to it is positive.

    Returns
    -------
    Confusion

    Raises
    ------
    InvalidInput
        If a value or the threshold is not a number.
    """
    if isinstance(threshold, bool) or not isinstance(threshold, Real) or math.isnan(threshold):
        raise InvalidInput("threshold", threshold, "a number")
    ill, well = _numbers("positives", positives), _numbers("negatives", negatives)
    found, alarmed = int(np.sum(ill >= threshold)), int(np.sum(well >= threshold))
    return Confusion(found, len(ill) - found, alarmed, len(well) - alarmed)


def predictive_values(
    sensitivity: float, specificity: float, prevalence: float
) -> PredictiveValues:
    """Return what a result means where the condition is as frequent as said (Bayes' theorem).

    Parameters
    ----------
    sensitivity, specificity, prevalence : float
        Shares from 0 to 1.

    Returns
    -------
    PredictiveValues

    Raises
    ------
    InvalidInput
        If a share is not from 0 to 1.
    """
    shares = {"sensitivity": sensitivity, "specificity": specificity, "prevalence": prevalence}
    for name, value in shares.items():
        good = isinstance(value, Real) and not isinstance(value, bool) and 0 <= value <= 1
        if not good:  # NaN is in no range
            raise InvalidInput(name, value, "a share from 0 to 1")
    ill_positive = sensitivity * prevalence
    well_positive = (1 - specificity) * (1 - prevalence)
    ill_negative = (1 - sensitivity) * prevalence
    well_negative = specificity * (1 - prevalence)
    return PredictiveValues(
        _share(ill_positive, ill_positive + well_positive),
        _share(well_negative, well_negative + ill_negative),
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _numbers(name: str, values: Sequence[float]) -> Numbers:
    allowed = "finite numbers"
    try:
        found = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise InvalidInput(name, values, allowed) from None
    if found.ndim != 1:
        raise InvalidInput(name, values, f"a flat list of {allowed}")
    for value in found:
        if not math.isfinite(value):
            raise InvalidInput(name, float(value), allowed)
    return found
