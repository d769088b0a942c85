"""The treatment planner shows what the plans do, and says why a plan cannot be carried out."""

from __future__ import annotations

import numpy as np
from tests.explorers.strips import runs_in

from crs.explorers import TreatmentPlanner
from crs.figures.theme import Picture
from crs.patients.planning import HOURS_A_DAY, Plan, Planned, outcome_of

NUMBER = 27


def pictures(explorer: TreatmentPlanner) -> list[Picture]:
    found = [view.picture for view in explorer.pictures]
    assert all(picture is not None for picture in found)
    return [picture for picture in found if picture is not None]


def words_of(picture: Picture) -> str:
    return " ".join(note["text"] for note in picture.layout["annotations"])


def test_it_says_of_both_plans_what_the_model_gives() -> None:
    explorer = TreatmentPlanner()
    explorer.set(
        seed=NUMBER,
        burden=2.0,
        A_tocilizumab="2/8",
        A_tocilizumab_day=6.5,
        A_dexamethasone_days=0,
        B_tocilizumab="0",
        B_dexamethasone_days=2,
        B_dexamethasone_day=7,
        B_other="anakinra",
        B_other_day=6,
    )
    planned = Planned(NUMBER, 2.0)
    untreated = outcome_of(planned)
    plans = (
        Plan(tocilizumab_doses=2, tocilizumab_h=156),
        Plan(dexamethasone_days=2, dexamethasone_h=168, other="anakinra", other_h=144),
    )
    said = explorer.sentence
    for outcome in (untreated, *(outcome_of(planned, plan) for plan in plans)):
        assert (
            f"{outcome.severe_h:g} h at grade 3 or more, {outcome.fever_h:g} h of fever, CRP up to "
            f"{outcome.peak_crp_mg_l:.0f} mg/L"
        ) in said
        share = 100 * outcome.car_t_area / untreated.car_t_area
        assert outcome is untreated or f"CAR T cells is {share:.0f} %" in said
    assert "tocilizumab 2 times from day 6.5" in said
    assert "dexamethasone for 2 days from day 7 and anakinra from day 6" in said
    assert "it cannot say which drug is better" in said
    explorer.set(A_other="none", B_other="none")
    assert "it cannot say which drug is better" not in explorer.sentence


def test_the_better_plan_is_named_whichever_it_is() -> None:
    explorer = TreatmentPlanner()
    explorer.set(A_tocilizumab="0", A_dexamethasone_days=0, B_tocilizumab="1", B_tocilizumab_day=6)
    explorer.set(B_dexamethasone_days=0)
    assert "Plan B has less time at grade 3 or more, with as many CAR" in explorer.sentence
    explorer.set(A_tocilizumab="1", A_tocilizumab_day=6, B_tocilizumab="0")
    assert "Plan A has less time at grade 3 or more, with as many CAR" in explorer.sentence
    explorer.set(B_tocilizumab="1", B_tocilizumab_day=6)
    assert "Neither plan has less severe syndrome or less fever than the other." in (
        explorer.sentence
    )


def test_an_interval_below_the_label_is_refused_in_words_and_the_plan_is_not_drawn() -> None:
    explorer = TreatmentPlanner()
    explorer.controls["B_tocilizumab"].value = "2/6"
    assert explorer.sentence == (
        "Plan B cannot be carried out: the interval of tocilizumab is 6 h, but must be at least "
        "8 h from start to start, as the label says (CARTOX allows 6 h)."
    )
    course, given = pictures(explorer)
    for picture in (course, given):
        assert "Plan A" in picture.alt
        assert "Plan B" not in picture.alt
    drawn = [trace for trace in given.traces if "Plan B" in str(trace.get("hovertemplate"))]
    assert drawn
    assert all(not trace["x"] for trace in drawn)
    explorer.controls["B_tocilizumab"].value = "2/8"
    assert "cannot" not in explorer.sentence


def test_a_fifth_dose_is_refused() -> None:
    explorer = TreatmentPlanner()
    explorer.controls["A_tocilizumab"].value = "5/8"
    assert "Plan A cannot be carried out: the number of tocilizumab doses is 5" in explorer.sentence
    assert "from 0 to 4" in explorer.sentence


def test_the_strips_are_painted_with_the_grades_of_each_course() -> None:
    explorer = TreatmentPlanner()
    planned = Planned(NUMBER, 1.0)
    outcomes = {
        0: outcome_of(planned),
        2: outcome_of(planned, Plan(tocilizumab_doses=1, tocilizumab_h=192)),
    }
    course, _ = pictures(explorer)
    runs = runs_in(course)
    for place, outcome in outcomes.items():
        painted = [(run.start, run.end, run.grade) for run in runs if round(run.row) == place]
        for hour, grade in zip(outcome.times_h, outcome.grades, strict=True):
            day = hour / HOURS_A_DAY
            if day < 14:
                found = {g for start, end, g in painted if start - 1e-9 <= day < end - 1e-9}
                assert found == {int(grade)}
    assert outcomes[0].peak_grade >= 3  # there is something to see


def test_curves_are_those_of_the_model_and_told_apart_without_color() -> None:
    explorer = TreatmentPlanner()
    explorer.controls["days"].value = "28"
    course, _ = pictures(explorer)
    crp = [trace for trace in course.traces if trace["yaxis"] == "y5"]
    assert len(crp) == 3
    assert len({trace["line"]["dash"] for trace in crp}) == 3
    untreated = outcome_of(Planned(NUMBER, 1.0)).values["crp"]
    assert np.allclose(crp[0]["y"], untreated, rtol=1e-3)


def test_the_threshold_of_fever_is_drawn() -> None:
    course, _ = pictures(TreatmentPlanner())
    assert any(list(trace["y"]) == [38.0, 38.0] for trace in course.traces)


def test_only_what_matters_is_asked() -> None:
    explorer = TreatmentPlanner()
    assert "seed" in explorer.visible_controls("Patient")
    assert "weight_kg" not in explorer.visible_controls("Patient")
    explorer.controls["who"].value = "typical"
    assert "seed" not in explorer.visible_controls("Patient")
    assert "weight_kg" in explorer.visible_controls("Patient")
    explorer.set(A_tocilizumab="0", A_dexamethasone_days=0)
    assert explorer.visible_controls("Plan A") == (
        "A_tocilizumab",
        "A_dexamethasone_days",
        "A_other",
    )
    assert "Plan A, nothing: " in explorer.sentence


def test_it_is_labeled_synthetic() -> None:
    for picture in pictures(TreatmentPlanner()):
        assert picture.alt.startswith("SYNTHETIC")
        assert "SYNTHETIC" in words_of(picture)
