"""The case player: nothing of the future shows, and commits come before the tables."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crs.errors import InvalidInput
from crs.explorers.case_player import CasePlayer
from crs.patients.cases import LAST_HOUR, case_ids
from crs.patients.judging import STEROID_WORDS, answer_of_tables

CASE = "scales-disagree"


def right_answer(player: CasePlayer) -> dict[str, Any]:
    decision = player.open_decision
    assert decision is not None
    tables = answer_of_tables(player.case, decision)
    return {
        "grades": {scale: tables.grades[scale].grade for scale in decision.grades},
        "orders": tuple(o for o in decision.orders if o in tables.asked_for),
        "steroid": tables.steroid,
    }


def play_through(player: CasePlayer) -> None:
    while player.open_decision is not None:
        player.go_to_next_decision()
        player.decide(**right_answer(player))


def shown_hours(player: CasePlayer) -> float:
    """Return the latest hour that any data in the picture reaches."""
    picture = player.course.picture
    assert picture is not None
    # The threshold of fever, which is dashed, runs over the whole width.
    data = [trace for trace in picture.traces if trace["line"].get("dash") != "dash"]
    assert len(data) == len(picture.traces) - 1
    return float(max(x for trace in data for x in trace["x"] if x is not None))


def test_it_begins_at_the_infusion_with_no_answer_in_sight() -> None:
    player = CasePlayer(CASE)
    assert player.hour == 0
    assert player.sentence.startswith("Hour 0 (day 0, hour 0): 36.7 °C")
    assert player.reveal.html == ""
    assert player.summary.value == ""
    assert player.box.layout.display == "none"


def test_time_stops_at_an_open_decision() -> None:
    player = CasePlayer(CASE)
    player.controls["hour"].value = LAST_HOUR
    first = player.case.decisions[0]
    assert player.hour == first.at
    assert "A decision is due: The first fever." in player.sentence
    assert player.box.layout.display is None
    assert player.form.content.title == first.title
    player.controls["hour"].value = first.at - 1
    assert player.box.layout.display == "none"


def test_the_slider_goes_back_when_it_is_moved_past_an_open_decision() -> None:
    player = CasePlayer(CASE)
    for _ in range(2):  # also when time stands at the decision already
        player.panel.values = {"hour": 300}
        assert player.panel.values == {"hour": player.case.decisions[0].at}


@pytest.mark.parametrize("case_id", case_ids())
def test_nothing_later_than_the_hour_is_shown(case_id: str) -> None:
    player = CasePlayer(case_id)
    while player.open_decision is not None:
        player.go_to_next_decision()
        hour = player.hour
        assert shown_hours(player) <= hour
        later = [event.text for event in player.case.events if event.at > hour]
        earlier = {event.text for event in player.case.events if event.at <= hour}
        assert any(f">{escape(text)}<" in player.notes.value for text in earlier)
        for text in set(later) - earlier:
            assert f">{escape(text)}<" not in player.notes.value
        assert f"to hour {hour}." in player.course.alt
        player.decide(**right_answer(player))


@pytest.mark.parametrize("case_id", case_ids())
def test_the_tables_are_silent_until_the_commit(case_id: str) -> None:
    player = CasePlayer(case_id)
    player.go_to_next_decision()
    assert player.reveal.html == ""
    player.form.fill(**{"astct-2019": "0"})
    player.form._on_message(player.form, {"commit": True}, [])
    assert player.reveal.html == "", "an incomplete form is not committed"
    assert not player.form.locked
    with pytest.raises(InvalidInput):
        player.form.commit()
    player.decide(**right_answer(player))
    assert len(player.commitments) == 1
    assert "crs-deciding-row" in player.reveal.html
    assert player.sentence.startswith("You and the tables agree on all")


def test_a_wrong_grade_stands_beside_the_table_s() -> None:
    player = CasePlayer("afebrile-not-well")
    player.go_to_next_decision()
    player.decide(**right_answer(player))
    player.go_to_next_decision()
    player.decide({"astct-2019": 0}, ())
    commitment = player.commitments[1]
    assert commitment.agreed == 0
    assert "ASTCT 2019 grade: yours 0, the table's 3." in player.sentence
    assert "Hypotension that needs one vasopressor" in player.reveal.html
    assert "norepinephrine" not in player.form.content.button
    assert player.reveal.html.count("≠") == len(commitment.lines)


def test_what_was_committed_cannot_be_changed() -> None:
    player = CasePlayer(CASE)
    player.go_to_next_decision()
    player.decide({"astct-2019": 4, "lee-2014": 4})
    before = player.commitments
    player.form.fill(**{"astct-2019": "1"})
    player.form.commit()
    assert player.commitments == before


def test_deciding_before_it_is_due_is_refused() -> None:
    player = CasePlayer(CASE)
    with pytest.raises(InvalidInput, match="hour"):
        player.decide({"astct-2019": 1, "lee-2014": 1})
    assert player.commitments == ()
    player.go_to_next_decision()
    player.decide({"astct-2019": 1, "lee-2014": 1})
    assert len(player.commitments) == 1


@pytest.mark.parametrize("case_id", case_ids())
def test_at_the_end_all_decisions_are_summed_up(case_id: str) -> None:
    player = CasePlayer(case_id)
    play_through(player)
    assert player.open_decision is None
    for decision in player.case.decisions:
        assert decision.title in player.summary.value
    assert "All 4 decisions taken" in player.transport.words
    player.controls["hour"].value = LAST_HOUR
    assert player.hour == LAST_HOUR
    # Going back shows what was decided.
    player.controls["hour"].value = player.case.decisions[1].at
    assert player.case.decisions[1].title in player.reveal.html


def test_playing_stops_at_a_decision_and_at_the_end() -> None:
    player = CasePlayer(CASE)
    player.go_to_next_decision()
    player.controls["hour"].value = player.hour - 2
    player.transport.playing = True
    for _ in range(5):
        player.transport._handle_custom_msg({"step": 1}, [])
    assert player.hour == player.case.decisions[0].at
    assert player.transport.playing is False
    player.transport.playing = True
    assert player.transport.playing is False, "a decision is due"
    play_through(player)
    player.controls["hour"].value = LAST_HOUR - 1
    player.transport.playing = True
    player.transport._handle_custom_msg({"step": 1}, [])
    assert player.transport.playing is False


def test_a_screen_reader_is_not_flooded_while_time_runs() -> None:
    player = CasePlayer(CASE)
    player.transport.playing = True
    said = set()
    for _ in range(24):
        player.transport._handle_custom_msg({"step": 1}, [])
        said.add(player.sentence)
    assert len(said) == 3
    player.transport.playing = False
    assert player.sentence.startswith("Hour 24 ")


def test_reset_begins_anew() -> None:
    player = CasePlayer(CASE)
    first = (player.sentence, player.monitor.value, player.course.picture)
    play_through(player)
    player.panel._handle_custom_msg({"reset": True}, [])
    assert player.commitments == ()
    assert (player.sentence, player.monitor.value, player.course.picture) == first
    assert player.summary.value == ""
    assert player.limits("hour") == (0, player.case.decisions[0].at)


actions = st.one_of(
    st.tuples(st.just("hour"), st.integers(-5, LAST_HOUR + 5)),
    st.tuples(st.just("step"), st.sampled_from([-6, 1, 6])),
    st.tuples(st.just("next"), st.none()),
    st.tuples(st.just("play"), st.booleans()),
    st.tuples(st.just("reset"), st.none()),
    st.tuples(st.just("fill"), st.tuples(st.integers(0, 4), st.sampled_from(list(STEROID_WORDS)))),
    st.tuples(st.just("commit"), st.none()),
    st.tuples(st.just("nonsense"), st.sampled_from([{}, {"step": "x"}, None, [1]])),
)


@settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(case_id=st.sampled_from(case_ids()), clicks=st.lists(actions, max_size=25))
def test_any_order_of_clicks_is_safe(case_id: str, clicks: list[tuple[str, Any]]) -> None:
    player = CasePlayer(case_id)
    for kind, value in clicks:
        if kind == "hour":
            player.controls["hour"].value = value
        elif kind == "step":
            player.transport._handle_custom_msg({"step": value}, [])
        elif kind == "next":
            player.transport._handle_custom_msg({"next": True}, [])
        elif kind == "play":
            player.transport.playing = value
        elif kind == "reset":
            player.panel._handle_custom_msg({"reset": True}, [])
        elif kind == "fill":
            number, steroid = value
            player.form.fill(
                **{"astct-2019": str(number), "lee-2014": str(number), "steroid": steroid}
            )
        elif kind == "commit":
            player.form._handle_custom_msg({"commit": True}, [])
        else:
            player.transport._handle_custom_msg(value, [])
        decision = player.open_decision
        assert player.hour <= (LAST_HOUR if decision is None else decision.at)
        assert player.sentence.strip()
        assert player.panel.values == player.values()
        assert len(player.commitments) <= len(player.case.decisions)
        if decision is not None and player.hour == decision.at:
            assert player.box.layout.display is None
            assert player.reveal.html == ""
