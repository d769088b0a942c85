"""Outputs keep what shows something, and lose what acts."""

from __future__ import annotations

import base64
import copy
import json
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autograder.report import FINDINGS
from autograder.sealed import outputs
from autograder.sealed.outputs import clean, clean_html, without_stderr

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(40)).decode()


def shown(**data: object) -> dict[str, object]:
    bundle = {
        name.replace("__", "/").replace("_json", "+json"): value for name, value in data.items()
    }
    return {"output_type": "display_data", "data": bundle, "metadata": {}}


PLAIN = [
    new_output("stream", name="stdout", text="1 < 2 & <b>\n"),
    new_output("stream", name="stderr", text="\x1b[31mred\x1b[39m\n"),
    new_output("error", ename="E", evalue="<script>", traceback=["\x1b[0;31mE\x1b[0m", "x"]),
    new_output("execute_result", data={"text/plain": "4"}, execution_count=3),
    new_output("display_data", data={"image/png": PNG, "text/plain": "<Figure size 64x48>"}),
    new_output("display_data", data={"image/jpeg": JPEG, "text/plain": "x"}),
    new_output("display_data", data={"text/latex": "$x^2$", "text/plain": "x**2"}),
    new_output("display_data", data={"text/markdown": "**so** [1](https://a.b)", "text/plain": ""}),
    new_output("display_data", data={"application/json": {"a": [1, None]}, "text/plain": "x"}),
    new_output(
        "display_data",
        data={"text/html": "<b>so</b>", "application/vnd.plotly.v1+json": {"data": []}},
    ),
]


def test_what_only_shows_something_stays_as_it_is() -> None:
    before = copy.deepcopy(PLAIN)
    assert clean(PLAIN, max_bytes=10_000) == before
    nbformat.validate(new_notebook(cells=[new_code_cell("x", outputs=clean(PLAIN))]))


ACTIVE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)></svg>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<iframe src='https://a.b'></iframe>",
    "<object data='x'></object><embed src=x>",
    "<form action='/formgrader/api'><input name=x><button>x</button></form>",
    "<style>body{display:none}</style>",
    "<link rel=stylesheet href=//a.b>",
    "<meta http-equiv=refresh content='0;url=//a.b'>",
    "<base href='//a.b'>",
    "<div style='position:fixed;top:0;background:url(//a.b)'>x</div>",
    "<img src='https://a.b/pixel.png'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<video autoplay onplay=alert(1) src=x></video>",
]


@pytest.mark.parametrize("text", ACTIVE)
@pytest.mark.parametrize("mime", ["text/html", "text/markdown", "text/latex"])
def test_what_acts_is_taken_out(text: str, mime: str) -> None:
    output = {
        "output_type": "display_data",
        "data": {mime: text, "text/plain": "<IPython.core.display.HTML object>"},
        "metadata": {},
    }
    (kept,) = clean([output])
    html = kept["data"].get(mime, "").lower()
    for word in ("script", "onerror", "onload", "onplay", "<iframe", "<object", "<form", "<input"):
        assert word not in html
    for word in ("<style", "<link", "<meta", "<base", "position", "url(", "//a.b", "<svg", "data:"):
        assert word not in html


@pytest.mark.parametrize(
    "mime",
    [
        "application/javascript",
        "text/javascript",
        "application/vnd.jupyter.widget-view+json",
        "application/vnd.bokehjs_exec.v0+json",
        "application/pdf",
        "text/vnd.anything",
    ],
)
def test_what_needs_a_program_is_left_out_and_named(mime: str) -> None:
    (kept,) = clean([{"output_type": "display_data", "data": {mime: "alert(1)"}, "metadata": {}}])
    assert kept["data"] == {"text/plain": f"[An output of the type {mime} is not kept.]"}
    two = {mime: "x", "text/plain": "IntSlider(value=3)"}
    (kept,) = clean([{"output_type": "display_data", "data": two, "metadata": {}}])
    assert kept["data"] == {"text/plain": "IntSlider(value=3)"}


def test_a_table_of_pandas_stays_a_table() -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2]})
    html = clean_html(frame.to_html())
    assert '<table border="1" class="dataframe">' in html
    assert html.count("<td>") == 2
    assert "<style" not in html
    styled = clean_html(frame.style.set_table_attributes("onclick='x()'").to_html())
    assert "onclick" not in styled
    assert styled.count("<td") == 2


