"""nbgrader's gradebook: read once, and written in one transaction per submission.

The rows are nbgrader's own, and so are the rules by which they change. One small table of ours lies
beside nbgrader's: the key of what was last written for a submission. It has no foreign key, so
nothing that nbgrader does can stumble over it.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.utils import parse_utc
from sqlalchemy import Column, MetaData, String, Table, Text, create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, load_only, selectinload

from autograder.batch.course import Course
from autograder.batch.errors import BatchError, StoppedError
from autograder.batch.records import Graded, SourceNotebook, Submission
from autograder.sealed.scoring import save

TABLE = "autograder_submission"

_KEYS = Table(
    TABLE,
    MetaData(),
    Column("submission_id", String(32), primary_key=True),
    Column("content_key", String(64), nullable=False),
    Column("broken", Text, nullable=False),
)
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Present:
    """What the gradebook says of a submission, as far as a rerun must know.

    Attributes
    ----------
    key : str
        Of what was last written by a batch; empty where nothing was.
    broken : str
        Why it could not be graded then; empty where it could.
    extension_seconds : float
        What the student was granted.
    """

    key: str = ""
    broken: str = ""
    extension_seconds: float = 0.0


@dataclass(frozen=True)
class Move:
    """A score that is not what it was.

    Attributes
    ----------
    student, notebook, check : str
        Where: a check is named by its grade id. For a late penalty it is ``late penalty``.
    before, after : float or None
        Points; None where there was or is no automatic score.
    first : bool
        Whether the submission was never graded before.
    overruled : bool
        Whether a manual grade stands, so that the total does not move.
    """

    student: str
    notebook: str
    check: str
    before: float | None
    after: float | None
    first: bool = False
    overruled: bool = False

    @property
    def difference(self) -> float:
        """By how much the total moves."""
        if self.overruled:
            return 0.0
        difference = (self.after or 0.0) - (self.before or 0.0)
        return -difference if self.check == LATE else difference


LATE = "late penalty"


@dataclass(frozen=True)
class AssignmentRows:
    """What the gradebook holds of an assignment.

    Attributes
    ----------
    id : str
        Of its row.
    duedate : datetime or None
        In UTC.
    notebooks : mapping
        Their sources by name, without templates.
    """

    id: str
    duedate: datetime.datetime | None
    notebooks: Mapping[str, SourceNotebook]


class Book:
    """A gradebook, open for one run.

    Parameters
    ----------
    course : Course
        Whose ``db_url`` it is.
    writing : bool
        Whether it may be written. Else not even nbgrader's tables are made.

    Raises
    ------
    BatchError
        If there is none, or it cannot be opened.
    """

    def __init__(self, course: Course, *, writing: bool) -> None:
        self._course = course
        self._writing = writing
        self._plugin = course.late_plugin()
        url = course.directory.db_url
        try:
            self._engine = _open(url, course.directory.course_id, writing=writing)
            with self._engine.connect() as connection:
                self._has_keys = inspect(connection).has_table(TABLE)
        except SQLAlchemyError as error:
            raise BatchError(
                f"The gradebook {_shown(url)} cannot be opened: {_why(error)}"
            ) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def assignment(self, name: str) -> AssignmentRows:
        """Read an assignment and its cells.

        Parameters
        ----------
        name : str
            Of the assignment.

        Returns
        -------
        AssignmentRows

        Raises
        ------
        BatchError
            If the gradebook does not know it.
        """
        from autograder.sealed.cells import trusted_cells

        with Session(self._engine) as session:
            names = sorted(session.scalars(select(Assignment.name)))
            if name not in names:
                known = ", ".join(names) or "none"
                raise BatchError(
                    f"The gradebook knows no assignment {name!r}; it knows: {known}. "
                    f"Run nbgrader generate_assignment {name} first."
                )
            row = session.scalars(select(Assignment).where(Assignment.name == name)).one()
            notebooks = {
                each.name: SourceNotebook(each.name, each.kernelspec, trusted_cells(each), None)
                for each in row.notebooks
            }
            return AssignmentRows(row.id, row.duedate, notebooks)

    def present(self, assignment: AssignmentRows) -> dict[str, Present]:
        """Read what there is of each student's submission.

        Parameters
        ----------
        assignment : AssignmentRows
            Which assignment.

        Returns
        -------
        dict
            By student.
        """
        rows = SubmittedAssignment.__table__
        columns = [rows.c.student_id, rows.c.extension]
        joined: Any = rows
        if self._has_keys:
            columns += [_KEYS.c.content_key, _KEYS.c.broken]
            joined = rows.outerjoin(_KEYS, _KEYS.c.submission_id == rows.c.id)
        query = select(*columns).select_from(joined).where(rows.c.assignment_id == assignment.id)
        with self._engine.connect() as connection:
            return {
                row.student_id: Present(
                    key=(row.content_key or "") if self._has_keys else "",
                    broken=(row.broken or "") if self._has_keys else "",
                    extension_seconds=row.extension.total_seconds() if row.extension else 0.0,
                )
                for row in connection.execute(query)
            }

    def write(
        self,
        assignment: AssignmentRows,
        submission: Submission,
        graded: Graded,
    ) -> list[Move]:
        """Write what one submission earned, in one transaction.

        Parameters
        ----------
        assignment : AssignmentRows
            Which assignment.
        submission : Submission
            What was handed in.
        graded : Graded
            What came of it.

        Returns
        -------
        list of Move
            Which scores changed.

        Raises
        ------
        BatchError
            If the student is unknown and nbgrader is told not to create students.
        StoppedError
            If the gradebook cannot be written.
        """
        if not self._writing:
            raise ValueError("this gradebook was opened for reading")
        self._make_table()
        for attempt in range(_ATTEMPTS):
            try:
                with Session(self._engine) as session, session.begin():
                    self._lock(session)
                    moves = self._update(session, assignment, submission, graded)
                return moves
            except (OperationalError, IntegrityError) as error:
                # Someone else wrote at the same moment: formgrader, or a second run.
                if attempt == _ATTEMPTS - 1:
                    raise self._stopped(error) from error
                time.sleep(_PAUSE_SECONDS * (attempt + 1))
            except SQLAlchemyError as error:
                raise self._stopped(error) from error
        raise AssertionError("unreachable")

    def compare(
        self, assignment: AssignmentRows, submission: Submission, graded: Graded
    ) -> list[Move]:
        """Say what `write` would change, and change nothing.

        Parameters
        ----------
        assignment : AssignmentRows
            Which assignment.
        submission : Submission
            What was handed in.
        graded : Graded
            What came of it.

        Returns
        -------
        list of Move
        """
        with Session(self._engine) as session:
            try:
                with session.no_autoflush:
                    return self._update(session, assignment, submission, graded, reading=True)
            finally:
                session.rollback()

    def _stopped(self, error: SQLAlchemyError) -> StoppedError:
        return StoppedError(
            f"The gradebook {_shown(self._course.directory.db_url)} cannot be written: "
            f"{_why(error)}. What is written stays; run the same command again to go on."
        )

    def _make_table(self) -> None:
        if not self._has_keys:
            _KEYS.metadata.create_all(self._engine)
            self._has_keys = True

    def _lock(self, session: Session) -> None:
        """Take SQLite's write lock before reading, so that no manual grade slips in between."""
        if self._engine.dialect.name == "sqlite":
            session.execute(text("BEGIN IMMEDIATE"))

    def _update(
        self,
        session: Session,
        assignment: AssignmentRows,
        submission: Submission,
        graded: Graded,
        *,
        reading: bool = False,
    ) -> list[Move]:
        row = _find_submission(session, assignment, submission.student, lock=not reading)
        first = row is None
        if row is None:
            row = self._create(session, assignment, submission.student)
        if submission.timestamp:
            row.timestamp = _time(submission.timestamp)
        done = {each.name: each for each in graded.notebooks}
        late = _seconds_late(row, assignment)
        moves: list[Move] = []
        for notebook in row.notebooks:
            name = notebook.name
            result = done.get(name)
            before = [(grade, grade.auto_score) for grade in notebook.grades]
            if result is None:
                for grade in notebook.grades:
                    # As nbgrader does with a notebook that was not handed in.
                    grade.auto_score = 0.0
                    grade.needs_manual_grade = False
            else:
                save(notebook, result.verdict)
            moves += [
                Move(
                    submission.student,
                    name,
                    grade.name,
                    score,
                    grade.auto_score,
                    first,
                    grade.manual_score is not None,
                )
                for grade, score in before
                if not _same(score, grade.auto_score)
            ]
            if result is not None:
                penalty = notebook.late_submission_penalty
                self._penalize(session, notebook, submission.student, late, reading=reading)
                if not _same(penalty or 0.0, notebook.late_submission_penalty or 0.0):
                    after = notebook.late_submission_penalty
                    moves.append(Move(submission.student, name, LATE, penalty, after, first))
        if not reading:
            session.flush()
            self._set_key(session, row.id, graded)
        return moves

    def _create(
        self, session: Session, assignment: AssignmentRows, student: str
    ) -> SubmittedAssignment:
        """Make all rows of a submission, as nbgrader does at its first sight."""
        if session.get(Student, student) is None:
            if not self._course.options.create_student:
                raise BatchError(f"The gradebook knows no student {student!r}.")
            session.add(Student(id=student))
        row = SubmittedAssignment(assignment_id=assignment.id, student_id=student)
        with session.no_autoflush:
            notebooks = session.scalars(
                select(Notebook)
                .where(Notebook.assignment_id == assignment.id)
                .order_by(Notebook.name)
            )
            for notebook in notebooks.all():
                made = SubmittedNotebook(notebook=notebook)
                row.notebooks.append(made)
                for cell in (*notebook.grade_cells, *notebook.task_cells):
                    made.grades.append(Grade(cell=cell))
                for cell in (*notebook.solution_cells, *notebook.task_cells):
                    made.comments.append(Comment(cell=cell))
            session.add(row)
        return row

    def _penalize(
        self,
        session: Session,
        notebook: SubmittedNotebook,
        student: str,
        late: float,
        *,
        reading: bool,
    ) -> None:
        """Ask the course's plugin what a late notebook loses, within what it earned."""
        notebook.late_submission_penalty = None
        if late <= 0:
            return
        if reading:
            score = sum(_score(grade) for grade in notebook.grades)
        else:
            # By the gradebook's own sum, as nbgrader asks for it.
            session.flush()
            session.refresh(notebook, ["score"])
            score = notebook.score
        penalty = self._plugin.late_submission_penalty(student, score, late)
        if penalty is not None:
            notebook.late_submission_penalty = 0 if penalty < 0 else min(penalty, score)

    def _set_key(self, session: Session, submission_id: str, graded: Graded) -> None:
        session.execute(_KEYS.delete().where(_KEYS.c.submission_id == submission_id))
        if graded.lasting:
            session.execute(
                _KEYS.insert().values(
                    submission_id=submission_id,
                    content_key=graded.key,
                    broken=" ".join(graded.broken),
                )
            )


