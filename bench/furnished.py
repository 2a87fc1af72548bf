"""Fills a running application with what the subjects read, and returns the requests for them.

Everything but the person's many organizations is made by HTTP, so that it works with an older application.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from bench.client import Request
from bench.site import Site
from bench.twins.database import LIMIT, description_of
from saas_app.logto import connect
from saas_app.rbac.permissions import Role
from tests.clients import Person, sign_in_over_http
from tests.factories import Factory

ORGANIZATIONS: Final = 301
_PROJECTS: Final = 20
_STATUSES: Final = ("todo", "doing", "done", "done")  # of each project's tasks, as in the twins


@dataclass(frozen=True, slots=True)
class Api:
    """The JSON API of an organization, and the header that opens it."""

    url: str
    headers: Mapping[str, str]


async def furnish(site: Site) -> Mapping[str, Request]:
    """Make people, organizations and projects. Return a request for each subject, by its key."""
    async with connect(site.management) as management:
        make = Factory(management)
        ada, olga = await make.person("Ada"), await make.person("Olga")
        organization_id = await make.organization("Read", admin=ada)
        crowded_id = await make.organization("Crowded", admin=olga)
        read = await _open_api(site, make, organization_id)
        written = await _open_api(site, make, await make.organization("Written"))
    _add_organizations(site, olga, ORGANIZATIONS - 1)
    async with aiohttp.ClientSession(raise_for_status=True) as http:
        project_id = [await _add_project(http, read, number) for number in range(_PROJECTS)][-1]
        written_id = await _add_project(http, written, 0)
    for_ada, for_olga = await _cookie_of(site, ada), await _cookie_of(site, olga)
    pages, task = f"{site.url}/o/{organization_id}", {"title": "Write it down"}
    return {
        "list": Request(f"{read.url}/projects?limit={LIMIT}", headers=read.headers),
        "project": Request(f"{read.url}/projects/{project_id}", headers=read.headers),
        "task": Request(f"{written.url}/projects/{written_id}/tasks", 201, written.headers, task),
        "page": Request(f"{pages}/projects", headers=for_ada),
        "audit": Request(f"{pages}/audit", headers=for_ada),
        "overview-1": Request(f"{pages}/", headers=for_ada),
        "overview-301": Request(f"{site.url}/o/{crowded_id}/", headers=for_olga),
        "organizations-1": Request(f"{site.url}/o", headers=for_ada),
        "organizations-301": Request(f"{site.url}/o", headers=for_olga),
        "healthz": Request(f"{site.url}/healthz"),
    }


async def _open_api(site: Site, make: Factory, organization_id: str) -> Api:
    """Return the API of an organization, for a new API client."""
    token = await site.token_of(await make.machine(organization_id), organization_id)
    return Api(f"{site.url}/api/v1/organizations/{organization_id}", {"Authorization": f"Bearer {token}"})


async def _add_project(http: aiohttp.ClientSession, api: Api, number: int) -> str:
    """Add a project with tasks, and edit it once, so that the audit log has entries of each kind."""
    name = {"name": f"Project {number}"}
    async with http.post(f"{api.url}/projects", json=name, headers=api.headers) as made:
        project, tag = await made.json(), made.headers["ETag"]
    address = f"{api.url}/projects/{project['id']}"
    tasks = [{"title": f"Task {place}", "status": status} for place, status in enumerate(_STATUSES)]
    async with http.post(f"{address}/tasks/bulk", json={"items": tasks}, headers=api.headers):
        pass
    change = {"description": description_of(number)}
    async with http.patch(address, json=change, headers={**api.headers, "If-Match": tag}):
        pass
    return str(project["id"])


async def _cookie_of(site: Site, person: Person) -> Mapping[str, str]:
    """Sign a person in. Return the header with their session cookie."""
    http, _callback = await sign_in_over_http(site.url, person)
    async with http:
        cookies = http.cookie_jar.filter_cookies(URL(site.url))
        return {"Cookie": "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies.values())}


def _add_organizations(site: Site, person: Person, count: int) -> None:
    """Make a person an admin of many new organizations, in the provider's store: 900 calls take too long."""
    rows = [(f"many{number:08}", person.id) for number in range(count)]
    names = [(organization_id, f"Organization {organization_id[-3:]}") for organization_id, _ in rows]
    with contextlib.closing(
        sqlite3.connect(site.provider.data_dir / "local_logto.sqlite3", timeout=10)
    ) as store:
        store.executemany("INSERT INTO organizations (id, name, created_at) VALUES (?, ?, 0)", names)
        store.executemany("INSERT INTO organization_users (organization_id, user_id) VALUES (?, ?)", rows)
        store.executemany(
            "INSERT INTO organization_user_roles (organization_id, user_id, organization_role_id)"
            " SELECT ?, ?, id FROM organization_roles WHERE name = ?",
            [(*row, Role.ADMIN.value) for row in rows],
        )
        store.commit()
