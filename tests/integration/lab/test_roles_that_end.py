"""Roles that end in the lab: the lesson about them, what fails meanwhile, and what is left behind."""

from __future__ import annotations

from datetime import datetime

import pytest
from quart import Quart

from saas_app.audit.recorder import Action
from saas_app.coordination.leases import lease
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import Busy, LogtoUnavailable
from saas_app.identity.credentials.bearer_token import TokenCaller
from saas_app.identity.tenant import Tenant
from saas_app.lab.evidence import Evidence
from saas_app.lab.lesson import Lesson
from saas_app.lab.lessons import ended_role, find_lesson
from saas_app.lab.values import SAM, NotYet
from saas_app.members.role_endings import RoleEndWorker
from saas_app.organizations.removal import remove_pending
from saas_app.rbac.permissions import Permission, Role
from tests.clients import Person
from tests.integration.ending import PAST, ends_of, set_end
from tests.integration.faulty_logto import DOWN, LOST, Fault, Gate
from tests.integration.lab.conftest import LearnerInLab, NewLearner, path_of
from tests.integration.lab.tasks import ANSWERS, do_tasks, give_sam, play
from tests.integration.records import changes_of

RUN_WORKER = RoleEndWorker.running  # the fixture `stopped_job` replaces it
EDITOR, VIEWER = Role.EDITOR.value, Role.VIEWER.value


def lesson_of(slug: str) -> Lesson:
    found = find_lesson(slug)
    assert found
    return found


ENDED, LIVE = lesson_of("ended-role"), lesson_of("issued-tokens-live")
RIGHT = ANSWERS[ENDED.slug]


async def sam_of(learner: LearnerInLab) -> Person:
    sam = (await learner.ground()).players[SAM]
    return Person(sam.user_id, sam.username, password="")


async def ends_of_sam(learner: LearnerInLab) -> dict[str, datetime]:
    return await ends_of(learner.runtime, (await learner.ground()).workshop.id, await sam_of(learner))


async def roles_of_sam(learner: LearnerInLab) -> frozenset[str] | None:
    workshop, sam = (await learner.ground()).workshop, await sam_of(learner)
    return await learner.lab.management.find_member_roles(workshop.id, sam.id)


async def evidence_of(learner: LearnerInLab) -> Evidence:
    return Evidence.from_json((await learner.run_of(ENDED)).evidence or {})


async def test_logto_signs_what_the_role_grants_until_it_is_taken_away(learner: LearnerInLab) -> None:
    await play(learner, ENDED, RIGHT)

    (pair,) = (await evidence_of(learner)).comparisons
    assert pair.left.token
    assert pair.right.token
    assert Permission.PROJECTS_WRITE in pair.left.token.scopes
    assert Permission.PROJECTS_WRITE not in pair.right.token.scopes
    assert await roles_of_sam(learner) == {VIEWER}


async def test_the_steps_that_are_shown_are_those_of_workrooms_answer(learner: LearnerInLab) -> None:
    await play(learner, ENDED, RIGHT)

    evidence = await evidence_of(learner)
    (sent,), decision = evidence.requests, evidence.decisions[1].decision
    explanations = [step["explanation"] for step in sent.answer["decision"]["steps"]]
    assert [step.explanation for step in decision.steps[1:]] == explanations[
        1:
    ]  # the first names Sam by the id
    assert sent.reason == "The editor role, which grants projects:write, has ended."


async def test_the_result_says_what_logto_had_before_and_after_the_job(learner: LearnerInLab) -> None:
    await play(learner, ENDED, RIGHT)

    page = await learner.browser.text(path_of(ENDED))
    assert "Logto had Sam as editor and viewer." in page
    assert "Logto has Sam as viewer." in page
    assert "the first token works for another 59 minutes." in page


