"""Organizations that people join through their company's connector, and the webhooks that are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from local_logto.management.tables import organization_jit_roles, organization_jit_sso_connectors
from local_logto.store import now_ms
from local_logto.tables import (
    organization_roles,
    organization_user_roles,
    organization_users,
    organizations,
)
from unit.company_app import CONNECTOR, MARIA, CompanyApp, company_app
from unit.social_app import is_signed_in
from unit.webhook_listener import Listener

ACME, DEFAULT, OWN = "acme00000001", "default-role", "own-role"
JOINED = "Organization.Membership.Updated"
EVENTS = ("PostSignIn", "PostRegister", "User.Data.Updated", JOINED)


@pytest.fixture
async def app(tmp_path: Path, listener: Listener) -> AsyncIterator[CompanyApp]:
    """The sign-in pages with an organization that people of the company join, with a default role."""
    async with company_app(tmp_path) as running:
        with running.logto.store.begin() as connection:
            values = {"id": ACME, "name": "Acme", "created_at": now_ms()}
            connection.execute(organizations.insert().values(**values))
            for role_id in (DEFAULT, OWN):
                role = {"id": role_id, "name": role_id, "type": "User"}
                connection.execute(organization_roles.insert().values(**role))
            in_acme = {"organization_id": ACME}
            connection.execute(
                organization_jit_sso_connectors.insert().values(**in_acme, sso_connector_id=CONNECTOR)
            )
            connection.execute(
                organization_jit_roles.insert().values(**in_acme, organization_role_id=DEFAULT)
            )
        await listener.register(
            running.logto.store, "PostSignIn", "PostRegister", "User.Data.Updated", JOINED
        )
        yield running


def roles_in_acme(app: CompanyApp, user_id: str) -> set[str]:
    roles = organization_user_roles.c
    query = sa.select(roles.organization_role_id).where(roles.user_id == user_id)
    with app.logto.store.begin() as connection:
        return set(connection.execute(query).scalars())


async def test_new_person_joins_with_the_default_role(app: CompanyApp, listener: Listener) -> None:
    assert is_signed_in(await app.round_trip())
    maria = (await app.signed_in())["id"]
    assert roles_in_acme(app, maria) == {DEFAULT}
    bodies = await listener.receive_all("PostRegister", JOINED)
    assert (bodies[JOINED]["organizationId"], bodies[JOINED]["addedUserIds"]) == (ACME, [maria])


async def test_linked_person_joins_with_the_default_role(app: CompanyApp, listener: Listener) -> None:
    maria = await app.logto.add_user("maria", primary_email=MARIA.claims["email"])
    assert is_signed_in(await app.round_trip())
    assert roles_in_acme(app, maria) == {DEFAULT}
    bodies = await listener.receive_all("PostSignIn", "User.Data.Updated", JOINED)
    assert bodies[JOINED]["addedUserIds"] == [maria]


async def test_member_who_is_linked_gets_the_default_role_in_addition(
    app: CompanyApp, listener: Listener
) -> None:
    maria = await app.logto.add_user("maria", primary_email=MARIA.claims["email"])
    with app.logto.store.begin() as connection:
        member = {"organization_id": ACME, "user_id": maria}
        connection.execute(organization_users.insert().values(**member))
        connection.execute(organization_user_roles.insert().values(**member, organization_role_id=OWN))
    assert is_signed_in(await app.round_trip())
    assert roles_in_acme(app, maria) == {DEFAULT, OWN}
    await listener.receive_all("PostSignIn", "User.Data.Updated")
    assert listener.deliveries.empty()


async def test_person_who_was_linked_before_does_not_join(app: CompanyApp, listener: Listener) -> None:
    maria = await app.logto.add_user("maria")
    app.link(maria, MARIA)
    assert is_signed_in(await app.round_trip())
    assert roles_in_acme(app, maria) == set()
    await listener.receive_all("PostSignIn", "User.Data.Updated")
    assert listener.deliveries.empty()
