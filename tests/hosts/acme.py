"""An organization at the cluster, and what the database holds of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.clients import Person
from tests.factories import Factory
from tests.hosts.cluster import Cluster
from tests.hosts.load import Load
from tests.hosts.visitor import Answer, Visitor


@dataclass(frozen=True, slots=True)
class Acme:
    """An organization with an admin and an editor. The editor has a browser for each part of the load."""

    id: str
    admin: Person
    editor: Person
    browsers: list[Visitor]
    cluster: Cluster
    people: Factory

    @property
    def root(self) -> str:
        return f"/o/{self.id}"

    @property
    def form(self) -> str:
        """The path of a page that only editors may open."""
        return f"{self.root}/projects/new"

    async def demote_editor(self, admin: Visitor, *, at: str) -> Answer:
        """Replace the editor's role by one that only reads, and return the response."""
        form = {"seen": ["", "editor"], "roles": ["viewer"], "step": "confirm"}
        return await admin.send("POST", f"{self.root}/members/{self.editor.id}/roles", form, at=at)

    async def editor_roles(self) -> set[str]:
        """Ask Logto for the editor's roles."""
        return set(await self.people.management.find_member_roles(self.id, self.editor.id) or ())

    async def rows(self, statement: str) -> list[Any]:
        """Return the first column of a statement, whose parameter ``$1`` is the organization."""
        connection = await asyncpg.connect(self.cluster.maintenance_dsn)
        try:
            return [row[0] for row in await connection.fetch(statement, self.id)]
        finally:
            await connection.close()

    async def require_nothing_half_done(self, load: Load) -> None:
        """Require a project and its audit event for each success, and both or neither for a failure."""
        names = await self.rows("SELECT name FROM projects WHERE organization_id = $1 ORDER BY name")
        recorded = await self.rows(
            "SELECT target_name FROM audit_events WHERE organization_id = $1 AND action = 'project.create' "
            "ORDER BY target_name"
        )
        assert names == recorded
        assert len(names) == len(set(names)), "a request was repeated"
        assert {sent.name for sent in load.sent if sent.name and sent.is_success} <= set(names)
