"""What the page says first, and how it divides a notebook into exercises."""

from __future__ import annotations

import re

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
    marked,
    marks,
    notebook,
    page,
    shows,
    stream,
    text,
)

from autograder.feedback.findings import first_sentence, read_findings
from autograder.feedback.marks import Comment, Mark
from autograder.feedback.outputs import Note, Picture, Rich, Stopped, Text, shown

WRONG = findings(hints=["Your function asks for fever again."])
UNTOUCHED = findings(hints=["Not started yet: the function still raises `NotImplementedError`."])


def exercise(name: str, *found: NotebookNode) -> list[NotebookNode]:
    return [
        text(f"## Exercise: {name}", **marked(f"{name}-text", locked=True)),
        answer(name, f"def {name}(): ..."),
        check(f"{name}-check", hidden("examine()"), *found),
    ]


def task(name: str, points: float = 8) -> list[NotebookNode]:
    mark = marked(name, task=True, locked=True, points=points)
    return [text(f"## In words: {name}\n\nWhy?", **mark), text("Because.")]


# The summary


def test_it_begins_with_what_was_earned_what_waits_and_where_to_go_on() -> None:
    nb = notebook(
        text("# Fever"), *exercise("one"), *exercise("two", WRONG), *exercise("three"), *task("why")
    )
    of = marks(
        {
            "one-check": Mark(20, 20),
            "two-check": Mark(40, 30),
            "three-check": Mark(32, 12),
            "why": Mark(8, waits=True),
        }
    )
    found = page(nb, of)
    assert found.headline == "62 of 100 so far; 8 await your instructor"
    assert found.title == "Fever"
    assert found.next_title == "Exercise: three"
    assert str(found.next_words).startswith("20 points to gain.")
    written = html(nb, of)
    body = written[written.index("<body>") :]
    assert body.index("<h1>62 of 100 so far") < body.index("Next:") < body.index("<nav")
    assert f'href="#{found.next_anchor}"' in body
    assert f'<section id="{found.next_anchor}"' in body


def test_the_most_telling_sentence_of_the_costliest_check_is_next() -> None:
    first = check("visible", "assert 1", error("AssertionError", "", (9, 1)), points=0)
    nb = notebook(first, check("c", hidden(""), WRONG))
    found = page(nb, marks({"visible": Mark(0), "c": Mark(4)}))
    assert found.next_words == "4 points to gain. Your function asks for fever again."


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        (error("SyntaxError", "invalid", (1, 2)), "Your code stopped with a SyntaxError at line 2"),
        (error("LimitError", "It used too much memory."), "It used too much memory."),
    ],
)
def test_where_the_check_found_no_function_the_reason_is_next(
    stop: NotebookNode, said: str
) -> None:
    cell = answer("f", "def f():\n  return (", stop)
    nb = notebook(cell, check("c", hidden(""), error("NameError", "", (9, 1))))
    assert said in page(nb, marks({"c": Mark(4)})).next_words


def test_who_has_not_begun_begins_at_the_beginning() -> None:
    nb = notebook(*exercise("one", UNTOUCHED), *exercise("two", UNTOUCHED), *task("why"))
    of = marks({"one-check": Mark(4), "two-check": Mark(9), "why": Mark(8, waits=True)})
    found = page(nb, of)
    assert found.headline == "0 of 21 so far; 8 await your instructor"
    assert found.next_title == "Exercise: one"
    assert "not answered it yet" in found.next_words
    assert "2 exercises are not answered yet." in found.notes
    assert [section.score.state for section in found.exercises] == [
        "unanswered",
        "unanswered",
        "waits",
    ]


def test_an_unchanged_checksum_is_no_answer() -> None:
    from nbgrader.utils import compute_checksum

    cells = [answer("a", "def a(): ..."), check("c", "assert a()", error("TypeError", "", (9, 1)))]
    of = marks({"c": Mark(4)})
    assert page(notebook(*cells), of).exercises[0].score.state == "none"
    cells[0].metadata.nbgrader["checksum"] = compute_checksum(cells[0])
    found = page(notebook(*cells), of)
    assert found.exercises[0].score.state == "unanswered"
    assert found.exercises[0].checks[0].hints == ()


def test_full_marks_leave_nothing_to_do() -> None:
    done = page(notebook(*exercise("one")), marks({"one-check": Mark(4, 4)}))
    assert done.headline == "4 of 4 points"
    assert done.next_words == "Every automatic check is content. Nothing is left."
    waits = page(
        notebook(*exercise("one"), *task("why")),
        marks({"one-check": Mark(4, 4), "why": Mark(8, waits=True)}),
    )
    assert waits.next_words.endswith("What is left is with your instructor.")


