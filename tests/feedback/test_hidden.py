"""What a feedback page leaves out, whatever got into the autograded notebook."""

from __future__ import annotations

import nbformat
import pytest
from nbformat import NotebookNode
from tests.feedback.notebooks import (
    answer,
    check,
    code,
    error,
    findings,
    hidden,
    html,
    notebook,
    shows,
    stream,
    text,
)

from autograder.feedback.hidden import Markers, check_title
from autograder.feedback.redact import redact

SECRET = "91.375"
CHECK = hidden(f"toy_exams.twice.examine(twice, {SECRET})")
LEAKS = [
    stream(f"asked for {SECRET}\n"),
    stream(f"asked for {SECRET}\n", "stderr"),
    shows(text__plain=SECRET),
    shows(text__html=f"<p>{SECRET}</p>"),
    error("KeyError", SECRET, (9, 3)),
]


def redacted(*cells: NotebookNode, **options: bool) -> NotebookNode:
    return redact(notebook(*cells), Markers(), **options)


def test_findings_stay_and_nothing_else() -> None:
    nb = redacted(check("c", CHECK, *LEAKS, findings(), *LEAKS))
    assert nb.cells[0].source == "# Hidden check (4 points)."
    assert [item.data["text/html"] for item in nb.cells[0].outputs] == ["<p>found</p>"]
    assert SECRET not in nbformat.writes(nb)


def test_the_last_findings_count_as_the_exam_shows_them_after_its_questions() -> None:
    forged = findings(hints=[f"asked for {SECRET}"])
    nb = redacted(check("c", CHECK, forged, findings(hints=["Look at the limit."])))
    assert SECRET not in nbformat.writes(nb)
    assert "Look at the limit." in nbformat.writes(nb)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (error("NameError", SECRET, (9, 3)), "found no function to call"),
        (error("CellTimeoutError", SECRET), "took too long"),
        (error("Gone", SECRET, (9, 3)), "Your code ended the program"),
        (error("Unasked", SECRET, (9, 3)), "answered what nobody asked"),
        (error("ModuleNotFoundError", SECRET, (9, 3)), "Please tell your instructor"),
        (error("AssertionError", SECRET, (9, 3)), "What it asks for does not hold."),
        (error("TypeError", SECRET, (9, 3)), "It stopped with a TypeError."),
        (error(f"Asked_{SECRET}", SECRET, (9, 3)), "What it asks for does not hold."),
        (error("ZeroDivisionError", SECRET, (9, 3), (1, 2)), "a ZeroDivisionError (line 2 of its"),
        (error(f"Asked_{SECRET}", SECRET, (9, 3), (1, 2)), "with an error (line 2 of its cell)"),
        (error("NotImplementedError", SECRET, (9, 3), (1, 2)), "Not started yet"),
    ],
)
def test_an_error_becomes_a_sentence(output: NotebookNode, sentence: str) -> None:
    nb = redacted(answer("twice", "def twice(x):\n    return x / 0"), check("c", CHECK, output))
    (found,) = nb.cells[1].outputs
    assert sentence in found.data["text/plain"]
    page = html(nb)
    assert sentence.split("(")[0] in page
    for word in (SECRET, "toy_exams", "examine", "HIDDEN TESTS", "/opt/grader", "Traceback"):
        assert word not in nbformat.writes(nb) + page


@pytest.mark.parametrize("hide", [True, False])
@pytest.mark.parametrize("source", ['assert f(2) == 4, "{}"', 'raise ValueError("{}")'])
def test_a_message_that_the_instructor_wrote_out_is_shown(source: str, hide: bool) -> None:
    message = "Twice two is four."
    body = source.format(message)
    cell = check("c", hidden(body) if hide else body, error("AssertionError", message, (9, 1)))
    assert message in html(notebook(cell))


@pytest.mark.parametrize("body", ['assert f(91.375), f"not {x}"', 'assert f("91.375") == 1, g(1)'])
def test_a_message_that_was_put_together_is_not(body: str) -> None:
    cell = check("c", hidden(body), error("AssertionError", SECRET, (9, 1)))
    assert SECRET not in html(notebook(cell))


def test_a_visible_check_shows_its_source_its_line_and_the_instructors_own_words() -> None:
    source = 'expect(f, 1, gives=2,\n    because="Twice one is two, not one.")'
    said = "f(1) gave 91.375.\nTwice one is two, not one."
    page = html(notebook(check("c", source, error("NotYetError", said, (9, 1)), points=0)))
    assert "Twice one is two, not one." in page
    assert "because" in page
    assert 'class="line pointed"' in page
    assert SECRET not in page


def test_what_a_visible_check_puts_out_is_not_shown() -> None:
    # A function that noted what an earlier check asked could say it here.
    page = html(notebook(check("c", "assert f(1)", *LEAKS[:4])))
    assert SECRET not in page
    assert "assert" in page


@pytest.mark.parametrize("source", [f"# Check\n    ### BEGIN HIDDEN TESTS\n    check({SECRET})"])
def test_an_unclosed_or_indented_region_is_dropped_too(source: str) -> None:
    assert redacted(check("c", source)).cells[0].source == "# Check"


def test_hidden_tests_are_dropped_wherever_they_stand() -> None:
    region = f"### BEGIN HIDDEN TESTS\n{SECRET}\n### END HIDDEN TESTS"
    cells = [code(region), text(region), answer("a", region), check("c", region, *LEAKS)]
    assert SECRET not in html(notebook(*cells))


def test_a_courses_own_markers_are_known() -> None:
    markers = Markers(begin_tests="[[", end_tests="]]")
    nb = redact(notebook(check("c", f"# Check\n# [[\n{SECRET}\n# ]]\nlast()")), markers)
    assert SECRET not in nbformat.writes(nb)
    assert "last()" in nb.cells[0].source


def test_redacting_twice_is_redacting_once() -> None:
    nb = redacted(
        check("c", CHECK, error("KeyError", SECRET, (9, 1))), check("d", "assert 0", error("E"))
    )
    before = nbformat.writes(nb)
    assert nbformat.writes(redact(nb, Markers())) == before


def test_a_learners_own_cell_stays_as_it_is() -> None:
    nb = notebook(answer("mine", "mine()", *LEAKS), code("mine()", *LEAKS))
    before = nbformat.writes(nb)
    assert nbformat.writes(redact(nb, Markers())) == before


def test_a_marking_scheme_is_dropped_or_folded() -> None:
    scheme = (
        "Why?\n\n=== BEGIN MARK SCHEME ===\n\n| 1 | point |\n\n=== END MARK SCHEME ===\n\nThanks."
    )
    assert redacted(text(scheme)).cells[0].source == "Why?\n\n\n\nThanks."
    folded = redacted(text(scheme), show_mark_scheme=True).cells[0].source
    assert folded.startswith("Why?\n\n<details><summary>")
    assert folded.endswith("| 1 | point |\n\n</details>\n\nThanks.")
    assert "MARK SCHEME" not in folded


@pytest.mark.parametrize(
    ("visible", "title"),
    [
        ("# Hidden check (4 points). It runs when graded.", "Hidden check (4 points)"),
        ('"""Check that squares are squares"""\nassert 1', "Check that squares are squares"),
        ("# Limits, e.g. 6 L/min: all of them\nassert 1", "Limits, e.g. 6 L/min"),
        ("assert 1", "cell-id"),
        ("", "cell-id"),
        ("def (", "cell-id"),
        ("# YOUR CODE HERE", "cell-id"),
    ],
)
def test_a_check_is_called_by_its_first_words(visible: str, title: str) -> None:
    assert check_title(visible, "cell-id") == title
