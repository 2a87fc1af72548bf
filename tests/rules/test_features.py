"""Every feature is listed once, and its routes, menu entry and rows are known from there."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import sqlalchemy as sa

from saas_app.db.base import Base
from saas_app.features import FEATURES
from saas_app.organizations import queries
from saas_app.web.navigation import MENU, MenuEntry
from tests.databases import ROOT
from tests.rules.routes import ROUTES

pytestmark = pytest.mark.one_database

PACKAGES = sorted(path.parent.name for path in (ROOT / "saas_app").glob("*/__init__.py"))


def test_every_package_with_routes_is_listed() -> None:
    """A feature that is not listed has no routes, and no other test would notice."""
    with_routes = {
        name
        for name in PACKAGES
        if any(find_spec(f"saas_app.{name}.{room}") is not None for room in ("pages", "api"))
    }
    assert set(FEATURES) == with_routes
    assert len(FEATURES) == len(set(FEATURES))


@pytest.mark.parametrize("entry", MENU, ids=lambda entry: entry.slug or "overview")
def test_every_menu_entry_has_a_page_with_the_same_permission(entry: MenuEntry) -> None:
    rule = f"/o/<organization_id>/{entry.slug}"
    (route,) = (route for route in ROUTES if route.rule == rule and route.method == "GET")
    assert route.guard is not None
    assert route.guard.permission == entry.permission


def test_only_queries_contain_statements() -> None:
    """A reader finds all statements of a feature in one place."""
    features = [
        name for name in PACKAGES if name in FEATURES or find_spec(f"saas_app.{name}.queries") is not None
    ]
    modules = [path for name in features for path in (ROOT / "saas_app" / name).rglob("*.py")]
    with_sql = [path for path in modules if "import sqlalchemy as sa" in path.read_text(encoding="utf-8")]
    assert with_sql
    assert [path for path in with_sql if "queries" not in (path.stem, path.parent.name)] == []


def test_a_deleted_organization_leaves_no_rows_of_any_feature() -> None:
    owned = {table.name: table for table in Base.metadata.sorted_tables if "organization_id" in table.c}
    left = {name for name in owned if name not in queries.DELETIONS and not _goes_with_another(owned[name])}
    assert left == {
        "audit_actors", "audit_events", "audit_redactions", "pending_changes",
        "former_memberships", "membership_changes", "organization_removals",
    }  # fmt: skip


def _goes_with_another(table: sa.Table) -> bool:
    """Return whether the database deletes the table's rows together with rows that are deleted."""
    return any(
        key.ondelete == "CASCADE" and key.referred_table.name in queries.DELETIONS
        for key in table.foreign_key_constraints
    )
