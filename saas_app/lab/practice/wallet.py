"""The tokens that a learner or a check sends to the practice service. Only the server ever sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from saas_app.lab.evidence import TokenShown
from saas_app.lab.practice.values import Report, TokenChoice
from saas_app.lab.stage import Fetched, Stage
from saas_app.lab.values import NotYet
from saas_app.rbac.permissions import Carrier, Permission, Role
from saas_app.text.translation import _

_CARRIES: Final[Mapping[TokenChoice, tuple[bool, bool]]] = {
    TokenChoice.WORKSHOP: (True, True),
    TokenChoice.STUDIO: (True, False),
    TokenChoice.SAM: (True, False),
    TokenChoice.ROSA: (True, True),
}
"""Whether a token carries projects:read and projects:export while every member has their first role."""


@dataclass(frozen=True, slots=True)
class Held:
    """A token, and what it says. Both are empty for no token."""

    token: str | None = field(repr=False)
    claims: Mapping[str, Any]

    def opens(self, report: Report, audience: str) -> bool:
        """Return whether the token may read a report: it is for this API and for the organization.

        A confidential report also needs projects:export.
        """
        scopes = str(self.claims.get("scope") or "").split()
        return (
            self.claims.get("aud") == audience
            and self.claims.get("organization_id") == report.organization_id
            and (not report.is_confidential or Permission.PROJECTS_EXPORT.value in scopes)
        )


class Wallet:
    """Fetches each token once, from Logto."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._held: dict[TokenChoice, Held] = {TokenChoice.NOTHING: Held(None, {})}

    async def get(self, choice: TokenChoice) -> Held:
        """Return a token. Raises :class:`NotYet` if Logto refuses it, or if it carries something else."""
        if choice not in self._held:
            fetched = await self._fetch(choice)
            if fetched.token is None:
                error = fetched.refusal.error if fetched.refusal else ""
                raise NotYet(
                    _(
                        "Logto refuses this token (%(error)s): %(token)s. Roles or settings of your practice "
                        "organizations have changed. Change them back, or reset the lab.",
                        error=error,
                        token=choice.label,
                    )
                )
            held = Held(fetched.token, TokenShown.of(fetched.token).claims)
            _check(choice, fetched.scopes)
            self._held[choice] = held
        return self._held[choice]

    async def _fetch(self, choice: TokenChoice) -> Fetched:
        """Fetch a token. Role-play members get back their first role, which may have changed."""
        stage = self._stage
        if choice is TokenChoice.WORKSHOP:
            return await stage.fetch_own(stage.workshop)
        if choice is TokenChoice.STUDIO:
            return await stage.fetch_own(stage.studio)
        if choice is TokenChoice.SAM:
            await stage.set_role(stage.sam, stage.workshop, Role.VIEWER)
            return await stage.sam.fetch(stage.workshop, Carrier.API_TOKEN)
        await stage.set_role(stage.rosa, stage.studio, Role.ADMIN)
        is_elsewhere = choice is TokenChoice.ELSEWHERE
        return await stage.rosa.fetch(
            stage.studio, Carrier.ORGANIZATION_TOKEN if is_elsewhere else Carrier.API_TOKEN
        )


def _check(choice: TokenChoice, scopes: frozenset[str]) -> None:
    carried = tuple(
        permission.value in scopes for permission in (Permission.PROJECTS_READ, Permission.PROJECTS_EXPORT)
    )
    if carried != _CARRIES.get(choice, carried):
        raise NotYet(
            _(
                "This token does not carry what this lesson needs: %(token)s. Roles in your practice "
                "organizations have changed. Change them back, or reset the lab.",
                token=choice.label,
            )
        )
