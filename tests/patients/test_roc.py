"""What a threshold and a ROC curve say, held against counting by hand and against SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crs.errors import InvalidInput
from crs.patients.roc import (
    Confusion,
    auroc,
    confusion_at,
    predictive_values,
    roc_curve,
)

# Few different values, so that ties are frequent.
values = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)
shares = st.floats(0, 1)


def test_every_pair_counts_once_and_a_tie_half() -> None:
    assert auroc([3, 4], [1, 2]) == 1
    assert auroc([1, 2], [3, 4]) == 0
    assert auroc([2], [2]) == 0.5
    # Pairs: 5>1, 5>3, 3>1 won; 3=3 tied; 1=1 tied; 1<3 lost.
    assert auroc([5, 3, 1], [1, 3]) == (3 + 2 * 0.5) / 6


@settings(max_examples=200, derandomize=True, database=None)
@given(ill=values, well=values)
def test_the_area_is_that_of_mann_and_whitney_and_lies_under_the_curve(
    ill: list[float], well: list[float]
) -> None:
    area = auroc(ill, well)
    assert area is not None
    assert area == pytest.approx(stats.mannwhitneyu(ill, well).statistic / len(ill) / len(well))
    curve = roc_curve(ill, well)
    assert curve is not None
    false_alarms = 1 - np.array(curve.specificity)
    assert area == pytest.approx(float(np.trapezoid(curve.sensitivity, false_alarms)))
    swapped = auroc(well, ill)
    assert swapped == pytest.approx(1 - area)


@settings(max_examples=100, derandomize=True, database=None)
@given(ill=values, well=values)
def test_every_point_of_the_curve_is_what_counting_at_its_threshold_gives(
    ill: list[float], well: list[float]
) -> None:
    curve = roc_curve(ill, well)
    assert curve is not None
    assert curve.thresholds[0] == math.inf
    assert (curve.sensitivity[0], curve.specificity[0]) == (0, 1)
    assert (curve.sensitivity[-1], curve.specificity[-1]) == (1, 0)
    for threshold, sensitivity, specificity in zip(
        curve.thresholds, curve.sensitivity, curve.specificity, strict=True
    ):
        counted = confusion_at(ill, well, threshold)
        assert counted.sensitivity == pytest.approx(sensitivity)
        assert counted.specificity == pytest.approx(specificity)


def test_a_value_equal_to_the_threshold_is_positive() -> None:
    assert confusion_at([10, 9.9], [10, 9.9, 1], 10) == Confusion(1, 1, 1, 2)


def test_what_cannot_be_said_is_none() -> None:
    assert auroc([], [1]) is None
    assert roc_curve([1], []) is None
    nobody_ill = confusion_at([], [1, 2], 2)
    assert nobody_ill.sensitivity is None
    assert nobody_ill.specificity == 0.5
    assert nobody_ill.prevalence == 0
    assert confusion_at([], [], 1).prevalence is None
    assert predictive_values(0, 1, 0.3).positive is None  # no test is ever positive
    assert predictive_values(1, 0, 0.3).negative is None  # none is ever negative


def test_predictive_values_of_a_worked_example() -> None:
    # 1000 patients, 100 of them ill: 90 found, 10 missed; 720 rightly left alone, 180 alarmed.
    found = predictive_values(0.9, 0.8, 0.1)
    assert found.positive == pytest.approx(90 / 270)
    assert found.negative == pytest.approx(720 / 730)


@settings(max_examples=100, derandomize=True, database=None)
@given(counts=st.tuples(*[st.integers(1, 200)] * 4))
def test_at_the_prevalence_of_the_sample_the_counts_themselves_come_back(
    counts: tuple[int, int, int, int],
) -> None:
    table = Confusion(*counts)
    assert table.sensitivity is not None
    assert table.specificity is not None
    assert table.prevalence is not None
    found = predictive_values(table.sensitivity, table.specificity, table.prevalence)
    assert found.positive == pytest.approx(
        table.true_positives / (table.true_positives + table.false_positives)
    )
    assert found.negative == pytest.approx(
        table.true_negatives / (table.true_negatives + table.false_negatives)
    )


@settings(max_examples=100, derandomize=True, database=None)
@given(sensitivity=shares, specificity=shares, low=shares, high=shares)
def test_a_rarer_condition_never_makes_a_positive_result_mean_more(
    sensitivity: float, specificity: float, low: float, high: float
) -> None:
    low, high = sorted((low, high))
    rare = predictive_values(sensitivity, specificity, low).positive
    frequent = predictive_values(sensitivity, specificity, high).positive
    if rare is not None and frequent is not None:
        assert rare <= frequent + 1e-12


@pytest.mark.parametrize("bad", [[math.nan], [math.inf], ["high"], [[1.0, 2.0]]])
def test_what_is_no_number_is_refused_by_name(bad: list[float]) -> None:
    with pytest.raises(InvalidInput, match="negatives"):
        auroc([1.0], bad)


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan, True])
def test_a_share_outside_its_range_is_refused(bad: float) -> None:
    with pytest.raises(InvalidInput, match="prevalence"):
        predictive_values(0.5, 0.5, bad)


def test_a_threshold_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidInput, match="threshold"):
        confusion_at([1], [2], math.nan)
