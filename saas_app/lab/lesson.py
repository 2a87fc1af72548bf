"""The parts of a lesson. Each lesson is one module in :mod:`saas_app.lab.lessons` that declares them.

A lesson asks a question first. Its learner predicts an answer, which is stored and stays. Then the learner
acts, and the lesson makes real requests. The answer that turns out right follows from what they returned: no
lesson declares it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from zlib import crc32

import saas_app
from saas_app.lab.evidence import Evidence
from saas_app.lab.stage import Stage
from saas_app.text.translation import Sentence

Before: TypeAlias = Mapping[str, Any]
"""What a lesson saw when the prediction was made, as JSON without tokens."""

Prepare: TypeAlias = Callable[[Stage], Awaitable[Before]]
"""Puts the ground into the lesson's starting state, and returns what the lesson compares with later."""

Act: TypeAlias = Callable[[Stage, Before], Awaitable[Evidence]]
"""Makes the requests of the lesson. Raises :class:`saas_app.lab.values.NotYet` if a task is not done."""

_ROOT: Final = Path(saas_app.__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to choose. ``why`` says what is tempting about it, and where it goes wrong or right."""

    key: str
    text: Sentence
    why: Sentence


@dataclass(frozen=True, slots=True)
class Task:
    """Something that the learner does in the product, before the lesson looks.

    ``path`` is where it is done. ``{workshop}`` and ``{studio}`` in it are the ids of the learner's two
    organizations, ``{sam}`` the id of the role-play member Sam.
    """

    text: Sentence
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One lesson: a question, what to do, how the answer is found, and why it is so.

    ``slug`` is its address and its name in the database, so it never changes. ``teaser`` says what the lesson
    is about, without its answer. ``goal`` is what the learner knows afterwards, and is shown afterwards.
    ``minutes`` is how long it takes. ``prepared`` says what the lesson has arranged when the task begins.
    ``act_label`` is the button that makes the requests. ``way`` are the steps from a click to the answer, for
    a picture. ``code`` are the functions that decided, whose source is shown. ``further`` is something to try
    next; ``see_as`` is a path that is worth seeing as somebody else, written like that of a task.
    """

    slug: str
    title: Sentence
    teaser: Sentence
    goal: Sentence
    minutes: int
    story: tuple[Sentence, ...]
    question: Sentence
    answers: tuple[Answer, ...]
    act_label: Sentence
    prepare: Prepare
    act: Act
    why: tuple[Sentence, ...]
    code: tuple[Callable[..., Any], ...]
    tasks: tuple[Task, ...] = ()
    prepared: Sentence | None = None
    way: tuple[Sentence, ...] = ()
    further: Sentence | None = None
    see_as: str = ""

    def answer(self, key: str) -> Answer | None:
        """Return one of the answers, or None for a key that is none."""
        return next((answer for answer in self.answers if answer.key == key), None)

    @property
    def offered(self) -> tuple[Answer, ...]:
        """The answers in the order in which they are offered, which does not follow from the declaration."""
        return tuple(sorted(self.answers, key=lambda one: crc32(f"{self.slug}/{one.key}".encode())))

    @property
    def places(self) -> tuple[CodePlace, ...]:
        """Where the deciding functions stand in the installed version."""
        return tuple(CodePlace.of(function) for function in self.code)


@dataclass(frozen=True, slots=True)
class CodePlace:
    """A function of the installed version: its file, its name, its first line and its source."""

    file: str
    function: str
    line: int
    source: str

    @classmethod
    def of(cls, function: Callable[..., Any]) -> CodePlace:
        """Find a function's place. Decorators are looked through."""
        plain = inspect.unwrap(function)
        lines, first = inspect.getsourcelines(plain)
        file = Path(inspect.getfile(plain)).relative_to(_ROOT).as_posix()
        return cls(file, plain.__qualname__, first, inspect.cleandoc("".join(lines)))
