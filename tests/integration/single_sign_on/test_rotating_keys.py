"""Keys are rotated without anybody noticing, and what happens if the old one is removed too early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from quart import Quart

from saas_app.config import Settings
from saas_app.identity.vault import Vault
from saas_app.runtime import Runtime
from saas_app.single_sign_on.queries import find_secret
from saas_app.single_sign_on.values import Stage
from tests.clients import Browser
from tests.conftest import OpenBrowser
from tests.integration.single_sign_on.company import Company, SignInThroughCompany
from tests.integration.single_sign_on.upkeep import connect_all, publish, reconcile
from tests.nameserver import FakeNameserver

Restart = Callable[..., Company]


@pytest.fixture
def old(settings: Settings) -> SecretStr:
    """The key of the application before the rotation."""
    (key,) = settings.encryption_keys
    return key


@pytest.fixture
def new() -> SecretStr:
    return SecretStr(Fernet.generate_key().decode())


@pytest.fixture
async def on(company: Company, nameserver: FakeNameserver) -> Company:
    """A company whose connection is on. Its TXT record is published."""
    await connect_all(company, Stage.ON)
    await publish(company, nameserver)
    return company


@pytest.fixture
def restart(on: Company, app: Quart, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Restart:
    """``restart(new, old)``: let the application run with these keys, and return the company there."""

    def restart_with(*keys: SecretStr) -> Company:
        restarted = replace(runtime, vault=Vault(keys))
        monkeypatch.setitem(app.extensions, "workroom", restarted)
        return replace(on, runtime=restarted)

    return restart_with


async def sealed_secret_of(company: Company) -> bytes:
    async with company.runtime.work.reading(company.id) as db:
        found = await find_secret(db)
    assert found is not None
    return found


async def test_people_sign_in_before_what_the_old_key_made_is_renewed(
    restart: Restart, old: SecretStr, new: SecretStr, sign_in_through_company: SignInThroughCompany
) -> None:
    company = restart(new, old)

    await sign_in_through_company(company, company.address("carol"))

    assert await company.account(company.address("carol")) is not None


async def test_reconciling_renews_what_the_old_key_made(
    restart: Restart, old: SecretStr, new: SecretStr
) -> None:
    company = restart(new, old)

    assert await reconcile(company) == [
        "the secret of its single sign-on was encrypted with an older key",
        "the connector of its single sign-on had an older secret or another one in Logto",
    ]

    assert Vault([new]).open(await sealed_secret_of(company)) == company.provider.client_secret
    assert company.runtime.registration.is_ours(await company.connector())
    assert await reconcile(company) == []


async def test_people_sign_in_after_the_old_key_was_removed(
    restart: Restart, old: SecretStr, new: SecretStr, sign_in_through_company: SignInThroughCompany
) -> None:
    await reconcile(restart(new, old))
    company = restart(new)

    await sign_in_through_company(company, company.address("carol"))

    carol = await company.account(company.address("carol"))
    assert carol is not None
    assert await company.sessions_here(carol.id) == [(await company.connection()).connector_id]


async def test_a_key_that_was_removed_too_early_is_explained(
    restart: Restart, new: SecretStr, open_browser: OpenBrowser
) -> None:
    company = restart(new)
    company.asserts()

    page = await company.refusal(await open_browser())

    assert "can no longer read the client secret of your identity provider" in page


@pytest.fixture
async def returning(on: Company, open_browser: OpenBrowser) -> tuple[Browser, str]:
    """A browser that the company's provider has signed in, and the address to which it goes back."""
    on.asserts()
    browser, app_url = await open_browser(), on.runtime.settings.app_url
    departure = await browser.logto.authorize(await on.way(browser), None, app_url)
    at_provider = (await browser.get(departure.removeprefix(app_url), 303)).headers["Location"]
    return browser, (await browser.logto.authorize(at_provider, None, app_url)).removeprefix(app_url)


async def test_a_sign_in_that_began_before_the_key_was_removed_has_expired(
    returning: tuple[Browser, str], restart: Restart, old: SecretStr, new: SecretStr
) -> None:
    browser, way_back = returning
    await reconcile(restart(new, old))
    restart(new)

    page = await browser.text(way_back, 400)

    assert "has already been used, has expired" in page


async def test_a_sign_in_at_logto_that_began_before_the_key_was_removed_has_expired_too(
    on: Company, restart: Restart, new: SecretStr, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()
    callback = await browser.callback(on.admin)
    restart(new)

    page = await browser.text(callback, 400)

    assert "has already been used, has expired" in page


async def test_other_keys_than_those_of_the_application_change_nothing(
    on: Company, restart: Restart, new: SecretStr
) -> None:
    before = (await sealed_secret_of(on), await on.connector(), await on.connection())
    with_other_keys = restart(new)

    news = await reconcile(with_other_keys)

    assert news == [f"{on.id}: its single sign-on"]
    assert (await sealed_secret_of(on), await on.connector(), await on.connection()) == before


async def test_an_admin_who_enters_the_secret_again_makes_up_for_a_lost_key(
    restart: Restart, new: SecretStr, sign_in_through_company: SignInThroughCompany
) -> None:
    company = restart(new)
    await company.save_secret()
    await reconcile(company)

    await sign_in_through_company(company, company.address("carol"))

    assert await company.account(company.address("carol")) is not None
