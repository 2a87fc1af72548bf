"""On Citus, every statement of a page or route goes to one shard: none crosses organizations.

The statements are those that :mod:`tests.rules.test_plans` finds.
"""

from __future__ import annotations

import re
from typing import Final

import asyncpg

from saas_app.operations.database.placements import Placement, tables_in_order
from tests.integration.citus.cluster import needs_citus
from tests.rules.test_plans import Walked, own_database, walked
from tests.scale import count_tasks

__all__ = ["own_database", "walked"]

pytestmark = needs_citus

_BY_ORGANIZATION: Final = "|".join(
    table.name for table, placement in tables_in_order() if placement is Placement.BY_ORGANIZATION
)


async def test_every_statement_on_distributed_tables_is_one_task(walked: Walked) -> None:
    statements = [one for one in walked.statements if re.search(rf"\b({_BY_ORGANIZATION})\b", one.sql)]
    connection = await asyncpg.connect(
        walked.url.set(drivername="postgresql").render_as_string(hide_password=False)
    )
    transaction = connection.transaction()
    await transaction.start()
    found = {}
    try:
        for one in statements:
            tasks = await count_tasks(connection, one)
            if tasks != [1]:
                found[one.sql] = f"{one.request}: {tasks}"
    finally:
        await transaction.rollback()
        await connection.close()
    assert len(statements) > 40
    assert found == {}
