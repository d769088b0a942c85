"""The corpus is written as its module says, and covers every family."""

from __future__ import annotations

import nbformat
import pytest
from tests.hostile import corpus, evidence, toy
from tests.hostile.corpus import Attack

ATTACKS = corpus.attacks()

FAMILIES = {
    "bombs",
    "daemons",
    "escapes",
    "exits",
    "forged-outputs",
    "forged-values",
    "leaks",
    "network",
    "patched",
    "secrets",
    "startup",
    "tampering",
    "wire",
}


def test_every_family_is_there() -> None:
    assert {attack.family for attack in ATTACKS} == FAMILIES


def test_names_are_titles_of_their_own() -> None:
    titles = [attack.title for attack in ATTACKS]
    assert sorted(set(titles)) == sorted(titles)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.student)
def test_attacks_spell_no_secret(attack: Attack) -> None:
    """A token in an attack's own text would be found as a leak, wherever its source is shown."""
    text = (corpus.FOLDER / attack.family / f"{attack.name}.md").read_text()
    assert evidence.tokens_in(text) == []


def test_the_source_is_a_notebook() -> None:
    notebook = toy.source()
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert set(toy.CHECKS) <= set(ids)
    assert set(toy.SOLUTIONS) <= set(ids)
