"""Whatever a learner wrote, its page is made soon and stays of a size that can be sent."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest
from tests.feedback.notebooks import code, html, notebook, shows, stream, text

from autograder.feedback.cells import headings
from autograder.feedback.clean import clean
from autograder.feedback.markdown import Room, render
from autograder.nesting import is_too_deep

# The slowest of these take half a second on a quiet machine; before they took a minute and more.
SOON = 6
LETTERS = 19_000
PICTURE = "data:image/png;base64," + base64.b64encode(bytes(1_500_000)).decode()


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.mark.parametrize(
    "source", ["# x" + " " * 60_000 + "y", "# " + "# " * 30_000 + "x", "#" * 60_000, " " * 60_000]
)
@pytest.mark.timeout(60)
def test_headings_are_found_soon(source: str) -> None:
    assert seconds(lambda: headings(source)) < 1
    assert headings(source) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("# One", (1, "One")),
        ("   ### One \t", (3, "One")),
        ("## One ##  ", (2, "One")),
        ("## One##", (2, "One")),
        ("# One # two", (1, "One # two")),
        ("# C\\#", (1, "C\\")),
        ("#One", None),
        ("    # One", None),
        ("####### One", None),
        ("#", None),
        ("##  ", None),
    ],
)
def test_headings_are_those_of_markdown(line: str, found: tuple[int, str] | None) -> None:
    assert headings(line) == ([] if found is None else [(*found, 0)])


ENDLESS = (
    *("\\begin{a}", "\\\\(", "\\\\[", "\\\\[- ", "-|-|-|\n", "-|-|-|\n-|\n", "'*", "]_a_ ", "$$ "),
    *("- ", "- - ", "- a\n1. ", "> ", ">", "[", "![", "[](", "[a](b", "*", "**", "_a*", "***a"),
    *("`", "``a`", "~~", "<a ", "<!--", "<div>\n", "|", "|a", "[a]: b\n", "[a]: b\n[a] ", "\n"),
    *("http://a", "&", "\\", "a\\\n", "\n \\", "\t", " ", "    a\n", "# ", "```\n", "=\n", "a\n"),
)


@pytest.mark.parametrize("part", ENDLESS)
@pytest.mark.timeout(120)
def test_markdown_is_read_soon(part: str) -> None:
    for before in ("", "$$", "a|b\n-|-\n", "> " * 20):
        source = (before + part * LETTERS)[:LETTERS]
        assert seconds(lambda source=source: render(source)) < SOON  # type: ignore[misc]


def test_markdown_too_long_is_shown_as_it_was_written() -> None:
    written = str(render("**a** <b>\n" * 3_000))
    assert written.startswith('<pre class="plain">**a** &lt;b&gt;\n')
    assert written.count("**a**") == 3_000
    assert str(render("a *b* " * 30_000)).endswith("\n…</pre>")
    assert str(render("-" * 2_000)).startswith("<pre")


def test_a_page_has_room_for_so_much_markdown() -> None:
    room = Room(letters=100)
    assert "<em>a</em>" in render("*a* " * 15, room=room)
    assert "*a*" in render("*a* " * 15, room=room)
    assert "<em>a</em>" in render("*a*", room=room), "what fits is still read"


def test_formulas_with_an_end_are_formulas_however_many() -> None:
    written = str(render("The \\\\(x_1\\\\) of $y$.\n\n\\begin{a}z\\end{a}\n\n" * 300))
    assert written.count('<code class="math">x_1</code>') == 300
    assert written.count('<code class="block-math">z</code>') == 300


def test_rows_that_are_no_table_and_a_table_below_them() -> None:
    table = "a|b\n-|-\n1|2\n"
    assert str(render(table)).count("<td>") == 2
    assert "<table>" not in str(render(f"{table}1|2|3\n"))
    assert str(render(f"x|y\n{table}")).count("<td>") == 2
    assert str(render(f"{table}1|2|3\n\n{table}")).count("<table>") == 1
    assert str(render("a\\|b|c\n-|-\n1|2\n")).count("<td>") == 2


def test_one_picture_many_times() -> None:
    asked: list[str] = []

    def picture(address: str) -> str:
        asked.append(address)
        return PICTURE

    source = "".join(f"![](a.png?{at})\n" for at in range(400))
    written = str(render(source, picture=picture))
    assert written.count("<img") == 2
    assert written.count("together they are too large") == 398
    assert len(asked) == 3, "files are not read in vain"
    attached = {"a.png": {"image/png": PICTURE.partition(",")[2]}}
    assert str(render("![](attachment:a.png)\n" * 400, attached)).count("<img") == 2
    assert str(render(f"{'![][a] ' * 400}\n\n[a]: {PICTURE}\n")).count("<img") == 2


def test_pictures_of_many_cells() -> None:
    room = Room(in_pictures=3_000_000)
    shown = [str(render("![](a.png)", picture=lambda _: PICTURE, room=room)) for _ in range(3)]
    assert ["<img" in written for written in shown] == [True, False, False]


def test_a_picture_that_is_written_out_is_shown_however_long_the_text() -> None:
    source = f"*One*: ![x]({PICTURE}) and <img src='{PICTURE}' alt='y'>"
    written = str(render(source))
    assert written.count(f'src="{PICTURE}"') == 2
    assert "<em>One</em>" in written
    assert "data:picture" not in written


def test_long_addresses_are_written_so_often_as_there_is_room() -> None:
    link = "https://example.org/" + "a" * 18_000
    written = str(render(f"{'[x][a] ' * 200}\n\n[a]: {link}\n"))
    assert written.count(link) == 200
    title = str(render(f'{"[x][a] " * 1_000}\n\n[a]: https://a.b "{"a" * 12_000}"\n'))
    assert len(title) < 6_000_000


DEEP = {
    "open": "<q>" * 44_000,
    "ends of others": "<q>" * 44_000 + "</x>" * 30_000,
    "bold": "".join(f"<p><b id={at}></p>" for at in range(12_000)),
    "bold, then paragraphs": "<p>" + "<b><i><u><s>" * 2 + "<p>x" * 60_000,
    "words in a table": "<table>" + "x<br>" * 50_000,
    "a column in a cell": "<table><td><q><col>" + "x<br>" * 50_000,
    "attributes": "<q " + " ".join(f"a{at}=1" for at in range(25_000)) + ">",
    "documents": "".join(f"<html a{at}>" for at in range(20_000)),
    "within a comment": "<q><!-- </q> -->" * 10_000,
    "within an attribute": "<q title='</q>'>" * 10_000,
    "within odd attributes": '<q a"></q ">' * 10_000,
    "within a style sheet": "<q><style></q></style>" * 10_000,
    "a style sheet within a picture": "<svg><style><q></style>" * 10_000,
    "within a script": "<q><script><!--<script></q></script>" * 10_000,
    "lines": "<q>\n" * 10_000,
    "closed as in XML": "<q/>" * 10_000,
    "marked text": "<svg><link>" * 10_000,
}


@pytest.mark.parametrize("html", [pytest.param(html, id=name) for name, html in DEEP.items()])
def test_html_nested_deep_is_told_apart(html: str) -> None:
    assert seconds(lambda: is_too_deep(html)) < 1
    assert is_too_deep(html)
    assert "too long to be shown" in clean(html)


FLAT = (
    "<table><tr><td>1</td><td><br></td></tr></table>" * 5_000,
    "<p>One<p>Two<br>" * 2_000,
    "<ul><li>One<li>Two</ul>" * 90,
    "<div style='a:b'><!-- > --><style>q > p { a: '<' }</style><b>x</b></div>" * 1_000,
    "<!DOCTYPE html><html><head><title>a < b</title></head><body><p>x</p></body></html>",
    "<svg viewBox='0 0 1 1'><g><path d='M0 0'/></g></svg>" * 50,
    "<div>" * 150 + "</div>" * 150,
    "1 < 2 <3 <",
    "no tag at all",
)


@pytest.mark.parametrize("html", FLAT)
def test_html_as_people_write_it_is_not_too_deep(html: str) -> None:
    assert not is_too_deep(html)


def test_a_notebook_made_of_the_slowest_texts() -> None:
    """All cells together have no more room than a page has."""
    cells = [text((part * LETTERS)[:LETTERS]) for part in ENDLESS for _ in range(3)]
    room = Room()
    assert seconds(lambda: [render(cell.source, room=room) for cell in cells]) < 40
    assert room.letters < LETTERS


def test_a_page_of_many_cells_is_made_soon_and_stays_small() -> None:
    slow = "'*" * 9_000
    nb = notebook(
        *(text(slow) for _ in range(60)),
        *(code("x", *(shows(text__markdown=slow) for _ in range(50))) for _ in range(3)),
        *(code("x\n" + " \n" * 49_000 + "x") for _ in range(60)),
        code("x", *(stream("/a" * 10_000, ("stdout", "stderr")[at % 2]) for at in range(50))),
    )
    made: list[str] = []
    assert seconds(lambda: made.append(html(nb))) < 40
    assert len(made[0]) < 30_000_000
