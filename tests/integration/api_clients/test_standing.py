"""Losing access while a client or its secret is created: nobody gets a secret afterwards."""

from __future__ import annotations

import re

import pytest

from saas_app.identity.membership_changes import note_change
from saas_app.runtime import Runtime
from tests.clients import text_of
from tests.integration.api_clients.conftest import Programs, new_form
from tests.integration.faulty_logto import Faulty
from tests.integration.records import actions_of, pending_in

NAME = "Too late"


def lose_access_during(faulty: Faulty, runtime: Runtime, path_of_call: str, after: int = 0) -> None:
    """Change the admin's membership during a call to this path, after ``after`` earlier ones."""
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
async def test_an_admin_who_loses_access_while_a_client_is_created_gets_none(
    faulty: Faulty, runtime: Runtime, call: str
) -> None:
    lose_access_during(faulty, runtime, call, after=1 if call == r"/organizations/[^/]+/applications$" else 0)
    answer = await faulty.acme.browser.post(f"{faulty.acme.clients}/new", new_form(NAME), expect=409)
    assert "changed while your request was in progress" in await text_of(answer)
    assert await faulty.acme.management.list_machines_by_name(NAME) == []
    assert await actions_of(runtime, faulty.acme.id) == []
    assert await pending_in(runtime, faulty.acme.id) == []


@pytest.mark.parametrize("calls_before", [1, 2])
async def test_an_admin_who_loses_access_while_a_secret_is_rotated_gets_none(
    faulty: Faulty, runtime: Runtime, programs: Programs, calls_before: int
) -> None:
    machine = await faulty.acme.create()
    lose_access_during(faulty, runtime, rf"/applications/{machine.id}/secrets$", after=calls_before - 1)
    path = f"{faulty.acme.clients}/{machine.id}/rotate"
    await faulty.acme.browser.post(path, expect=409)
    assert len(await faulty.acme.management.list_secrets(machine.id)) == 1
    assert (await programs.ask(machine, faulty.acme.id))[0] == 200
    assert await pending_in(runtime, faulty.acme.id) == []
