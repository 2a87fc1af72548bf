"""Who learns that a company's provider named somebody else's address: the organization, and nobody else."""

from __future__ import annotations

import pytest

from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory, address_of
from tests.integration.notifications.reading import told
from tests.integration.single_sign_on.company import Company


@pytest.fixture
async def victim(make: Factory, open_browser: OpenBrowser) -> Person:
    """A person who has used Workroom, and has nothing to do with the company."""
    person = await make.person("Victor")
    await open_browser(person)
    return person


async def test_the_audit_log_has_the_reason_and_the_domain_and_nothing_else_of_a_third_person(
    connection_on: Company, victim: Person, open_browser: OpenBrowser
) -> None:
    connection_on.asserts(address_of(victim))

    await connection_on.refusal(await open_browser())

    (event,) = await connection_on.events("sso.refuse")
    assert event.after == {"reason": "the address is outside the domains", "domain": "example.test"}
    assert all(known not in str(vars(event)) for known in (victim.id, victim.username, "Victor"))


async def test_neither_the_admin_nor_the_owner_of_the_account_gets_a_notification(
    connection_on: Company, victim: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    connection_on.asserts(address_of(victim))

    await connection_on.refusal(await open_browser())

    assert await told(runtime, victim.id) == []
    assert await told(runtime, connection_on.admin.id) == []
