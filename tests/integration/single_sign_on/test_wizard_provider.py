"""An admin enters the identity provider, and the secret of Workroom's client there."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from saas_app.db import keys
from saas_app.models import KeptFormRow
from saas_app.single_sign_on.values import Stage
from tests.conftest import OpenApp
from tests.integration.single_sign_on.wizard import Wizard

SECRET = "a-secret-that-is-typed-once"


# The secret


async def test_the_secret_is_stored_encrypted(begun: Wizard) -> None:
    await begun.send("provider", begun.provider(client_secret=SECRET))

    assert await begun.secret() == SECRET


async def test_the_secret_is_neither_shown_nor_recorded_nor_logged_nor_sent_to_logto(begun: Wizard) -> None:
    with capture_logs() as logs:
        await begun.send("provider", begun.provider(client_secret=SECRET))
        pages = [await begun.text(), await begun.browser.text(f"{begun.company.root}/audit")]

    assert SECRET not in str(pages)
    assert SECRET not in str([(event.before, event.after) for event in await begun.events()])
    assert SECRET not in str(logs)
    assert SECRET not in (await begun.connector()).client_secret


async def test_an_empty_secret_keeps_the_stored_one(begun: Wizard) -> None:
    await begun.send("provider", begun.provider(client_secret=SECRET))

    await begun.send("provider", begun.provider(client_secret="", scopes="groups"))

    assert await begun.secret() == SECRET
    assert (await begun.company.connection()).scopes == "openid profile email groups"


async def test_the_name_alone_is_changed_without_the_secret_also_while_it_is_on(on: Wizard) -> None:
    before = await on.secret()

    await on.send("provider", on.provider(name="Acme Staff", client_secret=""))

    assert (await on.company.connection()).name == "Acme Staff"
    assert await on.shown_name() == "Acme Staff"
    assert await on.secret() == before


@pytest.mark.parametrize("change", ["issuer", "client_id"])
async def test_for_another_provider_or_client_the_secret_has_to_be_entered(
    tested: Wizard, change: str
) -> None:
    """Else whoever cannot know the secret could have it sent to a provider of their choice."""
    before = await tested.company.connection()
    other = {"issuer": f"{tested.company.provider.base_url}/other", "client_id": "another"}[change]

    page = await tested.send("provider", tested.provider(**{change: other}, client_secret=""), 422)

    assert "Enter the secret again: the stored one belongs to another issuer or client ID." in page
    assert await tested.company.connection() == before


async def test_a_new_secret_replaces_the_stored_one(tested: Wizard) -> None:
    await tested.send("provider", tested.provider(client_secret=SECRET))

    assert await tested.secret() == SECRET


async def test_while_it_is_on_the_secret_is_replaced_and_the_page_asks_for_a_test(on: Wizard) -> None:
    await on.send("provider", on.provider(client_secret=SECRET))

    connection = await on.company.connection()
    assert (connection.is_on, connection.tested_at) == (True, None)
    assert (await on.connector()).domains == (on.company.domain,)
    assert "has not been tested since it was last changed" in await on.text()


async def test_the_secret_is_deleted_with_the_connection(on: Wizard) -> None:
    await on.send("remove")

    assert await on.secret() is None


# Forms that are rejected, or that wait


async def test_a_rejected_form_keeps_what_was_typed_but_not_the_secret(begun: Wizard) -> None:
    typed = begun.provider(issuer="http://127.0.0.1:1", client_id="typed-id", client_secret=SECRET)

    page = await begun.send("provider", typed, 422)

    assert "127.0.0.1 could not be reached" in page
    assert 'value="typed-id"' in page
    assert SECRET not in page
    assert (await begun.company.connection()).stage is Stage.CREATED
    assert await begun.secret() is None


async def test_a_form_that_waits_for_a_sign_in_loses_its_secret(begun: Wizard) -> None:
    runtime, admin = begun.company.runtime, begun.company.admin
    begun.browser.session_cookie = "of a session that has ended"
    form = {**begun.provider(client_secret=SECRET), "_owner": runtime.kept_forms.mark(admin.id)}
    answer = await begun.post("provider", form)
    started = await begun.browser.get(answer.headers["Location"], 303)

    page = await begun.browser.text(await begun.browser.come_back(started.headers["Location"], admin))

    assert 'value="Acme Login"' in page
    assert SECRET not in page
    async with runtime.work.reading(key=keys.of_person(admin.id)) as db:
        kept = await db.scalars(sa.select(KeptFormRow.payload).where(KeptFormRow.owner == admin.id))
        assert [SECRET in runtime.vault.open(payload) for payload in kept] == [False]


async def test_a_form_that_has_waited_does_not_keep_the_stored_secret_unnoticed(tested: Wizard) -> None:
    waited = {name: value for name, value in tested.provider().items() if name != "client_secret"}

    page = await tested.send("provider", waited, 422)

    assert "The secret is not kept while you sign in again." in page
    assert (await tested.company.connection()).stage is Stage.TESTED


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", "", "Enter the name that people see."),
        ("issuer", "", "Enter the issuer of your identity provider"),
        ("issuer", "https://login.example.com/?x", "from ? or # on"),
        ("client_id", "", "Enter the client ID."),
        ("client_secret", "  ", "Enter the client secret."),
        ("client_secret", "x" * 513, "Use at most 512 characters."),
        ("scopes", 'groups "quoted"', "Enter scopes with spaces between them"),
        ("name", "x" * 65, "Use at most 64 characters."),
    ],
)
async def test_a_field_is_checked(begun: Wizard, field: str, value: str, problem: str) -> None:
    page = await begun.send("provider", begun.provider(**{field: value}), 422)

    assert problem in page
    assert await begun.actions() == ["sso.create"]


# The provider


async def test_a_provider_in_a_private_network_is_not_called(begun: Wizard, open_app: OpenApp) -> None:
    there = begun.browser.at(await open_app(single_sign_on_private_issuers=False))

    await there.post(f"{begun.path}/provider", begun.provider(issuer="https://127.0.0.1/"), 422)

    assert (await begun.company.connection()).stage is Stage.CREATED


async def test_a_provider_that_publishes_another_issuer_is_refused(begun: Wizard) -> None:
    begun.company.provider.metadata = {"issuer": "https://login.other.example"}

    page = await begun.send("provider", begun.provider(), 422)

    assert "publishes another issuer" in page
    assert (await begun.company.connection()).stage is Stage.CREATED


async def test_a_change_of_the_provider_requires_a_new_test(tested: Wizard) -> None:
    await tested.send("provider", tested.provider(scopes="groups"))

    assert (await tested.company.connection()).stage is Stage.CONFIGURED


async def test_a_refused_change_of_the_provider_keeps_the_test(tested: Wizard) -> None:
    await tested.send("provider", tested.provider(issuer="http://127.0.0.1:1"), 422)

    assert (await tested.company.connection()).stage is Stage.TESTED


@pytest.mark.parametrize("change", ["issuer", "client_id"])
async def test_while_it_is_on_the_provider_stays(on: Wizard, change: str) -> None:
    before = await on.company.connection()

    page = await on.send("provider", on.provider(**{change: "https://login.example.com"}), 422)

    assert "Turn single sign-on off before you change" in page
    assert await on.company.connection() == before


async def test_two_admins_who_enter_it_at_once_leave_one_provider_with_its_secret(begun: Wizard) -> None:
    """The secret of one never belongs to the client of the other."""
    await asyncio.gather(
        *(
            begun.post("provider", begun.provider(client_id=name, client_secret=f"secret of {name}"))
            for name in ("first", "second")
        )
    )

    connection = await begun.company.connection()
    assert await begun.secret() == f"secret of {connection.client_id}"
    assert (await begun.actions()).count("sso.configure") == 2
