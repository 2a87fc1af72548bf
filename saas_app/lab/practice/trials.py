"""Sends requests to a workspace of the practice service, and finds what leaked. Hidden checks run on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from saas_app.lab.practice.client import PracticeClient
from saas_app.lab.practice.declaration import Break
from saas_app.lab.practice.values import (
    Attempt,
    CheckResult,
    Leak,
    Reply,
    Report,
    Sent,
    TokenChoice,
    Workspace,
)
from saas_app.lab.practice.wallet import Wallet
from saas_app.lab.stage import Stage


class PracticeTrial:
    """A workspace with the tokens of a learner's ground. Keeps every request that was sent."""

    def __init__(self, client: PracticeClient, workspace: Workspace, stage: Stage, wallet: Wallet) -> None:
        self._client = client
        self._workspace = workspace
        self._stage = stage
        self._wallet = wallet
        self.sent: list[Sent] = []

    @property
    def workshop(self) -> list[Report]:
        """The reports of the organization that the learner runs."""
        return self._workspace.of(self._stage.workshop.id)

    @property
    def studio(self) -> list[Report]:
        """The reports of Rosa's organization."""
        return self._workspace.of(self._stage.studio.id)

    async def send(
        self,
        method: str,
        path: str,
        token: TokenChoice,
        body: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request."""
        return (await self.attempt(Attempt(method, path, token, body, headers or {}))).reply

    async def attempt(self, attempt: Attempt) -> Sent:
        """Send a request and return it with its answer and what leaked."""
        held = await self._wallet.get(attempt.token)
        reply = await self._client.answer(self._workspace, attempt, held.token)
        names = {place.id: place.name for place in (self._stage.workshop, self._stage.studio)}
        leaks = tuple(
            Leak(report.title, names[report.organization_id])
            for report in self._workspace.revealed_by(reply.text)
            if not held.opens(report, self._stage.api_resource)
        )
        self.sent.append(Sent(attempt, reply, leaks))
        return self.sent[-1]


async def new_workspace(client: PracticeClient, one: Break, variant: str | None, stage: Stage) -> Workspace:
    """Make a workspace for the learner's ground. The service's copy of role names is a day old."""
    workshop, studio = stage.workshop, stage.studio
    learner = stage.learner.principal.subject
    members = (
        (learner, workshop.id, "admin"),
        (learner, studio.id, "viewer"),
        (stage.sam.player.user_id, workshop.id, "admin"),
        (stage.rosa.player.user_id, studio.id, "owner"),
    )
    return await client.create(one.slug, variant, (workshop, studio), members)


async def run_checks(client: PracticeClient, one: Break, variant: str, stage: Stage) -> list[CheckResult]:
    """Run every hidden check against a variant, each in a workspace of its own."""
    wallet, results = Wallet(stage), []
    for number, check in enumerate(one.checks):
        workspace = await new_workspace(client, one, variant, stage)
        trial = PracticeTrial(client, workspace, stage, wallet)
        passed = await check.holds(trial)
        results.append(CheckResult(number, passed, tuple(trial.sent)))
        await client.delete(workspace.id)
    return results
