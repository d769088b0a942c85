"""Take one protection away, and the corpus notices.

Each mutant is a copy of the package with one place changed. Where the place is not found any more,
the mutant has to be written anew.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.hostile import corpus, evidence, grading, toy
from tests.hostile.corpus import Attack
from tests.hostile.grading import Run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PACKAGE = grading.ROOT / "autograder" / "autograder"


@dataclass(frozen=True)
class Mutant:
    """A protection that is taken away.

    Attributes
    ----------
    file, old, new : str
        The change, in one file of the package. Without a file, nothing is changed.
    caught_by : tuple of str
        Attacks that succeed then.
    options : dict
        Keyword arguments of `seal`.
    """

    caught_by: tuple[str, ...]
    file: str = ""
    old: str = ""
    new: str = ""
    options: dict[str, object] = field(default_factory=dict)


MUTANTS = {
    "checks run in the learner's process": Mutant(
        (
            "forged-values.float-that-agrees",
            "patched.exam-engine",
            "patched.input-transformer",
            "secrets.caller-frames",
            "secrets.history-within-a-check",
            "tampering.shadowed-exams",
        ),
        options={"mode": "shared"},
    ),
    "comparisons are made by the submission": Mutant(
        ("forged-values.equal-to-everything", "forged-values.claims-to-be-a-float"),
        "sealed/proxies.py",
        "        if self is other or _same_place(self, other):\n            return True\n",
        '        return bool(self._handle.talk.call("eq", [self, other]))\n',
    ),
    "the notebook with the checks lies beside the submission": Mutant(
        ("secrets.notebook-in-the-working-directory",),
        "sealed/submissions.py",
        '        if path.suffix == ".ipynb" or not is_safe_name(name):\n            continue\n'
        "        try:\n            data",
        "        if not is_safe_name(name):\n            continue\n        try:\n            data",
    ),
    "the grader's environment reaches the jail": Mutant(
        ("secrets.environment",),
        "jail/launch.py",
        '"environment": ENVIRONMENT,',
        '"environment": {**os.environ, **ENVIRONMENT},',
    ),
    "what a learner hands in is taken for a check": Mutant(
        ("tampering.checks-rewritten",),
        "sealed/cells.py",
        "        if _is_answer(mark):\n",
        "        if True:\n",
    ),
    "outputs have no cap": Mutant(
        ("bombs.output-in-one-piece",),
        options={"cell_output_kib": 20_000, "notebook_output_kib": 80_000},
    ),
}


def graded(tmp_path: Path, mutant: Mutant) -> tuple[Run, list[Attack]]:
    attacks = [item for item in corpus.attacks() if item.student in mutant.caught_by]
    assert len(attacks) == len(mutant.caught_by)
    config = grading.sealed_config(**mutant.options)
    enrolled = grading.enroll(tmp_path / "run", config, attacks, honest=False)
    if mutant.file:
        package = enrolled.folder / "library" / "autograder"
        shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
        path = package / mutant.file
        text = path.read_text()
        assert text.count(mutant.old) == 1, f"{mutant.file} does not say {mutant.old!r} any more"
        path.write_text(text.replace(mutant.old, mutant.new))
    return grading.grade(enrolled, [["autograde", toy.ASSIGNMENT]]), attacks


@pytest.mark.parametrize("name", MUTANTS)
def test_the_corpus_notices(tmp_path: Path, name: str) -> None:
    run, attacks = graded(tmp_path, MUTANTS[name])
    unnoticed = [
        attack.student
        for attack in attacks
        if run.students[attack.student].scores == attack.scores
        and not evidence.leaks(run.students[attack.student])
        and evidence.size_of_outputs(run.students[attack.student]) < evidence.MAX_OUTPUT_BYTES
    ]
    assert unnoticed == []