def test_lateness_and_extra_credit_are_said() -> None:
    nb = notebook(*exercise("one"))
    of = marks({"one-check": Mark(4, 6, extra=2)}, late_penalty=1.5, hours_late=26)
    found = page(nb, of)
    assert found.headline == "4.5 of 4 points"
    assert found.notes == (
        "Handed in 26 hours late: 1.5 points were taken off for it.",
        "2 of your points are extra credit.",
    )
    free = page(nb, marks({"one-check": Mark(4, 4)}, hours_late=0.01))
    assert free.notes == ("Handed in 1 minute late: no points were taken off for it.",)
    assert page(nb, marks({"one-check": Mark(4)}, late_penalty=2)).headline == "0 of 4 points"


def test_a_broken_submission_is_told_so_in_words() -> None:
    reason = "The file is not a notebook: it breaks off in line 7"
    nb = notebook(*exercise("one"), autograder={"broken": reason})
    said = marks({"one-check": Mark(4, waits=True)}, {"one": Comment(f"{reason}.", False)})
    found = page(nb, said)
    assert found.headline == "This notebook could not be graded"
    assert found.next_words == f"{reason}. Mend that, or ask your instructor."
    assert html(nb, said).count(reason) == 1
    assert found.exercises == ()
    read = page(nb, marks({"one-check": Mark(4, 2, by_hand=True)}))
    assert read.exercises[0].score.text == "2 of 4"
    assert "could not be graded" in html(notebook(autograder={"broken": reason}))


def test_remarks_of_the_grader_are_listed_once() -> None:
    nb = notebook(
        *exercise("one"), *exercise("two"), autograder={"remarks": ["A check was put back"]}
    )
    said = {name: Comment("Memory ran out", False) for name in ("one", "two")}
    found = page(nb, marks({"one-check": Mark(4, 4)}, said))
    assert found.notes == ("A check was put back.", "Memory ran out.")
    assert all(not section.comments for section in found.exercises)
    both = Comment("A check was put back. The check ended with 9 of 4 points.", False)
    (one, _) = page(nb, marks({"one-check": Mark(4, 4)}, {"one": both})).exercises
    assert [comment.label for comment in one.comments] == ["From the grader"]
    assert "put back" not in one.comments[0].html


@pytest.mark.parametrize(
    "metadata",
    [
        {"autograder": 3},
        {"autograder": {"broken": 3, "remarks": {"a": 1}}},
        {"language_info": {"name": "brainfuck"}},
    ],
)
def test_metadata_of_any_shape_does_no_harm(metadata: dict[str, object]) -> None:
    nb = notebook(*exercise("one"), **metadata)
    nb.cells[1].metadata["autograder"] = {"status": 3, "diagnosis": ["a"]}
    nb.cells[0].metadata["nbgrader"] = ["?"]
    assert "0 of 4" in html(nb, marks({"one-check": Mark(4)}))


# Exercises


def test_concepts_hints_scores_and_comments_stand_in_the_exercise() -> None:
    found = findings(
        critical=["Patient safety: dose above the maximum."],
        hints=["Your function asks for `fever` again."],
        concepts=[
            {"title": "Fever", "points": 3, "holds": True, "hint": "unseen"},
            {"title": "Oxygen", "points": 1.5, "holds": False, "hint": "Read the row of 6 L/min."},
        ],
    )
    of = marks({"one-check": Mark(4.5, 3)}, {"one": "Well *thought*."})
    written = html(notebook(*exercise("one", found)), of)
    words = re.sub(r"<[^>]+>", " ", written[written.index("<section") :])
    words = " ".join(words.split())
    for part in (
        "◐ in part 3 of 4.5 points",
        "From your instructor Well thought .",
        "Hidden check (4 points)",
        "Patient safety: dose above the maximum.",
        "Your function asks for fever again.",
        "✓ holds Fever 3 of 3",
        "✗ not yet Oxygen 0 of 1.5 Read the row of 6 L/min.",
        "Your answer",
    ):
        assert part in words
    assert "unseen" not in words


