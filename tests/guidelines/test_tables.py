"""Guidelines shown as tables: complete, accessible, and safe to put into a page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from crs.errors import InvalidInput
from crs.guidelines import guideline, guideline_ids
from crs.guidelines.tables import STATUS_WORDS, show_table, table_frame, table_html


class Elements(HTMLParser):
    """Collect what a fragment holds, and check that its elements nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def elements(fragment: str) -> Elements:
    parsed = Elements()
    parsed.feed(fragment)
    assert parsed.open == []
    return parsed


@pytest.mark.parametrize("name", guideline_ids())
def test_the_table_is_whole_and_accessible(name: str) -> None:
    table = guideline(name)
    parsed = elements(table_html(name))
    tags = [tag for tag, _ in parsed.tags]
    assert tags.count("caption") == 1
    scopes = [attributes.get("scope") for tag, attributes in parsed.tags if tag == "th"]
    assert scopes == ["col"] * 4 + ["row"] * len(table.rows)
    for row in table.rows:
        assert row.text in parsed.words
        assert str(row.when) in parsed.words
        assert row.note in parsed.words
    assert table.edition in parsed.words
    assert table.source.citation in parsed.words
    assert table.source.where in parsed.words
    for status in {row.status for row in table.rows}:
        assert STATUS_WORDS[status] in parsed.words
    classes = [attributes["class"] for _, attributes in parsed.tags if "class" in attributes]
    assert all(one.startswith("crs-") for value in classes for one in str(value).split())
    # Wide on a small screen, so it can be scrolled with the keyboard and has a name.
    first = parsed.tags[0][1]
    assert (first["role"], first["tabindex"]) == ("region", "0")
    assert table.title in str(first["aria-label"])


@pytest.mark.parametrize("name", guideline_ids())
def test_the_frame_has_a_line_for_every_row(name: str) -> None:
    frame = table_frame(name)
    assert frame["row"].tolist() == [row.id for row in guideline(name).rows]
    assert frame["status"].tolist() == [row.status for row in guideline(name).rows]
    assert (frame["gives"] != "").all()
    assert (frame["edition"] == guideline(name).edition).all()


def test_a_threshold_is_written_with_its_sign() -> None:
    conditions = table_frame("tocilizumab-crs")["condition"].tolist()
    assert conditions == ["weight_kg < 30", "weight_kg >= 30"]
    assert "weight_kg &lt; 30" in table_html("tocilizumab-crs")


def test_a_notebook_shows_it() -> None:
    assert show_table("lee-2014").data == table_html("lee-2014")


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(InvalidInput, match="guideline_id"):
        show_table("lee-2015")
