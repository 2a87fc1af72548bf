"""A member who was removed or left comes back with a new invitation only, as the pages say."""

from __future__ import annotations

import pytest

from saas_app.audit.recorder import Action
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of, new_address
from tests.integration.faulty_logto import DOWN, Fault, Faulty
from tests.integration.invitations.conftest import Acme
from tests.integration.invitations.test_accepting import accept
from tests.integration.records import actions_of


@pytest.fixture
async def member(acme: Acme, make: Factory, erin: Person) -> Person:
    """A member who joined in another way, with an invitation that they have not accepted."""
    await acme.invited(address_of(erin), "editor")
    await make.join(acme.id, erin, "viewer")
    return erin


@pytest.mark.parametrize("how", ["removed", "left"])
async def test_an_older_invitation_does_not_lead_back(
    acme: Acme, member: Person, open_browser: OpenBrowser, how: str
) -> None:
    invitation = await acme.found(address_of(member))
    browser = await open_browser(member)
    if how == "left":
        await browser.post(f"{acme.root}/leave", {"confirm": "yes"})
    else:
        await acme.browser.post(f"{acme.root}/members/{member.id}/remove")
    assert await acme.roles_at_logto(member) is None

    page = await accept(browser, invitation, 409)

    assert "This invitation has been revoked" in page
    assert await acme.roles_at_logto(member) is None


async def test_a_new_invitation_leads_back(acme: Acme, member: Person, open_browser: OpenBrowser) -> None:
    await acme.browser.post(f"{acme.root}/members/{member.id}/remove")

    invitation = await acme.invited(address_of(member), "editor")

    await accept(await open_browser(member), invitation)
    assert await acme.roles_at_logto(member) == {"editor"}


async def test_the_revocation_is_recorded_and_other_invitations_stay(
    acme: Acme, member: Person, runtime: Runtime
) -> None:
    other = await acme.invited(new_address())

    await acme.browser.post(f"{acme.root}/members/{member.id}/remove")

    assert (await acme.found(other.invitee)).status == "Pending"
    last = (await actions_of(runtime, acme.id))[-2:]
    assert last == [Action.INVITATION_REVOKE.value, Action.MEMBER_REMOVE.value]


async def test_a_member_whose_invitation_cannot_be_revoked_stays(faulty: Faulty, make: Factory) -> None:
    acme, erin = faulty.acme, await make.person("Erin")
    invitation = await acme.invited(address_of(erin))
    await make.join(acme.id, erin, "viewer")
    faulty.gate.fail(Fault("PUT", f"{invitation.id}/status$", **DOWN))

    await acme.browser.post(f"{acme.root}/members/{erin.id}/remove", expect=503)

    assert await acme.roles_at_logto(erin) == {"viewer"}
