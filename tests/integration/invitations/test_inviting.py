"""Inviting people, listing, resending and revoking invitations, at a real provider."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest

from saas_app.rbac.permissions import Permission
from saas_app.runtime import Runtime
from tests.clients import Browser, text_of
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory, address_of, new_address
from tests.integration.invitations.conftest import (
    DAY,
    Acme,
    link_of,
)
from tests.integration.mail import Mailbox
from tests.integration.records import changes_of, events_of, pending_in


async def test_an_invitation_is_sent_with_its_link_and_listed(acme: Acme, mailbox: Mailbox) -> None:
    address = new_address()
    page = await acme.invite(address, "editor", days="1")
    invitation = await acme.found(address)
    assert f"Invitation sent to {address}." in page
    assert invitation.role_names == {"editor"}
    assert invitation.inviter_id == acme.admin.id
    assert abs(invitation.expires_at / 1000 - time.time() - DAY) < 60
    assert await mailbox.pages_for(address) == [link_of(invitation)]
    assert f'value="{link_of(invitation)}"' in page
    assert "by Ada" in page
    assert "expires <time" in page


async def test_each_of_several_addresses_gets_its_own_result(
    acme: Acme, make: Factory, mailbox: Mailbox
) -> None:
    member = await make.member(acme.id, "Mel", "viewer")
    invited, fresh = new_address(), new_address()
    await acme.invited(invited)
    typed = f"{address_of(member)}, {invited}\n{fresh.upper()}\n{fresh}"
    page = await acme.invite(typed, "viewer", "editor", expect=200)
    assert "Already a member of the organization." in page
    assert "Already invited. The invitation is still pending." in page
    assert page.count("Invitation sent.") == 1
    assert (await acme.found(fresh)).role_names == {"viewer", "editor"}
    assert len(await mailbox.links_for(invited)) == 1
    assert "Some invitations were not sent" not in page


async def test_an_invalid_address_is_explained_and_nobody_is_invited(acme: Acme, runtime: Runtime) -> None:
    address = new_address()
    page = await acme.invite(f"{address}\nnonsense", "editor", expect=422)
    assert f"{address}\nnonsense</textarea>" in page
    assert "“nonsense” is not an email address." in page
    assert await acme.management.list_invitations(acme.id) == []
    assert await changes_of(runtime, acme.id) == []


@pytest.mark.parametrize("forged", [["integration"], ["owner"], ["viewer", "owner"], []])
async def test_roles_that_the_form_does_not_offer_are_rejected(acme: Acme, forged: list[str]) -> None:
    page = await acme.invite(new_address(), *forged, expect=422)
    assert "roles-error" in page
    assert await acme.management.list_invitations(acme.id) == []


@pytest.fixture(scope="session")
async def recruiter(make: Factory) -> str:
    """A role made in Logto, unknown to the registry, that only lets its holder invite people."""
    return await make.role("recruiter", Permission.MEMBERS_READ, Permission.MEMBERS_INVITE)


@pytest.fixture
async def rae(acme: Acme, make: Factory, open_browser: OpenBrowser, recruiter: str) -> Browser:
    """The browser of a member who may invite people and read projects, but not change them."""
    return await open_browser(await make.member(acme.id, "Rae", recruiter, "viewer"))


async def test_a_role_with_permissions_that_the_caller_lacks_is_disabled_and_explained(
    acme: Acme, rae: Browser
) -> None:
    page = await text_of(await rae.follow(f"{acme.invitations}/new"))
    assert 'value="viewer" checked>' in page
    assert 'value="editor" disabled' in page
    why = "You cannot assign this role. It includes <code>projects:write</code>, which you do not have."
    assert why in page


async def test_nobody_invites_with_a_role_whose_permissions_they_lack(
    acme: Acme, rae: Browser, runtime: Runtime
) -> None:
    await rae.follow(acme.invitations)
    address = new_address()

    refused = await acme.invite(address, "viewer", "editor", expect=403, by=rae)

    assert "The editor role includes projects:write, which you do not have." in refused
    assert "The API-resource token does not include projects:write." in refused
    assert address in refused
    assert await acme.management.list_invitations(acme.id) == []
    assert [event.action for event in await events_of(runtime, acme.id)] == ["access.deny"]


async def test_a_member_invites_with_a_role_whose_permissions_they_hold(acme: Acme, rae: Browser) -> None:
    await rae.follow(acme.invitations)
    address = new_address()

    await acme.invite(address, "viewer", by=rae)

    assert (await acme.found(address)).role_names == {"viewer"}


async def test_the_form_offers_no_machine_role(acme: Acme) -> None:
    page = await acme.browser.text(f"{acme.invitations}/new")
    assert page.count('name="roles"') == 3
    assert "integration" not in page


async def test_invitations_are_listed_by_state_with_their_count(acme: Acme) -> None:
    waiting, revoked = new_address(), new_address()
    await acme.invited(waiting)
    revocation = await acme.invited(revoked)
    await acme.browser.post(f"{acme.invitations}/{revocation.id}/revoke")
    pending = await acme.browser.text(acme.invitations)
    assert waiting in pending
    assert f'<div class="row-title">{revoked}' not in pending
    assert 'aria-current="page">Pending <span class="count">1</span>' in pending
    page = await acme.browser.text(f"{acme.invitations}?state=revoked")
    assert revoked in page
    assert waiting not in page
    assert "No accepted invitations" in await acme.browser.text(f"{acme.invitations}?state=accepted")
    assert f'value="{link_of(revocation)}"' not in page
    assert f"/new?address={revoked.replace('@', '%40')}" in page


async def test_a_long_list_is_paged(acme: Acme) -> None:
    made = [await acme.expiring(new_address(), DAY) for _ in range(21)]
    first = await acme.browser.text(acme.invitations)
    assert len([entry for entry in made if link_of(entry) in first]) == 20

    (path,) = {part.split('"')[0] for part in first.split('rel="next" href="')[1:]}
    rest = await acme.browser.text(f"{acme.invitations}{path}")

    assert [entry.id for entry in made if link_of(entry) in rest] == [made[0].id]
    assert "First page" in rest


async def test_a_made_up_cursor_is_a_bad_request(acme: Acme) -> None:
    await acme.browser.get(f"{acme.invitations}?after=garbage", 400)


async def test_an_invitation_can_be_resent(acme: Acme, mailbox: Mailbox) -> None:
    address = new_address()
    invitation = await acme.invited(address)
    await acme.browser.post(f"{acme.invitations}/{invitation.id}/resend")
    assert await mailbox.pages_for(address) == [link_of(invitation)] * 2
    assert f"Invitation resent to {address}." in await acme.browser.text(acme.invitations)


async def test_after_ten_messages_to_one_address_the_page_says_why_no_more_are_sent(
    acme: Acme, mailbox: Mailbox
) -> None:
    address = new_address()
    invitation = await acme.invited(address)
    for _ in range(9):
        await acme.browser.post(f"{acme.invitations}/{invitation.id}/resend")
    refused = await acme.browser.post(f"{acme.invitations}/{invitation.id}/resend", expect=409)
    assert "how many emails it sends to one address within ten minutes" in await text_of(refused)
    assert len(await mailbox.links_for(address)) == 10


async def test_revoking_asks_for_confirmation(acme: Acme) -> None:
    invitation = await acme.invited(new_address())

    page = await acme.browser.text(f"{acme.invitations}/{invitation.id}/revoke")

    assert f"Revoke the invitation for {invitation.invitee}?" in page
    assert (await acme.found(invitation.invitee)).status == "Pending"


async def test_a_revoked_invitation_can_be_neither_revoked_nor_resent(acme: Acme) -> None:
    invitation = await acme.invited(new_address())

    await acme.browser.post(f"{acme.invitations}/{invitation.id}/revoke")

    assert (await acme.found(invitation.invitee)).status == "Revoked"
    for method, path in (("post", "revoke"), ("post", "resend"), ("get", "revoke")):
        answer = await getattr(acme.browser, method)(f"{acme.invitations}/{invitation.id}/{path}", expect=409)
        told = f"The invitation for {invitation.invitee} is revoked. Nothing was changed."
        assert told in await text_of(answer)


async def test_an_invitation_of_another_organization_is_not_found(
    acme: Acme, open_office: OpenOffice, runtime: Runtime, mailbox: Mailbox
) -> None:
    globex = Acme(**vars(await open_office("Globex", admin="Gail")))
    address = new_address()
    theirs = await globex.invited(address)
    for identifier in (theirs.id, "unknown"):
        for method, path in (("post", "revoke"), ("post", "resend"), ("get", "revoke")):
            answer = await getattr(acme.browser, method)(
                f"{acme.invitations}/{identifier}/{path}", expect=404
            )
            assert "Invitation not found" in await text_of(answer)
    assert (await globex.found(address)).status == "Pending"
    assert len(await mailbox.links_for(address)) == 1
    assert await changes_of(runtime, acme.id) == []


async def test_a_member_without_the_permission_cannot_see_or_send_invitations(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.member(acme.id, "Eve", "editor"))
    assert "/invitations" not in await browser.text(f"{acme.root}/")
    for path in (acme.invitations, f"{acme.invitations}/new"):
        await browser.get(path, 403)
    await browser.post(
        f"{acme.invitations}/new", {"addresses": new_address(), "roles": ["viewer"], "days": "7"}, 403
    )
    assert await acme.management.list_invitations(acme.id) == []


async def test_every_change_of_an_invitation_is_recorded(acme: Acme, runtime: Runtime) -> None:
    address = new_address()
    invitation = await acme.invited(address, "viewer", "editor")
    await acme.browser.post(f"{acme.invitations}/{invitation.id}/resend")
    await acme.browser.post(f"{acme.invitations}/{invitation.id}/revoke")
    created, resent, revoked = await changes_of(runtime, acme.id)
    for event in (created, resent, revoked):
        assert (event.actor_id, event.actor_name) == (acme.admin.id, "Ada")
        assert (event.target_type, event.target_id, event.target_name) == ("invitation", address, address)
        assert event.request_id
    assert [event.action for event in (created, resent, revoked)] == [
        "invitation.create",
        "invitation.resend",
        "invitation.revoke",
    ]
    assert created.after is not None
    assert created.after["roles"] == ["editor", "viewer"]
    assert abs(
        created.occurred_at + timedelta(days=7) - datetime.fromisoformat(created.after["expires_at"])
    ) < timedelta(minutes=1)
    assert (revoked.before, revoked.after) == (
        {"state": "pending"},
        {"state": "revoked", "invitation": invitation.id},
    )
    assert await pending_in(runtime, acme.id) == []


@pytest.mark.parametrize(("language", "subject"), [("en", "You are invited to"), ("es", "Te invitan a")])
async def test_an_invitation_is_emailed_in_the_language_of_its_sender(
    acme: Acme, mailbox: Mailbox, language: str, subject: str
) -> None:
    acme.browser.app.set_cookie("127.0.0.1", "workroom_language", language)
    address = new_address()
    invitation = await acme.invited(address)

    await acme.browser.post(f"{acme.invitations}/{invitation.id}/resend")

    resent, sent = await mailbox.subjects_for(address)
    assert (sent.startswith(subject), resent) == (True, sent)