def _find_submission(
    session: Session, assignment: AssignmentRows, student: str, *, lock: bool
) -> SubmittedAssignment | None:
    query = select(SubmittedAssignment).where(
        SubmittedAssignment.assignment_id == assignment.id,
        SubmittedAssignment.student_id == student,
    )
    # Only plain columns: nbgrader's computed ones ask the whole gradebook.
    notebooks = selectinload(SubmittedAssignment.notebooks).load_only(
        SubmittedNotebook.assignment_id,
        SubmittedNotebook.notebook_id,
        SubmittedNotebook.late_submission_penalty,
    )
    names = notebooks.selectinload(SubmittedNotebook.notebook).load_only(Notebook.name)
    grades = notebooks.selectinload(SubmittedNotebook.grades).load_only(
        Grade.cell_id,
        Grade.notebook_id,
        Grade.auto_score,
        Grade.manual_score,
        Grade.extra_credit,
        Grade.needs_manual_grade,
    )
    comments = notebooks.selectinload(SubmittedNotebook.comments).load_only(
        Comment.cell_id, Comment.notebook_id, Comment.auto_comment
    )
    query = query.options(
        load_only(
            SubmittedAssignment.assignment_id,
            SubmittedAssignment.student_id,
            SubmittedAssignment.timestamp,
            SubmittedAssignment.extension,
        ),
        names,
        grades.selectinload(Grade.cell).load_only(BaseCell.name),
        comments.selectinload(Comment.cell).load_only(BaseCell.name),
    )
    if lock:
        query = query.with_for_update()
    found: SubmittedAssignment | None = session.scalars(query).one_or_none()
    return found


