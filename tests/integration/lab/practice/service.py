"""The practice service as a process, a client of it, and people with genuine tokens."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from local_logto.testing.processes import free_port, running, wait_for

KEY = "the key of the practice service in tests"
MODULE = "saas_app.lab.broken"

Answer = tuple[int, dict[str, Any]]


@contextlib.contextmanager
def running_practice(issuer: str, resource: str, folder: Path) -> Iterator[str]:
    """Run the practice service as the demo does. Yield its URL."""
    port = free_port()
    command = [
        sys.executable, "-m", MODULE, "--host", "127.0.0.1", "--port", str(port),
        "--data", str(folder), "--issuer", issuer, "--resource", resource,
    ]  # fmt: skip
    log = folder.with_suffix(".log")
    with running(command, {**os.environ, "LAB_PRACTICE_KEY": KEY}, log) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/readyz", 200, process, log)
        yield url


@dataclass(frozen=True, slots=True)
class Practice:
    """The two organizations, and the tokens of their members by label."""

    url: str
    http: aiohttp.ClientSession
    workshop: str
    studio: str
    tokens: Mapping[str, str]
    members: list[dict[str, str]]

    async def control(
        self, method: str, path: str, body: Any = None, *, key: str = KEY, **headers: str
    ) -> Answer:
        """Call a route of the lab."""
        return await self._send(method, path, {"Authorization": f"Bearer {key}", **headers}, body)

    async def create(self, flaw: str, variant: str | None = None) -> Workspace:
        """Make a workspace, with the flawed variant or another one."""
        organizations = [
            {"id": self.workshop, "name": "the workshop"},
            {"id": self.studio, "name": "the studio"},
        ]
        wanted = {"flaw": flaw, "organizations": organizations, "members": self.members}
        status, body = await self.control(
            "POST", "/workspaces", {**wanted, **({"variant": variant} if variant else {})}
        )
        assert status == 201, body
        return Workspace(self, body["workspace"], body["reports"])

    async def send(
        self, path: str, label: str, method: str = "GET", body: Any = None, **headers: str
    ) -> Answer:
        """Send a request with one of the tokens."""
        return await self._send(
            method, path, {"Authorization": f"Bearer {self.tokens[label]}", **headers}, body
        )

    async def _send(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Answer:
        async with self.http.request(method, f"{self.url}{path}", json=body, headers=headers) as response:
            return response.status, await response.json() if response.status != 204 else {}


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace, and its rows with their canaries."""

    practice: Practice
    id: str
    reports: list[dict[str, Any]]

    def of(self, organization_id: str) -> list[dict[str, Any]]:
        """Return the reports of an organization."""
        return [report for report in self.reports if report["organization_id"] == organization_id]

    async def send(
        self, path: str, label: str, method: str = "GET", body: Any = None, **headers: str
    ) -> Answer:
        """Send a request below the workspace."""
        return await self.practice.send(f"/w/{self.id}{path}", label, method, body, **headers)

    async def reads(
        self, path: str, label: str, method: str = "GET", body: Any = None, **headers: str
    ) -> set[int]:
        """Send a request and return the ids of the reports whose canaries it revealed."""
        _status, answer = await self.send(path, label, method, body, **headers)
        return {report["id"] for report in self.reports if report["canary"] in str(answer)}
