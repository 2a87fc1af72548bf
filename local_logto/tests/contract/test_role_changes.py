"""When a change of role affects tokens: at once, or only after another authorization request.

API-resource scopes are frozen in the grant when it is made; organization permissions never are.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from contract.client import LogtoBrowser, decode
from contract.fixtures import LikeRecording, NewBrowser
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.people import Person
from contract.world import World


@dataclass(frozen=True, slots=True)
class Scene:
    """A person who signed in with the role *member* in an organization that only this test uses."""

    oidc: Oidc
    world: World
    workshop: Workshop
    browser: LogtoBrowser
    person: Person
    organization: str
    tokens: Tokens

    async def organization_scopes(self, tokens: Tokens | None = None, organization: str = "") -> set[str]:
        return await self._scopes(tokens, organization_id=organization or self.organization)

    async def api_scopes(self, tokens: Tokens | None = None, organization: str = "") -> set[str]:
        return await self._scopes(
            tokens, organization_id=organization or self.organization, resource=self.world.resource
        )

    async def _scopes(self, tokens: Tokens | None, **form: str) -> set[str]:
        refresh_token = (tokens or self.tokens).refresh_token
        reply = (await self.oidc.refresh(self.world.web, refresh_token, **form)).expect(200)
        scopes = decode(reply.body["access_token"]).scopes
        assert set(reply.body["scope"].split()) == scopes
        return scopes

    async def become(self, *roles: str) -> None:
        await self.workshop.set_roles(self.organization, self.person, *roles)

    async def silent_round_trip(self) -> Tokens:
        return await self.oidc.authorize_again(self.browser, self.world.web, **self.world.everything)


@pytest.fixture
async def scene(oidc: Oidc, world: World, workshop: Workshop, browser: LogtoBrowser) -> Scene:
    person = await workshop.person()
    organization = await workshop.organization()
    await workshop.join(organization, person, world.member)
    tokens = await oidc.sign_in(browser, world.web, person, **world.everything)
    return Scene(oidc, world, workshop, browser, person, organization, tokens)


async def test_member_has_what_the_role_grants(scene: Scene, world: World) -> None:
    assert await scene.organization_scopes() == {world.read_members}
    assert await scene.api_scopes() == {world.read_reports}


async def test_promotion_affects_the_organization_token_at_once(scene: Scene, world: World) -> None:
    await scene.become(world.admin)
    assert await scene.organization_scopes() == world.organization_scopes


async def test_promotion_does_not_affect_the_api_token(scene: Scene, world: World) -> None:
    await scene.become(world.admin)
    assert await scene.api_scopes() == {world.read_reports}


async def test_second_organization_affects_its_organization_token_at_once(
    scene: Scene, world: World, workshop: Workshop
) -> None:
    globex = await workshop.organization()
    await workshop.join(globex, scene.person, world.admin)
    assert await scene.organization_scopes(organization=globex) == world.organization_scopes
    assert await scene.api_scopes(organization=globex) == {world.read_reports}


async def test_promotion_affects_the_api_token_after_a_silent_round_trip(scene: Scene, world: World) -> None:
    await scene.become(world.admin)
    renewed = await scene.silent_round_trip()
    assert await scene.organization_scopes(renewed) == world.organization_scopes
    assert await scene.api_scopes(renewed) == {world.read_reports, world.write_reports}


async def test_old_refresh_token_keeps_the_old_grant_after_the_round_trip(scene: Scene, world: World) -> None:
    await scene.become(world.admin)
    await scene.silent_round_trip()
    assert await scene.organization_scopes() == world.organization_scopes
    assert await scene.api_scopes() == {world.read_reports}


async def test_demotion_affects_both_tokens_at_once(scene: Scene, world: World) -> None:
    await scene.become(world.admin)
    renewed = await scene.silent_round_trip()
    await scene.become(world.member)
    assert await scene.organization_scopes(renewed) == {world.read_members}
    assert await scene.api_scopes(renewed) == {world.read_reports}


async def test_losing_every_role_empties_both_tokens(scene: Scene) -> None:
    await scene.become()
    assert await scene.organization_scopes() == set()
    assert await scene.api_scopes() == set()


@pytest.mark.parametrize("with_resource", [False, True])
async def test_removed_member_is_denied_at_the_next_refresh(
    scene: Scene, world: World, like_recording: LikeRecording, with_resource: bool
) -> None:
    await scene.workshop.leave(scene.organization, scene.person)
    form = {"organization_id": scene.organization}
    if with_resource:
        form["resource"] = world.resource
    reply = await scene.oidc.token(
        world.web, "post", grant_type="refresh_token", refresh_token=scene.tokens.refresh_token, **form
    )
    like_recording("36-error-org-after-removal", reply)


async def test_removed_member_can_still_refresh_for_other_organizations(
    world: World, workshop: Workshop, oidc: Oidc, browser: LogtoBrowser, like_recording: LikeRecording
) -> None:
    everything = await _person_like_alice(workshop)
    staying, leaving = await workshop.organization(), await workshop.organization()
    for organization in (staying, leaving):
        await workshop.join(organization, everything, world.admin)
    tokens = await oidc.sign_in(browser, world.web, everything, **{**world.everything, "nonce": None})
    await workshop.leave(leaving, everything)
    reply = await oidc.renew(tokens)
    like_recording("36-plain-refresh-after-removal", reply)
    assert decode(reply.body["id_token"]).claims["organizations"] == [staying]


async def _person_like_alice(workshop: Workshop) -> Person:
    return await workshop.person(
        name="Alice Probe",
        primaryEmail=workshop.email(),
        primaryPhone=f"1444{int(workshop.tag, 16) % 10**7:07}",
        avatar="https://example.test/a.png",
        profile={"givenName": "Alice", "familyName": "Probe"},
    )


async def test_member_who_came_back_gets_tokens_again(scene: Scene, world: World) -> None:
    await scene.workshop.leave(scene.organization, scene.person)
    await scene.workshop.join(scene.organization, scene.person, world.member)
    assert await scene.organization_scopes() == {world.read_members}


async def test_first_organization_after_sign_in_requires_a_round_trip_for_the_api(
    oidc: Oidc, world: World, workshop: Workshop, browser: LogtoBrowser
) -> None:
    person = await workshop.person()
    tokens = await oidc.sign_in(browser, world.web, person, **world.everything)
    organization = await workshop.organization()
    await workshop.join(organization, person, world.admin)
    scene = Scene(oidc, world, workshop, browser, person, organization, tokens)
    assert await scene.organization_scopes() == world.organization_scopes
    assert await scene.api_scopes() == set()
    renewed = await scene.silent_round_trip()
    assert await scene.api_scopes(renewed) == {world.read_reports, world.write_reports}


async def test_silent_round_trip_asks_the_person_nothing(scene: Scene) -> None:
    renewed = await scene.silent_round_trip()
    assert [hop.status for hop in renewed.callback.hops] == [303, 302, 303]


async def test_sign_in_from_another_browser_uses_the_current_roles(
    scene: Scene, world: World, new_browser: NewBrowser
) -> None:
    await scene.become(world.admin)
    tokens = await scene.oidc.sign_in(new_browser(), world.web, scene.person, **world.everything)
    assert await scene.api_scopes(tokens) == {world.read_reports, world.write_reports}


async def test_permission_removed_from_a_role_is_gone_at_the_next_refresh(
    scene: Scene, workshop: Workshop, api: ManagementApi, world: World
) -> None:
    role = await workshop.role(scope_ids=[world.read_members_id], resource_scope_ids=[world.read_reports_id])
    await scene.become(role)
    assert await scene.organization_scopes() == {world.read_members}
    (await api.put(f"/organization-roles/{role}/scopes", {"organizationScopeIds": []})).expect(204)
    (await api.put(f"/organization-roles/{role}/resource-scopes", {"scopeIds": []})).expect(204)
    assert await scene.organization_scopes() == set()
    assert await scene.api_scopes() == set()


async def test_permission_created_after_sign_in_requires_a_new_request(
    scene: Scene, workshop: Workshop, world: World
) -> None:
    name = f"later:{workshop.tag}"
    role = await workshop.role(scope_ids=[await workshop.organization_scope(name)])
    await scene.become(role)
    assert await scene.organization_scopes() == set()
    asked = {**world.everything, "scope": f"{world.everything['scope']} {name}"}
    renewed = await scene.oidc.authorize_again(scene.browser, world.web, **asked)
    assert await scene.organization_scopes(renewed) == {name}


async def test_roles_in_the_id_token_are_current_at_the_next_refresh(scene: Scene, world: World) -> None:
    await scene.become(world.admin)
    reply = (await scene.oidc.renew(scene.tokens)).expect(200)
    claims = decode(reply.body["id_token"]).claims
    assert claims["organization_roles"] == [f"{scene.organization}:{world.admin_name}"]
