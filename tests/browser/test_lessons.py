"""Lessons in a real browser: they run, answer to the keyboard, and are accessible and offline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import accessibility
import browser as driver
import learn

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.name for path in (ROOT / "course").glob("*.ipynb"))
ASSIGNMENTS = sorted(
    path.relative_to(ROOT / "release").as_posix() for path in (ROOT / "release").glob("*/*.ipynb")
)


def described(violations: list[accessibility.Violation]) -> str:
    return "\n".join(
        f"{v.impact}: {v.rule}: {v.help}\n  " + "\n  ".join(v.nodes) for v in violations
    )


@pytest.fixture(scope="module")
def lesson_pages(open_and_run: Callable[..., Page]) -> Callable[[str], Page]:
    """Return a function that gives the page of a lesson, opened and run once."""
    pages: dict[str, Page] = {}

    def page_of(name: str) -> Page:
        if name not in pages:
            pages[name] = open_and_run(name)
        return pages[name]

    return page_of


def test_there_are_lessons_and_assignments_to_look_at() -> None:
    assert {"05-grading.ipynb", "06-treatment.ipynb"} <= set(LESSONS)
    assert {"05-grading/grading.ipynb", "06-treatment/treatment.ipynb"} <= set(ASSIGNMENTS)


@pytest.mark.parametrize("name", LESSONS)
def test_every_cell_of_a_lesson_runs(lesson_pages: Callable[[str], Page], name: str) -> None:
    assert driver.cell_errors(lesson_pages(name)) == []


@pytest.mark.parametrize("name", LESSONS)
def test_every_picture_of_a_lesson_is_drawn_and_has_words(
    lesson_pages: Callable[[str], Page], name: str
) -> None:
    page = lesson_pages(name)
    pictures = page.locator(f"{driver.NOTEBOOK} .crs-picture").filter(visible=True)
    assert pictures.count() > 0
    for picture in pictures.all():
        figure = picture.locator(".js-plotly-plot")
        expect(figure).to_have_attribute("role", "img")
        assert len(figure.get_attribute("aria-label") or "") > 20
        assert figure.locator("svg.main-svg").count() > 0


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_has_no_serious_accessibility_violation(
    lesson_pages: Callable[[str], Page], name: str
) -> None:
    violations = accessibility.violations_in_notebook(lesson_pages(name))
    assert not violations, described(violations)


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_asks_nothing_of_the_network(
    lesson_pages: Callable[[str], Page], name: str
) -> None:
    assert lesson_pages(name).refused == set()  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ASSIGNMENTS)
def test_an_assignments_text_has_no_serious_accessibility_violation(
    open_and_run: Callable[..., Page], path: str
) -> None:
    # JupyterLab tells links from text by color alone. The explorers' style sheet mends that for
    # lessons; an assignment loads none.
    violations = accessibility.violations_in_notebook(
        open_and_run(path, run=False), leave_out=["link-in-text-block"]
    )
    assert not violations, described(violations)


@dataclass(frozen=True)
class Comparator:
    """The first grading comparator of lesson 05."""

    page: Page
    explorer: Locator

    @property
    def slider(self) -> Locator:
        return self.explorer.locator("input[type=range]").and_(
            self.page.get_by_role("slider", name="Temperature")
        )

    @property
    def sentence(self) -> Locator:
        return self.explorer.locator(".crs-sentence").first

    def deciding_row(self, scale: str) -> Locator:
        return self.explorer.locator(f"tr[data-scale='{scale}'] .crs-deciding-row")

    def grade(self, scale: str) -> Locator:
        return self.explorer.locator(f"tr[data-scale='{scale}'] td").first


@pytest.fixture
def comparator(lesson_pages: Callable[[str], Page]) -> Iterator[Comparator]:
    page = lesson_pages("05-grading.ipynb")
    explorer = page.locator(f"{driver.NOTEBOOK} .crs-comparator").first
    explorer.scroll_into_view_if_needed()
    shown = Comparator(page, explorer)
    at_first = shown.slider.input_value()
    yield shown
    explorer.locator("button.crs-reset").click()
    # The reset goes by the kernel: the next test must not overtake it.
    expect(shown.slider).to_have_value(at_first)


def test_a_key_on_the_temperature_slider_changes_the_deciding_row(comparator: Comparator) -> None:
    row, grade = comparator.deciding_row("astct-2019"), comparator.grade("astct-2019")
    at_first, grade_at_first = row.inner_text(), grade.inner_text()
    sentence_at_first = comparator.sentence.inner_text()
    assert at_first

    comparator.slider.focus()
    # The lowest temperature: without fever the scale does not apply at all.
    comparator.page.keyboard.press("Home")

    expect(row).not_to_have_text(at_first)
    expect(grade).not_to_have_text(grade_at_first)
    expect(comparator.sentence).not_to_have_text(sentence_at_first)

    comparator.page.keyboard.press("End")
    expect(row).to_have_text(at_first)
    expect(grade).to_have_text(grade_at_first)


def test_one_step_across_38_degrees_changes_the_deciding_row(comparator: Comparator) -> None:
    row = comparator.deciding_row("astct-2019")
    with_fever = row.inner_text()
    slider = comparator.slider
    slider.focus()
    for _ in range(60):
        if float(slider.input_value()) <= 38.0:
            break
        comparator.page.keyboard.press("ArrowLeft")
    assert float(slider.input_value()) == pytest.approx(38.0)
    expect(slider).to_have_attribute("aria-valuetext", "38.0 °C")
    expect(row).to_have_text(with_fever)

    comparator.page.keyboard.press("ArrowLeft")

    expect(row).not_to_have_text(with_fever)


def test_the_slider_is_reached_with_the_tab_key(comparator: Comparator) -> None:
    comparator.explorer.locator("button.crs-reset").focus()
    names = []
    for _ in range(6):
        comparator.page.keyboard.press("Tab")
        names.append(
            comparator.page.evaluate("document.activeElement.getAttribute('aria-label') || ''")
        )
        if names[-1].startswith("Temperature"):
            return
    pytest.fail(f"Tab reached {names}, never the temperature slider")


def test_the_field_beside_the_slider_does_the_same(comparator: Comparator) -> None:
    row = comparator.deciding_row("astct-2019")
    at_first = row.inner_text()
    field = comparator.explorer.get_by_label("Temperature", exact=False).and_(
        comparator.explorer.locator("input[type=number]")
    )
    field.focus()
    comparator.page.keyboard.press("Control+a")
    comparator.page.keyboard.type("36.5")
    comparator.page.keyboard.press("Enter")
    expect(row).not_to_have_text(at_first)


def test_the_start_page_leads_to_the_lesson(lab: learn.Lab, chromium: Browser) -> None:
    page = driver.new_page(chromium, height=900)
    try:
        page.goto(lab.address("START.md") + "&reset")
        table = page.locator(".jp-RenderedMarkdown table")
        table.get_by_role("row", name="05 Grading").get_by_role("link", name="Lesson").click()
        heading = page.locator(f"{driver.NOTEBOOK} h1")
        expect(heading).to_contain_text("05 Grading", timeout=60_000)
        assert page.refused == set()  # type: ignore[attr-defined]
    finally:
        page.context.close()


def cell_page(open_and_run: Callable[..., Page], lab: learn.Lab, name: str, code: str) -> Page:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.root / name)
    return open_and_run(name)


def test_figures_take_the_width_of_their_place_and_follow_it(
    open_and_run: Callable[..., Page], lab: learn.Lab
) -> None:
    code = "from crs.explorers import RemovalView\nRemovalView()"
    page = cell_page(open_and_run, lab, "figures.ipynb", code)
    for width in (1200, 700):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(
            """() => {
                const plots = [...document.querySelectorAll('.crs-picture .js-plotly-plot')];
                const fits = plot => plot.data.length > 0 && plot.clientWidth > 100 &&
                    Math.abs(plot.querySelector('.main-svg').clientWidth - plot.clientWidth) <= 1;
                return plots.length === 2 && plots.every(fits);
            }""",
            timeout=15_000,
        )
    expect(page.locator(f"{driver.NOTEBOOK} .modebar-btn")).to_have_count(0)


def test_figures_come_back_when_the_page_is_loaded_anew(
    open_and_run: Callable[..., Page], lab: learn.Lab
) -> None:
    code = "from crs.explorers import RemovalView\nRemovalView()"
    page = cell_page(open_and_run, lab, "reload.ipynb", code)
    page.keyboard.press("Control+s")
    plot = page.locator(f"{driver.NOTEBOOK} .crs-picture .js-plotly-plot svg.main-svg").first
    expect(plot).to_be_visible(timeout=15_000)
    page.wait_for_timeout(1_000)  # the notebook is being saved
    page.reload()
    expect(plot).to_be_visible(timeout=60_000)


def test_a_figure_without_its_plotly_says_so_in_words(
    open_and_run: Callable[..., Page], lab: learn.Lab
) -> None:
    code = (
        "from crs.explorers import WashoutView\n"
        "view = WashoutView()\n"
        "figure = view.pictures[0].children[0]\n"
        "figure.plotly_version = 'broken'\n"
        "figure.library.packed = b'no JavaScript'\n"
        "view"
    )
    page = cell_page(open_and_run, lab, "no-plotly.ipynb", code)
    expect(page.locator(".crs-figure")).to_contain_text("could not be drawn", timeout=30_000)
    expect(page.locator(".crs-figure")).to_contain_text("In words: ")


def test_the_threshold_of_the_cohort_is_dragged_by_hand(
    open_and_run: Callable[..., Page], lab: learn.Lab
) -> None:
    code = "from crs.explorers import CohortView\nCohortView()"
    page = cell_page(open_and_run, lab, "threshold.ipynb", code)
    handle = page.locator(f"{driver.NOTEBOOK} .crs-threshold-handle")
    expect(handle).to_have_count(1)
    field = page.locator(".crs-control[data-control=threshold_il6_pg_ml] input[type=number]")
    sentence = page.locator(".crs-sentence")
    before = float(field.input_value())
    handle.scroll_into_view_if_needed()
    line = handle.bounding_box()
    assert line is not None
    x, y = line["x"] + line["width"] / 2, line["y"] + line["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 7):
        page.mouse.move(x, y - 10 * step)
        page.wait_for_timeout(40)
    page.mouse.up()
    expect(field).not_to_have_value(f"{before:g}")
    page.wait_for_timeout(500)
    dragged = float(field.input_value())
    assert dragged > 1.3 * before
    expect(sentence).to_contain_text(f"interleukin-6 of {dragged:g} pg/mL or more")
    # The line that is drawn, and what is dragged, stand where the number says.
    moved = handle.bounding_box()
    assert moved is not None
    assert moved["y"] == pytest.approx(line["y"] - 60, abs=3)
    drawn = page.evaluate(
        """() => {
            const plot = document.querySelector(".crs-picture .js-plotly-plot");
            const trace = plot.data.findIndex(({ x, y }) => x.length === 2 && y[0] === y[1]);
            return plot.data[trace].y[0];
        }"""
    )
    assert drawn == pytest.approx(dragged)
