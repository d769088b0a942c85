"""How explorers are wired, tried on one that is as small as can be."""

from __future__ import annotations

import gzip

from crs.errors import InvalidInput
from crs.explorers.base import Explorer, choice, counter, slider_with_field, toggle
from crs.explorers.figure import LiveFigure
from crs.figures.theme import Picture


class Doubling(Explorer):
    def __init__(self) -> None:
        self.updates = 0
        super().__init__(
            "Doubling",
            {
                "dose_mg": slider_with_field("Dose", 0, 800, 10, 80, "mg"),
                "times": counter("Times", 0, 3, 1),
                "twice": toggle("Twice", True),
                "drug": choice("Drug", {"a": "Drug A", "b": "Drug B"}, "a"),
            },
            groups={"More": ("times", "twice"), "Drug": ("drug",)},
        )
        self.view = self.picture()
        self.compose(self.view)

    def update(self) -> None:
        self.updates += 1
        dose = self.controls["dose_mg"].value
        if dose > 400:
            raise InvalidInput("dose_mg", dose, "at most 400 mg")
        self.view.show(Picture(({"type": "bar", "x": [0], "y": [2 * dose]},), alt=f"{2 * dose}"))
        self.say(f"Twice the dose is {2 * dose:g} mg.")


def test_one_change_is_one_update() -> None:
    explorer = Doubling()
    before = explorer.updates
    explorer.controls["dose_mg"].value = 100
    assert explorer.updates == before + 1
    assert explorer.sentence == "Twice the dose is 200 mg."
    assert explorer.view.alt == "200.0"
    assert explorer.view.picture is not None
    assert explorer.view.picture.traces[0]["y"] == [200.0]


def test_several_changes_together_are_one_update() -> None:
    explorer = Doubling()
    before = explorer.updates
    explorer.set(dose_mg=200, times=2, twice=False)
    assert explorer.updates == before + 1
    assert explorer.panel.values == {"dose_mg": 200, "times": 2, "twice": False, "drug": "a"}


def test_a_change_to_the_same_value_is_no_update() -> None:
    explorer = Doubling()
    before = explorer.updates
    explorer.controls["dose_mg"].value = 80
    assert explorer.updates == before


def test_invalid_input_becomes_a_sentence_with_label_and_unit() -> None:
    explorer = Doubling()
    explorer.controls["dose_mg"].value = 500
    assert explorer.sentence == "Dose is 500 mg, but must be at most 400 mg."
    assert explorer._sentence.refused is True
    explorer.controls["dose_mg"].value = 100
    assert explorer.sentence == "Twice the dose is 200 mg."
    assert explorer._sentence.refused is False


def test_a_value_beyond_the_limits_goes_back_to_the_browser() -> None:
    explorer = Doubling()
    explorer.panel.values = {**explorer.panel.values, "times": 99}
    assert explorer.controls["times"].value == 3
    assert explorer.panel.values["times"] == 3


def test_only_the_open_group_is_visible() -> None:
    explorer = Doubling()
    assert explorer.visible_controls() == ("dose_mg", "times", "twice")
    assert explorer.visible_controls("Drug") == ("dose_mg", "drug")
    explorer.controls["times"].visible = False
    assert explorer.visible_controls() == ("dose_mg", "twice")
    assert explorer.panel.hidden == ["times"]


def test_values_are_not_echoed_to_the_browser() -> None:
    """An echo from a busy kernel would move a slider back under the hand."""
    trait = Doubling().panel.traits()["values"]
    assert trait.metadata["echo_update"] is False


def messages(figure: LiveFigure) -> list[set[str]]:
    """List from now on which parts of a figure each message to the browser holds."""
    sent: list[set[str]] = []
    figure._send = lambda said, buffers=None: sent.append(set(said["state"]))
    return sent


def test_a_change_is_one_message_of_what_differs() -> None:
    line = {"type": "scatter", "x": [0, 1], "y": [0, 1]}
    figure = LiveFigure(Picture((line,), {"title": "one"}, alt="one"))
    sent = messages(figure)
    figure.show(Picture((line, line), {"title": "one"}, alt="two"))
    assert sent == [{"traces", "alt"}]
    figure.show(Picture((line, line), {"title": "one"}, alt="two"))
    assert len(sent) == 1
    figure.show(Picture((line,), {"title": "two"}, alt="two"))
    assert sent[1:] == [{"traces", "plot_layout"}]


def test_all_figures_share_one_plotly() -> None:
    """It has five megabytes, which are sent once, and packed."""
    figures = [LiveFigure(Picture(())) for _ in range(2)]
    assert figures[0].library is figures[1].library
    packed = figures[0].library.packed
    assert len(packed) < 2_000_000
    assert b"plotly.js v" in gzip.decompress(packed)[:100]
    for figure in figures:
        state = figure.get_state()
        assert state["library"] == f"IPY_MODEL_{figure.library.model_id}"
        assert len(str(state)) < 10_000


def test_figures_work_after_all_widgets_were_closed() -> None:
    first = LiveFigure(Picture(()))
    first.library.close()
    second = LiveFigure(Picture(()))
    assert second.library is not first.library
    assert second.library.comm is not None


def test_one_control_may_set_others_that_the_browser_still_has_as_they_were() -> None:
    explorer = Doubling()
    explorer.controls["drug"].observe(lambda change: explorer.set(dose_mg=300), names="value")
    explorer.panel.values = {**explorer.panel.values, "drug": "b"}
    assert explorer.values() == {"dose_mg": 300, "times": 1, "twice": True, "drug": "b"}
    assert explorer.panel.values == explorer.values()
