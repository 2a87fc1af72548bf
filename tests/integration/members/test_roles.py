"""Changing roles: what the preview says, what is refused, and that it works at the next request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from saas_app.errors import LogtoUnavailable
from saas_app.logto import ManagementClient, ManagementError
from saas_app.models import ActorType
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.web import context
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.members.conftest import (
    Acme,
    events_of,
    join_as,
    pending_in,
    roles_at_logto,
    roles_form,
    send,
    text_of,
)


@pytest.fixture
async def bob(acme: Acme, make: Factory) -> Person:
    """A viewer at Acme."""
    person = await make.person("Bob")
    await make.join(acme.id, person, Role.VIEWER)
    return person


async def test_preview_says_what_is_gained_and_lost_and_changes_nothing(
    acme: Acme, bob: Person, management: ManagementClient
) -> None:
    form = roles_form(["viewer"], ["editor", "viewer"], step="preview")
    page = await text_of(await send(acme.browser, acme.roles_of(bob), form, 200))
    gains, losses = page.split('id="loses"')
    assert "Bob gains" in gains
    assert "Create and change projects and tasks <code>projects:write</code>" in gains
    assert "No permissions." in losses
    assert await roles_at_logto(management, acme.id, bob) == {"viewer"}

    form = roles_form(["viewer"], [], step="preview")
    page = await text_of(await send(acme.browser, acme.roles_of(bob), form, 200))
    _gains, losses = page.split('id="loses"')
    assert "View projects and their tasks <code>projects:read</code>" in losses
    assert 'value="confirm"' in losses

    form = roles_form(["viewer"], ["viewer"], step="preview")
    page = await text_of(await send(acme.browser, acme.roles_of(bob), form, 200))
    assert "No changes:" in page
    assert 'value="confirm"' not in page


async def test_a_promotion_works_at_the_next_request_in_every_session_without_signing_in_again(
    acme: Acme, bob: Person, open_browser: OpenBrowser
) -> None:
    desk, phone = await open_browser(bob), await open_browser(bob)
    for browser in (desk, phone):
        await browser.get(f"/o/{acme.id}/projects/new", 403)
        await browser.get(f"{acme.members}/{acme.admin.id}/remove", 403)

    await send(acme.browser, acme.roles_of(bob), roles_form(["viewer"], ["admin", "viewer"]))

    for browser in (desk, phone):
        assert (await browser.follow(f"/o/{acme.id}/projects/new")).status_code == 200
        await browser.get(f"{acme.members}/{acme.admin.id}/remove")
        assert "Bob" in await text_of(await browser.get(acme.members))


async def test_a_demotion_is_refused_at_the_next_request_in_every_session(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    dan = await make.person("Dan")
    await make.join(acme.id, dan, Role.ADMIN)
    desk, phone = await open_browser(dan), await open_browser(dan)
    for browser in (desk, phone):
        await browser.get(f"/o/{acme.id}/projects/new")
        await browser.get(acme.roles_of(acme.admin))

    await send(acme.browser, acme.roles_of(dan), roles_form(["admin"], ["viewer"]))

    for browser in (desk, phone):
        await browser.get(f"/o/{acme.id}/projects/new", 403)
        await browser.get(acme.roles_of(acme.admin), 403)
        await browser.get(f"/o/{acme.id}/projects")


async def test_a_change_is_told_in_the_audit_trail_with_both_sides(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    await send(acme.browser, acme.roles_of(bob), roles_form(["viewer"], ["editor", "viewer"]))

    (event,) = await events_of(runtime, acme.id)
    assert (event.action, event.actor_type, event.actor_id) == (
        "member.change-roles",
        ActorType.PERSON,
        acme.admin.id,
    )
    assert (event.target_type, event.target_id, event.target_name) == ("member", bob.id, "Bob")
    assert event.before == {"roles": ["viewer"]}
    assert event.after == {"roles": ["editor", "viewer"]}
    assert event.request_id
    assert await pending_in(runtime, acme.id) == []


async def test_saving_what_holds_already_changes_nothing_and_leaves_no_trace(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    form = roles_form(["viewer"], ["editor"])
    await send(acme.browser, acme.roles_of(bob), form)
    await send(acme.browser, acme.roles_of(bob), form)  # a double click
    assert [event.action for event in await events_of(runtime, acme.id)] == ["member.change-roles"]


async def test_nobody_gives_a_role_that_reaches_further_than_their_own_also_not_by_a_forged_form(
    acme: Acme,
    bob: Person,
    make: Factory,
    open_browser: OpenBrowser,
    management: ManagementClient,
    runtime: Runtime,
    people_manager: str,
) -> None:
    mia = await make.person("Mia")
    await join_as(make, acme.id, mia, people_manager)
    browser = await open_browser(mia)

    page = await text_of(await browser.get(acme.roles_of(bob)))
    admin_option = page.split('name="roles" value="admin"')[1].split("</label>")[0]
    assert "disabled" in admin_option.split(">")[0]
    assert "<code>projects:export</code>" in admin_option

    for role in ("admin", "editor"):
        for step in ("preview", "confirm"):
            forged = roles_form(["viewer"], ["viewer", role], step=step)
            refusal = await text_of(await send(browser, acme.roles_of(bob), forged, 403))
            assert f"The role {role} includes" in refusal
    own = roles_form([people_manager], ["admin"])
    await send(browser, acme.roles_of(mia), own, 403)

    assert await roles_at_logto(management, acme.id, bob) == {"viewer"}
    assert await roles_at_logto(management, acme.id, mia) == {people_manager}
    assert "member.change-roles" not in [event.action for event in await events_of(runtime, acme.id)]


async def test_who_changes_members_may_take_away_a_role_they_could_not_give(
    acme: Acme,
    make: Factory,
    open_browser: OpenBrowser,
    management: ManagementClient,
    people_manager: str,
) -> None:
    mia, eve = await make.person("Mia"), await make.person("Eve")
    await join_as(make, acme.id, mia, people_manager)
    await make.join(acme.id, eve, Role.EDITOR)
    browser = await open_browser(mia)
    assert "remove this role, but not assign it again" in await text_of(await browser.get(acme.roles_of(eve)))

    await send(browser, acme.roles_of(eve), roles_form(["editor"], []))

    assert await roles_at_logto(management, acme.id, eve) == set()


async def test_a_role_made_in_logto_is_shown_and_kept(
    acme: Acme, make: Factory, management: ManagementClient, people_manager: str
) -> None:
    mia = await make.person("Mia")
    await join_as(make, acme.id, mia, people_manager, "viewer")
    page = await text_of(await acme.browser.get(acme.roles_of(mia)))
    assert f">{people_manager}<" in page
    assert f'name="roles" value="{people_manager}"' not in page

    await send(acme.browser, acme.roles_of(mia), roles_form([people_manager, "viewer"], ["editor"]))

    assert await roles_at_logto(management, acme.id, mia) == {people_manager, "editor"}


@pytest.mark.parametrize("name", ["integration", "nonsense", "people-manager", "Admin", ""])
async def test_a_role_that_is_none_for_people_is_refused_at_the_field(
    acme: Acme, bob: Person, management: ManagementClient, name: str
) -> None:
    form = roles_form(["viewer"], ["editor", name])
    page = await text_of(await send(acme.browser, acme.roles_of(bob), form, 422))
    assert "is not a role for people" in page
    assert "checked" in page.split('name="roles" value="editor"')[1].split(">")[0]
    assert await roles_at_logto(management, acme.id, bob) == {"viewer"}


@pytest.mark.parametrize("seen", [None, "viewer"])
async def test_a_form_that_does_not_say_what_it_saw_is_not_understood(
    acme: Acme, bob: Person, management: ManagementClient, seen: str | None
) -> None:
    form = roles_form([], ["editor"])
    form.pop("seen")
    await send(acme.browser, acme.roles_of(bob), form if seen is None else {**form, "seen": seen}, 400)
    assert await roles_at_logto(management, acme.id, bob) == {"viewer"}


async def test_a_change_by_somebody_else_in_between_shows_both_sides(
    acme: Acme, bob: Person, make: Factory, management: ManagementClient
) -> None:
    await make.give_roles(acme.id, bob, Role.EDITOR)

    for step in ("preview", "confirm"):
        form = roles_form(["viewer"], ["admin"], step=step)
        page = await text_of(await send(acme.browser, acme.roles_of(bob), form, 409))
        sides = page.split("<dl")[1].split("</dl>")[0]
        began, theirs, yours = sides.split("<dd>")[1:]
        assert (">viewer<" in began, ">editor<" in theirs, ">admin<" in yours) == (True, True, True)
        assert 'name="seen" value="editor"' in page
        assert 'name="roles" value="admin"' in page
    assert await roles_at_logto(management, acme.id, bob) == {"editor"}

    await send(acme.browser, acme.roles_of(bob), roles_form(["editor"], ["admin"]))
    assert await roles_at_logto(management, acme.id, bob) == {"admin"}


async def test_giving_up_permissions_of_ones_own_has_to_be_said(
    acme: Acme, make: Factory, management: ManagementClient
) -> None:
    await make.join(acme.id, await make.person("Second"), Role.ADMIN)
    own = acme.roles_of(acme.admin)
    form = roles_form(["admin"], ["viewer"])

    asked = await text_of(
        await send(acme.browser, own, roles_form(["admin"], ["viewer"], step="preview"), 200)
    )
    assert "I want to give up some of my permissions" in asked
    refused = await text_of(await send(acme.browser, own, form, 422))
    assert "Confirm this" in refused
    assert await roles_at_logto(management, acme.id, acme.admin) == {"admin"}

    done = await send(acme.browser, own, {**form, "own_loss": "yes"})
    assert await roles_at_logto(management, acme.id, acme.admin) == {"viewer"}
    page = await text_of(await acme.browser.get(done.headers["Location"]))
    assert "Your roles were changed" in page
    await acme.browser.get(acme.members)
    await acme.browser.get(own, 403)


async def test_nobody_of_that_id_and_somebody_of_another_organization_look_alike(
    acme: Acme, make: Factory
) -> None:
    stranger = await make.person("Stranger")
    pages = []
    for user_id in ("unknown", stranger.id):
        path = f"{acme.members}/{user_id}"
        pages.append(await text_of(await acme.browser.get(f"{path}/roles", 404)))
        await send(acme.browser, f"{path}/roles", roles_form([], ["viewer"]), 404)
        await acme.browser.get(f"{path}/remove", 404)
        await acme.browser.post(f"{path}/remove", expect=404)
    assert len(set(pages)) == 1
    assert "Stranger" not in pages[0]


async def test_who_left_while_the_form_was_open_is_told_and_not_brought_back(
    acme: Acme, bob: Person, management: ManagementClient, runtime: Runtime
) -> None:
    await acme.browser.get(acme.roles_of(bob))
    await management.remove_member(acme.id, bob.id)

    page = await text_of(
        await send(acme.browser, acme.roles_of(bob), roles_form(["viewer"], ["editor"]), 404)
    )

    assert "They may have left or been removed" in page
    assert f'href="{acme.members}"' in page
    assert await roles_at_logto(management, acme.id, bob) is None
    assert await events_of(runtime, acme.id) == []


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (LogtoUnavailable("Logto did not respond in time."), 503),
        (ManagementError(429, "request.rate_limited", ""), 429),
        (ManagementError(422, "organization.role_names_not_found", ""), 409),
        (ManagementError(403, "auth.forbidden", ""), 503),
    ],
)
async def test_a_refusal_or_silence_of_logtos_is_a_clear_page_and_no_event(
    acme: Acme,
    bob: Person,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    status: int,
) -> None:
    async def fail(*_: object) -> None:
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(ManagementClient, "replace_roles", fail)
        form = roles_form(["viewer"], ["editor"])
        page = await text_of(await send(acme.browser, acme.roles_of(bob), form, status))
    assert "Traceback" not in page
    assert await events_of(runtime, acme.id) == []
    is_open = isinstance(failure, LogtoUnavailable)  # nobody knows: reconciling asks Logto later
    assert len(await pending_in(runtime, acme.id)) == is_open
    await acme.browser.get(acme.members)


async def test_without_credentials_for_the_management_api_the_page_says_so(
    acme: Acme, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = replace(runtime, settings=runtime.settings.model_copy(update={"management": None}))
    monkeypatch.setattr(context, "runtime", lambda: without)
    page = await text_of(await acme.browser.get(acme.members, 409))
    assert "LOGTO_MANAGEMENT_APP_ID" in page
