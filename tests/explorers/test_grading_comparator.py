"""The grading comparator shows what the engine says, and speaks of the learner's function."""

from __future__ import annotations

import functools
import html
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from crs.errors import InvalidInput
from crs.explorers import GradingComparator
from crs.figures.comparator import (
    INPUT_NAMES,
    SCALES,
    YES_OR_NO,
    comparator_sentence,
    compare,
    lower_first,
    row_of,
)
from crs.guidelines import grade, guideline
from crs.patients import vignettes
from crs.patients.bedside import bedside_inputs, facts_of

LETTERS = [item.id for item in vignettes()]
MARKS = 4  # the trace with the marked grades


@functools.cache
def shared() -> GradingComparator:
    return GradingComparator()


def reference(**arguments: Any) -> int:
    """Stand in for a learner's function that is right."""
    return grade(guideline("astct-2019"), arguments).grade


def marks_of(explorer: GradingComparator) -> Mapping[str, Any]:
    picture = explorer.pictures[0].picture
    assert picture is not None
    return picture.traces[MARKS]


def printed_grades(explorer: GradingComparator) -> list[str]:
    return [re.sub(r"</?b>", "", text) for text in marks_of(explorer)["text"]]


def table_cells(explorer: GradingComparator, scale: str) -> list[str]:
    row = re.search(rf'<tr data-scale="{scale}".*?</tr>', explorer._table.value)
    assert row is not None
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row.group())
    return [html.unescape(re.sub(r"<[^>]+>", "|", cell)).strip("|") for cell in cells]


@pytest.mark.parametrize("letter", LETTERS)
def test_a_preset_sets_that_patient_up(letter: str) -> None:
    chosen = next(item for item in vignettes() if item.id == letter)
    started = GradingComparator(preset=letter)
    switched = GradingComparator()
    switched.controls["preset"].value = letter
    chosen_in_browser = GradingComparator()
    chosen_in_browser.panel.values = {**chosen_in_browser.panel.values, "preset": letter}
    for explorer in (started, switched, chosen_in_browser):
        assert explorer.state == chosen.state
        assert printed_grades(explorer) == [str(chosen.grades[scale]) for scale in SCALES]
        assert explorer.controls["preset"].value == letter


@pytest.mark.parametrize("letter", LETTERS)
def test_reset_goes_back_to_the_preset_it_started_with(letter: str) -> None:
    explorer = GradingComparator(preset=letter)
    state = explorer.state
    explorer.controls["temp_c"].value = 36.1
    explorer.controls["oxygen"].value = "BiPAP"
    assert explorer.controls["preset"].value == "own"
    explorer.reset()
    assert explorer.state == state
    assert explorer.controls["preset"].value == letter


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(data=st.data())
def test_all_numbers_on_screen_are_the_engines(data: DataObject) -> None:
    explorer = shared()
    explorer.set(
        temp_c=data.draw(st.sampled_from([36.0, 37.9, 38.0, 39.4])),
        treated=data.draw(st.booleans()),
        symptoms=data.draw(st.booleans()),
        other_cause=data.draw(st.integers(0, 5)) == 0,
        hypotension=data.draw(st.booleans()),
        fluid_boluses=data.draw(st.integers(0, 3)),
        norepinephrine_ug_min=data.draw(st.sampled_from([0.0, 6.0, 19.5, 20.0])),
        epinephrine_ug_min=data.draw(st.sampled_from([0.0, 4.0])),
        vasopressin_units_min=data.draw(st.sampled_from([0.0, 0.03])),
        vasopressor_hours=data.draw(st.sampled_from([2.0, 3.0, 23.0, 24.0])),
        refractory_hypotension=data.draw(st.booleans()),
        oxygen=data.draw(st.sampled_from(explorer.controls["oxygen"].choices)),
        flow_l_min=data.draw(st.sampled_from([2.0, 6.0, 6.5, 40.0])),
        fio2=data.draw(st.sampled_from([0.28, 0.39, 0.4, 0.9])),
        creatinine_grade=data.draw(st.sampled_from("01234")),
        transaminase_grade=data.draw(st.sampled_from("01234")),
    )
    facts = facts_of(explorer.state)
    for position, scale in enumerate(SCALES):
        verdict = grade(guideline(scale), facts)
        assert printed_grades(explorer)[position] == str(verdict.grade)
        assert marks_of(explorer)["x"][position] == verdict.grade
        name, shown, deciding, _ = table_cells(explorer, scale)
        assert name == guideline(scale).short_title
        assert shown == str(verdict.grade)
        assert deciding.split("|")[0] == verdict.reason
        assert f"{name} {verdict.grade}" in explorer.pictures[0].alt
        assert re.search(rf"{re.escape(name)} (says )?{verdict.grade}\b", explorer.sentence) or (
            f"All six scales say {verdict.grade}" in explorer.sentence
        )


