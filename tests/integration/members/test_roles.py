"""Changing roles: the preview, what is refused, and that a change takes effect at the next request."""

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
from tests.integration.members.conftest import Acme, roles_form
from tests.integration.records import events_of, pending_in


@pytest.fixture
async def bob(acme: Acme, make: Factory) -> Person:
    """A viewer of Acme."""
    return await make.member(acme.id, "Bob", Role.VIEWER)


@pytest.fixture
async def mia(acme: Acme, make: Factory, people_manager: str) -> Person:
    """A member of Acme whose only role was made in Logto: it lets her manage members and nothing else."""
    return await make.member(acme.id, "Mia", people_manager)


async def test_the_preview_shows_what_is_gained_and_changes_nothing(acme: Acme, bob: Person) -> None:
    form = roles_form(["viewer"], ["editor", "viewer"], step="preview")

    gains, losses = (await acme.browser.submit(acme.roles_of(bob), form)).split('id="loses"')

    assert "Bob gains" in gains
    assert "Create and change projects and tasks <code>projects:write</code>" in gains
    assert "No permissions." in losses
    assert await acme.roles_at_logto(bob) == {"viewer"}


async def test_the_preview_shows_what_is_lost_and_asks_for_confirmation(acme: Acme, bob: Person) -> None:
    form = roles_form(["viewer"], [], step="preview")

    _gains, losses = (await acme.browser.submit(acme.roles_of(bob), form)).split('id="loses"')

    assert "View projects and their tasks <code>projects:read</code>" in losses
    assert 'value="confirm"' in losses


async def test_a_preview_without_changes_offers_nothing_to_confirm(acme: Acme, bob: Person) -> None:
    page = await acme.browser.submit(acme.roles_of(bob), roles_form(["viewer"], ["viewer"], step="preview"))

    assert "No changes:" in page
    assert 'value="confirm"' not in page


async def test_a_promotion_takes_effect_at_the_next_request_in_every_session(
    acme: Acme, bob: Person, open_browser: OpenBrowser
) -> None:
    desk, phone = await open_browser(bob), await open_browser(bob)
    for browser in (desk, phone):
        await browser.get(f"{acme.root}/projects/new", 403)
        await browser.get(acme.removal_of(acme.admin), 403)

    await acme.browser.post(acme.roles_of(bob), roles_form(["viewer"], ["admin", "viewer"]))

    for browser in (desk, phone):
        assert (await browser.follow(f"{acme.root}/projects/new")).status_code == 200
        await browser.get(acme.removal_of(acme.admin))
        assert "Bob" in await browser.text(acme.members)


