"""What every explorer keeps, whatever it shows."""

from __future__ import annotations

import functools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, SearchStrategy

import crs.explorers
from crs.errors import InvalidInput
from crs.explorers.base import MOST_VISIBLE_CONTROLS, Control, Explorer, PictureView, Value
from crs.explorers.figure import LiveFigure
from crs.figures.theme import to_plotly

NAMES = tuple(crs.explorers.__all__)
NUMBERS = ("slider", "counter")
every_explorer = pytest.mark.parametrize("name", NAMES)


@functools.cache
def shared(name: str) -> Explorer:
    """One explorer of each kind, as making one takes longer than changing it."""
    made = getattr(crs.explorers, name)()
    assert isinstance(made, Explorer)
    return made


def values_of(control: Control) -> SearchStrategy[Value]:
    if control.kind == "toggle":
        return st.booleans()
    if control.choices:
        return st.sampled_from(control.choices)
    if control.kind == "counter":
        return st.integers(int(control.minimum), int(control.maximum))
    return st.floats(control.minimum, control.maximum)


def edge_values(control: Control) -> list[Value]:
    """Return the lowest, the default and the highest; every choice where there is no order."""
    if control.kind == "toggle":
        return [False, control.default, True]
    if control.choices:
        return list(control.choices)
    return [control.minimum, control.default, control.maximum]


def visible_pictures(explorer: Explorer) -> list[PictureView]:
    return [view for view in explorer.pictures if view.layout.display != "none"]


def shows_something(explorer: Explorer) -> None:
    assert explorer.sentence.strip().endswith((".", "?", ".”"))
    for word in ("Traceback", "None", "nan", "inf "):
        assert word not in explorer.sentence
    for view in visible_pictures(explorer):
        assert view.picture is not None
        json.dumps([view.picture.traces, view.picture.layout], allow_nan=False)
        to_plotly(view.picture)  # which refuses what it does not know
        assert len(view.alt) > 20
    assert explorer.panel.values == explorer.values()
    assert set(explorer.panel.hidden) == {
        name for name, control in explorer.controls.items() if not control.visible
    }
    for group in explorer.groups or ("",):
        assert 0 < len(explorer.visible_controls(group)) <= MOST_VISIBLE_CONTROLS


@every_explorer
def test_it_shows_something_at_first(name: str) -> None:
    explorer = getattr(crs.explorers, name)()
    assert explorer.controls
    assert len(explorer.children) >= 3  # controls, a sentence, and what it is about
    shows_something(explorer)


@every_explorer
def test_every_control_survives_its_edges(name: str) -> None:
    explorer = shared(name)
    for control in explorer.controls.values():
        explorer.reset()
        for value in edge_values(control):
            control.value = value
            assert control.value == value
            shows_something(explorer)


@every_explorer
def test_all_controls_survive_their_edges_together(name: str) -> None:
    explorer = shared(name)
    for position in (0, -1):
        explorer.set(**{key: edge_values(it)[position] for key, it in explorer.controls.items()})
        shows_something(explorer)


@every_explorer
@settings(
    max_examples=200,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_random_settings_always_show_something(name: str, data: DataObject) -> None:
    explorer = shared(name)
    chosen = data.draw(
        st.fixed_dictionaries(
            {key: values_of(control) for key, control in explorer.controls.items()}
        )
    )
    explorer.set(**chosen)
    shows_something(explorer)


@every_explorer
def test_settings_from_the_browser_are_taken(name: str) -> None:
    explorer = getattr(crs.explorers, name)()
    for control_name, control in explorer.controls.items():
        value = edge_values(control)[-1]
        explorer.panel.values = {**explorer.panel.values, control_name: value}
        assert control.value == value
        shows_something(explorer)


@every_explorer
def test_reset_restores_the_defaults(name: str) -> None:
    explorer = getattr(crs.explorers, name)()
    defaults, sentence = explorer.values(), explorer.sentence
    pictures = [view.picture for view in visible_pictures(explorer)]
    explorer.set(**{key: edge_values(it)[-1] for key, it in explorer.controls.items()})
    assert explorer.values() != defaults
    # What the button in the browser sends.
    explorer.panel._handle_custom_msg({"reset": True}, [])
    assert explorer.values() == defaults == {k: c.default for k, c in explorer.controls.items()}
    assert explorer.sentence == sentence
    assert [view.picture for view in visible_pictures(explorer)] == pictures


@every_explorer
def test_a_live_figure_equals_one_that_is_drawn_anew(name: str) -> None:
    """Changing a figure step by step must not leave anything of an earlier picture behind."""
    explorer = shared(name)
    explorer.reset()
    for control in explorer.controls.values():
        for value in edge_values(control):
            control.value = value
    for view in visible_pictures(explorer):
        assert view.picture is not None
        live, anew = view.children[0], LiveFigure(view.picture)
        for part in ("traces", "plot_layout", "alt"):
            assert getattr(live, part) == getattr(anew, part)


@every_explorer
def test_every_control_has_a_label_in_words_and_numbers_a_unit(name: str) -> None:
    explorer = shared(name)
    labels = [control.label for control in explorer.controls.values()]
    for control in explorer.controls.values():
        assert control.label[0].isupper()
        assert "_" not in control.label
        if control.kind == "slider":
            assert control.unit, f"{control.label} has no unit"
            assert control.minimum < control.maximum
            assert 0 < control.step <= control.maximum - control.minimum
    assert len(set(labels)) == len(labels)


@every_explorer
def test_groups_name_controls_once(name: str) -> None:
    explorer = shared(name)
    grouped = [member for members in explorer.groups.values() for member in members]
    assert len(set(grouped)) == len(grouped)
    assert set(grouped) <= set(explorer.controls)
    assert all(group.strip() for group in explorer.groups)


@every_explorer
def test_numbers_stay_within_their_limits(name: str) -> None:
    explorer = shared(name)
    explorer.reset()
    for control_name, control in explorer.controls.items():
        if control.kind in NUMBERS:
            low, high = explorer.limits(control_name)
            control.value = high + 1000
            assert control.value == high
            control.value = low - 1000
            assert control.value == low
            with pytest.raises(InvalidInput, match="must be a number"):
                control.value = float("nan")
        elif control.choices:
            with pytest.raises(InvalidInput, match="must be one of"):
                control.value = "no such choice"


@every_explorer
def test_a_figure_cannot_be_dragged_or_zoomed_by_mistake(name: str) -> None:
    for view in visible_pictures(shared(name)):
        assert view.picture is not None
        assert to_plotly(view.picture).layout.dragmode is False