def test_the_sentence_says_which_rows_decided_and_how_far_apart_the_scales_are() -> None:
    explorer = GradingComparator(preset="B")
    assert explorer.sentence == (
        "ASTCT 2019 says 3, because of “hypotension that needs one vasopressor, with or without "
        "vasopressin”. Lee 2014 says 2, because of “oxygen requirement below 40 %”. Penn says 3, "
        "CARTOX 2, MSKCC 3 and CTCAE 5.0 3. From the lowest to the highest, the scales differ by "
        "one grade."
    )


def test_a_grade_of_0_says_what_is_missing() -> None:
    explorer = GradingComparator(preset="L")
    assert explorer.sentence.startswith("ASTCT 2019 says 0, because this is not met: fever (38.0")
    assert "temperature 37.9 °C (below 38.0)|" in table_cells(explorer, "astct-2019")[3]
    assert "not treated" in table_cells(explorer, "astct-2019")[3]


def test_the_table_names_the_inputs_that_met_the_row() -> None:
    explorer = GradingComparator(preset="H")
    astct = table_cells(explorer, "astct-2019")[3]
    assert "oxygen: nasal cannula" in astct
    assert "flow 6 L/min (6 or less)" in astct
    assert "FiO₂: 0.44 (0.4 or more)" in table_cells(explorer, "lee-2014")[3]


def test_rows_of_the_same_grade_are_named_as_well() -> None:
    explorer = GradingComparator(preset="B")
    assert (
        "Also met: hypotension that responds to a low dose"
        in (table_cells(explorer, "lee-2014")[2])
    )


def test_every_input_of_the_six_scales_has_a_name_in_words() -> None:
    for scale in SCALES:
        for item in guideline(scale).inputs:
            named = YES_OR_NO if item.kind == "boolean" else INPUT_NAMES
            assert item.name in named, f"{item.name} of {scale}"


def test_every_field_of_the_bedside_has_a_control() -> None:
    explorer = GradingComparator()
    assert set(explorer.controls) - {"preset"} == set(bedside_inputs())


def test_flow_and_oxygen_fraction_show_when_the_device_needs_them() -> None:
    explorer = GradingComparator()

    def shown() -> set[str]:
        return set(explorer.visible_controls("Oxygen")) - {"preset"}

    assert shown() == {"oxygen"}
    explorer.controls["oxygen"].value = "nasal cannula"
    assert shown() == {"oxygen", "flow_l_min"}
    explorer.controls["flow_l_min"].value = 8
    assert shown() == {"oxygen", "flow_l_min", "fio2"}
    explorer.controls["oxygen"].value = "Venturi mask"
    assert shown() == {"oxygen", "fio2"}
    assert explorer.state.flow_l_min == 0


def test_what_only_counts_with_a_vasopressor_is_idle_without_one() -> None:
    explorer = GradingComparator()
    explorer.set(refractory_hypotension=True, vasopressor_hours=30)
    assert explorer.state.refractory_hypotension is False
    assert explorer.state.vasopressor_hours == 0
    explorer.controls["dopamine_ug_kg_min"].value = 4
    assert explorer.state.refractory_hypotension is True
    assert explorer.state.vasopressor_hours == 30


def test_unknown_presets_and_scales_are_refused() -> None:
    with pytest.raises(InvalidInput, match="vignette_id is 'Z'"):
        GradingComparator(preset="Z")
    with pytest.raises(InvalidInput, match="scale is 'who'"):
        GradingComparator(scale="who")