async def test_a_demotion_takes_effect_at_the_next_request_in_every_session(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    dan = await make.member(acme.id, "Dan", Role.ADMIN)
    desk, phone = await open_browser(dan), await open_browser(dan)
    for browser in (desk, phone):
        await browser.get(f"{acme.root}/projects/new")
        await browser.get(acme.roles_of(acme.admin))

    await acme.browser.post(acme.roles_of(dan), roles_form(["admin"], ["viewer"]))

    for browser in (desk, phone):
        await browser.get(f"{acme.root}/projects/new", 403)
        await browser.get(acme.roles_of(acme.admin), 403)
        await browser.get(f"{acme.root}/projects")


async def test_a_change_of_roles_is_recorded_with_the_roles_before_and_after(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    await acme.browser.post(acme.roles_of(bob), roles_form(["viewer"], ["editor", "viewer"]))

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


async def test_saving_the_current_roles_changes_and_records_nothing(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    form = roles_form(["viewer"], ["editor"])
    await acme.browser.post(acme.roles_of(bob), form)
    await acme.browser.post(acme.roles_of(bob), form)  # a double click
    assert [event.action for event in await events_of(runtime, acme.id)] == ["member.change-roles"]


async def test_a_role_with_permissions_that_the_caller_lacks_is_disabled_and_explained(
    acme: Acme, bob: Person, mia: Person, open_browser: OpenBrowser
) -> None:
    page = await (await open_browser(mia)).text(acme.roles_of(bob))

    admin_option = page.split('name="roles" value="admin"')[1].split("</label>")[0]
    assert "disabled" in admin_option.split(">")[0]
    assert "<code>projects:export</code>" in admin_option


async def test_a_forged_form_cannot_assign_a_role_with_permissions_that_the_caller_lacks(
    acme: Acme, bob: Person, mia: Person, open_browser: OpenBrowser, runtime: Runtime, people_manager: str
) -> None:
    browser = await open_browser(mia)

    for role in ("admin", "editor"):
        for step in ("preview", "confirm"):
            forged = roles_form(["viewer"], ["viewer", role], step=step)
            assert f"The {role} role includes" in await browser.submit(acme.roles_of(bob), forged, 403)
    await browser.post(acme.roles_of(mia), roles_form([people_manager], ["admin"]), 403)

    assert await acme.roles_at_logto(bob) == {"viewer"}
    assert await acme.roles_at_logto(mia) == {people_manager}
    assert "member.change-roles" not in [event.action for event in await events_of(runtime, acme.id)]


async def test_a_member_may_take_away_a_role_that_they_could_not_assign(
    acme: Acme, mia: Person, make: Factory, open_browser: OpenBrowser
) -> None:
    eve = await make.member(acme.id, "Eve", Role.EDITOR)
    browser = await open_browser(mia)
    assert "remove this role, but not assign it again" in await browser.text(acme.roles_of(eve))

    await browser.post(acme.roles_of(eve), roles_form(["editor"], []))

    assert await acme.roles_at_logto(eve) == set()


async def test_a_role_made_in_logto_is_shown_and_kept(
    acme: Acme, mia: Person, make: Factory, people_manager: str
) -> None:
    await make.give_roles(acme.id, mia, people_manager, "viewer")
    page = await acme.browser.text(acme.roles_of(mia))
    assert f">{people_manager}<" in page
    assert f'name="roles" value="{people_manager}"' not in page

    await acme.browser.post(acme.roles_of(mia), roles_form([people_manager, "viewer"], ["editor"]))

    assert await acme.roles_at_logto(mia) == {people_manager, "editor"}


@pytest.mark.parametrize("name", ["integration", "nonsense", "people-manager", "Admin", ""])
async def test_a_role_that_people_cannot_hold_is_refused_at_the_field(
    acme: Acme, bob: Person, name: str
) -> None:
    form = roles_form(["viewer"], ["editor", name])
    page = await acme.browser.submit(acme.roles_of(bob), form, 422)
    assert "is not a role for people" in page
    assert "checked" in page.split('name="roles" value="editor"')[1].split(">")[0]
    assert await acme.roles_at_logto(bob) == {"viewer"}


@pytest.mark.parametrize("seen", [None, "viewer"])
async def test_a_form_without_the_roles_that_it_showed_is_a_bad_request(
    acme: Acme, bob: Person, seen: str | None
) -> None:
    form = roles_form([], ["editor"])
    form.pop("seen")
    await acme.browser.post(acme.roles_of(bob), form if seen is None else {**form, "seen": seen}, 400)
    assert await acme.roles_at_logto(bob) == {"viewer"}


@pytest.mark.parametrize("step", ["preview", "confirm"])
async def test_a_change_made_by_another_admin_meanwhile_is_shown_beside_ones_own(
    acme: Acme, bob: Person, make: Factory, step: str
) -> None:
    await make.give_roles(acme.id, bob, Role.EDITOR)

    page = await acme.browser.submit(acme.roles_of(bob), roles_form(["viewer"], ["admin"], step=step), 409)

    sides = page.split("<dl")[1].split("</dl>")[0]
    began, theirs, yours = sides.split("<dd>")[1:]
    assert (">viewer<" in began, ">editor<" in theirs, ">admin<" in yours) == (True, True, True)
    assert 'name="seen" value="editor"' in page
    assert 'name="roles" value="admin"' in page
    assert await acme.roles_at_logto(bob) == {"editor"}


async def test_a_change_based_on_the_latest_roles_is_saved(acme: Acme, bob: Person, make: Factory) -> None:
    await make.give_roles(acme.id, bob, Role.EDITOR)

    await acme.browser.post(acme.roles_of(bob), roles_form(["editor"], ["admin"]))

    assert await acme.roles_at_logto(bob) == {"admin"}


@pytest.fixture
async def own_roles(acme: Acme, make: Factory) -> str:
    """The path at which the admin changes their own roles. Another admin stays."""
    await make.member(acme.id, "Second", Role.ADMIN)
    return acme.roles_of(acme.admin)


async def test_the_preview_asks_members_whether_to_give_up_their_own_permissions(
    acme: Acme, own_roles: str
) -> None:
    page = await acme.browser.submit(own_roles, roles_form(["admin"], ["viewer"], step="preview"))

    assert "I want to give up some of my permissions" in page


async def test_giving_up_ones_own_permissions_without_confirmation_is_refused(
    acme: Acme, own_roles: str
) -> None:
    page = await acme.browser.submit(own_roles, roles_form(["admin"], ["viewer"]), 422)

    assert "Confirm this" in page
    assert await acme.roles_at_logto(acme.admin) == {"admin"}


async def test_giving_up_ones_own_permissions_takes_effect_at_once(acme: Acme, own_roles: str) -> None:
    form = roles_form(["admin"], ["viewer"], own_loss="yes")

    done = await acme.browser.post(own_roles, form)

    assert await acme.roles_at_logto(acme.admin) == {"viewer"}
    assert "Your roles were changed" in await acme.browser.text(done.headers["Location"])
    await acme.browser.get(acme.members)
    await acme.browser.get(own_roles, 403)


async def test_an_unknown_person_and_a_member_of_another_organization_look_alike(
    acme: Acme, make: Factory
) -> None:
    stranger = await make.person("Stranger")
    pages = []
    for user_id in ("unknown", stranger.id):
        path = f"{acme.members}/{user_id}"
        pages.append(await acme.browser.text(f"{path}/roles", 404))
        await acme.browser.post(f"{path}/roles", roles_form([], ["viewer"]), 404)
        await acme.browser.get(f"{path}/remove", 404)
        await acme.browser.post(f"{path}/remove", expect=404)
    assert len(set(pages)) == 1
    assert "Stranger" not in pages[0]


async def test_a_member_who_left_while_the_form_was_open_is_not_added_again(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    await acme.browser.get(acme.roles_of(bob))
    await acme.management.remove_member(acme.id, bob.id)

    page = await acme.browser.submit(acme.roles_of(bob), roles_form(["viewer"], ["editor"]), 404)

    assert "They may have left or been removed" in page
    assert f'href="{acme.members}"' in page
    assert await acme.roles_at_logto(bob) is None
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
async def test_when_logto_refuses_or_does_not_respond_a_page_says_so_and_nothing_is_recorded(
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
        page = await acme.browser.submit(acme.roles_of(bob), form, status)
    assert "Traceback" not in page
    assert await events_of(runtime, acme.id) == []
    is_open = isinstance(failure, LogtoUnavailable)  # the outcome is unknown: reconcile asks Logto later
    assert len(await pending_in(runtime, acme.id)) == is_open
    await acme.browser.get(acme.members)


async def test_without_management_api_credentials_the_page_names_the_missing_setting(
    acme: Acme, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = replace(runtime, settings=runtime.settings.model_copy(update={"management": None}))
    monkeypatch.setattr(context, "runtime", lambda: without)
    page = await acme.browser.text(acme.members, 409)
    assert "LOGTO_MANAGEMENT_APP_ID" in page
