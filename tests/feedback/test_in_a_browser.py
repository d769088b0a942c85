"""The page in a real Chromium: on a phone and a screen, light and dark, by keyboard, in print."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route
from tests.feedback.notebooks import (
    answer,
    check,
    code,
    error,
    findings,
    hidden,
    html,
    marked,
    marks,
    notebook,
    shows,
    stream,
    text,
)
from tests.feedback.test_clean import PAYLOADS, PIXEL, SVG

from accessibility import violations_on_page
from autograder.feedback.marks import Mark

pytestmark = pytest.mark.browser

ADDRESS = "http://localhost/feedback.html"
WIDE = "a_very_long_name = " + " + ".join(f"part_{at}" for at in range(60))
TABLE = (
    "<table><thead><tr>"
    + "".join(f"<th>column {at}</th>" for at in range(30))
    + "</tr></thead><tbody><tr>"
    + "<td>12345.678</td>" * 30
    + "</tr></tbody></table>"
)
CONCEPTS = [
    {"title": "Fever opens the scale", "points": 2, "holds": True},
    {"title": "Oxygen " + "x" * 80, "points": 2, "holds": False, "hint": "Read row `2`."},
]

OPENED = Callable[..., Page]


def full_page() -> str:
    """Make a page that has everything on it."""
    nb = notebook(
        text("# Grading: a page with everything"),
        text("## Before\n\nWords and $x^2$.", **marked("before", locked=True)),
        text("## Exercise 1: a function", **marked("one-text", locked=True)),
        answer(
            "one",
            f"def one(x):\n    {WIDE}\n    return x",
            stream(WIDE + "\n"),
            stream("careful\n", "stderr"),
            shows(text__html=TABLE),
            shows(image__png=PIXEL),
            shows(**{"image__svg+xml": SVG}),
        ),
        code("one()", error("TypeError", "x is missing " * 30, (2, 1), (1, 2)), count=2),
        check("one-visible", f"assert one(1) == 1  # {WIDE}", error("AssertionError", "", (9, 1))),
        check(
            "one-check",
            hidden("examine()"),
            findings(
                critical=["Patient safety: too much."],
                hints=["Your function asks again."],
                concepts=CONCEPTS,
            ),
        ),
        text("## Exercise 2: " + "a_title_without_a_break" * 5),
        check("two-check", "assert 1"),
        text("## In words\n\n" + TABLE, **marked("words", task=True, points=8, locked=True)),
        text("| a | b |\n|---|---|\n| 1 | 2 |\n\n- item\n\n> quote\n\n" + "word" * 60),
        autograder={"remarks": ["The check two-check was put back."]},
    )
    return html(
        nb,
        marks(
            {
                "one-visible": Mark(0),
                "one-check": Mark(4, 2),
                "two-check": Mark(4, 5, extra=1),
                "words": Mark(8, waits=True),
                "gone": Mark(1),
            },
            {"one": "See `row 2`, [here](https://example.org/)."},
            late_penalty=1,
            hours_late=3,
        ),
    )


@pytest.fixture
def opened(chromium: Browser) -> Iterator[OPENED]:
    """Give a function that opens a page from nowhere but its own text."""
    contexts = []

    def opener(content: str, *, width: int = 1200, scheme: str = "light") -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        contexts.append(context)
        page = context.new_page()
        seen: list[str] = []

        def answer_request(route: Route) -> None:
            if route.request.url == ADDRESS:
                route.fulfill(body=content, content_type="text/html; charset=utf-8")
            else:
                seen.append(route.request.url)
                route.abort()

        def refuse(dialog: Dialog) -> None:
            seen.append("dialog")
            dialog.dismiss()

        page.route("**/*", answer_request)
        page.on("dialog", refuse)
        page.goto(ADDRESS)
        page.asked = seen  # type: ignore[attr-defined]
        return page

    yield opener
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_it_fits_and_breaks_no_rule_of_accessibility(
    opened: OPENED, width: int, scheme: str
) -> None:
    page = opened(full_page(), width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert violations_on_page(page) == []
    assert page.asked == []  # type: ignore[attr-defined]
    assert page.evaluate("getComputedStyle(document.body).maxWidth") != "none"  # styled at all


def test_wide_code_and_tables_scroll_by_keyboard(opened: OPENED) -> None:
    page = opened(full_page(), width=360)
    boxes = page.locator(".scroll:visible")
    wide = [at for at in range(boxes.count()) if boxes.nth(at).evaluate(
        "box => box.scrollWidth > box.clientWidth")]  # fmt: skip
    assert len(wide) >= 4
    for at in wide:
        boxes.nth(at).focus()
        assert boxes.nth(at).evaluate("box => document.activeElement === box")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("box => box.scrollLeft > 0", arg=boxes.nth(at).element_handle())


def test_the_contents_lead_to_the_exercises(opened: OPENED) -> None:
    page = opened(full_page(), width=360)
    page.get_by_role("navigation").get_by_role("link", name="In words").focus()
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="In words", level=2)
    assert 0 <= heading.evaluate("it => it.getBoundingClientRect().top") < 700


def test_in_print_nothing_is_cut_off(opened: OPENED) -> None:
    page = opened(full_page(), width=680, scheme="dark")
    page.emulate_media(media="print")
    cut = page.evaluate(
        """() => [...document.querySelectorAll('.exercise *')]
            .filter(e => e.checkVisibility() && !e.closest('.unseen')
                && getComputedStyle(e).display !== 'inline'
                && e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('td, th, tr'))
            .map(e => e.outerHTML.slice(0, 200))"""
    )
    assert cut == []
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_a_script_that_got_past_the_sanitizer_does_not_run(opened: OPENED) -> None:
    smuggled = "".join(PAYLOADS) + "<script>document.title = 'ran'</script>"
    smuggled += "<p id=bare style='position:fixed'>cover</p>"
    content = full_page().replace('<main id="exercises">', f'<main id="exercises">{smuggled}')
    page = opened(content)
    page.wait_for_timeout(300)
    assert page.title() != "ran"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).display") == "block"
    # The one address left is the refresh by a meta element, which no policy forbids.
    assert {url for url in page.asked if "evil" not in url} == set()  # type: ignore[attr-defined]
