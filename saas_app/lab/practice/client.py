"""A client of the practice service. It sends the learner's requests, and makes workspaces with a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import aiohttp
from pydantic import SecretStr

from saas_app.lab.practice.values import Attempt, PracticeUnavailable, Reply, Report, Variant, Workspace
from saas_app.lab.values import Place
from saas_app.logto.http import open_http
from saas_app.text.translation import _

_TIMEOUT: Final = 8.0  # seconds
_MAX_ANSWER: Final = 200_000  # bytes


@dataclass(frozen=True, slots=True)
class PracticeClient:
    """The practice service at ``url``. All methods raise :class:`PracticeUnavailable`."""

    url: str
    key: SecretStr

    async def list_variants(self, flaw: str) -> tuple[Variant, ...]:
        """Return the variants of a flaw's code, the flawed one first."""
        described = await self._control("GET", f"/flaws/{flaw}")
        try:
            return tuple(
                Variant(one["name"], one["source"], f"{one['module'].replace('.', '/')}.py", one["line"])
                for one in described["variants"]
            )
        except (KeyError, TypeError, AttributeError):
            _give_up()

    async def create(
        self,
        flaw: str,
        variant: str | None,
        organizations: Sequence[Place],
        members: Sequence[tuple[str, str, str]],
    ) -> Workspace:
        """Make a workspace with reports of two organizations. None is the flawed variant.

        ``members`` are (subject, organization id, role): the service's copy of role names.
        """
        wanted = {
            "flaw": flaw,
            "organizations": [{"id": one.id, "name": one.name} for one in organizations],
            "members": [
                {"subject": subject, "organization_id": organization_id, "role": role}
                for subject, organization_id, role in members
            ],
            **({"variant": variant} if variant else {}),
        }
        return _read_workspace(await self._control("POST", "/workspaces", wanted))

    async def find(self, workspace_id: str) -> Workspace | None:
        """Return a workspace, or None if it is gone."""
        if not workspace_id:
            return None
        status, found = await self._send("GET", f"/workspaces/{workspace_id}", self._with_key())
        return None if status == 404 else _read_workspace(_expected(status, found))

    async def delete(self, workspace_id: str) -> None:
        """Delete a workspace, if it exists."""
        await self._send("DELETE", f"/workspaces/{workspace_id}", self._with_key())

    async def answer(self, workspace: Workspace, attempt: Attempt, token: str | None) -> Reply:
        """Send a learner's request to their workspace."""
        headers = {**attempt.headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        body = dict(attempt.body or {}) if attempt.method == "POST" else None
        status, text = await self._send(attempt.method, f"/w/{workspace.id}{attempt.path}", headers, body)
        return Reply(status, text)

    async def _control(self, method: str, path: str, body: Any = None) -> Any:
        return _expected(*await self._send(method, path, self._with_key(), body))

    def _with_key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key.get_secret_value()}"}

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: Any = None
    ) -> tuple[int, str]:
        try:
            async with (
                open_http(_TIMEOUT) as http,
                http.request(
                    method, f"{self.url}{path}", json=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                content = b""
                async for part in response.content.iter_chunked(65_536):
                    content += part
                    if len(content) > _MAX_ANSWER:
                        _give_up()
                return response.status, content.decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise PracticeUnavailable(
                _(
                    "The practice service is not running, or it is too busy. Your progress is stored. The "
                    "command make demo starts the service."
                )
            ) from None


def _expected(status: int, text: str) -> Any:
    """Return the JSON of a control route's answer."""
    body = Reply(status, text).body
    if status not in (200, 201) or not isinstance(body, dict):
        _give_up()
    return body


def _read_workspace(stored: Any) -> Workspace:
    try:
        reports = tuple(
            Report(
                row["id"],
                row["code"],
                row["organization_id"],
                row["title"],
                row["canary"],
                bool(row["confidential"]),
            )
            for row in stored["reports"]
        )
        return Workspace(stored["workspace"], reports)
    except (KeyError, TypeError):
        _give_up()


def _give_up() -> NoReturn:
    raise PracticeUnavailable(
        _("What listens at LAB_PRACTICE_URL is not the practice service, or LAB_PRACTICE_KEY is not its key.")
    )
