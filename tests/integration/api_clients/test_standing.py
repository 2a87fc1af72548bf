"""Making a client and its secret while the right to it is lost: nobody gets a secret after that is known."""

from __future__ import annotations

import re

import pytest

from saas_app.identity.membership_changes import note_change
from saas_app.runtime import Runtime
from tests.integration.api_clients.conftest import Faulty, Programs, create, root_of
from tests.integration.invitations.conftest import actions_of
from tests.integration.members.conftest import pending_in, text_of

NAME = "Too late"


def lose_the_right_during(faulty: Faulty, runtime: Runtime, path_of_call: str, after: int = 0) -> None:
    """Logto tells that the admin's membership has changed, during the first such call beyond ``after``."""
    waiting = after

    async def change(path: str) -> None:
        nonlocal waiting
        if re.search(path_of_call, path):
            if waiting == 0:
                await note_change(runtime.work, faulty.acme.id, faulty.acme.admin.id)
            waiting -= 1

    faulty.gate.before = change


@pytest.mark.parametrize(
    "call",
    [
        r"/api/applications$",
        r"/organizations/[^/]+/applications$",
        r"/roles$",
        r"/applications/[^/]+/secrets$",
    ],
)
async def test_whoever_loses_the_right_while_a_client_is_made_gets_none(
    faulty: Faulty, runtime: Runtime, call: str
) -> None:
    lose_the_right_during(
        faulty, runtime, call, after=1 if call == r"/organizations/[^/]+/applications$" else 0
    )
    answer = await faulty.acme.browser.post(f"{root_of(faulty.acme.id)}/new", {"name": NAME}, expect=409)
    assert "changed while your request was in progress" in await text_of(answer)
    assert await faulty.acme.management.list_machines_called(NAME) == []
    assert await actions_of(runtime, faulty.acme.id) == []
    assert await pending_in(runtime, faulty.acme.id) == []


@pytest.mark.parametrize("calls_before", [1, 2])
async def test_whoever_loses_the_right_while_a_secret_is_changed_gets_none(
    faulty: Faulty, runtime: Runtime, programs: Programs, calls_before: int
) -> None:
    machine = await create(faulty.acme.browser, faulty.acme.id)
    lose_the_right_during(faulty, runtime, rf"/applications/{machine.id}/secrets$", after=calls_before - 1)
    path = f"{root_of(faulty.acme.id)}/{machine.id}/rotate"
    await faulty.acme.browser.post(path, expect=409)
    assert len(await faulty.acme.management.list_secrets(machine.id)) == 1
    assert (await programs.ask(machine, faulty.acme.id))[0] == 200
    assert await pending_in(runtime, faulty.acme.id) == []
