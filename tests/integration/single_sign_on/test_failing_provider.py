"""A provider fails in a way that only an admin of the company can fix: the admins see it, once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from local_logto.fakes.openid import FakeOpenId
from sqlalchemy import event
from sqlalchemy.engine import Engine

from saas_app.db.base import utc_now
from saas_app.errors import DatabaseBusy
from saas_app.rbac.permissions import Carrier
from saas_app.runtime import Runtime
from saas_app.single_sign_on.broker import failures
from saas_app.single_sign_on.broker.provider_sign_in import ProviderSignIn
from saas_app.single_sign_on.values import Stage
from tests.clients import FRESH, Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.bearer import PersonClient
from tests.integration.single_sign_on.company import new_company
from tests.integration.single_sign_on.passage import Passage
from tests.integration.single_sign_on.wizard import Wizard

TITLE = "Sign-ins have failed since"
SECRET = "does not accept Workroom’s client ID or client secret"


@pytest.fixture
async def expired(on: Wizard, visitor: Passage) -> Passage:
    """The same way, after a sign-in failed because the client secret had expired at the provider."""
    on.company.provider.client_secret = "the next one"
    await visitor.refusal(await visitor.depart())
    return visitor


@contextmanager
def written_statements() -> Iterator[list[str]]:
    """Yield the statements that change connections."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("UPDATE sso_connections"):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


# What the admins see


async def test_the_page_says_what_fails_and_what_to_do(on: Wizard, expired: Passage) -> None:
    page = await on.text()

    assert TITLE in page
    assert SECRET in page
    assert "Create a new one at your provider" in page
    assert 'href="#client_secret"' in page
    assert "recovery admin, can sign in another way" not in page


async def test_the_settings_say_that_it_fails(on: Wizard, expired: Passage) -> None:
    assert '<span class="badge badge-negative">Failing</span>' in await on.browser.text(
        f"{on.company.root}/settings"
    )


async def test_the_audit_log_says_it_once(on: Wizard, expired: Passage) -> None:
    since = (await on.company.connection()).failing_since
    await expired.refusal(await expired.depart())

    (told,) = await on.company.events("sso.fail")

    assert (told.actor_id, told.target_id) == ("system", expired.connector_id)
    assert told.after == {"reason": "the provider did not accept the client secret"}
    assert (await on.company.connection()).failing_since == since
    audit = await on.browser.text(f"{on.company.root}/audit")
    assert "the provider did not accept the client secret" in audit


async def test_a_sign_in_that_fails_again_writes_nothing(expired: Passage) -> None:
    back = await expired.depart()

    with written_statements() as statements:
        await expired.refusal(back)

    assert statements == []


async def test_two_sign_ins_that_fail_at_once_are_told_once(
    on: Wizard, visitor: Passage, open_browser: OpenBrowser
) -> None:
    other = await Passage.begin(on.company, await open_browser())
    ways = [await visitor.depart(), await other.depart()]
    on.company.provider.client_secret = "the next one"

    await asyncio.gather(visitor.refusal(ways[0]), other.refusal(ways[1]))

    assert len(await on.company.failures_told()) == 1


async def test_another_failure_is_told_too_and_has_lasted_as_long(on: Wizard, expired: Passage) -> None:
    since = (await on.company.connection()).failing_since
    on.company.provider.metadata = {"authorization_endpoint": None}

    await expired.refusal(expired.asked())

    connection = await on.company.connection()
    assert (connection.failing_since, connection.failure) == (since, "metadata")
    assert await on.company.failures_told() == [
        "the provider did not accept the client secret",
        "the provider’s metadata cannot be used",
    ]


async def test_where_it_is_required_the_page_names_the_recovery_admin(
    wizard: Wizard, browser: Browser
) -> None:
    await wizard.company.connect(Stage.REQUIRED)
    wizard.company.provider.metadata = {"authorization_endpoint": None}
    passage = await Passage.begin(wizard.company, browser)
    await passage.refusal(passage.asked())

    page = await wizard.text()

    assert "Ada, the recovery admin, can sign in another way" in page


async def test_programs_read_it(on: Wizard, expired: Passage, as_person: PersonClient) -> None:
    client = await as_person(on.company.admin, on.company.id, Carrier.ORGANIZATION_TOKEN)

    body = await client.json("GET", "/single-sign-on")

    assert body["failure"] == "credentials"
    assert body["failing_since"] is not None


@pytest.mark.parametrize("role", ["editor", "viewer"])
async def test_a_member_who_is_not_an_admin_does_not_see_it(
    on: Wizard, expired: Passage, make: Factory, open_browser: OpenBrowser, as_person: PersonClient, role: str
) -> None:
    member = await make.member(on.company.id, "Vera", role)
    theirs = await open_browser()
    await theirs.sign_in(member, FRESH)
    client = await as_person(member, on.company.id, Carrier.ORGANIZATION_TOKEN)

    page = await theirs.text(on.path, 403)

    assert TITLE not in page
    assert "failure" not in await client.json("GET", "/single-sign-on", expect=403)
    assert TITLE not in await theirs.text(f"{on.company.root}/members")