# The learner's own function


def own_row(explorer: GradingComparator) -> list[str]:
    return table_cells(explorer, "mine")


def test_without_a_function_there_are_six_rows() -> None:
    assert len(printed_grades(GradingComparator())) == 6


@pytest.mark.parametrize("letter", LETTERS)
def test_a_right_function_agrees_on_every_vignette(letter: str) -> None:
    explorer = GradingComparator(mine=reference, preset=letter)
    right = grade(guideline("astct-2019"), facts_of(explorer.state)).grade
    assert explorer.sentence.startswith(f"Your function and ASTCT 2019 agree on {right}. ")
    assert printed_grades(explorer)[6] == str(right)
    assert own_row(explorer)[1:3] == [str(right), "Agrees with ASTCT 2019."]


def test_a_function_can_be_held_against_another_scale() -> None:
    def lee_grade(
        fio2: float = 0.21,
        hypotension: bool = False,
        vasopressors: int = 0,
        high_dose: bool = False,
        organ_toxicity: int = 0,
        transaminitis: int = 0,
        ventilator: bool = False,
    ) -> int:
        return grade(guideline("lee-2014"), dict(locals())).grade

    explorer = GradingComparator(mine=lee_grade, preset="D", scale="lee-2014")
    assert explorer.sentence.startswith("Your function and Lee 2014 agree on 3. ")


def fever_again(temp_c: float, treated: bool, **others: Any) -> int:
    return 0 if temp_c < 38.0 else reference(temp_c=temp_c, treated=treated, **others)


def counts_vasopressin(**given: Any) -> int:
    given["non_vasopressin_pressors"] += given["vasopressin"]
    return reference(**given)


def strict_flow(oxygen: str, flow_l_min: float, **others: Any) -> int:
    return reference(oxygen=oxygen, flow_l_min=flow_l_min + 0.01, **others)


def strict_fever(temp_c: float, **others: Any) -> int:
    return reference(temp_c=temp_c - 0.01, **others)


@pytest.mark.parametrize(
    ("function", "letter", "change", "said"),
    [
        (
            fever_again,
            "G",
            {},
            "Your function says 0, ASTCT 2019 says 3. "
            "They part at the temperature (at 39.0 °C they agree)",
        ),
        (
            counts_vasopressin,
            "G",
            {},
            "Your function says 4, ASTCT 2019 says 3. They part at norepinephrine (without "
            "norepinephrine they agree) or vasopressin (without vasopressin they agree).",
        ),
        (
            strict_flow,
            "H",
            {},
            "Your function says 3, ASTCT 2019 says 2. They part at oxygen (on room air they agree)",
        ),
        (
            strict_fever,
            "A",
            {"temp_c": 38.0},
            "Your function says 0, ASTCT 2019 says 2. "
            "They part at the temperature (at 39.0 °C they agree)",
        ),
    ],
)
def test_it_says_at_which_input_they_part(
    function: Callable[..., int], letter: str, change: dict[str, Any], said: str
) -> None:
    explorer = GradingComparator(mine=function, preset=letter)
    explorer.set(**change)
    assert explorer.sentence.startswith(said)
    assert own_row(explorer)[2].startswith("Differs from ASTCT 2019, which says ")


def test_where_no_single_input_parts_them_it_says_what_the_guideline_goes_by() -> None:
    explorer = GradingComparator(mine=lambda: 4, preset="H")
    assert explorer.sentence.startswith(
        "Your function says 4, ASTCT 2019 says 2. No single input parts them. "
        "ASTCT 2019 goes by: oxygen: nasal cannula; flow 6 L/min (6 or less)."
    )


def does_nothing(temp_c: float) -> None:
    return None


def not_written(temp_c: float) -> int:
    raise NotImplementedError


def divides_by_zero(temp_c: float) -> float:
    return temp_c / 0


def leaves() -> None:
    sys.exit(3)


def asks_for_more(temp_c: float, ferritin: float) -> int:
    return 1