def test_answers_that_a_person_reads() -> None:
    essay = text("I *think* so.", **marked("essay", grade=True, solution=True, points=5))
    program = code("x = 1", **marked("program", grade=True, solution=True, points=3))
    nb = notebook(text("## Why"), essay, text("## How"), program, *task("why"))
    of = marks(
        {
            "essay": Mark(5, 4, by_hand=True),
            "program": Mark(3, 2, by_hand=True, again=True),
            "why": Mark(8, 9, by_hand=True, extra=1),
        },
        {"essay": "Nearly.", "why": "More than asked."},
    )
    why, how, words = page(nb, of).exercises
    assert (why.score.text, how.score.text, words.score.text) == ("4 of 5", "2 of 3", "9 of 8")
    assert why.comments[0].html == "<p>Nearly.</p>\n"
    assert "look at this one again" in how.checks[0].remark
    assert words.checks[0].remark == "1 of these is extra credit."
    assert [block.label for block in words.blocks] == ["The text of the exercise", "Your answer"]


def test_a_notebook_is_divided_where_that_tells_exercises_apart() -> None:
    one, two = [text("### One"), check("a", "")], [text("### Two"), check("b", "")]
    deep = notebook(text("# T"), text("## Part"), *one, *two)
    assert [section.title for section in page(deep).exercises] == ["One", "Two"]
    hints = notebook(
        text("# T\n\n## One"), text("### Hint"), check("a", ""), text("## Two"), check("b", "")
    )
    assert [section.title for section in page(hints).exercises] == ["One", "Two"]
    plain = notebook(check("a", ""), check("b", ""))
    assert [section.title for section in page(plain).exercises] == ["toy"]
    fenced = notebook(text("## One"), text("```\n## No\n```"), check("a", ""), text("## Two"))
    assert [section.title for section in page(fenced).exercises] == ["One"]


def test_plain_asserts_pass_or_do_not() -> None:
    nb = notebook(
        text("## One"),
        check("right", '"""Squares are squares"""\nassert f(2) == 4', points=1),
        check("wrong", "assert f(3) == 9", error("AssertionError", "", (9, 1)), points=1),
        check("free", "assert f(1) == 1", points=0),
    )
    of = marks({"right": Mark(1, 1), "wrong": Mark(1), "free": Mark(0)})
    (one,) = page(nb, of).exercises
    assert [(item.title, item.score.state) for item in one.checks] == [
        ("Squares are squares", "full"),
        ("wrong", "none"),
        ("free", "passes"),
    ]
    assert one.checks[1].hints == ("What it asks for does not hold at line 1 of the check.",)
    assert one.score.text == "1 of 2"


def test_what_the_gradebook_has_and_the_notebook_has_not() -> None:
    found = page(notebook(*exercise("one")), marks({"one-check": Mark(4, 4), "gone": Mark(6)}))
    assert found.exercises[-1].title == "Missing in your notebook"
    assert found.headline == "4 of 10 points"
    unknown = page(notebook(*exercise("one")))
    assert unknown.exercises[0].score.state == "ungraded"


def test_what_is_not_graded_comes_after_and_an_error_there_comes_first() -> None:
    setup = [text("## Set up"), code("import nothing", error("ImportError", "no", (1, 1)))]
    calm = html(notebook(text("## Before"), text("Words."), *exercise("one")))
    assert calm.index("Exercise: one</h2>") < calm.index("<summary>Before</summary>")
    alarmed = html(notebook(*setup, *exercise("one")))
    assert alarmed.index("<summary>Set up</summary>") < alarmed.index("Exercise: one</h2>")
    assert re.search(r'<details class="aside" id="[^"]*" open>', alarmed)


# Outputs of a learner's cells


def test_an_error_shows_kind_message_and_the_learners_own_lines() -> None:
    sources = {1: "def f(x):\n    return 1 / x", 2: "f(0)"}
    (found,) = shown(
        [error("ZeroDivisionError", "division by zero", (2, 1), (7, 3), (1, 2))],
        count=2,
        sources=sources,
    )
    assert isinstance(found, Stopped)
    assert (found.kind, found.message) == ("ZeroDivisionError", "division by zero")
    assert [(frame.line, frame.text) for frame in found.own] == [(1, "f(0)")]
    assert [(frame.line, frame.text) for frame in found.other] == [(2, "return 1 / x")]
    page = html(notebook(code(sources[1]), code(sources[2], error("E", "", (2, 1)), count=2)))
    for trace in ("/opt/grader", "Traceback", "exam.py", "91.375"):
        assert trace not in page


