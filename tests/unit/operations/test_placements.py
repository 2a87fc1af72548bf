"""Each table has a place in a database that is distributed with Citus."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from saas_app.db.base import Base, is_tenant_owned
from saas_app.errors import ConfigurationError
from saas_app.operations.database.placements import Placement, placement_of, tables_in_order


def placed(name: str) -> Placement:
    return placement_of(Base.metadata.tables[name])


def test_every_table_has_a_place() -> None:
    assert {table.name for table, _ in tables_in_order()} == set(Base.metadata.tables)


def test_a_tables_place_needs_no_word_if_its_rows_belong_to_a_tenant() -> None:
    comments = sa.Table("comments", sa.MetaData(), info={"tenant_owned": True})

    assert placement_of(comments) is Placement.BY_ORGANIZATION


def test_a_new_table_of_no_tenant_needs_a_decision() -> None:
    with pytest.raises(ConfigurationError, match="weather"):
        placement_of(sa.Table("weather", sa.MetaData()))


def test_distributed_tables_are_keyed_by_organization_first() -> None:
    for table, placement in tables_in_order():
        if placement is Placement.BY_ORGANIZATION:
            assert is_tenant_owned(table)
            assert next(iter(table.primary_key)).name == "organization_id"


def test_a_table_that_others_reference_is_placed_before_them() -> None:
    order = [table.name for table, _ in tables_in_order()]

    assert order.index("users") < order.index("projects") < order.index("tasks")


def test_what_each_request_reads_with_its_session_is_on_the_coordinator() -> None:
    assert {placed(name) for name in ("sessions", "session_tokens")} == {Placement.COORDINATOR}
    assert {placed(name) for name in ("membership_changes", "pending_changes", "users")} == {
        Placement.EVERYWHERE
    }