@pytest.fixture
async def other(
    on: Wizard, make: Factory, open_browser: OpenBrowser, runtime: Runtime, company_provider: FakeOpenId
) -> Wizard:
    """The page of another company, which has a client at the same provider, and the times of the first."""
    company, first = await new_company(make, open_browser, runtime, company_provider), on.company
    await company.connect(Stage.ON)
    times = await first.connection()
    await company.change(on_at=times.on_at, tested_at=times.tested_at)
    await company.browser.sign_in(company.admin, FRESH)
    return Wizard(company, company.browser)


async def test_another_organization_with_the_same_provider_learns_nothing(
    on: Wizard, other: Wizard, expired: Passage
) -> None:
    page = await other.text()

    assert TITLE not in page
    assert await other.company.failure() is None
    assert await other.company.events("sso.fail") == []
    await other.browser.get(on.path, 404)


# It works again


async def test_the_next_sign_in_clears_it(on: Wizard, expired: Passage) -> None:
    await on.company.save_secret()

    await expired.code()

    connection = await on.company.connection()
    assert (connection.failing_since, connection.failure) == (None, None)
    assert TITLE not in await on.text()


async def test_an_answer_that_is_not_believed_clears_it_too(on: Wizard, expired: Passage) -> None:
    """The provider works. What it says is another matter, and the page shows that by itself."""
    await on.company.save_secret()
    on.company.asserts("victor@elsewhere.example")

    await expired.refusal(await expired.depart())

    assert await on.company.failure() is None


async def test_a_test_clears_it(on: Wizard, expired: Passage) -> None:
    await on.company.save_secret()
    on.company.asserts(on.company.address(on.company.admin.username))
    started = await on.browser.get(f"{on.path}/test", 303)

    await on.browser.get(await expired.visit(started.headers["Location"]), 303)

    assert await on.company.failure() is None


async def test_a_new_secret_clears_it(on: Wizard, expired: Passage) -> None:
    await on.send("provider", on.provider())

    assert await on.company.failure() is None
    assert TITLE not in await on.text()


async def test_after_it_worked_it_is_told_again(on: Wizard, expired: Passage) -> None:
    await on.company.save_secret()
    await expired.code()
    on.company.provider.client_secret = "the one after the next"

    await expired.refusal(await expired.depart())

    assert len(await on.company.failures_told()) == 2


async def test_a_sign_in_that_works_writes_nothing(visitor: Passage) -> None:
    with written_statements() as statements:
        await visitor.code()

    assert statements == []


async def test_a_sign_in_under_way_goes_on_while_others_fail(
    on: Wizard, visitor: Passage, open_browser: OpenBrowser
) -> None:
    back, other = await visitor.depart(), await Passage.begin(on.company, await open_browser())
    on.company.provider.metadata = {"authorization_endpoint": None}
    await other.refusal(other.asked())
    on.company.provider.metadata = {}

    await visitor.code(back)


async def test_a_failure_from_before_a_new_secret_does_not_count(
    on: Wizard, visitor: Passage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider can take its time with the answer."""
    come_back = ProviderSignIn.come_back

    async def slowly(provider: ProviderSignIn, *arguments: Any) -> dict[str, Any]:
        try:
            return await come_back(provider, *arguments)
        finally:
            await on.company.change(tested_at=None)  # as a change of the provider does

    back = await visitor.depart()
    on.company.provider.client_secret = "the next one"
    monkeypatch.setattr(ProviderSignIn, "come_back", slowly)

    await visitor.refusal(back)

    assert await on.company.failure() is None


async def test_a_failure_from_before_it_was_turned_on_again_does_not_count(
    on: Wizard, visitor: Passage, monkeypatch: pytest.MonkeyPatch
) -> None:
    depart = ProviderSignIn.depart

    async def slowly(provider: ProviderSignIn, *arguments: Any, **named: Any) -> Any:
        await on.company.change(on_at=utc_now())
        return await depart(provider, *arguments, **named)

    monkeypatch.setattr(ProviderSignIn, "depart", slowly)
    on.company.provider.metadata = {"authorization_endpoint": None}

    await visitor.refusal(visitor.asked())

    assert await on.company.failure() is None


# A database that is busy


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state of providers cannot be written."""

    async def refuse(*_given: Any, **_values: Any) -> bool:
        raise DatabaseBusy

    monkeypatch.setattr(failures, "save_failure", refuse)
    monkeypatch.setattr(failures, "change_connection", refuse)


@pytest.mark.usefixtures("busy")
async def test_the_person_reads_what_failed_also_if_it_cannot_be_noted(on: Wizard, visitor: Passage) -> None:
    on.company.provider.client_secret = "the next one"

    assert "did not accept Workroom’s client ID" in await visitor.refusal(await visitor.depart())


async def test_a_sign_in_succeeds_also_if_it_cannot_be_noted(
    on: Wizard, expired: Passage, request: pytest.FixtureRequest
) -> None:
    await on.company.save_secret()
    request.getfixturevalue("busy")

    await expired.code()
