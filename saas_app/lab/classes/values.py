"""The frozen values that the parts of classes hand to each other, and the errors of classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from saas_app.errors import Invalid, NotFound
from saas_app.lab.classes.codes import shown_code
from saas_app.text.translation import Sentence, _

RETENTION: Final = timedelta(days=90)
"""How long a class is kept after it was started."""

CAPACITY: Final = 300
"""How many learners a class has room for, so that the teacher's page stays small."""


class NoSuchClass(NotFound):
    """The class does not exist, or the caller is not in it. Nobody can tell the two apart."""

    title = _("Class not found")

    def __init__(self) -> None:
        super().__init__(_("This class does not exist, or you are not in it."))


class NotJoined(Invalid):
    """The code that somebody typed does not let them join a class. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class LabClass:
    """A class. ``revealed`` names the lessons that the teacher has opened for discussion."""

    code: str
    title: str
    created_at: datetime
    closed_at: datetime | None
    revealed: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether learners can join, and predictions count."""
        return self.closed_at is None

    @property
    def shown_code(self) -> str:
        """The code as people read it aloud."""
        return shown_code(self.code)

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"/lab/class/{self.shown_code}"


@dataclass(frozen=True, slots=True)
class Seat:
    """A person's place in a class: its teacher, or a learner. ``name`` is what the teacher sees."""

    of: LabClass
    is_teacher: bool
    name: str | None = None


@dataclass(frozen=True, slots=True)
class MyClasses:
    """A person's classes: those that they teach, the newest first, and the one in which they learn."""

    teaching: tuple[LabClass, ...]
    learning: LabClass | None


@dataclass(frozen=True, slots=True)
class Joined:
    """The class that somebody joined. ``left`` is the class in which they were until then.

    ``was_there``: they were in the class already, so nothing has changed.
    """

    to: LabClass
    left: LabClass | None = None
    was_there: bool = False


@dataclass(frozen=True, slots=True)
class LessonInfo:
    """What classes know about a lesson: its title, and the texts of the answers that learners choose from."""

    slug: str
    title: Sentence
    answers: Mapping[str, Sentence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner in a class. ``name`` is None unless the learner lets the teacher see it."""

    subject: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a learner predicted in a lesson. ``answer`` and ``done_at`` are None until they have acted."""

    subject: str
    lesson: str
    choice: str
    predicted_at: datetime
    answer: str | None
    done_at: datetime | None

    @property
    def is_right(self) -> bool | None:
        """Whether the prediction came true, or None until it is known."""
        return None if self.answer is None else self.answer == self.choice


@dataclass(frozen=True, slots=True)
class Records:
    """All that a class has recorded: its learners, and their predictions.

    Predictions of people who have left the class stay. Those people have no name here.
    """

    learners: tuple[Learner, ...]
    predictions: tuple[Prediction, ...]

    @property
    def names(self) -> dict[str, str]:
        """The names of the learners who show theirs, by subject."""
        return {learner.subject: learner.name for learner in self.learners if learner.name is not None}
