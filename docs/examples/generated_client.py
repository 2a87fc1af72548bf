"""The generated Python client, typed and asynchronous: creates, renames and lists projects as an API client.

Run ``make clients`` first.

    LOGTO=http://localhost:3001 WORKROOM=http://localhost:3000 RESOURCE=https://api.workroom.example \
    ORGANIZATION=… CLIENT_ID=… CLIENT_SECRET=… \
    PYTHONPATH=build/clients/python .venv/bin/python docs/examples/generated_client.py
"""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from typing import TypeVar

import httpx
from api_client import AuthenticatedClient
from api_client.api.projects import (
    change_project,
    create_project,
    create_tasks,
    delete_project,
    list_projects,
)
from api_client.models import (
    NewProject,
    NewTask,
    NewTasks,
    Problem,
    ProjectChanges,
    ProjectSort,
    ProjectSummaryView,
)
from api_client.types import UNSET, Response, Unset

ORGANIZATION = os.environ["ORGANIZATION"]
Result = TypeVar("Result")


async def get_token() -> str:
    """Ask Logto for a token of the API client, for this organization."""
    form = {
        "grant_type": "client_credentials",
        "resource": os.environ["RESOURCE"],
        "organization_id": ORGANIZATION,
        "scope": "projects:read projects:write",
    }
    async with httpx.AsyncClient() as http:
        credentials = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
        answer = await http.post(f"{os.environ['LOGTO']}/oidc/token", data=form, auth=credentials)
        return str(answer.raise_for_status().json()["access_token"])


def result_of(answer: Response[Problem | Result]) -> Result:
    """Return the body of a response. Raises :class:`RuntimeError` for a problem."""
    if answer.parsed is None or isinstance(answer.parsed, Problem):
        raise RuntimeError(f"{answer.status_code}: {answer.parsed}")
    return answer.parsed


async def list_all(client: AuthenticatedClient) -> AsyncIterator[ProjectSummaryView]:
    """Yield every project, page by page."""
    cursor: str | Unset = UNSET
    while True:
        answer = await list_projects.asyncio_detailed(
            ORGANIZATION, client=client, sort=ProjectSort.NAME, cursor=cursor
        )
        page = result_of(answer)
        for project in page.items:
            yield project
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


async def main() -> None:
    """Create a project with tasks, rename it, list all, and try what the role does not allow."""
    token = await get_token()
    async with AuthenticatedClient(os.environ["WORKROOM"], token, raise_on_unexpected_status=True) as client:
        created = await create_project.asyncio_detailed(
            ORGANIZATION,
            client=client,
            body=NewProject(name="Typed build"),
            idempotency_key=str(uuid.uuid4()),  # a repeated request creates no second project
        )
        project = result_of(created)

        tasks = NewTasks(items=[NewTask(title=f"Module {number}") for number in range(1, 4)])
        added = await create_tasks.asyncio_detailed(ORGANIZATION, project.id, client=client, body=tasks)
        print(f"{len(result_of(added).ids)} tasks in {project.name}")

        renamed = await change_project.asyncio_detailed(
            ORGANIZATION,
            project.id,
            client=client,
            body=ProjectChanges(name="Typed build, 1"),
            if_match=created.headers["ETag"],  # 412 if somebody else has changed it since
        )
        print(f"version {result_of(renamed).version} is called {result_of(renamed).name}")

        async for found in list_all(client):
            print(f"{found.name}: {found.open_tasks} open, {found.done_tasks} done")

        refused = await delete_project.asyncio(ORGANIZATION, project.id, client=client)
        if isinstance(refused, Problem):
            print(f"{refused.status} {refused.code}: {refused.detail}")


asyncio.run(main())
