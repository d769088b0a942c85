"""The virtual patient: what is drawn and said is what the model does, and drugs act as they do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.explorers.strips import runs_in

from crs.errors import InvalidInput
from crs.explorers import VirtualPatientView
from crs.figures.virtual_patient import number_words, virtual_patient_picture
from crs.models.cascade import Snapshot, run_cascade
from crs.models.simulation import Numbers
from crs.patients.planning import TYPICAL_CELLS, Planned
from crs.patients.virtual import virtual_patient
from crs.patients.whole_patient import (
    EXTREMES,
    TREATMENTS,
    Treatment,
    WholeCourse,
    WholePatient,
    doses_for,
    follow_whole,
    what_decides,
)

BARS = "What decides a peak"
# A burden at which every treatment has something to act on.
WHO = Planned(burden=3.0)
DAY = 7.0


def treated(treatment: Treatment) -> WholeCourse:
    return follow_whole(WholePatient(WHO, treatment, DAY))


def later(course: WholeCourse, values: Numbers) -> Numbers:
    """Return what happens in the three days after the treatment began."""
    chosen = (course.times_h > 24 * DAY + 6) & (course.times_h <= 24 * (DAY + 3))
    return np.asarray(values[chosen])


def mean_change(treatment: Treatment, output: str) -> float:
    course = treated(treatment)
    own, before = (later(course, which[output]) for which in (course.values, course.untreated))
    return float(own.mean() / before.mean())


# --- what drugs do ------------------------------------------------------------------------------


def test_tocilizumab_raises_serum_il6_and_lowers_signal_and_crp() -> None:
    assert mean_change("tocilizumab", "il6_total") > 1.2
    assert mean_change("tocilizumab", "il6_signal") < 0.5
    assert mean_change("tocilizumab", "crp") < 1
    assert mean_change("tocilizumab", "car_t") == pytest.approx(1, abs=0.01)


def test_siltuximab_lowers_free_il6_while_the_total_rises() -> None:
    assert mean_change("siltuximab", "il6_free") < 1
    assert mean_change("siltuximab", "il6_total") > 1


@pytest.mark.parametrize("treatment", ["dexamethasone", "emapalumab"])
def test_production_falls(treatment: Treatment) -> None:
    assert mean_change(treatment, "il6_total") < 1
    assert mean_change(treatment, "mcp1") < 1


def test_a_steroid_costs_cells_and_a_suicide_gene_more() -> None:
    assert 0.5 < mean_change("dexamethasone", "car_t") < 1
    assert mean_change("suicide gene", "car_t") < 0.3


def test_acetaminophen_lowers_temperature_alone() -> None:
    course = treated("acetaminophen")
    cooler = later(course, course.untreated["temp_c"] - course.values["temp_c"])
    assert cooler.mean() > 0.1
    assert mean_change("acetaminophen", "il6_total") == pytest.approx(1, abs=1e-6)


def test_an_exchange_takes_out_63_percent_of_what_is_not_made_meanwhile() -> None:
    dose = doses_for("plasma exchange", DAY, 70)[0]
    assert (dose.amount, dose.hours) == (1.0, None)
    assert mean_change("plasma exchange", "ferritin") < 1


def test_before_the_treatment_nothing_differs() -> None:
    for treatment in TREATMENTS[1:]:
        course = treated(treatment)
        before = course.times_h <= 24 * DAY
        for output, values in course.values.items():
            assert values[before] == pytest.approx(
                course.untreated[output][before], rel=1e-4, abs=1e-6
            ), (treatment, output)


def test_nothing_is_negative_or_missing() -> None:
    for seed in (None, 1, 7, 42):
        for treatment in TREATMENTS:
            course = follow_whole(WholePatient(Planned(seed=seed, burden=3.0), treatment, DAY))
            for output, values in course.values.items():
                assert np.isfinite(values).all(), (seed, treatment, output)
                assert values.min() > -1e-6, (seed, treatment, output)


def test_the_patient_of_a_seed_is_the_virtual_patient_of_the_course() -> None:
    patient = virtual_patient(7, burden=2.0)
    course = follow_whole(WholePatient(Planned(seed=7, burden=2.0)))
    own = run_cascade(
        course.times_h, parameters=patient.parameters, start=patient.start, outputs=["crp"]
    )
    assert course.values["crp"] == pytest.approx(own.values["crp"])


def test_fever_still_counts_after_what_is_no_anticytokine_drug() -> None:
    """Low pressure alone brings no syndrome back, but after drugs that hide fever."""
    course = treated("plasma exchange")
    febrile = np.round(course.values["temp_c"], 1) >= 38
    over = (course.grades[:-1] == 0) & ~febrile[1:]
    assert not (course.grades[1:][over] > 0).any()


# --- what decides -------------------------------------------------------------------------------


def test_bars_are_what_the_model_gives_with_one_parameter_changed() -> None:
    bars = {bar.parameter: bar for bar in what_decides(WholePatient(Planned()), "il6_total")}
    assert len(bars) == 8
    base = follow_whole(WholePatient(Planned()))
    more = follow_whole(WholePatient(Planned(burden=1.5)))
    assert bars["tumor"].larger == pytest.approx(more.values["il6_total"].max(), rel=1e-6)
    assert bars["tumor"].unchanged == pytest.approx(base.values["il6_total"].max(), rel=1e-6)
    own = run_cascade(
        base.times_h,
        parameters={"il6_gain": 0.5},
        start=Snapshot(0.0, {"tumor": 1.0, "effector": TYPICAL_CELLS}),
        outputs=["il6_total"],
    )
    assert bars["il6_gain"].smaller == pytest.approx(own.values["il6_total"].max(), rel=1e-6)


@pytest.mark.parametrize("output", EXTREMES)
def test_bars_come_longest_first_and_go_the_way_they_must(output: str) -> None:
    bars = what_decides(WholePatient(Planned()), output)
    reaches = [bar.reach for bar in bars]
    assert reaches == sorted(reaches, reverse=True)
    by_name = {bar.parameter: bar for bar in bars}
    if output == "il6_total":
        assert by_name["il6_gain"].smaller < by_name["il6_gain"].larger
        assert by_name["il6_loss"].smaller > by_name["il6_loss"].larger
    if output == "car_t":
        assert by_name["growth_gain"].larger > by_name["growth_gain"].smaller
        assert by_name["il6_gain"].reach == pytest.approx(0, abs=1)


def test_unknown_things_are_named() -> None:
    with pytest.raises(InvalidInput, match="il6_total"):
        what_decides(WholePatient(Planned()), "mood")
    with pytest.raises(InvalidInput, match="tocilizumab"):
        WholePatient(Planned(), "leeches")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as caught:
        WholePatient(Planned(), "tocilizumab", float("nan"))
    assert caught.value.field == "day"


# --- the view -----------------------------------------------------------------------------------


def test_the_sentence_has_the_peaks_with_and_without_treatment() -> None:
    view = VirtualPatientView()
    view.set(burden=3, treatment="tocilizumab", day=DAY)
    course = treated("tocilizumab")
    for output in ("il6_total", "crp", "temp_c"):
        extreme = EXTREMES[output]
        own, old = (extreme.of(which)[0] for which in (course.values, course.untreated))
        words = f"{number_words(extreme, own)} (without: {number_words(extreme, old)})"
        assert words in view.sentence
    assert f"highest ASTCT grade is {course.grades.max()}" in view.sentence


def test_a_numbered_patient_is_called_synthetic() -> None:
    view = VirtualPatientView()
    assert view.sentence.startswith("Typical patient of the model")
    assert "SYNTHETIC" not in view.pictures[0].alt
    view.set(number=7)
    assert view.sentence.startswith("SYNTHETIC patient 7")
    assert view.pictures[0].alt.startswith("SYNTHETIC patient 7")
    view.set(show=BARS)
    assert view.pictures[1].alt.startswith("SYNTHETIC patient 7")


def test_one_picture_is_shown_at_a_time_with_its_controls() -> None:
    view = VirtualPatientView()
    assert [one.layout.display for one in view.pictures] == [None, "none"]
    assert {"day", "output"}.isdisjoint(view.visible_controls())
    view.set(show=BARS, treatment="anakinra")
    assert [one.layout.display for one in view.pictures] == ["none", None]
    assert {"day", "output"} <= set(view.visible_controls())


def test_nobody_is_tested_for_ice_on_a_ventilator() -> None:
    view = VirtualPatientView()
    view.set(number=17)
    ventilated = np.round(follow_whole(WholePatient(Planned(seed=17))).values["spo2_room_air"]) < 70
    assert ventilated.any()
    assert "on a ventilator it cannot be tested" in view.sentence
    picture = view.pictures[0].picture
    assert picture is not None
    ice = next(
        trace
        for trace in picture.traces
        if trace.get("line", {}).get("width") == 2.2 and trace["line"].get("shape") == "hv"
    )
    assert [y is None for y in ice["y"]] == ventilated[::2].tolist()
    view.set(number=0)
    assert "ventilator" not in view.sentence


def test_the_grade_strip_has_every_hour_once() -> None:
    course = treated("tocilizumab")
    runs = runs_in(virtual_patient_picture(course, "x"))
    for row in (0, 1):
        own = sorted((run.start, run.end) for run in runs if round(run.row) == row)
        assert (own[0][0], own[-1][1]) == (0, 28)
        assert all(end == start for (_, end), (start, _) in itertools.pairwise(own))
