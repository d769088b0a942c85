"""Outputs of cells, made safe to keep and to show to whoever grades.

A learner's output may be anything that nbformat allows, and instructors look at it in a browser in
which they are logged in. So scripts, active HTML and what else could act are taken out, and every
size has a cap. The learner reads in a sentence what was left out.
"""

import binascii
import copy
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import nh3
from nbformat import NotebookNode

from autograder.nesting import is_too_deep
from autograder.report import FINDINGS
from autograder.ward.outputs import kibibytes, plain_json, size

Output = dict[str, Any]

_SLACK = 64 * 1024
_MAX_OUTPUTS = 2000
# HTML may get smaller while it is cleaned, but all of it has to be read.
_READ_PER_BYTE_KEPT = 4
_MAX_LINES = 400

_STYLES = {
    "background",
    "background-color",
    "border",
    "border-bottom",
    "border-collapse",
    "border-color",
    "border-left",
    "border-radius",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-width",
    "color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "line-height",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-width",
    "min-width",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "table-layout",
    "text-align",
    "text-decoration",
    "vertical-align",
    "white-space",
    "width",
}
_ATTRIBUTES: dict[str, set[str]] = {
    tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()
}
_ATTRIBUTES["*"] = {"style", "class", "aria-label", "role", "scope", "title"}
for _tag in ("table", "td", "th"):
    _ATTRIBUTES.setdefault(_tag, set()).update({"border", "colspan", "rowspan", "scope"})
_ATTRIBUTES.setdefault("details", set()).add("open")
_SCHEMES = frozenset({"http", "https", "mailto", "data"})

