"""A live figure that was moved shows what one shows that is drawn anew, in a real Chromium.

A figure whose frame stays is moved by Plotly's animation, which draws neither axes nor words. Here
every control of every explorer is moved, without Jupyter, and the pictures are compared as SVG.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly
import pytest
from playwright.sync_api import Browser, Page
from tests.explorers.test_contract import every_explorer

import crs.explorers
from crs.explorers.base import Control
from crs.explorers.figure import LiveFigure
from crs.figures.theme import Picture

# Those in which whatever changes, words or colors change as well.
DRAWN = ("AgreementView", "ManagementDesk")
LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
FIGURE = Path(crs.explorers.__file__).parent / "figure.js"

# A model as the widget has it, a figure on it, and what both ways of drawing made.
HARNESS = """
async source => {
  globalThis[Symbol.for("crs plotly here")] = Promise.resolve(Plotly);
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { render } = (await import(url)).default;
  const settle = () =>
      new Promise(done => setTimeout(() => requestAnimationFrame(() => done()), 40));
  const counts = { moved: 0, drawn: 0 };
  for (const [name, way] of [["animate", "moved"], ["react", "drawn"]]) {
    const own = Plotly[name];
    Plotly[name] = (...given) => { counts[way] += 1; return own(...given); };
  }

  // Element by element, without the ids and the order in which attributes were set.
  const read = element => {
    const ids = [element._fullLayout._uid, ...element._fullData.map(trace => trace.uid)];
    const clean = text => ids.reduce((said, id, at) => said.replaceAll(id, `ID${at}`), text);
    const of = node => {
      const attributes = [...node.attributes].map(({ name, value }) => name === "style"
          ? `style=${value.split(/; */).sort().join(";")}` : `${name}=${value}`);
      // A point that says nothing any more is as good as none.
      const kept = [...node.childNodes].filter(child =>
          child.firstChild || !child.classList?.contains("textpoint"));
      const children = kept.map(child =>
          child.nodeType === Node.TEXT_NODE ? child.data : of(child));
      return [node.tagName, attributes.map(clean).sort(), children];
    };
    return [...element.querySelectorAll(".main-svg")].map(of);
  };

  // Shows pictures after each other, some of them before the one before is drawn.
  globalThis.follow = async (pictures, hurry) => {
    document.body.innerHTML = '<div id="live" style="width: 800px"></div><div id="anew"></div>';
    const state = { plotly_version: "here", ...pictures[0] };
    const listeners = [];
    const model = {
      get: name => state[name],
      on: (event, listener) => listeners.push([event, listener]),
      off: () => {},
    };
    const end = render({ model, el: document.getElementById("live") });
    await settle();
    await settle();
    const found = [];
    for (const [at, picture] of pictures.entries()) {
      if (at === 0) continue;
      Object.assign(state, picture);
      const before = counts.moved;
      for (const event of ["change:alt", "change:traces", "change:plot_layout", "change"])
        for (const [heard, listener] of listeners) if (heard === event) listener();
      const moved = counts.moved > before;
      if (at % hurry && at !== pictures.length - 1) continue;
      await settle();
      const anew = document.getElementById("anew");
      await Plotly.newPlot(anew, JSON.parse(picture.traces),
          { ...JSON.parse(picture.plot_layout), width: 800 }, { displayModeBar: false });
      const [one, other] = [read(document.querySelector("#live .js-plotly-plot")), read(anew)];
      found.push({ at, moved, differences: differences(one, other).slice(0, 3) });
      Plotly.purge(anew);
    }
    end();
    return found;
  };

  const excerpt = found => JSON.stringify(found).slice(0, 300);
  const differences = (one, other, path = "svg") => {
    if (JSON.stringify(one) === JSON.stringify(other)) return [];
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length)
      return [`${path}: ${excerpt(one)} is not ${excerpt(other)}`];
    return one.flatMap((item, at) => differences(item, other[at], `${path}/${at}`));
  };
}
"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page(viewport={"width": 900, "height": 900})
    opened.add_script_tag(path=LIBRARY)
    opened.evaluate(HARNESS, FIGURE.read_text(encoding="utf-8"))
    yield opened
    opened.close()


def values_of(control: Control) -> list[Any]:
    """Give a few values as a learner goes through them: step by step, then far away and back."""
    if control.kind == "toggle":
        return [not control.value, control.value]
    if control.kind in ("choice", "segments"):
        return [*control.choices, control.value]
    start = float(control.value)
    steps = [start + number * control.step for number in (1, 2, 3)]
    return [*steps, control.minimum, control.maximum, start]


def sent(picture: Picture) -> dict[str, str]:
    figure = LiveFigure(picture)
    return {name: getattr(figure, name) for name in ("traces", "plot_layout", "alt")}


def pictures_of(name: str) -> list[list[dict[str, str]]]:
    """Move every control of an explorer; return what its figures are sent."""
    explorer = getattr(crs.explorers, name)()
    shown: list[list[Picture]] = [[] for _ in explorer.pictures]

    def look() -> None:
        for pictures, view in zip(shown, explorer.pictures, strict=True):
            if view.picture is not None and (not pictures or view.picture != pictures[-1]):
                pictures.append(view.picture)

    look()
    for control in explorer.controls.values():
        for value in values_of(control):
            control.value = value
            look()
    return [[sent(one) for one in pictures] for pictures in shown]


@every_explorer
def test_a_moved_figure_equals_one_that_is_drawn_anew(page: Page, name: str) -> None:
    moved = 0
    for pictures in pictures_of(name):
        found = page.evaluate("pictures => follow(pictures, 1)", pictures)
        assert [one for one in found if one["differences"]] == []
        moved += sum(one["moved"] for one in found)
    if name not in DRAWN:
        assert moved > 0, "every change draws the whole figure"


@pytest.mark.parametrize("name", ["DoseDesk", "TocilizumabParadox", "InfusionView"])
def test_moves_that_overtake_each_other_end_with_the_last(page: Page, name: str) -> None:
    """Pictures come faster than they are drawn: some are moved and some are drawn anew."""
    for pictures in pictures_of(name):
        for hurry in (2, 3):
            found = page.evaluate("given => follow(...given)", [pictures, hurry])
            assert [one for one in found if one["differences"]] == []
