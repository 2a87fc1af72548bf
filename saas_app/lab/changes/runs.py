"""Predictions are stored, and lessons are played.

One request at a time plays in a learner's ground. A prediction is stored once. What a lesson saw is stored
once too: a second tab sees the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.shielding import shielded
from saas_app.errors import NotFound
from saas_app.identity.principal import SessionPrincipal
from saas_app.lab import queries
from saas_app.lab.changes.grounds import alone, get_ground
from saas_app.lab.classes.service import class_of
from saas_app.lab.evidence import Evidence
from saas_app.lab.lesson import Lesson
from saas_app.lab.role_play import RolePlay
from saas_app.lab.stage import Learner, Read, Stage
from saas_app.lab.systems import LabSystems
from saas_app.lab.values import AlreadyPredicted, GroundLost, NotYet, StartedOver, UnknownAnswer
from saas_app.logto import explaining
from saas_app.text.translation import _

_SECONDS_TO_FINISH = 30.0  # after the learner has disconnected


async def predict(
    lab: LabSystems, principal: SessionPrincipal, lesson: Lesson, answer: str, read: Read
) -> None:
    """Store what the learner predicts, after the lesson has put the ground into its starting state.

    It counts in the class that the learner is in. Raises :class:`UnknownAnswer`, :class:`AlreadyPredicted`,
    :class:`NoGround`, :class:`GroundLost`, :class:`Busy`, and :class:`LogtoUnavailable`, after which nothing
    is stored.
    """
    if lesson.answer(answer) is None:
        raise UnknownAnswer(fields={"answer": _("Choose one of the answers.")})
    await shielded(_predict(lab, principal, lesson, answer, read), grace=_SECONDS_TO_FINISH)


async def _predict(
    lab: LabSystems, principal: SessionPrincipal, lesson: Lesson, answer: str, read: Read
) -> None:
    subject = principal.subject
    async with playing(lab, principal, read) as stage:
        async with lab.work.reading(key=keys.of_person(subject)) as db:
            run = await queries.find_run(db, subject, lesson.slug)
        if run is not None and run.is_predicted:
            raise AlreadyPredicted(_("Your prediction stays as it was. Go on with the lesson."))
        before = await lesson.prepare(stage)
        class_code = await class_of(lab.work, subject)
        async with lab.work.writing(key=keys.of_person(subject)) as db:
            await queries.add_prediction(db, subject, lesson.slug, answer, before, class_code)
            await queries.update_ground(db, subject, used_at=utc_now())


async def play(lab: LabSystems, principal: SessionPrincipal, lesson: Lesson, read: Read) -> None:
    """Make the requests of a lesson and store what they returned. A lesson that was played stays as it is.

    Raises :class:`NotYet` before the prediction or before its tasks are done, :class:`StartedOver` if the
    ground had to be prepared again, :class:`NoGround`, :class:`GroundLost`, :class:`Busy` and
    :class:`LogtoUnavailable`, after which the lesson can be played again.
    """
    await shielded(_play(lab, principal, lesson, read), grace=_SECONDS_TO_FINISH)


async def _play(lab: LabSystems, principal: SessionPrincipal, lesson: Lesson, read: Read) -> None:
    subject = principal.subject
    async with playing(lab, principal, read) as stage:
        async with lab.work.reading(key=keys.of_person(subject)) as db:
            run = await queries.find_run(db, subject, lesson.slug)
        if run is None or not run.is_predicted:
            raise NotYet(_("Predict first. Your prediction is what makes the result stick."))
        if run.is_done and Evidence.find(run.evidence) is not None:
            return
        try:
            evidence = await lesson.act(stage, run.before or {})
        except StartedOver:
            before = await lesson.prepare(stage)
            async with lab.work.writing(key=keys.of_person(subject)) as db:
                await queries.replace_before(db, subject, lesson.slug, before)
            raise
        async with lab.work.writing(key=keys.of_person(subject)) as db:
            await queries.save_evidence(db, subject, lesson.slug, evidence.as_json(), evidence.answer)
            await queries.update_ground(db, subject, used_at=utc_now())


async def play_again(lab: LabSystems, principal: SessionPrincipal, lesson: Lesson, read: Read) -> None:
    """Put a lesson that was played back to its task. The prediction stays: the first one is what counts.

    Raises :class:`NoGround`, :class:`GroundLost`, :class:`Busy` and :class:`LogtoUnavailable`, after which
    the result is still there.
    """
    await shielded(_play_again(lab, principal, lesson, read), grace=_SECONDS_TO_FINISH)


async def _play_again(lab: LabSystems, principal: SessionPrincipal, lesson: Lesson, read: Read) -> None:
    subject = principal.subject
    async with playing(lab, principal, read) as stage:
        async with lab.work.reading(key=keys.of_person(subject)) as db:
            run = await queries.find_run(db, subject, lesson.slug)
        if run is None or not run.is_done:
            return
        before = await lesson.prepare(stage)
        async with lab.work.writing(key=keys.of_person(subject)) as db:
            await queries.forget_evidence(db, subject, lesson.slug, before)
            await queries.update_ground(db, subject, used_at=utc_now())


@asynccontextmanager
async def playing(lab: LabSystems, principal: SessionPrincipal, read: Read) -> AsyncIterator[Stage]:
    """Open the learner's ground for one request, with Logto's refusals explained.

    Raises :class:`NoGround`, :class:`GroundLost`, :class:`Busy` and :class:`LogtoUnavailable`.
    """
    async with open_stage(lab, principal, read) as stage:
        try:
            with explaining():
                await stage.require_ground()
                yield stage
        except NotFound:
            raise GroundLost(
                _(
                    "A part of your practice organizations no longer exists at Logto. Reset the lab: it "
                    "deletes them and makes new ones."
                )
            ) from None


@asynccontextmanager
async def open_stage(lab: LabSystems, principal: SessionPrincipal, read: Read) -> AsyncIterator[Stage]:
    """Open the learner's ground for one request at a time. Raises :class:`Busy` and :class:`NoGround`."""
    async with alone(lab, principal.subject):
        ground = await get_ground(lab, principal.subject)
        yield Stage(
            ground=ground,
            learner=Learner(principal, lab.refresher, lab.api_resource),
            systems=lab.systems,
            provider=lab.provider,
            role_play=RolePlay(lab.work, lab.vault, lab.provider, lab.redirect_uri, ground),
            verifier=await lab.provider.verifier(),
            api_resource=lab.api_resource,
            read=read,
        )
