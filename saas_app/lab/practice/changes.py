"""Learners send requests to the practice service, and try fixes. What they found is stored.

One request at a time plays in a learner's ground, so two tabs do not overwrite each other's progress. If the
service does not answer, nothing is stored and nothing is lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.shielding import shielded
from saas_app.errors import Invalid
from saas_app.identity.principal import SessionPrincipal
from saas_app.lab.changes.runs import playing
from saas_app.lab.classes.service import class_of
from saas_app.lab.practice import queries
from saas_app.lab.practice.client import PracticeClient
from saas_app.lab.practice.declaration import Break
from saas_app.lab.practice.trials import PracticeTrial, new_workspace, run_checks
from saas_app.lab.practice.values import Attempt, BreakRun
from saas_app.lab.practice.wallet import Wallet
from saas_app.lab.queries import update_ground
from saas_app.lab.stage import Read, Stage
from saas_app.lab.systems import LabSystems
from saas_app.lab.values import NotYet
from saas_app.text.translation import _

_SECONDS_TO_FINISH: Final = 30.0  # after the learner has disconnected


@dataclass(frozen=True, slots=True)
class Player:
    """A learner at one lesson, with the practice service."""

    lab: LabSystems
    client: PracticeClient
    principal: SessionPrincipal
    read: Read
    lesson: Break

    @asynccontextmanager
    async def playing(self) -> AsyncIterator[tuple[Stage, BreakRun]]:
        """Open the learner's ground and their progress, alone."""
        async with playing(self.lab, self.principal, self.read) as stage:
            async with self.lab.work.reading(key=keys.of_person(self.principal.subject)) as db:
                run = await queries.find_break_run(db, self.principal.subject, self.lesson.run_name)
            yield stage, run

    async def save(self, run: BreakRun) -> None:
        """Store the learner's progress, and that they use their ground."""
        subject = self.principal.subject
        async with self.lab.work.writing(key=keys.of_person(subject)) as db:
            await queries.save_break_run(db, subject, self.lesson.run_name, run)
            await update_ground(db, subject, used_at=utc_now())


async def send_request(player: Player, attempt: Attempt) -> bool:
    """Send a learner's request, and store its answer. The first one that leaks proves the leak.

    Returns whether the service had lost the learner's workspace and made it again. Raises
    :class:`PracticeUnavailable`, :class:`NotYet`, and what :func:`saas_app.lab.changes.runs.playing` raises.
    """
    return await shielded(_send_request(player, attempt), grace=_SECONDS_TO_FINISH)


async def _send_request(player: Player, attempt: Attempt) -> bool:
    async with player.playing() as (stage, run):
        found = await player.client.find(run.workspace_id)
        workspace = found or await new_workspace(player.client, player.lesson, None, stage)
        trial = PracticeTrial(player.client, workspace, stage, Wallet(stage))
        sent = await trial.attempt(attempt)
        leak = run.leak or (sent if sent.leaks else None)
        await player.save(replace(run, workspace_id=workspace.id, last=sent, leak=leak))
        return found is None and run.workspace_id != ""


async def try_fix(player: Player, name: str) -> bool:
    """Run the hidden checks against a fix, and store their results. Returns whether all passed.

    Raises :class:`Invalid` for an unknown fix, :class:`NotYet` before the leak is proved, and what
    :func:`send_request` raises.
    """
    if player.lesson.find_fix(name) is None:
        raise Invalid(fields={"fix": _("Choose one of the fixes.")})
    return await shielded(_try_fix(player, name), grace=_SECONDS_TO_FINISH)


async def _try_fix(player: Player, name: str) -> bool:
    async with player.playing() as (stage, run):
        if run.leak is None:
            raise NotYet(_("Find the leak first: send a request whose answer you should not get."))
        results = tuple(await run_checks(player.client, player.lesson, name, stage))
        passed, now = all(result.passed for result in results), utc_now()
        run = replace(run, fix=name, results=results)
        if run.first_fix is None:
            class_code = await class_of(player.lab.work, player.principal.subject)
            run = replace(run, first_fix=name, first_fix_at=now, class_code=class_code)
        if passed and not run.is_done:
            run = replace(run, right_fix=name, done_at=now)
        await player.save(run)
        return passed


async def renew_workspace(player: Player) -> None:
    """Give the learner a new workspace, with an empty cache. Their progress stays."""
    await shielded(_renew_workspace(player), grace=_SECONDS_TO_FINISH)


async def _renew_workspace(player: Player) -> None:
    async with player.playing() as (stage, run):
        workspace = await new_workspace(player.client, player.lesson, None, stage)
        if run.workspace_id:
            await player.client.delete(run.workspace_id)
        await player.save(replace(run, workspace_id=workspace.id, last=None))


async def start_again(player: Player) -> None:
    """Delete the learner's progress with this lesson, and their workspace."""
    await shielded(_start_again(player), grace=_SECONDS_TO_FINISH)


async def _start_again(player: Player) -> None:
    subject = player.principal.subject
    async with player.playing() as (_stage, run):
        if run.workspace_id:
            await player.client.delete(run.workspace_id)
        async with player.lab.work.writing(key=keys.of_person(subject)) as db:
            await queries.delete_break_run(db, subject, player.lesson.run_name)
