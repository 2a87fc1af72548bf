"""The logo and the color of an organization: stored in Logto, and shown wherever the organization is."""

from __future__ import annotations

import time
from typing import Any

import pytest

from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.text.branding import Branding
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.organizations.conftest import Acme
from tests.integration.organizations.settings_pages import hidden_field
from tests.integration.records import events_of

LOGO = "https://logos.example.com/acme.svg"
DARK = "https://logos.example.com/dark.svg"
BRANDED = {"logo": LOGO, "dark_logo": DARK, "color": "#3651C4"}


def path_of(acme: Acme) -> str:
    return f"{acme.settings}/branding"


async def save(acme: Acme, values: dict[str, str], expect: int = 303) -> None:
    await acme.browser.post(path_of(acme), {**values, "seen": await acme.seen(path_of(acme))}, expect)


async def stored_in_logto(acme: Acme) -> tuple[dict[str, Any], dict[str, Any]]:
    found = await acme.management.get_organization(acme.id)
    return dict(found.branding), dict(found.color)


async def stored_here(runtime: Runtime, acme: Acme) -> Branding:
    return (await runtime.directory.list_organizations([acme.id]))[acme.id].branding


async def test_branding_is_stored_in_logto_and_recorded(acme: Acme, runtime: Runtime) -> None:
    await save(acme, BRANDED)

    assert await stored_in_logto(acme) == (
        {"logoUrl": LOGO, "darkLogoUrl": DARK},
        {"primaryColor": "#3651c4"},
    )
    assert await stored_here(runtime, acme) == Branding(LOGO, DARK, "#3651c4")
    (event,) = [e for e in await events_of(runtime, acme.id) if e.action == "organization.rebrand"]
    assert event.before == {"logo": None, "dark_logo": None, "color": None}
    assert event.after == {"logo": LOGO, "dark_logo": DARK, "color": "#3651c4"}
    assert "changed the branding of" in await acme.browser.text(f"{acme.root}/audit")


async def test_what_others_stored_in_logto_stays(acme: Acme) -> None:
    favicon = {"favicon": "https://logos.example.com/icon.png"}
    dark = {"isDarkModeEnabled": True, "darkPrimaryColor": "#8768f8"}
    await acme.management.update_organization(acme.id, branding=favicon, color=dark)

    await save(acme, BRANDED)

    assert await stored_in_logto(acme) == (
        {**favicon, "logoUrl": LOGO, "darkLogoUrl": DARK},
        {**dark, "primaryColor": "#3651c4"},
    )


async def test_empty_fields_remove_the_branding(acme: Acme, runtime: Runtime) -> None:
    await save(acme, BRANDED)

    await save(acme, {})

    assert await stored_in_logto(acme) == ({}, {})
    assert await stored_here(runtime, acme) == Branding()


async def test_saving_unchanged_branding_records_nothing(acme: Acme, runtime: Runtime) -> None:
    await save(acme, {})
    assert await events_of(runtime, acme.id) == []


async def test_branding_changed_elsewhere_meanwhile_is_shown_and_not_overwritten(acme: Acme) -> None:
    form = {**BRANDED, "seen": await acme.seen(path_of(acme))}
    await acme.management.update_organization(acme.id, color={"primaryColor": "#123456"})

    conflict = await acme.browser.submit(path_of(acme), form, 409)

    assert 'value="#123456"' in conflict
    assert 'value="#3651c4" checked' in conflict
    assert f'action="{path_of(acme)}"' in conflict
    assert (await stored_in_logto(acme))[1] == {"primaryColor": "#123456"}
    await acme.browser.post(path_of(acme), {**form, "seen": hidden_field(conflict, "seen", path_of(acme))})
    assert (await stored_in_logto(acme))[1] == {"primaryColor": "#3651c4"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"logo": "javascript:alert(1)"}, "must start with https://"),
        ({"logo": "data:image/svg+xml,%3Csvg/%3E"}, "must start with https://"),
        ({"logo": "http://example.com/a.png"}, "must start with https://"),
        ({"logo": "https://169.254.169.254/latest"}, "in a private network"),
        ({"logo": "https://db.internal/a.png"}, "in a private network"),
        ({"logo": "https://ex\u0430mple.com/a.png"}, "Enter the whole address"),
        ({"logo": "https://example.com/" + "a" * 2048}, "at most 2,048 characters"),
        ({"dark_logo": DARK}, "Enter a logo for light pages too."),
        ({"color": "red"}, "# and six digits"),
        ({"color": "#000}*{x:url(//evil.example)}"}, "# and six digits"),
    ],
)
async def test_unsafe_branding_is_explained_and_not_stored(
    acme: Acme, values: dict[str, str], message: str
) -> None:
    form = {**values, "seen": await acme.seen(path_of(acme))}

    page = await acme.browser.submit(path_of(acme), form, 422)

    assert message in page
    assert next(iter(values.values())) in page
    assert await stored_in_logto(acme) == ({}, {})


async def test_members_without_the_permission_cannot_change_branding(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    editor = await open_browser(await make.member(acme.id, "Eve", Role.EDITOR))

    await editor.post(path_of(acme), BRANDED, 403)

    assert await stored_in_logto(acme) == ({}, {})


async def test_members_see_the_logo_wherever_the_organization_is(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    viewer = await open_browser(await make.member(acme.id, "Vera", Role.VIEWER))
    await save(acme, BRANDED)

    for path in (f"{acme.root}/", f"{acme.root}/members", "/o", "/o/switch", "/search?q=acme"):
        assert f'src="{LOGO}"' in await viewer.text(path), path


async def test_an_invited_person_sees_the_logo_and_the_color(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    erin = await make.person("Erin")
    await save(acme, BRANDED)
    expires_at = int((time.time() + 86_400) * 1000)
    invitation = await acme.management.create_invitation(
        acme.id, address_of(erin), role_ids=[], expires_at=expires_at
    )
    browser = await open_browser(erin)

    offer = await browser.text(f"/invitations/{invitation.id}")

    assert f'src="{LOGO}"' in offer
    assert 'fill="#3651c4"' in offer
    assert f'src="{LOGO}"' in await browser.text("/o")


async def test_signing_in_again_keeps_the_logo(acme: Acme, open_browser: OpenBrowser) -> None:
    await save(acme, BRANDED)

    again = await open_browser(acme.admin)

    assert f'src="{LOGO}"' in await again.text("/o")