async def test_the_verdict_follows_from_what_workroom_answers(
    learner: LearnerInLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Workroom that forgot the ends of roles would accept the token, and the lesson would say so."""
    get_tenant = TokenCaller.get_tenant

    async def forget_ends(self: TokenCaller, organization_id: str, *given: object, **how: object) -> Tenant:
        self.access.role_ends.clear()  # type: ignore[attr-defined]
        return await get_tenant(self, organization_id)

    monkeypatch.setattr(TokenCaller, "get_tenant", forget_ends)

    await play(learner, ENDED, RIGHT)

    assert (await learner.run_of(ENDED)).answer == "both"


async def test_the_job_that_runs_meanwhile_does_not_change_the_evidence(
    learner: LearnerInLab, work: UnitOfWork
) -> None:
    worker = RoleEndWorker(learner.lab.systems, work, interval=0.01)

    async with RUN_WORKER(worker):
        await play(learner, ENDED, RIGHT)

    evidence = await evidence_of(learner)
    assert evidence.answer == RIGHT
    assert "Logto had Sam as editor and viewer." in evidence.remarks[0]


async def test_nobody_takes_the_role_away_while_the_lesson_looks(
    learner: LearnerInLab, app: Quart, work: UnitOfWork
) -> None:
    await do_tasks(learner, ENDED)
    async with learner.on_stage(app) as stage, stage.ended(stage.sam, stage.workshop, Role.EDITOR):
        with pytest.raises(Busy):
            async with lease(work, f"organization:{stage.workshop.id}", seconds=0):
                pass


async def test_the_audit_log_of_the_workshop_has_each_step(learner: LearnerInLab) -> None:
    await play(learner, ENDED, RIGHT)

    workshop = (await learner.ground()).workshop
    actions = [event.action for event in await changes_of(learner.runtime, workshop.id)]
    assert actions[-3:] == [
        Action.MEMBER_CHANGE_ROLES,
        Action.MEMBER_SET_ROLE_END,
        Action.MEMBER_END_ROLE,
    ]


async def test_no_end_is_left_when_the_lesson_ends(learner: LearnerInLab) -> None:
    await play(learner, ENDED, RIGHT)

    assert await ends_of_sam(learner) == {}


async def test_a_role_without_an_end_starts_the_lesson_over(learner: LearnerInLab) -> None:
    await learner.predict(ENDED, RIGHT)
    await give_sam(learner, EDITOR, VIEWER)

    assert "Sam’s role editor had no end" in await learner.act(ENDED, expect=409)

    assert await roles_of_sam(learner) == {VIEWER}
    await do_tasks(learner, ENDED)
    await learner.act(ENDED)
    assert (await learner.run_of(ENDED)).was_right


async def test_another_role_that_allows_writing_has_to_go_first(learner: LearnerInLab) -> None:
    await learner.predict(ENDED, RIGHT)
    await give_sam(learner, EDITOR, Role.ADMIN, duration="hour")

    assert "Sam has another role in your workshop" in await learner.act(ENDED, expect=409)

    await give_sam(learner, EDITOR)
    await learner.act(ENDED)
    assert (await learner.run_of(ENDED)).was_right


async def test_a_role_that_ended_before_the_look_has_to_be_given_again(learner: LearnerInLab) -> None:
    await learner.predict(ENDED, RIGHT)
    await do_tasks(learner, ENDED)
    workshop = (await learner.ground()).workshop
    await set_end(learner.runtime, workshop.id, await sam_of(learner), EDITOR, PAST)

    assert "Sam is not an editor of your workshop" in await learner.act(ENDED, expect=409)

    assert (await ends_of_sam(learner), await roles_of_sam(learner)) == ({}, {VIEWER})
    await do_tasks(learner, ENDED)
    await learner.act(ENDED)
    assert (await learner.run_of(ENDED)).was_right


@pytest.mark.parametrize("how", [DOWN, LOST], ids=["refused", "response-lost"])
async def test_a_look_that_cannot_take_the_role_away_can_be_repeated(
    new_learner: NewLearner, faulty_app: Quart, gate: Gate, how: dict[str, object]
) -> None:
    learner = await new_learner(at=faulty_app)
    await learner.predict(ENDED, RIGHT)
    await do_tasks(learner, ENDED)
    gate.fail(Fault("DELETE", "/roles/", **how))  # type: ignore[arg-type]
    await learner.act(ENDED, expect=503)
    assert not (await learner.run_of(ENDED)).is_done

    gate.fail()
    assert "Sam is not an editor of your workshop" in await learner.act(ENDED, expect=409)

    await do_tasks(learner, ENDED)
    await learner.act(ENDED)
    assert (await learner.run_of(ENDED)).was_right


async def test_a_look_that_fails_after_the_end_can_be_repeated(
    learner: LearnerInLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_given: object) -> None:
        raise LogtoUnavailable

    await learner.predict(ENDED, RIGHT)
    await do_tasks(learner, ENDED)
    with monkeypatch.context() as broken:
        broken.setattr(ended_role, "decide_by_token_alone", fail)
        await learner.act(ENDED, expect=503)

    await learner.act(ENDED, expect=409)

    await do_tasks(learner, ENDED)
    await learner.act(ENDED)
    assert (await learner.run_of(ENDED)).was_right


async def test_a_role_without_an_end_cannot_be_ended(learner: LearnerInLab, app: Quart) -> None:
    async with learner.on_stage(app) as stage:
        with pytest.raises(NotYet, match="has just changed"):
            async with stage.ended(stage.sam, stage.workshop, Role.EDITOR):
                pass


async def test_another_lesson_gives_the_same_role_without_the_end(learner: LearnerInLab) -> None:
    await give_sam(learner, EDITOR, duration="hour")

    await learner.predict(LIVE, ANSWERS[LIVE.slug])

    assert (await ends_of_sam(learner), await roles_of_sam(learner)) == ({}, {EDITOR})


async def test_another_lesson_deletes_the_ends_of_roles_that_it_takes_away(learner: LearnerInLab) -> None:
    await give_sam(learner, EDITOR, VIEWER, duration="hour")

    await learner.predict(ENDED, RIGHT)

    assert (await ends_of_sam(learner), await roles_of_sam(learner)) == ({}, {VIEWER})


async def test_a_reset_deletes_the_ends_of_roles(learner: LearnerInLab) -> None:
    await learner.predict(ENDED, RIGHT)
    await do_tasks(learner, ENDED)
    workshop, sam = (await learner.ground()).workshop, await sam_of(learner)
    assert await ends_of(learner.runtime, workshop.id, sam)

    await learner.browser.post("/lab/reset")
    await remove_pending(learner.runtime.jobs, learner.runtime.management)

    assert await ends_of(learner.runtime, workshop.id, sam) == {}
