"""The steps of a guard, each by itself, and their order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from quart import Quart, g

from saas_app.errors import BadRequest, FreshSignInRequired, NotFound, PermissionDenied, SignInRequired
from saas_app.identity.credentials.caller import Caller
from saas_app.identity.principal import Principal
from saas_app.identity.tenant import Tenant
from saas_app.rbac.decision import Decision
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.web import guards
from saas_app.web.guards import Callers, Guard, find_tenant, require_permission, run, step_up
from saas_app.web.request_checks import register_check

MEMBER = Guard(Callers.MEMBER)
READING = Guard(Callers.PERMISSION, Permission.PROJECTS_READ)
DELETING = Guard(Callers.PERMISSION, Permission.PROJECTS_DELETE)


@dataclass
class RecordingCaller:
    """A caller with no particular credential, which records the questions that a guard asks about it."""

    tenant: Tenant
    is_fresh: bool = True
    calls: list[str] = field(default_factory=list)
    carriers: Collection[Carrier] = ()

    @property
    def principal(self) -> Principal:
        return self.tenant.principal

    @property
    def organization_id(self) -> str | None:
        return None

    async def get_tenant(
        self, organization_id: str, carriers: Collection[Carrier] = (), *, is_visit: bool = True
    ) -> Tenant:
        self.calls.append("tenant")
        self.carriers = carriers
        if organization_id != self.tenant.organization_id:
            raise NotFound
        return self.tenant

    def denial(self, tenant: Tenant, decision: Decision) -> Exception:
        self.calls.append("denial")
        return PermissionDenied(decision)

    def require_fresh_sign_in(self, tenant: Tenant) -> None:
        self.calls.append("fresh")
        if not self.is_fresh:
            raise FreshSignInRequired("", max_age=600)

    async def complete(self, tenant: Tenant) -> Tenant:
        self.calls.append("complete")
        return replace(tenant, granted=frozenset(Permission))


@pytest.fixture
def carol(carol_at_acme: Tenant) -> RecordingCaller:
    """Carol, a viewer of Acme."""
    return RecordingCaller(carol_at_acme)


@pytest.fixture
async def request_of_a_page() -> AsyncIterator[Quart]:
    app = Quart(__name__)
    async with app.test_request_context("/o/acme/projects"):
        yield app


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The organizations for which units of work were opened."""
    opened: list[str | None] = []

    @asynccontextmanager
    async def opening(organization_id: str | None) -> AsyncIterator[None]:
        opened.append(organization_id)
        yield

    monkeypatch.setattr(guards, "request_database", opening)
    return opened


@pytest.mark.parametrize(
    ("guard", "carriers"),
    [
        (MEMBER, ()),
        (READING, (Carrier.API_TOKEN,)),
        (Guard(Callers.PERMISSION, Permission.MEMBERS_READ), (Carrier.ORGANIZATION_TOKEN,)),
        (replace(READING, complete=True), tuple(Carrier)),
    ],
    ids=["member", "API token", "organization token", "complete"],
)
@pytest.mark.usefixtures("request_of_a_page")
async def test_step_2_reads_the_kinds_of_token_that_the_route_needs(
    carol: RecordingCaller, guard: Guard, carriers: tuple[Carrier, ...]
) -> None:
    await find_tenant(carol, guard, "acme")
    assert carol.carriers == carriers


@pytest.mark.usefixtures("request_of_a_page")
async def test_step_2_finds_no_tenant_for_a_stranger(carol: RecordingCaller) -> None:
    with pytest.raises(NotFound):
        await find_tenant(carol, MEMBER, "globex")
    assert "tenant" not in g


def test_step_3_passes_a_permission_that_the_tokens_grant(carol: RecordingCaller) -> None:
    require_permission(carol, READING, carol.tenant)
    assert carol.calls == []


def test_step_3_denies_every_other_permission(carol: RecordingCaller) -> None:
    with pytest.raises(PermissionDenied) as denied:
        require_permission(carol, DELETING, carol.tenant)
    assert denied.value.decision.permission is Permission.PROJECTS_DELETE


def test_step_3_passes_every_member_if_the_route_names_no_permission(carol: RecordingCaller) -> None:
    require_permission(carol, MEMBER, replace(carol.tenant, granted=frozenset()))


async def test_step_4_requires_nothing_that_the_route_does_not_ask_for(carol: RecordingCaller) -> None:
    assert await step_up(carol, READING, carol.tenant) is carol.tenant
    assert carol.calls == []


