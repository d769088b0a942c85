"""The house style as a checker: what must not stand in a text for learners."""

from __future__ import annotations

import re

from tests.lessons.lesson import prose

# Filler, marketing, and words that tell a struggling reader that it should be easy.
_NEVER = (
    "simply",
    "obviously",
    "trivial",
    "trivially",
    "of course",
    "needless to say",
    "clearly",
    "basically",
    "easily",
    "amazing",
    "exciting",
    "revolutionary",
    "revolutionize",
    "cutting-edge",
    "state-of-the-art",
    "seamless",
    "leverage",
    "delve",
    "utilize",
    "very",
    "chatbot",
    "language model",
)
_BRITISH = (
    r"\w*tumour\w*",
    r"\w*oedema\w*",
    r"\w*haem(?!ophilus)\w*",
    r"leukaem\w*",
    r"anaem\w*",
    r"colour\w*",
    r"grey",
    r"behaviour\w*",
    r"centre\w*",
    r"paediatr\w*",
    r"judgement\w*",
    r"randomis\w*",
    r"recognis\w*",
    r"hospitalis\w*",
    r"summaris\w*",
    r"neutralis\w*",
    r"signalling",
    r"modelling",
    r"labelled",
    r"litre\w*",
    r"fibre\w*",
)
_INTERNAL = (r"\bref §", r"curriculum\.md", r"clinical-reference", r"\.\./shared")


def complaints(text: str) -> list[str]:
    """List what a text has that the house style does not allow.

    Parameters
    ----------
    text : str
        Markdown.

    Returns
    -------
    list of str
        One line per finding; empty for a clean text.
    """
    plain = prose(text)
    found = []
    if re.search(r"!(?!=)", re.sub(r"!\[", "[", plain)):
        found.append("an exclamation mark")
    for word in _NEVER:
        if re.search(rf"\b{re.escape(word)}\b", plain, re.IGNORECASE):
            found.append(f"the word {word!r}")
    # Journals keep their names, which stand in italics.
    without_titles = re.sub(r"(?<!\*)\*[^*\n]+\*(?!\*)", "", plain)
    for pattern in _BRITISH:
        match = re.search(rf"\b{pattern}\b", without_titles, re.IGNORECASE)
        if match:
            found.append(f"British spelling: {match[0]!r}")
    for pattern in _INTERNAL:
        if re.search(pattern, text, re.IGNORECASE):
            found.append(f"a pointer out of the project: {pattern}")
    if re.search(r"[ \t]+$", text, re.MULTILINE):
        found.append("a space at the end of a line")
    return found


def images_without_alt(text: str) -> list[str]:
    """List the images of a Markdown text that have no alternative text."""
    found = [match[0] for match in re.finditer(r"!\[\s*\]\([^)]*\)", text)]
    for tag in re.findall(r"<img\b[^>]*>", text, re.IGNORECASE):
        if not re.search(r"\balt\s*=\s*(\"[^\"]*\S[^\"]*\"|'[^']*\S[^']*')", tag):
            found.append(tag)
    return found


def folds_that_do_not_open(text: str) -> list[str]:
    """List what keeps a folded answer from rendering in JupyterLab.

    Markdown inside an HTML element is only rendered after an empty line.
    """
    found = []
    opened = len(re.findall(r"<details>", text))
    closed = len(re.findall(r"</details>", text))
    if opened != closed:
        found.append(f"{opened} <details> and {closed} </details>")
    found += [
        "an answer without an empty line after its <summary>"
        for _ in re.findall(r"</summary>\n(?!\n)", text)
    ]
    found += [
        "an answer without a <summary>" for _ in re.findall(r"<details>\n(?!<summary>)", text)
    ]
    found += ["no empty line before </details>" for _ in re.findall(r"[^\n]\n</details>", text)]
    return found
