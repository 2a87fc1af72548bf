"""What is measured: the requests, the twins that do the same work, and the goals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.client import Request
from bench.twins import database as twins

BARE: Final = "quart/bare"
"""The measurement to which all others are compared: a line of text from Quart."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A request to Workroom. ``by_twin`` and ``by_bare`` are its goals: at most so many times their CPU time.

    ``size`` is the goal for the response, in bytes.
    """

    key: str
    title: str
    by_twin: float | None = None
    by_bare: float | None = None
    size: int | None = None


SUBJECTS: Final = (
    Subject("list", "API: list 20 projects", by_twin=1.25),
    Subject("project", "API: read a project", by_twin=1.25),
    Subject("task", "API: create a task", by_twin=2),
    Subject("page", "Page: 20 projects", by_twin=1.25),
    Subject("audit", "Page: audit log, 50 entries", by_bare=25, size=40_000),
    Subject("overview-1", "Page: overview, person in 1 organization", by_bare=30),
    Subject("overview-301", "Page: overview, person in 301 organizations", by_bare=30),
    Subject("organizations-1", "Page: organizations, person in 1", by_bare=30),
    Subject("organizations-301", "Page: organizations, person in 301", by_bare=30),
    Subject("healthz", "`/healthz`", by_bare=1.5),
)
TWINS: Final = ("quart", "starlette", "fastapi", "litestar")
TWIN_OF_WORKROOM: Final = "quart"
"""The twin to which Workroom is compared, because it is on the framework that Workroom uses."""


def requests_to_twin(name: str, url: str) -> Mapping[str, Request]:
    """Return what a twin can do, by the keys of the subjects."""
    bearer = {"Authorization": f"Bearer {twins.TOKEN}"}
    read, written = (
        f"{url}/organizations/{organization_id}/projects"
        for organization_id in (twins.READ_ORGANIZATION, twins.WRITTEN_ORGANIZATION)
    )
    task = Request(f"{written}/{twins.WRITTEN_PROJECT}/tasks", 201, bearer, {"title": "Write it down"})
    requests = {
        "list": Request(read, headers=bearer),
        "project": Request(f"{read}/{twins.READ_PROJECT}", headers=bearer),
        "task": task,
    }
    if name == "quart":
        cookie = {"Cookie": f"session_of_a_twin={twins.TOKEN}"}
        page = f"{url}/o/{twins.READ_ORGANIZATION}/projects"
        requests |= {"page": Request(page, headers=cookie), "bare": Request(f"{url}/bare")}
    return requests