def endless(**given: Any) -> int:
    return endless(**given)


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (does_nothing, "Your function returned nothing (None). Does every path return?"),
        (not_written, "Your function is not written yet: it raises NotImplementedError."),
        (divides_by_zero, "Your function stopped with ZeroDivisionError: "),
        (leaves, "Your function stopped with SystemExit: 3."),
        (endless, "Your function stopped with RecursionError: "),
        (asks_for_more, "Your function asks for ferritin, which the comparator does not know."),
        (lambda temp_c: "three", "Your function returned 'three', but a grade is a whole number"),
        (lambda temp_c: 2.5, "Your function returned 2.5, but a grade is a whole number"),
        (lambda temp_c: 6, "Your function returned 6, but a grade is a whole number"),
        (lambda temp_c: -1, "Your function returned -1, but a grade is a whole number"),
        (lambda temp_c: True, "Your function returned True, but a grade is a whole number"),
        (lambda temp_c: float("nan"), "Your function returned nan, but a grade is a whole"),
        (lambda temp_c: [1], "Your function returned [1], but a grade is a whole number"),
        (lambda temp_c: Unspeakable(), "Your function returned a Unspeakable, but a grade is"),
        (lambda temp_c: "x" * 10_000, "Your function returned 'xxx"),
        ("astct_grade", "mine must be a function, but is 'astct_grade'."),
    ],
)
def test_a_function_that_gives_no_grade_gets_a_sentence(function: Any, said: str) -> None:
    explorer = GradingComparator(mine=function, preset="B")
    assert explorer.sentence.startswith(said)
    assert len(explorer.sentence) < 700
    assert printed_grades(explorer)[6] == ""
    assert own_row(explorer)[1] == "–"
    assert "Your function no grade" in explorer.pictures[0].alt
    # The six scales stay as they are.
    assert "ASTCT 2019 says 3" in explorer.sentence


@pytest.mark.parametrize("returned", [3, 3.0, np.int64(3), np.float64(3.0)])
def test_a_whole_number_of_any_type_is_a_grade(returned: Any) -> None:
    explorer = GradingComparator(mine=lambda temp_c: returned, preset="B")
    assert printed_grades(explorer)[6] == "3"


def test_only_accepted_arguments_are_given_and_they_have_plain_types() -> None:
    seen: list[dict[str, object]] = []

    def some(temp_c: float, /, non_vasopressin_pressors: int, *, vasopressin: bool = False) -> int:
        seen.append(dict(locals()))
        return 3

    GradingComparator(mine=some, preset="G")
    first = {name: value for name, value in seen[0].items() if name != "seen"}
    assert first == {"temp_c": 37.2, "non_vasopressin_pressors": 1, "vasopressin": True}
    assert [type(value) for value in first.values()] == [float, int, bool]


def test_the_exercise_function_is_asked_with_all_eight_arguments() -> None:
    seen: list[dict[str, object]] = []

    def every(**given: Any) -> int:
        seen.append(given)
        return reference(**given)

    GradingComparator(mine=every)
    assert set(seen[0]) == {
        "temp_c",
        "treated",
        "hypotension",
        "non_vasopressin_pressors",
        "vasopressin",
        "oxygen",
        "flow_l_min",
        "other_cause",
    }


def test_what_a_function_prints_stays_out_of_the_picture(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def noisy(temp_c: float) -> int:
        sys.stdout.write("noise")
        sys.stderr.write("trouble")
        return 1

    GradingComparator(mine=noisy)
    assert capsys.readouterr() == ("", "")


def test_a_learners_markup_is_not_run() -> None:
    explorer = GradingComparator(mine=lambda temp_c: "<img src=x onerror=alert(1)>")
    assert "<img" not in explorer._table.value


def test_acronyms_keep_their_capital() -> None:
    assert lower_first("FiO₂ below 40 %") == "FiO₂ below 40 %"
    assert lower_first("CPAP alone") == "CPAP alone"
    assert lower_first("Hypotension that") == "hypotension that"


def test_six_equal_grades_are_one_sentence() -> None:
    explorer = GradingComparator()
    rows = [row_of(verdict) for verdict in compare(explorer.state)]
    assert comparator_sentence(rows).startswith("All six scales say 1. ASTCT 2019, because of “fev")