def test_a_vector_picture_is_shown_as_an_image() -> None:
    svg = "<svg xmlns='x'><script>alert(1)</script></svg>"
    (kept,) = clean([shown(**{"image__svg+xml": svg, "text__plain": "x"})])
    assert set(kept["data"]) == {"text/plain", "text/html"}
    assert kept["data"]["text/html"].startswith(
        '<img alt="A picture" src="data:image/svg+xml;base64,'
    )
    assert clean([kept]) == [kept]


@pytest.mark.parametrize(
    "content", ["no base64 at all!", base64.b64encode(b"<svg>").decode(), 3, ""]
)
def test_a_picture_that_is_none_is_left_out(content: object) -> None:
    output = {"output_type": "display_data", "data": {"image/png": content}, "metadata": {}}
    (kept,) = clean([output])
    assert "image/png" not in kept["data"]


def test_findings_are_for_checks_alone() -> None:
    output = shown(**{FINDINGS.replace("/", "__"): {"name": "f"}, "text__plain": "x"})
    assert FINDINGS in output["data"]  # type: ignore[operator]
    assert FINDINGS in clean([output], is_check=True)[0]["data"]
    assert FINDINGS not in clean([output])[0]["data"]


@pytest.mark.parametrize(
    "junk",
    [
        None,
        3,
        {},
        {"output_type": "stream"},
        {"output_type": "pyout"},
        {"output_type": "display_data"},
        {"output_type": "display_data", "data": [1], "metadata": 3},
        {"output_type": "execute_result", "data": {3: 4}, "execution_count": "x"},
        {"output_type": "error", "traceback": {"a": 1}, "ename": 3},
        {"output_type": "stream", "name": "/dev/tty", "text": ["a", 3, "b"]},
        {"output_type": "stream", "name": "stdout", "text": "\ud800\x1b]0;title\x07"},
    ],
)
def test_junk_becomes_valid_or_nothing(junk: object) -> None:
    kept = clean([junk])  # type: ignore[list-item]
    nbformat.validate(new_notebook(cells=[new_code_cell("x", outputs=kept)]))
    json.dumps(kept).encode()
    assert "\x1b]" not in json.dumps(kept)


def test_outputs_have_a_cap_and_a_sentence() -> None:
    many = [new_output("stream", name="stdout", text="x" * 50_000) for _ in range(20)]
    kept = clean(many, max_bytes=4096)
    assert len(json.dumps(kept)) < 4096 + 70_000
    assert "a cell may show 4 KiB in all" in kept[-1].text
    few = clean([new_output("stream", text="x")] * 5000)
    assert len(few) == 2001


SLOW = {
    "nested deep": "<q>" * 44_000 + "</x>" * 30_000,
    "closed badly": "".join(f"<p><b id={at}></p>" for at in range(12_000)),
    "words in a table": "<table>" + "x<br>" * 50_000,
    "attributes": "<q " + " ".join(f"a{at}=1" for at in range(25_000)) + ">",
    "documents": "".join(f"<html a{at}>" for at in range(20_000)),
}


@pytest.mark.parametrize("html", [pytest.param(html, id=name) for name, html in SLOW.items()])
@pytest.mark.timeout(60)
def test_html_that_takes_long_to_clean_is_left_out(html: str) -> None:
    began = time.process_time()
    (alone, named) = clean([shown(text__html=html), shown(text__html=html, text__plain="<Table>")])
    assert time.process_time() - began < 2
    assert alone["data"] == {"text/plain": "[An output of the type text/html is not kept.]"}
    assert named["data"] == {"text/plain": "<Table>"}
    assert clean_html(html) == ""


def test_html_has_a_cap_before_it_is_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def cleaned(text: str) -> str:
        read.append(len(text))
        return "<b>x</b>"

    monkeypatch.setattr(outputs, "_cleaned", cleaned)
    long = "<script>" + "x" * 1_000_000
    kept = clean([shown(text__html=long, text__plain="x")], max_bytes=4096)
    assert kept[0]["data"] == {"text/plain": "x"}
    assert "cut here" in kept[-1].text
    assert read == []
    clean([shown(text__html=long[:60_000])] * 500, max_bytes=4096)
    assert sum(read) <= 4 * (4096 + 64 * 1024)


def test_what_a_check_says_on_stderr_costs_nothing() -> None:
    outputs = [new_output("stream", name="stderr", text="careful"), PLAIN[3]]
    assert [output.get("name") for output in without_stderr(outputs)] == ["stdout", None]
    assert outputs[0].name == "stderr"
