"""A database for each module, because tests move shards, and an organization in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from saas_app.db.base import new_uuid
from tests.databases import Database, migrated_database
from tests.integration.citus.cluster import (
    address,
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A distributed database for this module, because its tests move shards."""
    with migrated_database(tmp_path_factory.mktemp("citus")) as database:
        yield database


@pytest.fixture(scope="module")
def own_url(own: Database) -> str:
    """The database as a superuser sees it."""
    return own.admin_url


@pytest.fixture
async def connection(own_url: str) -> Any:
    connection = await asyncpg.connect(address(own_url))
    yield connection
    await connection.close()


@pytest.fixture
async def organization_id(connection: asyncpg.Connection) -> str:
    """An organization with projects and events, among others."""
    organization_id = f"org-{new_uuid().hex}"
    await connection.execute(
        "INSERT INTO organizations (id, name, seen_at) VALUES ($1, 'Acme', now())", organization_id
    )
    for number in range(5):
        await connection.execute(
            "INSERT INTO projects (organization_id, id, name, folded_name, description, status, created_by, "
            "created_at, updated_at, version) VALUES ($1, $2, $3, $3, '', 'active', 'ada', now(), now(), 1)",
            organization_id,
            new_uuid(),
            f"project {number}",
        )
    await connection.execute(
        "INSERT INTO audit_events (organization_id, id, occurred_at, actor_type, actor_id, actor_name, "
        "action, target_type, target_id, target_name, outcome, request_id, address) "
        "VALUES ($1, $2, now(), 'person', "
        "'ada', 'Ada', 'project.create', 'project', 'x', 'x', 'allowed', 'x', '127.0.0.1')",
        organization_id,
        new_uuid(),
    )
    return organization_id
