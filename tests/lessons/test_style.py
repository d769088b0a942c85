"""The checkers of the lessons find what they look for."""

from __future__ import annotations

import pytest
from tests.lessons.style import complaints, folds_that_do_not_open, images_without_alt


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Well done!", "exclamation"),
        ("This is simply so.", "simply"),
        ("Of course it is.", "of course"),
        ("A tumour of grey colour.", "tumour"),
        ("Leukaemia", "Leukaemia"),
        ("anaemic", "anaemic"),
        ("Cerebral oedema", "oedema"),
        ("as ref §3 says", "pointer"),
        ("A line \nand another", "space"),
    ],
)
def test_a_fault_is_found(text: str, expected: str) -> None:
    assert any(expected in complaint for complaint in complaints(text))


@pytest.mark.parametrize(
    "text",
    [
        "A plain sentence about leukemia, anemia and edema.",
        "`a != b` is not an exclamation, and ![a chart of grades](chart.png) is a picture.",
        "```python\nprint('Hello!')\n```",
        "The tumor was everywhere.",
    ],
)
def test_a_clean_text_is_clean(text: str) -> None:
    assert complaints(text) == []


def test_images_need_words() -> None:
    assert images_without_alt("![](a.png)") == ["![](a.png)"]
    assert images_without_alt('<img src="a.png">') == ['<img src="a.png">']
    assert images_without_alt('<img src="a.png" alt=" ">') == ['<img src="a.png" alt=" ">']
    assert images_without_alt('![a](a.png) <img alt="b" src="b.png">') == []


def test_folds_need_empty_lines() -> None:
    good = "<details>\n<summary>Show</summary>\n\nYes.\n\n</details>"
    assert folds_that_do_not_open(good) == []
    assert folds_that_do_not_open(good.replace("</summary>\n\n", "</summary>\n"))
    assert folds_that_do_not_open(good.replace("\n\n</details>", "\n</details>"))
    assert folds_that_do_not_open(good.replace("</details>", ""))
    assert folds_that_do_not_open(good.replace("<summary>Show</summary>\n", ""))
