"""What lesson 07 says in words and numbers is what the models say."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
import pytest
from tests.lessons import lesson

from crs.explorers import InfusionView, PKPlayground, RemovalView, WashoutView
from crs.explorers.infusion_view import LABEL_STEADY
from crs.models.cascade import Snapshot, run_cascade
from crs.models.drugs import car_t_copies_ug, tocilizumab_ug_ml
from crs.models.infusion import blinatumomab_clearance_l_h, blinatumomab_steady_pg_ml
from crs.models.parameters import load_model
from crs.models.regimen import Regimen, run_regimen
from crs.models.removal import CRP_HALF_LIFE, crp_after_blockade_mg_l, fraction_removed
from crs.models.simulation import Infusion, Numbers
from crs.models.washout import (
    blinatumomab_half_life_h,
    cell_parameters,
    cells_against_peak,
    cells_left,
)
from crs.patients.cases import load_case
from crs.patients.planning import TYPICAL_CELLS, Planned
from crs.patients.populations import QUANTILES
from crs.patients.whole_patient import EXTREMES, WholePatient, follow_whole, what_decides

HOUR_D = 1 / 24
ADULT_M2 = 1.876


@pytest.fixture(scope="module")
def text() -> str:
    path = next(path for path in lesson.LESSONS if path.stem == "07-pharmacokinetics")
    return re.sub(r"\s+", " ", "\n".join(lesson.markdown(lesson.read(path))))


def says(text: str, *phrases: str) -> None:
    for phrase in phrases:
        assert phrase in text, phrase


# --- 1: two ways out ----------------------------------------------------------------------------


def test_the_second_dose_of_tocilizumab_lasts_longer(text: str) -> None:
    once = run_regimen(Regimen("tocilizumab", 560, 8, 1)).four_weeks_later
    twice = run_regimen(Regimen("tocilizumab", 560, 8, 2)).four_weeks_later
    assert (f"{once:.1f}", f"{twice:.1f}") == ("2.7", "15.6")
    assert 5.5 < twice / once < 6
    says(text, "leaves 2.7 µg/mL", "15.6 µg/mL, nearly six times as much")


def test_the_share_that_is_cleared_per_day(text: str) -> None:
    known = {name: one.value for name, one in load_model("tocilizumab").parameters.items()}

    def share(level: float) -> float:
        saturable = known["maximal_rate"] * level / (known["half_maximum"] + level)
        return (known["clearance"] * level + saturable) / (known["central"] * level)

    assert round(100 * share(150)) == 10
    assert share(1) == pytest.approx(2 / 3, abs=0.01)
    assert (known["clearance"], known["maximal_rate"], known["half_maximum"]) == (0.3, 7.5, 2.7)
    says(text, "0.3 L per day", "at most 7.5 mg per day", "At half of that speed the level is 2.7")
    assert 1 - math.exp(-share(150)) == pytest.approx(0.1, abs=0.01)
    assert 1 - math.exp(-share(1)) == pytest.approx(0.5, abs=0.02)
    says(text, "At 150 µg/mL a day clears a tenth", "at 1 µg/mL about half")


def test_the_model_against_the_label(text: str) -> None:
    settled = run_regimen(Regimen("tocilizumab", 560, 672, 8))
    assert (round(settled.peak), round(settled.four_weeks_later, 1)) == (165, 5.8)
    doses = [Infusion(28 * dose, 560, HOUR_D) for dose in range(8)]
    peak, trough = tocilizumab_ug_ml([196 + HOUR_D, 224], doses, female=True)
    assert (round(peak), round(trough)) == (170, 10)
    assert load_model("tocilizumab").parameters["female_factor"].value == 0.84
    says(text, "peaks at 165 µg/mL and comes down to 5.8", "183 and 9.74", "gives 170 and 10.")
    says(text, "16 % lower")
    view = PKPlayground().pictures[0].picture
    assert view is not None
    assert "183" in view.alt
    assert "9.74" in view.alt


# --- 2: an infusion -----------------------------------------------------------------------------


def test_the_steady_states(text: str) -> None:
    steady = [round(blinatumomab_steady_pg_ml(rate, ADULT_M2)) for rate in (9, 28)]
    assert steady == [169, 526]
    assert blinatumomab_clearance_l_h(ADULT_M2) == pytest.approx(2.22)
    assert 9 / 24 == 0.375
    says(text, "0.375 µg per hour", "**169 pg/mL**", "**526 pg/mL**", "2.22 L per hour", "5.98 L")
    assert round(blinatumomab_half_life_h(), 1) == 1.9
    assert round(blinatumomab_half_life_h() * math.log2(10), 1) == 6.2
    assert round(math.log2(10), 1) == 3.3
    says(text, "6.2 hours, which is 3.3 half-lives")


def test_the_label_is_named_as_recalled(text: str) -> None:
    assert [level.value for level in LABEL_STEADY] == [228, 616]
    assert all(level.name.endswith("†") for level in LABEL_STEADY)
    says(text, "228 pg/mL at 9 µg per day and 616 pg/mL at 28 µg per day (recalled)")
    assert (f"{28 / 9:.1f}", f"{616 / 228:.1f}") == ("3.1", "2.7")


def test_the_tasks_of_the_infusion_have_their_answers() -> None:
    view = InfusionView()
    view.set(later_ug_day=56)
    assert "56 µg/day settle at 1051 pg/mL" in view.sentence
    assert "90 % of a change is done after 6.2 h" in view.sentence
    view.set(body_surface_m2=0.5, later_ug_day=7.5)
    assert "7.5 µg/day settle at 320 pg/mL" in view.sentence


# --- 3: cells -----------------------------------------------------------------------------------


def test_the_cells(text: str) -> None:
    cells = {name: item.value for name, item in cell_parameters().items()}
    assert round(cells["peak_day"] * math.log(2) / math.log(cells["fold"]), 2) == 0.78
    assert (cells["peak_day"], cells["fold"]) == (9.3, 3900)
    assert round(math.log(2) / cells["first_decline"], 1) == 4.3
    assert round(math.log(2) / cells["last_decline"], -1) == 220
    assert round(100 * cells["persistent_share"], 1) == 0.8
    says(text, "**0.78 days**", "**day 9.3**", "4.3 days", "0.8 %", "220 days", "3900 times")
    assert round(cells_left(48, 3), 1) == 5.9
    assert 2.5 < 2 / 0.78 < 2.6
    says(text, "5.9 times as many", "two and a half doublings")


def test_two_half_lives(text: str) -> None:
    assert round(100 * cells_against_peak(28), 1) == 5.7
    assert round(100 * cells_against_peak(90), 1) == 0.6
    assert 100 * cells_against_peak(28) * 2 ** (-62 / 4.3) < 0.001
    says(text, "5.7 % of the peak", "0.6 % of the peak on day 90", "a thousandth of a percent")
    at_peak, later = car_t_copies_ug([9.3, 90])
    assert later / at_peak == pytest.approx(cells_against_peak(90), rel=0.01)


def test_the_tasks_of_the_cells_have_their_answers() -> None:
    view = WashoutView()
    view.set(decision_day=3, hours=48)
    assert "6 times" in view.sentence
    view.set(decision_day=9.3, hours=103)
    assert "51 % are left" in view.sentence


# --- 4: removal ---------------------------------------------------------------------------------


def test_crp_cannot_fall_faster(text: str) -> None:
    assert CRP_HALF_LIFE.value == 19
    eight, day = crp_after_blockade_mg_l([8], 180, 0)[0], crp_after_blockade_mg_l([24], 160, 0)[0]
    assert (round(eight), round(day), round(100 * eight / 180), round(100 * day / 160)) == (
        134,
        67,
        75,
        42,
    )
    assert 24 / math.log2(160 / 20) == 8
    says(text, "75 % are left at the fastest, 134 mg/L", "42 % at the fastest, that is to 67 mg/L")
    says(text, "a half-life of 8 hours", "**19 hours**")


def test_what_an_exchange_removes(text: str) -> None:
    assert [round(100 * fraction_removed(volume, 1)) for volume in (1, 2)] == [63, 86]
    says(text, "One plasma volume removes 63 %, two remove 86 %")
    view = RemovalView()
    view.set(exchanged_l=6.9)
    assert "removes 90 %" in view.sentence
    view.set(crp0_mg_l=400, hours=19)
    assert "from 400 to 200 mg/L" in view.sentence


# --- the patient --------------------------------------------------------------------------------


def test_patient_b_in_numbers(text: str) -> None:
    case = load_case("afebrile-not-well")
    given = case.tocilizumab_given_h(200)
    assert list(given) == [96, 107]
    assert case.about.weight_kg == 82
    assert 82 * 8 == 656
    infusions = [Infusion(hour / 24, 656, HOUR_D) for hour in given]
    chills, first_peak = tocilizumab_ug_ml([97 / 24, 187 / 24], infusions)[::-1]
    # The playground has doses every 8 hours; his came 11 hours apart.
    apart = [Infusion(start, 656, HOUR_D) for start in (0, 8 / 24)]
    assert chills == pytest.approx(225, abs=3)
    assert tocilizumab_ug_ml([91 / 24], apart)[0] == pytest.approx(225, abs=3)
    assert round(91 / 24, 1) == 3.8
    assert chills > first_peak
    assert round(crp_after_blockade_mg_l([24], 205, 0)[0]) == 85
    says(text, "205 mg/L at hour 96", "show 112 mg/L", "85 mg/L.", "225 µg/mL", "12 mg/L")


# --- 5: the whole patient -----------------------------------------------------------------------


def test_half_the_cells_give_the_same_peak_later(text: str) -> None:
    peak = EXTREMES["il6_total"]
    who = WholePatient(Planned())
    bars = {bar.parameter: bar for bar in what_decides(who, "il6_total")}
    assert bars["effector"].reach < 0.02 * bars["effector"].unchanged
    assert [bar.parameter for bar in what_decides(who, "il6_total")][-1] == "effector"
    _, day = peak.of(follow_whole(who).values)
    _, day_halved = peak.of(with_half("effector"))
    slow, day_slow = peak.of(with_half("growth_gain"))
    later_h = round(24 * (day_halved - day))
    assert later_h == pytest.approx(24 * 0.78, abs=3)  # one doubling, on a grid of 3 hours
    says(text, f"{later_h} hours later, which is about one doubling")
    share = 100 * slow / bars["growth_gain"].unchanged
    says(text, f"on day {day_slow:.0f} instead of day {day:.0f}, at {share:.0f} % of its height")
    assert slow == pytest.approx(bars["growth_gain"].smaller)


def with_half(what: str) -> Mapping[str, Numbers]:
    """Return the typical patient with half of one thing, from the model itself."""
    cells = TYPICAL_CELLS * (0.5 if what == "effector" else 1)
    parameters = {} if what == "effector" else {what: 0.5}
    course = run_cascade(
        follow_whole(WholePatient(Planned())).times_h,
        parameters=parameters,
        start=Snapshot(0.0, {"tumor": 1.0, "effector": cells}),
        outputs=tuple(EXTREMES),
    )
    return course.values


def test_the_range_of_patients_with_one_burden(text: str) -> None:
    courses = [follow_whole(WholePatient(Planned(seed=seed))) for seed in range(1, 21)]
    grades = [int(course.grades.max()) for course in courses]
    peaks = [float(f"{course.values['il6_total'].max():.2g}") for course in courses]
    low, high = f"{min(peaks):,.0f}", f"{max(peaks):,.0f}"
    says(text, f"from {min(grades)} to {max(grades)}, and their peaks of IL-6 from {low} to {high}")


def test_the_tasks_of_the_whole_patient_have_their_answers() -> None:
    treated = follow_whole(WholePatient(Planned(), "tocilizumab", 8))
    at = int(np.argmax(treated.times_h >= 9 * 24))
    own = {name: values[at] for name, values in treated.values.items()}
    before = {name: values[at] for name, values in treated.untreated.items()}
    assert own["il6_total"] > 1.5 * before["il6_total"]
    assert own["il6_signal"] < 0.1 * before["il6_signal"]
    assert own["crp"] < before["crp"]
    assert own["car_t"] == pytest.approx(before["car_t"], rel=0.01)
    days = [
        treated.times_h[int(np.argmax(treated.untreated[name]))]
        for name in ("il6_total", "crp", "neurotoxicity")
    ]
    assert days == sorted(set(days))  # IL-6 turns first, CRP later, the brain last
    reached = {
        int(follow_whole(WholePatient(Planned(seed=seed))).grades.max()) for seed in range(1, 6)
    }
    assert len(reached) > 1


def test_the_band_holds_ninety_of_a_hundred(text: str) -> None:
    assert QUANTILES == (0.05, 0.5, 0.95)
    says(
        text, "between the edges of a **90 % band** lie 90 of 100", "the summary of 59 patients [7]"
    )


def test_it_promises_nothing_that_is_not_there(text: str) -> None:
    assert "is not in it yet" not in text
    assert not re.search(r"\b(soon|coming|next version|will be added|later release)\b", text)
