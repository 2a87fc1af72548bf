"""Inviting, listing, sending again and revoking, through a real provider."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest

from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import Permission
from saas_app.runtime import Runtime
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.invitations.conftest import (
    DAY,
    Acme,
    Mailbox,
    address_of,
    changes_of,
    link_of,
    new_acme,
    new_address,
    send,
)
from tests.integration.members.conftest import events_of, join_as, pending_in, text_of


async def test_an_invitation_is_made_sent_with_its_link_and_listed(acme: Acme, mailbox: Mailbox) -> None:
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


async def test_several_addresses_are_invited_one_by_one_and_told_one_by_one(
    acme: Acme, make: Factory, mailbox: Mailbox
) -> None:
    member = await make.person("Mel")
    await join_as(make, acme.id, member, "viewer")
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


async def test_what_was_typed_stays_when_it_is_wrong_and_nothing_is_done(
    acme: Acme, runtime: Runtime
) -> None:
    address = new_address()
    page = await acme.invite(f"{address}\nnonsense", "editor", expect=422)
    assert f"{address}\nnonsense</textarea>" in page
    assert "“nonsense” is not an email address." in page
    assert await acme.management.list_invitations(acme.id) == []
    assert await changes_of(runtime, acme.id) == []


@pytest.mark.parametrize("forged", [["integration"], ["owner"], ["viewer", "owner"], []])
async def test_forged_roles_are_refused(acme: Acme, forged: list[str]) -> None:
    page = await acme.invite(new_address(), *forged, expect=422)
    assert "roles-error" in page
    assert await acme.management.list_invitations(acme.id) == []


@pytest.fixture(scope="session")
async def recruiter(management: ManagementClient, settings: object) -> str:
    """A role somebody made in Logto, unknown to the registry: it invites and sees projects, no more."""
    scopes = {scope.name: scope.id for scope in await management.list_organization_scopes()}
    role = await management.create_organization_role("recruiter", "Invites people", "User")
    wanted = (Permission.MEMBERS_READ, Permission.MEMBERS_INVITE)
    await management.replace_role_scopes(role.id, [scopes[permission.value] for permission in wanted])
    return role.name


async def test_nobody_invites_into_a_role_that_holds_more_than_they_do(
    acme: Acme, make: Factory, open_browser: OpenBrowser, recruiter: str, runtime: Runtime
) -> None:
    person = await make.person("Rae")
    await join_as(make, acme.id, person, recruiter, "viewer")
    browser = await open_browser(person)
    page = await text_of(await browser.follow(f"{acme.root}/new"))
    assert 'value="viewer" checked>' in page
    assert 'value="editor" disabled' in page
    assert (
        "You cannot assign this role. It includes <code>projects:write</code>, which you do not have." in page
    )
    address = new_address()
    refused = await acme.invite(address, "viewer", "editor", expect=403, by=browser)
    assert "The role editor includes projects:write, which you do not have." in refused
    assert "The API-resource token does not include projects:write." in refused
    assert address in refused
    assert await acme.management.list_invitations(acme.id) == []
    assert [event.action for event in await events_of(runtime, acme.id)] == ["access.deny"]
    await acme.invite(address, "viewer", by=browser)
    assert (await acme.found(address)).role_names == {"viewer"}


async def test_the_form_offers_no_role_for_programs(acme: Acme) -> None:
    page = await text_of(await acme.browser.get(f"{acme.root}/new"))
    assert page.count('name="roles"') == 3
    assert "integration" not in page


async def test_invitations_are_listed_by_state_with_their_numbers(acme: Acme) -> None:
    waiting, revoked = new_address(), new_address()
    await acme.invited(waiting)
    taken_back = await acme.invited(revoked)
    await acme.browser.post(f"{acme.root}/{taken_back.id}/revoke")
    pending = await text_of(await acme.browser.get(acme.root))
    assert waiting in pending
    assert f'<div class="row-title">{revoked}' not in pending
    assert 'aria-current="page">Pending <span class="count">1</span>' in pending
    page = await text_of(await acme.browser.get(f"{acme.root}?state=revoked"))
    assert revoked in page
    assert waiting not in page
    assert "No accepted invitations" in await text_of(await acme.browser.get(f"{acme.root}?state=accepted"))
    assert f'value="{link_of(taken_back)}"' not in page
    assert f"/new?address={revoked.replace('@', '%40')}" in page


async def test_a_long_list_is_paged(acme: Acme) -> None:
    made = [await acme.lasting(new_address(), DAY) for _ in range(21)]
    first = await acme.browser.get(acme.root)
    text = await text_of(first)
    shown = [entry for entry in made if link_of(entry) in text]
    assert len(shown) == 20
    (path,) = {part.split('"')[0] for part in text.split('rel="next" href="')[1:]}
    rest = await text_of(await acme.browser.get(f"{acme.root}{path}"))
    assert [entry.id for entry in made if link_of(entry) in rest] == [made[0].id]
    assert "First page" in rest
    await acme.browser.get(f"{acme.root}?after=garbage", 400)


async def test_it_is_sent_again(acme: Acme, mailbox: Mailbox) -> None:
    address = new_address()
    invitation = await acme.invited(address)
    await acme.browser.post(f"{acme.root}/{invitation.id}/resend")
    assert await mailbox.pages_for(address) == [link_of(invitation)] * 2
    assert f"Invitation resent to {address}." in await text_of(await acme.browser.get(acme.root))


async def test_after_ten_messages_the_page_says_why_no_more_is_sent(acme: Acme, mailbox: Mailbox) -> None:
    address = new_address()
    invitation = await acme.invited(address)
    for _ in range(9):
        await acme.browser.post(f"{acme.root}/{invitation.id}/resend")
    refused = await acme.browser.post(f"{acme.root}/{invitation.id}/resend", expect=409)
    assert "how many emails it sends to one address within ten minutes" in await text_of(refused)
    assert len(await mailbox.links_for(address)) == 10


async def test_revoking_asks_first_and_works_once(acme: Acme) -> None:
    address = new_address()
    invitation = await acme.invited(address)
    asked = await text_of(await acme.browser.get(f"{acme.root}/{invitation.id}/revoke"))
    assert f"Revoke the invitation for {address}?" in asked
    assert (await acme.found(address)).status == "Pending"
    await acme.browser.post(f"{acme.root}/{invitation.id}/revoke")
    assert (await acme.found(address)).status == "Revoked"
    for method, path in (("post", "revoke"), ("post", "resend"), ("get", "revoke")):
        answer = await getattr(acme.browser, method)(f"{acme.root}/{invitation.id}/{path}", expect=409)
        assert f"The invitation for {address} is revoked. Nothing was changed." in await text_of(answer)


async def test_an_invitation_of_another_organization_is_not_found(
    acme: Acme, make: Factory, open_browser: OpenBrowser, runtime: Runtime, mailbox: Mailbox
) -> None:
    globex = await new_acme(make, open_browser)
    address = new_address()
    theirs = await globex.invited(address)
    for identifier in (theirs.id, "unknown"):
        for method, path in (("post", "revoke"), ("post", "resend"), ("get", "revoke")):
            answer = await getattr(acme.browser, method)(f"{acme.root}/{identifier}/{path}", expect=404)
            assert "Invitation not found" in await text_of(answer)
    assert (await globex.found(address)).status == "Pending"
    assert len(await mailbox.links_for(address)) == 1
    assert await changes_of(runtime, acme.id) == []


async def test_who_may_not_invite_sees_nothing_of_it(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    editor = await make.person("Eve")
    await join_as(make, acme.id, editor, "editor")
    browser = await open_browser(editor)
    assert "/invitations" not in await text_of(await browser.get(f"/o/{acme.id}/"))
    for path in (acme.root, f"{acme.root}/new"):
        await browser.get(path, 403)
    await send(
        browser, f"{acme.root}/new", {"addresses": new_address(), "roles": ["viewer"], "days": "7"}, 403
    )
    assert await acme.management.list_invitations(acme.id) == []


async def test_every_change_stands_in_the_audit_trail(acme: Acme, runtime: Runtime) -> None:
    address = new_address()
    invitation = await acme.invited(address, "viewer", "editor")
    await acme.browser.post(f"{acme.root}/{invitation.id}/resend")
    await acme.browser.post(f"{acme.root}/{invitation.id}/revoke")
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