# In Markdown and LaTeX: whatever could become an element, a script or a link that acts.
_ACTIVE_MARKDOWN = re.compile(
    r"<\s*[A-Za-z/!?]|&(?:#|\w+;)|(?:java|vb)\s*script|data\s*:|\\[A-Za-z]*(?:href|style|class|id)",
    re.IGNORECASE,
)
_ACTIVE_LATEX = re.compile(
    r"<\s*[A-Za-z/!?]|\\(?:href|url|style|class|cssId|require|unicode|html\w*|data|bbox)",
    re.IGNORECASE,
)
_ESCAPES = re.compile(r"\x1b(?!\[[0-9;]*m)")
_MAGIC: Mapping[str, tuple[bytes, ...]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
_HTML = "text/html"
_SVG = "image/svg+xml"
_PLOTLY = "application/vnd.plotly.v1+json"
_JSON = ("application/json", _PLOTLY)
_EMPTY_REPR = re.compile(r"<IPython\.core\.display\.\w+ object>")


def clean(
    outputs: Iterable[Mapping[str, Any]], *, max_bytes: int | None = None, is_check: bool = False
) -> list[NotebookNode]:
    """Make the outputs of a cell safe.

    Parameters
    ----------
    outputs : iterable of mapping
        As a ward or a submitted notebook gives them.
    max_bytes : int or None
        What they may take together; None for no cap.
    is_check : bool
        Whether they may hold the findings of an examination.

    Returns
    -------
    list of NotebookNode
        Valid outputs of nbformat 4. Those in which nothing had to change are as they were.
    """
    left = None if max_bytes is None else max_bytes + _SLACK
    to_read = None if left is None else left * _READ_PER_BYTE_KEPT
    kept: list[NotebookNode] = []
    cut = False
    for found in outputs:
        if len(kept) >= _MAX_OUTPUTS:
            cut = True
            break
        if not isinstance(found, Mapping):
            continue
        html = _html_in(found)
        if left is not None and to_read is not None and html:
            if html > left or html > to_read:
                found = _without_html(found)
                cut = True
            else:
                to_read -= html
        output = _one(found, is_check)
        if output is None:
            continue
        if left is not None:
            weight = size(output)
            if weight > left:
                cut = True
                continue
            left -= weight
        kept.append(_node(output))
    if cut:
        most = f": a cell may show {kibibytes(max_bytes)} in all" if max_bytes is not None else ""
        text = f"\n[The output was cut here{most}.]\n"
        kept.append(_node({"output_type": "stream", "name": "stdout", "text": text}))
    return kept


def without_stderr(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Show what a check wrote to stderr as stdout: nbgrader takes stderr for a failed check.

    Parameters
    ----------
    outputs : iterable of NotebookNode
        Of a check cell.

    Returns
    -------
    list of NotebookNode
    """
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            output = copy.copy(output)
            output["name"] = "stdout"
        kept.append(output)
    return kept


def _html_in(found: Mapping[str, Any]) -> int:
    """Tell how many letters of HTML an output holds."""
    data = found.get("data")
    return len(_joined(data.get(_HTML))) if isinstance(data, Mapping) else 0


def _without_html(found: Mapping[str, Any]) -> Output:
    """Leave out HTML that is too long to be cleaned."""
    return {**found, "data": {**found["data"], _HTML: None}}


def _one(found: Mapping[str, Any], is_check: bool) -> Output | None:
    kind = found.get("output_type")
    if kind == "stream":
        name = found.get("name")
        text = _words(found.get("text"))
        if not text:
            return None
        return {
            "output_type": "stream",
            "name": name if name in ("stdout", "stderr") else "stdout",
            "text": text,
        }
    if kind == "error":
        lines = found.get("traceback")
        return {
            "output_type": "error",
            "ename": _words(found.get("ename")),
            "evalue": _words(found.get("evalue")),
            "traceback": [_words(line) for line in lines][:_MAX_LINES]
            if isinstance(lines, list)
            else [],
        }
    if kind not in ("display_data", "execute_result"):
        return None
    data = found.get("data")
    bundle = _bundle(data if isinstance(data, Mapping) else {}, is_check)
    if not bundle:
        return None
    metadata = found.get("metadata")
    output: Output = {
        "output_type": kind,
        "data": bundle,
        "metadata": _sizes(metadata if isinstance(metadata, Mapping) else {}, bundle),
    }
    if kind == "execute_result":
        count = found.get("execution_count")
        output["execution_count"] = count if type(count) is int else None
    return output


def _bundle(data: Mapping[str, Any], is_check: bool) -> Output:
    kept: Output = {}
    dropped: list[str] = []
    for mime, content in data.items():
        safe = _safe(str(mime), content, is_check)
        if safe is None:
            dropped.append(str(mime))
        else:
            kept[str(mime)] = safe
    if _SVG in dropped and _HTML not in kept and not any(m in kept for m in _MAGIC):
        picture = _svg(data[_SVG])
        if picture is not None:
            kept[_HTML] = picture
            dropped.remove(_SVG)
    plain = kept.get("text/plain", "")
    if dropped and not [mime for mime in kept if mime != "text/plain"]:
        if "text/markdown" in dropped or "text/latex" in dropped:
            mime = "text/markdown" if "text/markdown" in dropped else "text/latex"
            kept["text/plain"] = _words(data[mime])
        elif not plain or _EMPTY_REPR.fullmatch(plain):
            names = ", ".join(sorted(name[:80] for name in dropped)[:5])
            kept["text/plain"] = f"[An output of the type {names} is not kept.]"
    return kept


def _safe(mime: str, content: object, is_check: bool) -> Any:
    """Return a safe form of one representation, or None if it cannot be kept."""
    if mime == "text/plain":
        return _words(content)
    if mime == _HTML:
        return None if content is None else _cleaned(_words(content))
    if mime in ("text/markdown", "text/latex"):
        text = _words(content)
        active = _ACTIVE_MARKDOWN if mime == "text/markdown" else _ACTIVE_LATEX
        return None if active.search(text) else text
    if mime in _MAGIC:
        return content if _is_picture(mime, content) else None
    if mime in _JSON or (is_check and mime == FINDINGS):
        plain = plain_json(content)
        return plain if isinstance(plain, (dict, list)) or mime == "application/json" else None
    return None


def clean_html(text: str) -> str:
    """Keep tables, headings, emphasis and pictures; take out what acts.

    Parameters
    ----------
    text : str
        HTML by anyone.

    Returns
    -------
    str
        HTML without script, event handlers, forms, frames, style sheets and outside pictures.
        Empty where it is nested so deep that to clean it would take long.
    """
    return _cleaned(text) or ""


def _cleaned(text: str) -> str | None:
    if is_too_deep(text):
        return None
    if not nh3.is_html(text):
        return text
    return nh3.clean(
        text,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        filter_style_properties=_STYLES,
        url_schemes=set(_SCHEMES),
        link_rel="noopener noreferrer nofollow",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "style":
        # A picture from elsewhere tells that someone looks.
        return None if re.search(r"url|expression|@|\\", value, re.IGNORECASE) else value
    if name not in ("src", "href", "cite"):
        return value
    address = re.sub(r"[\x00-\x20]", "", value).lower()
    if tag == "img":
        return value if re.match(r"data:image/(png|jpeg|gif|webp|svg\+xml);", address) else None
    return None if address.startswith("data:") else value


def _svg(content: object) -> str | None:
    """Show a vector picture as an image: there its scripts and links are dead."""
    text = _words(content)
    if "<svg" not in text:
        return None
    data = b64encode(text.encode("utf-8", "replace")).decode("ascii")
    return f'<img alt="A picture" src="data:image/svg+xml;base64,{data}">'


def _is_picture(mime: str, content: object) -> bool:
    if not isinstance(content, str):
        return False
    try:
        head = binascii.a2b_base64("".join(content[:64].split())[:32])
        binascii.a2b_base64("".join(content.split()), strict_mode=True)
    except (binascii.Error, ValueError):
        return False
    return head.startswith(_MAGIC[mime])


def _sizes(metadata: Mapping[str, Any], bundle: Output) -> Output:
    """Keep how large pictures are shown, and nothing else."""
    kept: Output = {}
    for mime in bundle:
        found = metadata.get(mime)
        if isinstance(found, Mapping):
            numbers = {
                name: found[name]
                for name in ("width", "height")
                if isinstance(found.get(name), (int, float))
            }
            if numbers:
                kept[mime] = numbers
    return kept


def _joined(value: object) -> str:
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _words(value: object) -> str:
    # Colors stay; other sequences could write to a terminal's title or worse.
    text = _joined(value).encode("utf-8", "replace").decode("utf-8")
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def _node(value: Any) -> Any:
    if isinstance(value, dict):
        return NotebookNode({key: _node(item) for key, item in value.items()})
    if isinstance(value, list):
        return [_node(item) for item in value]
    return value