async def test_step_4_requires_a_fresh_sign_in(carol: RecordingCaller) -> None:
    carol.is_fresh = False
    with pytest.raises(FreshSignInRequired):
        await step_up(carol, replace(READING, fresh=True), carol.tenant)


@pytest.mark.usefixtures("request_of_a_page")
async def test_step_4_passes_on_all_permissions_of_the_caller(carol: RecordingCaller) -> None:
    tenant = await step_up(carol, replace(READING, complete=True), carol.tenant)
    assert tenant.granted == frozenset(Permission)
    assert g.tenant is tenant


async def test_step_5_runs_the_view_for_the_caller_in_a_unit_of_work(
    request_of_a_page: Quart, carol: RecordingCaller, database: list[str | None]
) -> None:
    async def view(tenant: Tenant, **arguments: Any) -> Any:
        return tenant, arguments, list(database)

    answer = await run(view, "acme", carol.tenant, {"project_id": 7})

    assert answer == (carol.tenant, {"project_id": 7}, ["acme"])


async def test_step_5_checks_the_request_before_it_opens_the_unit_of_work(
    request_of_a_page: Quart, carol: RecordingCaller, database: list[str | None]
) -> None:
    async def view(tenant: Tenant) -> Any:
        raise AssertionError("the view ran")

    async def refuse(checked: Any) -> None:
        assert checked is view
        raise BadRequest

    register_check(request_of_a_page, refuse)
    with pytest.raises(BadRequest):
        await run(view, "acme", carol.tenant, {})
    assert database == []


class GuardedView:
    """A guarded view of an organization, and a caller who tries to open it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, caller: Caller | None) -> None:
        self.ran = False

        async def prove(organization_id: str | None = None) -> Caller:
            if caller is None:
                raise SignInRequired
            return caller

        monkeypatch.setattr(guards, "prove", prove)

        @asynccontextmanager
        async def not_noted(organization_id: str) -> AsyncIterator[None]:
            yield

        monkeypatch.setattr(guards, "recording_denials", not_noted)

    async def open_view(self, guard: Any, organization_id: str = "acme") -> None:
        async def view(tenant: Tenant) -> None:
            self.ran = True

        await guard(view)(organization_id=organization_id)


@pytest.mark.usefixtures("request_of_a_page", "database")
async def test_without_a_credential_nobody_passes_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    guarded_view = GuardedView(monkeypatch, None)
    with pytest.raises(SignInRequired):
        await guarded_view.open_view(guards.requires_member)
    assert not guarded_view.ran


@pytest.mark.usefixtures("request_of_a_page", "database")
async def test_a_stranger_gets_no_decision(monkeypatch: pytest.MonkeyPatch, carol: RecordingCaller) -> None:
    guarded_view = GuardedView(monkeypatch, carol)
    with pytest.raises(NotFound):
        await guarded_view.open_view(guards.requires(Permission.PROJECTS_DELETE), "globex")
    assert carol.calls == ["tenant"]
    assert not guarded_view.ran


@pytest.mark.usefixtures("request_of_a_page", "database")
async def test_permissions_beyond_the_credential_do_not_decide(
    monkeypatch: pytest.MonkeyPatch, carol: RecordingCaller
) -> None:
    guarded_view = GuardedView(monkeypatch, carol)
    with pytest.raises(PermissionDenied):
        await guarded_view.open_view(guards.requires(Permission.PROJECTS_DELETE, complete=True, fresh=True))
    assert carol.calls == ["tenant", "denial"]
    assert not guarded_view.ran


@pytest.mark.usefixtures("request_of_a_page", "database")
async def test_a_denied_caller_is_not_asked_to_sign_in_again(
    monkeypatch: pytest.MonkeyPatch, carol: RecordingCaller
) -> None:
    carol.is_fresh = False
    guarded_view = GuardedView(monkeypatch, carol)
    with pytest.raises(PermissionDenied):
        await guarded_view.open_view(guards.requires(Permission.PROJECTS_DELETE, fresh=True))


@pytest.mark.usefixtures("request_of_a_page", "database")
async def test_a_caller_with_the_permission_reaches_the_view_through_every_step(
    monkeypatch: pytest.MonkeyPatch, carol: RecordingCaller
) -> None:
    guarded_view = GuardedView(monkeypatch, carol)
    await guarded_view.open_view(guards.requires(Permission.PROJECTS_READ, complete=True, fresh=True))
    assert carol.calls == ["tenant", "fresh", "complete"]
    assert guarded_view.ran
