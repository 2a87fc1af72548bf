"""Sign-ins whose request names an organization: the branding of the pages, and the grant that they end with.

In the recordings, a person is a reader of A and a writer of B. Both roles have one organization permission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from contract.client import LogtoBrowser, Reply
from contract.fixtures import LikeRecording
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc, Tokens
from contract.people import Person
from contract.recordings import load
from contract.second_factors import Settings
from contract.world import (
    ORGANIZATION_ROLES_SCOPE,
    ORGANIZATIONS_RESOURCE,
    ORGANIZATIONS_SCOPE,
    World,
)

UNKNOWN = "nosuchorg000"
LOGO = "https://a.example.test/logo.png"


@dataclass(frozen=True, slots=True)
class Scene:
    """A person who is a reader of A and a writer of B, and no member of ``other``, and their browser."""

    oidc: Oidc
    world: World
    browser: LogtoBrowser
    person: Person
    organizations: Mapping[str, str]

    async def sign_in(self, name: str) -> Tokens:
        """Sign in with a request that names an organization, or none if it is ``plain``."""
        return await self.oidc.sign_in(self.browser, self.world.web, self.person, **self._request(name))

    async def silent_round_trip(self, name: str) -> Tokens:
        return await self.oidc.authorize_again(self.browser, self.world.web, **self._request(name))

    async def token(self, tokens: Tokens, place: str, **form: str) -> Reply:
        return await self.oidc.renew(tokens, organization_id=self.organizations[place], **form)

    async def api_token(self, tokens: Tokens, place: str) -> Reply:
        return await self.token(tokens, place, resource=self.world.resource)

    def _request(self, name: str) -> dict[str, Any]:
        world = self.world
        mine = (world.read_members, world.read_reports, world.write_reports)
        oidc = ("openid", "profile", "offline_access", ORGANIZATIONS_SCOPE, ORGANIZATION_ROLES_SCOPE)
        named = {} if name == "plain" else {"organization_id": self.organizations[name]}
        resources = [world.resource, ORGANIZATIONS_RESOURCE]
        return {"scope": " ".join((*oidc, *mine)), "resource": resources, "nonce": None, **named}

    @property
    def as_recorded(self) -> dict[str, str]:
        world = self.world
        return {
            world.read_reports: "pread:198193",
            world.write_reports: "pwrite:198193",
            world.read_members: "porg:198193",
        }


@pytest.fixture
async def scene(oidc: Oidc, world: World, workshop: Workshop, browser: LogtoBrowser) -> Scene:
    person = await workshop.person()
    a, b, other = [await workshop.organization(name) for name in ("a", "b", "other")]
    await workshop.join(a, person, world.member)
    await workshop.join(b, person, world.admin)
    organizations = {
        **dict.fromkeys(("a", "organization-a"), a),
        **dict.fromkeys(("b", "organization-b"), b),
        "organization-not-a-member": other,
        "organization-unknown": UNKNOWN,
    }
    return Scene(oidc, world, browser, person, organizations)


@pytest.mark.parametrize("place", ["a", "b"])
@pytest.mark.parametrize("grant", ["plain", "organization-a", "organization-b"])
async def test_scopes_are_narrowed_to_the_organization_of_the_request_as_recorded(
    scene: Scene, like_recording: LikeRecording, grant: str, place: str
) -> None:
    tokens = await scene.sign_in(grant)
    like_recording(
        f"340-resource-token-{grant}-{place}", await scene.api_token(tokens, place), scene.as_recorded
    )


@pytest.mark.parametrize("place", ["a", "b"])
@pytest.mark.parametrize("grant", ["organization-not-a-member", "organization-unknown"])
async def test_no_scope_is_left_if_the_person_is_not_a_member_as_recorded(
    scene: Scene, grant: str, place: str
) -> None:
    """The claim is not compared: these recordings come from a build that leaves an empty one out."""
    recorded = load(f"340-resource-token-{grant}-{place}")["response"]["body"]
    reply = (await scene.api_token(await scene.sign_in(grant), place)).expect(200)
    assert reply.body["scope"] == recorded["scope"] == ""
    assert sorted(reply.body) == sorted(recorded)


@pytest.mark.parametrize("place", ["a", "b"])
@pytest.mark.parametrize("grant", ["organization-a", "organization-not-a-member"])
async def test_organization_permissions_are_not_narrowed_as_recorded(
    scene: Scene, like_recording: LikeRecording, grant: str, place: str
) -> None:
    tokens = await scene.sign_in(grant)
    like_recording(
        f"340-organization-token-{grant}-{place}", await scene.token(tokens, place), scene.as_recorded
    )


@pytest.mark.parametrize("place", ["a", "b"])
async def test_silent_round_trip_adds_the_scopes_of_another_organization_as_recorded(
    scene: Scene, like_recording: LikeRecording, place: str
) -> None:
    await scene.sign_in("organization-a")
    reply = await scene.api_token(await scene.silent_round_trip("organization-b"), place)
    like_recording(f"341-resource-token-a-then-b-in-{place}", reply, scene.as_recorded)


async def test_silent_round_trip_without_an_organization_adds_the_scopes_of_all(scene: Scene) -> None:
    await scene.sign_in("organization-not-a-member")
    reply = await scene.api_token(await scene.silent_round_trip("plain"), "b")
    scopes = set(reply.expect(200).body["scope"].split())
    assert scopes == {scene.world.read_reports, scene.world.write_reports}


async def test_refresh_token_from_before_that_round_trip_stays_narrow_as_recorded(
    scene: Scene, like_recording: LikeRecording
) -> None:
    before = await scene.sign_in("organization-a")
    await scene.silent_round_trip("organization-b")
    reply = await scene.api_token(before, "b")
    like_recording("341-old-refresh-token-in-b", reply, scene.as_recorded)


# --- branding


@pytest.fixture
async def as_recorded(settings: Settings) -> None:
    """The settings that somebody had changed in the recorded tenant."""
    recorded = load("343-well-known-sign-in-exp-organization")["response"]["body"]
    await settings(passwordPolicy=recorded["passwordPolicy"], mfa=recorded["mfa"])


@pytest.fixture
async def branded(api: ManagementApi, workshop: Workshop) -> str:
    """An organization with a color, a logo and a style sheet."""
    organization_id = await workshop.organization("branded")
    branding = {
        "color": {"primaryColor": "#ff0000"},
        "branding": {"logoUrl": LOGO},
        "customCss": "body{color:red}",
    }
    (await api.patch(f"/organizations/{organization_id}", branding)).expect(200)
    return organization_id


@pytest.mark.usefixtures("as_recorded")
async def test_settings_for_the_page_have_the_branding_of_the_organization_as_recorded(
    oidc: Oidc, branded: str, like_recording: LikeRecording
) -> None:
    reply = await oidc.send("GET", f"/api/.well-known/sign-in-exp?organizationId={branded}")
    like_recording("343-well-known-sign-in-exp-organization", reply)
    assert reply.body["branding"]["logoUrl"] == LOGO
    assert reply.body["color"]["primaryColor"] == "#ff0000"
    assert reply.body["color"]["darkPrimaryColor"]  # the tenant's
    assert reply.body["customCss"] == "body{color:red}"


@pytest.mark.usefixtures("as_recorded")
async def test_settings_for_the_page_of_an_unknown_organization_are_the_tenants_as_recorded(
    oidc: Oidc, like_recording: LikeRecording
) -> None:
    reply = await oidc.send("GET", f"/api/.well-known/sign-in-exp?organizationId={UNKNOWN}")
    like_recording("343-well-known-sign-in-exp-organization-unknown", reply)
    assert reply.body == (await oidc.send("GET", "/api/.well-known/sign-in-exp")).body


@pytest.mark.parametrize("name", ["organization", "organization-unknown"])
async def test_organization_is_passed_to_the_page_unchecked_as_recorded(
    browser: LogtoBrowser, workshop: Workshop, like_recording: LikeRecording, name: str
) -> None:
    app = await workshop.application()
    named = await workshop.organization() if name == "organization" else UNKNOWN
    asked = {"scope": "openid profile offline_access", "resource": None, "nonce": None}
    reply = await browser.authorize(app, organization_id=named, **asked)
    recorded = {named: UNKNOWN if named == UNKNOWN else "ukycxkj3iiud", app.id: "v2p6aaq2zjwcjbnc58b97"}
    like_recording(f"342-page-{name}", reply, recorded)