@pytest.mark.parametrize("name", ["CellTimeoutError", "DeadKernelError", "LimitError"])
def test_what_the_grader_stopped_is_said_once(name: str) -> None:
    reason = "The cell ran for more than 30 seconds."
    cell = answer("one", "while True: ...", error(name, reason))
    cell.metadata["autograder"] = {"status": "timeout", "diagnosis": reason}
    asked = check("c", hidden("examine()"), error(name, "asked for 91.375"))
    written = html(notebook(cell, asked), marks({"c": Mark(4)}))
    assert written.count(reason) == 1
    assert "It was stopped</strong>" in written
    assert name not in written
    assert "91.375" not in written


def test_a_cell_that_was_interrupted_says_where() -> None:
    outputs = [error("KeyboardInterrupt", "", (1, 2)), error("CellTimeoutError", "Too long.")]
    (found,) = shown(outputs, count=1, sources={1: "while True:\n    pass"})
    assert isinstance(found, Stopped)
    assert (found.kind, found.message, found.own[0].line) == ("", "Too long.", 2)
    (alone,) = shown(outputs[:1])
    assert isinstance(alone, Stopped)
    assert alone.kind == "KeyboardInterrupt"


def test_frames_of_the_grader_in_a_printed_traceback_are_left_out() -> None:
    printed = (
        "Traceback (most recent call last):\n"
        '  File "/opt/ward/shell.py", line 3, in run\n    exec(code)\n    ~~~~^^^^^^\n'
        '  File "/tmp/ipykernel_1/213.py", line 1, in f\n    raise ValueError\n'
        "ValueError\n"
    )
    (found,) = shown([stream(printed, "stderr")])
    assert isinstance(found, Text)
    assert "ward" not in found.text
    assert "exec" not in found.text
    assert 'File "<cell>", line 1, in f\n    raise ValueError\nValueError' in found.text


def test_the_richest_output_without_script_is_chosen() -> None:
    figure = {"application/vnd.plotly.v1+json": {"data": []}, "text/html": "<div></div>"}
    (table,) = shown([shows(text__html="<table><tr><td>1</td></tr></table>", text__plain="1")])
    assert isinstance(table, Rich)
    (moving,) = shown([shows(**figure)])
    assert isinstance(moving, Note)
    (still,) = shown([shows(**figure, image__png="iVBORw0KGgo=")])
    assert isinstance(still, Picture)
    (scripted,) = shown([shows(text__html="<script>draw()</script>", text__plain="<Plot>")])
    assert isinstance(scripted, Note)
    assert shown([shows(text__plain="")]) == ()


def test_streams_are_joined_cleaned_and_shortened() -> None:
    bell = stream("\x1b[31mred\x1b[0m\a\n")
    assert shown([bell, stream("two\n")]) == (Text("red\ufffd\ntwo\n"),)
    (long,) = shown([stream("x" * 100_000)])
    assert isinstance(long, Text)
    assert len(long.text) < 25_000
    assert "80000 more characters" in long.text
    assert len(shown([shows(text__plain=str(at)) for at in range(500)])) == 51


@pytest.mark.parametrize(
    "output",
    [
        None,
        {},
        {"output_type": "display_data", "data": 3},
        {"output_type": "display_data", "data": {"text/html": 3, "image/png": {}}},
        {"output_type": "stream", "text": 3},
        {"output_type": "error", "ename": [], "evalue": 3, "traceback": 3},
    ],
)
def test_outputs_of_any_shape_do_no_harm(output: object) -> None:
    assert len(shown([output])) <= 1


# Findings


@pytest.mark.parametrize(
    "data",
    [
        {"hints": [1, None, {"a": 1}], "critical": "text", "concepts": [3, {"title": 4}]},
        {"concepts": [{"title": "T", "points": 10**400, "holds": "yes"}]},
        {"concepts": [{"title": "T", "points": float("nan")}], "line": -3},
        {"hints": ["x"] * 100_000},
    ],
)
def test_findings_of_any_shape_are_read(data: dict[str, object]) -> None:
    found = read_findings(data)
    assert found is not None
    assert all(not item.holds and item.points == 0 for item in found.concepts)
    assert found.line == 0
    assert len(found.hints) <= 60
    html(notebook(check("c", hidden(""), findings(**data))))


def test_the_first_sentence_of_a_check() -> None:
    assert read_findings(["hints"]) is None
    assert first_sentence(check("c", "", WRONG)) == "Your function asks for fever again."
    assert first_sentence(check("c", "", findings(critical=["Stop."], hints=["Go."]))) == "Stop."
    assert "did not run to its end" in first_sentence(check("c", "", error("NameError")))
    assert first_sentence(check("c", "", error("ValueError"))) == ""
