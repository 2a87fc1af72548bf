"""Frozen values of the lab, and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from saas_app.errors import Conflict, Invalid
from saas_app.text.translation import Sentence, _

ROSA: Final = "rosa"
SAM: Final = "sam"
KIM: Final = "kim"

MARK: Final = "workroomLab"
"""The key of our mark in the custom data of organizations and applications at Logto."""

PLAYERS: Final = {ROSA: "Rosa (role-play)", SAM: "Sam (role-play)", KIM: "Kim (role-play)"}
"""The role-play members by their keys, with the names that Logto gets."""


class NotYet(Conflict):
    """A lesson looked before its task was done. The detail says what to do first."""

    code, title = "lab-not-yet", _("Not yet")


class StartedOver(NotYet):
    """The ground no longer matches what the lesson prepared, for example because another lesson used it.

    The lesson prepares it again, and its task has to be done again. The detail says so.
    """

    code, title = "lab-started-over", _("The lesson has started over")


class GroundLost(Conflict):
    """The learner's roles in their practice organizations are not those of the lab any more."""

    code, title = "lab-ground-lost", _("Your practice organizations have changed")


class NoGround(Conflict):
    """The learner has no organizations in the lab, or they are being made or removed."""

    code, title = "lab-no-ground", _("The lab is not set up")


class AlreadyPredicted(Conflict):
    """A prediction is made once, before the reveal."""

    code, title = "lab-already-predicted", _("You have already predicted")


class UnknownAnswer(Invalid):
    """The prediction is none of the lesson's answers."""

    title = _("Choose one of the answers")


@dataclass(frozen=True, slots=True)
class Place:
    """One of a learner's two organizations."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Player:
    """A role-play member. ``secrets`` are the password, cookies at Logto and tokens, decrypted."""

    key: str
    user_id: str
    username: str
    secrets: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The name that Logto and every page show."""
        return PLAYERS[self.key]


@dataclass(frozen=True, slots=True)
class Ground:
    """A learner's ground: ``workshop``, which they run, and ``studio``, where they are a viewer."""

    subject: str
    workshop: Place
    studio: Place
    players: Mapping[str, Player]
    used_at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One lesson of one learner, as stored. See :class:`saas_app.models.LabRun`."""

    lesson: str
    prediction: str | None = None
    predicted_at: datetime | None = None
    class_code: str | None = None
    before: Mapping[str, Any] | None = None
    evidence: Mapping[str, Any] | None = None
    answer: str | None = None
    done_at: datetime | None = None

    @property
    def is_predicted(self) -> bool:
        return self.prediction is not None

    @property
    def is_done(self) -> bool:
        return self.done_at is not None

    @property
    def was_right(self) -> bool:
        """Whether the prediction was the answer that the evidence shows."""
        return self.is_done and self.prediction == self.answer


def workshop_name(learner: str) -> str:
    """Return the name of the organization that a learner runs. Logto stores it, so it is in English."""
    return f"Lab: workshop of {learner}"[:128]


STUDIO_NAME: Final = "Lab: Rosa’s studio"

NOT_SET_UP: Final[Sentence] = _("Set up your practice organizations first. It takes a few seconds.")
