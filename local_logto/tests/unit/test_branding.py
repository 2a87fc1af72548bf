"""Sign-in pages with the logo and the color of an organization or the tenant, readable in any color."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa

from local_logto.experience.branding import (
    DARK_SURFACE,
    LIGHT_SURFACE,
    contrast,
    readable_on,
    style_sheet,
    text_color_on,
)
from local_logto.management.sign_in_exp import SEED
from local_logto.oidc.tables import interactions
from local_logto.tables import organizations
from unit.experience_app import ExperienceApp
from unit.page_reading import page

LOGO = "https://logos.example.com/acme.svg"
DARK = "https://logos.example.com/dark.svg"


async def name_organization(logto: ExperienceApp, organization_id: str = "acme", **columns: Any) -> None:
    """Store an organization, and name it in the authorization request."""
    params = {**logto.interaction.params, "organization_id": organization_id}
    row = {"id": "acme", "name": "Acme", "branding": {}, "color": {}, "created_at": 0, **columns}
    with logto.store.begin() as connection:
        connection.execute(sa.insert(organizations).values(**row))
        connection.execute(sa.update(interactions).values(params=params))


async def test_page_shows_the_logo_and_the_color_of_the_organization(logto: ExperienceApp) -> None:
    branding, color = {"logoUrl": LOGO, "darkLogoUrl": DARK}, {"primaryColor": "#F00"}
    await name_organization(logto, branding=branding, color=color)

    html = await page(logto, "/sign-in")

    assert f'<img src="{LOGO}" alt="Logo"' in html
    assert f'srcset="{DARK}"' in html
    assert '<link rel="stylesheet" href="/branding/ff0000/ff0000.css">' in html
    assert "style=" not in html


async def test_policy_of_the_page_allows_pictures_from_the_logos_origin_only(logto: ExperienceApp) -> None:
    branding = {"logoUrl": "https://a.example.com;script-src/logo.png", "darkLogoUrl": DARK}
    await name_organization(logto, branding=branding)

    policy = (await logto.browser.get("/sign-in")).headers["Content-Security-Policy"]

    assert "img-src 'self' https://a.example.com%3Bscript-src https://logos.example.com;" in policy


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:image/svg+xml,x", "ftp://a.example/b", "x"])
async def test_address_that_is_not_on_the_web_is_not_shown(logto: ExperienceApp, address: str) -> None:
    await name_organization(logto, branding={"logoUrl": address})
    assert "<img" not in await page(logto, "/sign-in")


async def test_unknown_organization_changes_nothing(logto: ExperienceApp) -> None:
    plain = await page(logto, "/sign-in")
    await name_organization(logto, "nosuchorg000", branding={"logoUrl": LOGO})
    assert await page(logto, "/sign-in") == plain


async def test_branding_that_logto_is_seeded_with_is_not_shown(logto: ExperienceApp) -> None:
    await logto.configure(branding=SEED["branding"], color=SEED["color"])
    html = await page(logto, "/sign-in")
    assert "<picture" not in html
    assert "/branding/" not in html


async def test_branding_of_the_tenant_is_shown_where_the_organization_has_none(logto: ExperienceApp) -> None:
    color = {"primaryColor": "#008000", "isDarkModeEnabled": True, "darkPrimaryColor": "#90EE90"}
    await logto.configure(branding={"logoUrl": LOGO}, color=color)
    await name_organization(logto, color={"primaryColor": "#ff0000"})

    html = await page(logto, "/sign-in")

    assert f'<img src="{LOGO}"' in html
    assert 'href="/branding/ff0000/90ee90.css"' in html


async def test_style_sheet_of_a_color_is_kept_by_browsers(logto: ExperienceApp) -> None:
    response = await logto.browser.get("/branding/ff0000/90ee90.css")
    assert response.headers["Cache-Control"].endswith("immutable")
    assert "--fill: #ff0000;" in await response.get_data(as_text=True)


@pytest.mark.parametrize("color", ["red", "FF0000", "fff", "ff0000;}", "%7D*%7Bcolor:red%7D", "ff0000ff"])
async def test_nothing_but_two_colors_gets_into_a_style_sheet(logto: ExperienceApp, color: str) -> None:
    assert (await logto.browser.get(f"/branding/{color}/000000.css")).status_code == 404
    assert (await logto.browser.get(f"/branding/000000/{color}.css")).status_code == 404


def test_text_is_readable_in_and_on_every_color() -> None:
    steps = range(0, 256, 15)
    for red, green, blue in product(steps, repeat=3):
        color = f"#{red:02x}{green:02x}{blue:02x}"
        assert contrast(color, text_color_on(color)) >= 4.5
        assert contrast(readable_on(LIGHT_SURFACE, color), LIGHT_SURFACE) >= 4.5
        assert contrast(readable_on(DARK_SURFACE, color), DARK_SURFACE) >= 4.5


def test_readable_color_stays_as_it_is() -> None:
    assert readable_on(LIGHT_SURFACE, "#3651c4") == "#3651c4"
    assert "--accent: #3651c4;" in style_sheet("3651c4", "3651c4").splitlines()[0]