def _score(grade: Grade) -> float:
    counted = grade.manual_score if grade.manual_score is not None else grade.auto_score
    return 0.0 if counted is None else float(counted) + float(grade.extra_credit or 0.0)


def _seconds_late(row: SubmittedAssignment, assignment: AssignmentRows) -> float:
    if row.timestamp is None or assignment.duedate is None:
        return 0.0
    due = assignment.duedate + (row.extension or datetime.timedelta(0))
    return max(0.0, float((row.timestamp - due).total_seconds()))


def _time(written: str) -> datetime.datetime | None:
    """Read a time stamp. nbgrader stops at a bad one; here it counts as none."""
    try:
        found: datetime.datetime | None = parse_utc(written)
    except (ValueError, OverflowError, TypeError):
        return None
    return found


def _same(before: float | None, after: float | None) -> bool:
    return before is after or (before is not None and after is not None and before == after)


def _open(url: str, course_id: str, *, writing: bool) -> Any:
    """Open a database; for reading, so that it cannot be written even by mistake."""
    sqlite = url.startswith("sqlite:///")
    if sqlite:
        from pathlib import Path

        path = Path(url.removeprefix("sqlite:///").partition("?")[0])
        if not path.is_file():
            raise BatchError(
                f"There is no gradebook {path}. Run nbgrader generate_assignment first, in the "
                "course's folder."
            )
        if not writing:
            from urllib.parse import quote

            return create_engine(f"sqlite:///file:{quote(str(path.resolve()))}?mode=ro&uri=true")
    if not writing:
        engine = create_engine(url)
        if engine.dialect.name == "postgresql":
            return engine.execution_options(postgresql_readonly=True)
        return engine
    # It makes missing tables and the course's row, once for the whole run.
    book = Gradebook(url, course_id)
    book.db.remove()
    return book.engine


def _shown(url: str) -> str:
    """Show an address without its password."""
    from sqlalchemy.engine import make_url

    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "given by CourseDirectory.db_url"


def _why(error: SQLAlchemyError) -> str:
    original = error.orig if isinstance(error, DBAPIError) else None
    return str(original or error).strip().splitlines()[0]
