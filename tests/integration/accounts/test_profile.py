"""Name and picture, changed in Workroom through Logto's Account API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from saas_app.db.base import utc_now
from saas_app.identity.session_access import CachedToken
from saas_app.identity.token_refresh import USERINFO_AUDIENCE
from saas_app.logto import ManagementClient
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.offices import Office

PROFILE = "/account/profile"
PICTURE = "https://pictures.example.com/pia.png?size=200"
SHOWN = f'<img src="{PICTURE}" alt=""'


@pytest.fixture
async def browser(open_browser: OpenBrowser, pia: Person) -> Browser:
    return await open_browser(pia)


@pytest.fixture
async def closed_center(management: ManagementClient) -> AsyncIterator[None]:
    """A Logto that lets nobody edit their name."""
    before = await management.get_account_center()
    await management.open_account_center({**before.fields, "name": "ReadOnly"})
    yield
    await management.open_account_center(before.fields)


async def test_a_changed_profile_is_stored_in_logto(
    browser: Browser, pia: Person, management: ManagementClient
) -> None:
    await browser.post(PROFILE, {"name": "Pia Ray", "picture": PICTURE})

    user = await management.get_user(pia.id)
    assert (user.name, user.avatar) == ("Pia Ray", PICTURE)


async def test_a_changed_profile_appears_at_once_in_other_sessions(
    browser: Browser, pia: Person, open_browser: OpenBrowser
) -> None:
    other = await open_browser(pia)

    await browser.post(PROFILE, {"name": "Pia Ray", "picture": PICTURE})

    page = await other.text("/account/settings")
    assert "Pia Ray" in page
    assert SHOWN in page


async def test_members_see_the_new_name_and_picture(acme: Office) -> None:
    await acme.browser.post(PROFILE, {"name": "Ada Byron", "picture": PICTURE})

    page = await acme.browser.text(f"{acme.root}/members")

    assert "Ada Byron" in page
    assert page.count(SHOWN) == 2  # in the header and in the list


async def test_an_empty_address_removes_the_picture(
    browser: Browser, pia: Person, management: ManagementClient
) -> None:
    await browser.post(PROFILE, {"name": "Pia", "picture": PICTURE})

    await browser.post(PROFILE, {"name": "Pia", "picture": ""})

    assert (await management.get_user(pia.id)).avatar is None
    assert "<img" not in await browser.text("/account")


@pytest.mark.parametrize(
    "picture",
    [
        "https://192.168.1.1/me.png",
        "https://localhost/me.png",
        "http://example.com/me.png",
        "javascript:alert(1)",
        "data:text/html,AAAA",
    ],
)
async def test_an_address_that_is_not_public_is_refused_with_a_message(
    browser: Browser, pia: Person, management: ManagementClient, picture: str
) -> None:
    page = await browser.submit(PROFILE, {"name": "Pia Ray", "picture": picture}, expect=422)

    assert 'id="picture-error"' in page
    assert f'value="{picture}"' in page
    user = await management.get_user(pia.id)
    assert user.avatar is None
    assert user.name != "Pia Ray"


async def test_a_name_is_required(browser: Browser) -> None:
    page = await browser.submit(PROFILE, {"name": "  ", "picture": ""}, expect=422)

    assert "Enter your name." in page


@pytest.mark.usefixtures("closed_center")
async def test_a_logto_that_allows_no_changes_is_explained(browser: Browser) -> None:
    page = await browser.submit(PROFILE, {"name": "Pia Ray", "picture": ""}, expect=409)

    assert "The operator can allow them with 'saas-app provision'" in page


async def test_a_token_that_logto_no_longer_accepts_is_renewed(
    browser: Browser, pia: Person, management: ManagementClient, runtime: Runtime
) -> None:
    access = await runtime.sessions.find_access(browser.session_cookie, None)
    assert access is not None
    unknown = CachedToken(USERINFO_AUDIENCE, utc_now(), utc_now() + timedelta(hours=1))
    await runtime.session_tokens.save_token(access.principal.session_id, "", unknown, "unknown-at-logto")

    await browser.post(PROFILE, {"name": "Pia Ray", "picture": ""})

    assert (await management.get_user(pia.id)).name == "Pia Ray"
