"""Every change in Logto checks its author's access again once it holds the lease of the organization."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from saas_app.changes import organization_change
from saas_app.coordination.leases import lease
from saas_app.db.base import utc_now
from saas_app.identity.membership_changes import note_change
from saas_app.logto.transport import ManagementTransport
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import FRESH, SAME_ORIGIN, Browser, Person
from tests.conftest import OpenBrowser
from tests.databases import ROOT
from tests.factories import Factory
from tests.integration.records import events_of, pending_in
from tests.rules.calls import path_with_rows
from tests.rules.routes import TENANT_ROUTES, Route, application

_ONLY_HERE: Final = ("access", "first-steps", "joined", "projects", "support", "support-access")
"""Path segments of changes that change nothing in Logto, although their feature may ask it."""


def _reaches_logto(route: Route) -> bool:
    """Return whether the route's feature can change something in Logto, judged by its imports."""
    if f"{route.rule}/".split("<organization_id>/")[1].split("/")[0] in _ONLY_HERE:
        return False
    feature = APP.view_functions[route.endpoint].__module__.split(".")[1]
    texts = (file.read_text("utf-8") for file in (ROOT / "saas_app" / feature).rglob("*.py"))
    return any(re.search(r"saas_app\.(logto|changes)|organization_change", text) for text in texts)


APP: Final = application()
CHANGES: Final = [
    route for route in TENANT_ROUTES if route.method not in ("GET", "HEAD") and _reaches_logto(route)
]

_FORMS: Final[dict[str, dict[str, Any]]] = {
    "invitations.create_invitations": {"addresses": "new@example.test", "roles": "viewer", "days": "7"},
    "invitations_api.create_invitation": {"email": "new@example.test", "roles": ["viewer"]},
    "access_requests.send_request": {"role": "viewer", "reason": "Work", "minutes": "60"},
    "access_requests_api.create_access_request": {"role": "viewer", "reason": "Work"},
    "access_requests.approve": {"duration": "day"},
    "access_requests_api.approve_access_request": {"minutes": 60},
    "access_requests_api.decline_access_request": {"answer": "No"},
    "members.roles.change": {"seen": ["", "viewer"], "roles": "editor", "step": "confirm"},
    "members_api.replace_roles": {"roles": ["editor"]},
    "members.roles.ends.change": {"seen": "none", "duration": "hour"},
    "members_api.set_role_end": {"ends_at": (utc_now() + timedelta(hours=1)).isoformat()},
    "members.leave": {"confirm": "yes"},
    "api_clients.create_client": {"name": "Robot two", "permissions": "projects:read"},
    "api_clients.revoke_chosen": {"row": "some-client:", "confirmed": "yes"},
    "api_clients_api.create_api_client": {"name": "Robot two"},
    "organization_settings.save_details": {"name": "Another name", "seen": "of another version"},
    "organization_settings.save_branding": {"color": "#3651c4", "seen": "of another version"},
    "organization_settings.save_mfa": {"require": "yes"},
    "organization_settings.add_domain": {"domain": "acme.example"},
    "organization_settings.verify_domain": {"domain": "example.test", "proof": "address"},
    "organization_settings.remove_domain": {"domain": "acme.example"},
    "organization_settings.choose_joining_role": {"role": "viewer", "seen": ""},
    "single_sign_on.save_provider": {
        "name": "Acme Login",
        "issuer": "https://login.acme.example",
        "client_id": "workroom",
        "client_secret": "typed by the admin",
    },
    "single_sign_on.choose_people": {"joins": "no"},
    "organization_settings.delete": {"name": "whatever it is called"},
}
_OF_MEMBERS: Final = {"roles": "editor", "step": "confirm", "confirmed": "yes"}


class Watched:
    """The calls of the Management API that change something, recorded from now on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written: list[str] = []
        call = ManagementTransport.call

        async def noting(transport: ManagementTransport, method: str, path: str, **options: Any) -> Any:
            if method != "GET":
                self.written.append(f"{method} {path}")
            return await call(transport, method, path, **options)

        monkeypatch.setattr(ManagementTransport, "call", noting)


async def _form_of(route: Route, make: Factory, browser: Browser, organization_id: str) -> dict[str, Any]:
    """Return a form that the route accepts: on routes for several rows, with one that is on their list."""
    feature, _, several = route.endpoint.partition(".chosen.")
    if not several or feature not in ("members", "invitations"):
        return _FORMS.get(route.endpoint, {})
    member = await make.member(organization_id, "Vera", Role.VIEWER)
    invitation_id = await make.invitation(organization_id)
    page = await browser.text(f"/o/{organization_id}/{feature}")
    rows = re.findall(rf'name="row" value="((?:{member.id}|{invitation_id}):[^"]*)"', page)
    return {**_OF_MEMBERS, "row": rows}


async def _send(browser: Browser, route: Route, path: str, form: dict[str, Any]) -> Any:
    headers = dict(SAME_ORIGIN)
    if not route.is_api:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return await browser.app.post(path, data=urlencode(form, doseq=True), headers=headers)
    if route.endpoint in ("members_api.replace_roles", "members_api.set_role_end"):
        current = await browser.get(path.partition("/roles")[0])
        headers["If-Match"] = current.headers["ETag"]
    return await browser.app.open(path, method=route.method, json=form or None, headers=headers)


async def _admin(make: Factory, open_browser: OpenBrowser) -> tuple[str, Person, Browser]:
    admin, second = await make.person("Ada"), await make.person("Zoe")
    organization_id = await make.organization("Acme", admin=admin)
    await make.join(organization_id, second, Role.ADMIN)  # so that the first may leave
    browser = await open_browser()
    await browser.sign_in(admin, FRESH)
    await browser.get(f"/o/{organization_id}/settings")
    return organization_id, admin, browser


@pytest.mark.parametrize("route", CHANGES, ids=str)
async def test_a_caller_who_loses_access_while_waiting_for_the_lease_changes_nothing(
    route: Route, make: Factory, open_browser: OpenBrowser, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization_id, admin, browser = await _admin(make, open_browser)
    path = await path_with_rows(make, runtime, route, organization_id)
    form = await _form_of(route, make, browser, organization_id)
    watched, is_waiting = Watched(monkeypatch), asyncio.Event()

    def noting(*arguments: Any, **named: Any) -> Any:
        is_waiting.set()
        return lease(*arguments, **named)

    monkeypatch.setattr(organization_change, "lease", noting)
    async with lease(runtime.work, f"organization:{organization_id}", seconds=20):
        sent = asyncio.create_task(_send(browser, route, path, form))
        waiting = asyncio.create_task(is_waiting.wait())
        await asyncio.wait({sent, waiting}, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        assert is_waiting.is_set(), f"{(await sent).status} without a turn"
        await note_change(runtime.work, organization_id, admin.id)
    answer = await sent

    assert answer.status_code == 409
    assert "Your access to" in await answer.get_data(as_text=True)
    assert watched.written == []
    assert await pending_in(runtime, organization_id) == []
    changed = [event.action for event in await events_of(runtime, organization_id)]
    assert changed == []
