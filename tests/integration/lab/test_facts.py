"""The facts that lessons teach, asserted at the provider. They hold at a real Logto 1.42, too.

If Logto changes, the test of the lesson that teaches the fact fails, and its id names the lesson.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from saas_app.db.base import utc_now
from saas_app.identity.role_ends import set_end
from saas_app.lab.lessons import LESSONS
from saas_app.lab.robots import build_robot
from saas_app.lab.stage import Stage
from saas_app.lab.values import Place
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Role, permissions_carried_by
from tests.integration.lab.conftest import LearnerInLab

API, ORGANIZATION = Carrier.API_TOKEN, Carrier.ORGANIZATION_TOKEN
NOWHERE = Place("nowhere00000", "Nowhere")


def taught_by(slug: str) -> Any:
    """Mark a test with the lesson that teaches its fact."""
    return pytest.mark.parametrize("lesson", [slug])


@pytest.fixture
async def stage(learner: LearnerInLab, app: Any) -> Any:
    """The stage of a learner, as a lesson gets it."""
    async with learner.on_stage(app) as opened:
        yield opened


def scopes(role: Role, carrier: Carrier) -> set[str]:
    carried = permissions_carried_by(carrier)
    return {permission.value for permission in ROLE_PERMISSIONS[role] if permission in carried}


@taught_by("two-organizations")
async def test_each_organization_has_a_token_with_what_the_role_there_grants(
    stage: Stage, lesson: str
) -> None:
    workshop, studio = (
        (await stage.learner.fetch(stage.workshop, API)).shown,
        (await stage.learner.fetch(stage.studio, API)).shown,
    )

    assert workshop
    assert studio
    assert workshop.claims["sub"] == studio.claims["sub"] == stage.ground.subject
    assert (workshop.claims["organization_id"], studio.claims["organization_id"]) == (
        stage.workshop.id,
        stage.studio.id,
    )
    assert (workshop.scopes, studio.scopes) == (scopes(Role.ADMIN, API), scopes(Role.VIEWER, API))


@taught_by("viewer-and-stranger")
async def test_a_stranger_cannot_tell_an_organization_from_none(stage: Stage, lesson: str) -> None:
    existing = await stage.sam.fetch(stage.studio, ORGANIZATION)
    invented = await stage.sam.fetch(NOWHERE, ORGANIZATION)

    assert existing.token is None
    assert (existing.exchange.status, existing.exchange.answer["error"]) == (403, "access_denied")
    assert (existing.exchange.status, existing.exchange.answer) == (
        invented.exchange.status,
        invented.exchange.answer,
    )


@taught_by("audience-first")
async def test_each_kind_of_token_names_its_audience_and_carries_only_its_own_scopes(
    stage: Stage, lesson: str
) -> None:
    api = (await stage.learner.fetch(stage.workshop, API)).shown
    organization = (await stage.learner.fetch(stage.workshop, ORGANIZATION)).shown

    assert api
    assert organization
    assert api.claims["aud"] == stage.api_resource
    assert organization.claims["aud"] == f"urn:logto:organization:{stage.workshop.id}"
    assert (api.scopes, organization.scopes) == (scopes(Role.ADMIN, API), scopes(Role.ADMIN, ORGANIZATION))


@taught_by("no-organization")
async def test_without_an_organization_the_scopes_of_all_are_added_up(stage: Stage, lesson: str) -> None:
    everywhere = (await stage.learner.fetch(None, API)).shown

    assert everywhere
    assert "organization_id" not in everywhere.claims
    assert everywhere.scopes == scopes(Role.ADMIN, API) | scopes(Role.VIEWER, API)


@taught_by("two-speeds")
async def test_a_promotion_reaches_the_organization_token_first(stage: Stage, lesson: str) -> None:
    await stage.set_role(stage.sam, stage.workshop, Role.VIEWER)
    await stage.sam.sign_in()
    await stage.set_role(stage.sam, stage.workshop, Role.ADMIN)

    organization = await stage.sam.fetch(stage.workshop, ORGANIZATION)
    api = await stage.sam.fetch(stage.workshop, API)
    trip = await stage.sam.round_trip()
    renewed = await stage.sam.fetch(stage.workshop, API)

    assert organization.scopes == scopes(Role.ADMIN, ORGANIZATION)
    assert api.scopes == scopes(Role.VIEWER, API)
    assert renewed.scopes == scopes(Role.ADMIN, API)
    assert trip.was_silent
    assert dict(trip.exchange.form)["grant_type"] == "authorization_code"


@taught_by("issued-tokens-live")
async def test_an_issued_token_stays_valid_and_a_refresh_shows_the_demotion(
    stage: Stage, lesson: str
) -> None:
    await stage.set_role(stage.sam, stage.workshop, Role.EDITOR)
    await stage.sam.sign_in()
    old = (await stage.sam.fetch(stage.workshop, API)).get_token()
    await stage.set_role(stage.sam, stage.workshop, Role.VIEWER)

    claims = await stage.verifier.verify_access_token(old, audience=stage.api_resource)
    fresh = await stage.sam.fetch(stage.workshop, API)

    assert set(claims["scope"].split()) == scopes(Role.EDITOR, API)
    assert fresh.scopes == scopes(Role.VIEWER, API)


@taught_by("ended-role")
async def test_tokens_carry_a_role_that_ended_until_it_is_taken_away(stage: Stage, lesson: str) -> None:
    sam, workshop = stage.sam, stage.workshop
    await stage.management.assign_roles(workshop.id, sam.player.user_id, [Role.EDITOR])
    await sam.sign_in()
    async with stage.systems.work.writing(workshop.id) as db:
        ends_at = utc_now() + timedelta(hours=1)
        await set_end(db, workshop.id, sam.player.user_id, Role.EDITOR, ends_at, stage.ground.subject)

    async with stage.ended(sam, workshop, Role.EDITOR):
        issued = (await sam.fetch(workshop, API)).get_token()
    await stage.take_away(sam, workshop, Role.EDITOR)
    fresh = await sam.fetch(workshop, API)

    claims = await stage.verifier.verify_access_token(issued, audience=stage.api_resource)
    assert set(claims["scope"].split()) == scopes(Role.EDITOR, API)
    assert fresh.scopes == scopes(Role.VIEWER, API)


@taught_by("removal")
async def test_a_removal_ends_the_membership_but_neither_session_nor_grant(stage: Stage, lesson: str) -> None:
    sam = stage.sam
    await sam.sign_in()
    await stage.management.remove_member(stage.workshop.id, sam.player.user_id)

    refused = [await sam.fetch(stage.workshop, carrier) for carrier in Carrier]
    opaque = await sam.fetch(None, None)
    profile = await sam.user_info(opaque.get_token())

    assert [(one.exchange.status, one.exchange.answer["error"]) for one in refused] == [
        (403, "access_denied")
    ] * 2
    assert (profile.status, profile.answer["sub"]) == (200, sam.player.user_id)
    assert (await sam.round_trip()).was_silent


@taught_by("machine-without-scope")
async def test_a_machine_gets_a_token_without_scopes_and_no_error(stage: Stage, lesson: str) -> None:
    robot = await build_robot(stage.management, stage.ground.subject, stage.workshop)

    empty = await stage.fetch_for_machine(robot, stage.workshop, API, ["projects:write"])
    full = await stage.fetch_for_machine(robot, stage.workshop, API, ["projects:read"])

    assert empty.exchange.status == 200
    assert empty.shown
    assert not empty.shown.claims.get("scope")
    assert full.scopes == {"projects:read"}


@taught_by("second-factor")
async def test_a_required_second_factor_is_checked_when_a_token_is_issued(stage: Stage, lesson: str) -> None:
    old = (await stage.kim.fetch(stage.studio, API)).get_token()
    await stage.require_mfa(stage.studio, True)

    claims = await stage.verifier.verify_access_token(old, audience=stage.api_resource)
    refused = await stage.kim.fetch(stage.studio, API)
    elsewhere = await stage.kim.fetch(stage.workshop, API)

    assert claims["organization_id"] == stage.studio.id
    assert (refused.exchange.status, refused.exchange.answer["error"]) == (403, "access_denied")
    assert "MFA" in refused.exchange.answer["error_description"]
    assert elsewhere.token


def test_each_lesson_that_asks_logto_has_its_fact_here() -> None:
    facts = {
        mark.args[1][0]
        for name, test in globals().items()
        if name.startswith("test_")
        for mark in getattr(test, "pytestmark", ())
        if mark.name == "parametrize"
    }
    assert facts == {lesson.slug for lesson in LESSONS if not hasattr(lesson, "flaw")}
