"""An API client of one organization: creates a project with tasks, renames it, lists all projects.

    LOGTO=http://localhost:3001 WORKROOM=http://localhost:3000 RESOURCE=https://api.workroom.example \
    ORGANIZATION=… CLIENT_ID=… CLIENT_SECRET=… python docs/examples/machine.py
"""

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

SCOPES = "projects:read projects:write"


class Workroom:
    """The API of one organization. It fetches tokens as needed."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._token, self._good_until = "", 0.0
        self.url = f"{os.environ['WORKROOM']}/api/v1/organizations/{os.environ['ORGANIZATION']}"

    async def call(self, method: str, url: str, **options: Any) -> tuple[Any, Any]:
        """Return the JSON and the headers of a response. Waits if told to, and fetches a new token once."""
        given = options.pop("headers", {})
        for attempt in range(5):
            headers = {**given, "Authorization": f"Bearer {await self._get_token()}"}
            async with self._http.request(method, url, headers=headers, **options) as answer:
                body = await answer.json() if answer.status != 204 else None
                if answer.status in (429, 503) and attempt < 4:
                    await asyncio.sleep(int(answer.headers.get("Retry-After", "1")))
                elif answer.status == 401 and attempt == 0:  # the token may be older than a change of roles
                    self._good_until = 0
                elif answer.status >= 400:
                    raise RuntimeError(f"{body['code']}: {body['detail']} (request {body['request_id']})")
                else:
                    return body, answer.headers
        raise RuntimeError("Workroom is busy")

    async def list_projects(self) -> AsyncIterator[Any]:
        """Yield every project, page by page. ``next_cursor`` and the ``Link`` header name the next one."""
        query = {"limit": "50", "sort": "name"}
        while True:
            page, _ = await self.call("GET", f"{self.url}/projects", params=query)
            for project in page["items"]:
                yield project
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    async def _get_token(self) -> str:
        if time.monotonic() > self._good_until:
            form = {
                "grant_type": "client_credentials",
                "resource": os.environ["RESOURCE"],
                "organization_id": os.environ["ORGANIZATION"],
                "scope": SCOPES,
            }
            client = aiohttp.encode_basic_auth(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
            headers = {"Authorization": client}
            url = f"{os.environ['LOGTO']}/oidc/token"
            async with self._http.post(url, data=form, headers=headers, raise_for_status=True) as answer:
                body = await answer.json()
            self._token = body["access_token"]
            self._good_until = time.monotonic() + body["expires_in"] * 0.9
        return self._token


async def main() -> None:
    """Create, rename and list projects."""
    async with aiohttp.ClientSession() as http:
        workroom = Workroom(http)
        once = {"Idempotency-Key": str(uuid.uuid4())}  # a repeated request creates no second project
        new = {"name": "Nightly build", "description": "Made by a machine."}
        project, headers = await workroom.call("POST", f"{workroom.url}/projects", json=new, headers=once)

        tasks = {"items": [{"title": f"Module {number}"} for number in range(1, 21)]}
        url = f"{workroom.url}/projects/{project['id']}"
        created, _ = await workroom.call("POST", f"{url}/tasks/bulk", json=tasks)
        print(f"{len(created['ids'])} tasks in {project['name']}")

        read = {"If-Match": headers["ETag"]}  # 412 if somebody else has changed it since
        project, _ = await workroom.call("PATCH", url, json={"name": "Nightly build, 1"}, headers=read)
        print(f"version {project['version']} is called {project['name']}")

        async for found in workroom.list_projects():
            print(f"{found['name']}: {found['open_tasks']} open, {found['done_tasks']} done")


asyncio.run(main())
