"""The rules of an organization's settings and of its deletion. Logto holds them; every change is made there.

Whether the caller may change them was settled by the guard on the route. Two who save at the same moment
take turns, so that who comes second is told what the first has changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import unicodedata
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

from saas_app.audit.changes import carry_out
from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, changed_fields
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import Invalid, NotFound, VersionConflict
from saas_app.identity.management import ManagementClient, ManagementError, OrganizationInfo, explained
from saas_app.identity.tenant import Tenant
from saas_app.leases import lease
from saas_app.models import EVERYONE
from saas_app.organizations.removal import request_removal
from saas_app.rbac.assignment import assignable_roles, missing_to_assign
from saas_app.rbac.permissions import Permission, Role, RoleType

_TURN: Final = 15.0  # seconds to wait for somebody else's save
_PERSON_ROLES: Final = tuple(role for role in Role if role.type is RoleType.USER)

Result = TypeVar("Result")


class OrganizationGone(NotFound):
    """It was deleted while somebody worked on it."""

    code, title = "organization-gone", "This organization does not exist any more"

    def __init__(self) -> None:
        super().__init__("Somebody deleted it while this page was open. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Details:
    """What an organization says of itself."""

    name: str
    description: str = ""

    @property
    def version(self) -> str:
        """Differs whenever one of them does, in its part: what a form says it has seen."""
        return f"{_version([self.name])}.{_version([self.description])}"

    def changed_since(self, seen: str) -> frozenset[str]:
        """The fields that differ from those of a version."""
        parts = zip(("name", "description"), self.version.split("."), f"{seen}.".split("."), strict=False)
        return frozenset(field for field, now, then in parts if now != then)


@dataclass(frozen=True, slots=True)
class Joining:
    """Who becomes a member by signing up: the e-mail domains, and the roles they are given."""

    domains: tuple[str, ...]
    role_names: frozenset[str]

    @property
    def version(self) -> str:
        """Differs whenever the roles do."""
        return _version(sorted(self.role_names))


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """Everything the page shows. ``has_factor``: whether the caller has a second factor themself."""

    details: Details
    is_mfa_required: bool
    joining: Joining
    has_factor: bool


class DetailsConflict(VersionConflict):
    """Somebody else changed name or description after the form was opened. ``changed``: what you did."""

    def __init__(self, theirs: Details, yours: Details, changed: frozenset[str]) -> None:
        super().__init__("It was changed since you opened it. Nothing was overwritten.")
        self.theirs = theirs
        self.yours = yours
        self.changed = changed


class RolesConflict(VersionConflict):
    """Somebody else chose another role for who joins by themselves."""

    def __init__(self, theirs: frozenset[str]) -> None:
        super().__init__("The role was changed since you opened this page. Nothing was overwritten.")
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Place:
    """Where a change is made: our database, Logto, and the organization as the caller stands in it."""

    work: UnitOfWork
    management: ManagementClient
    tenant: Tenant

    @property
    def organization_id(self) -> str:
        """The organization."""
        return self.tenant.organization_id


async def read_settings(place: Place) -> OrganizationSettings:
    """What Logto knows now. Raises :class:`OrganizationGone`."""
    with _explaining():
        organization, joining, has_factor = await asyncio.gather(
            place.management.get_organization(place.organization_id),
            _read_joining(place),
            place.management.has_second_factor(place.tenant.principal.subject),
        )
    return OrganizationSettings(_details(organization), organization.is_mfa_required, joining, has_factor)


async def save_details(place: Place, seen: str, wanted: Details) -> Details:
    """Rename and describe. ``seen`` is the version the form began with. Raises :class:`DetailsConflict`."""
    async with _turn(place):
        with _explaining():
            theirs = _details(await place.management.get_organization(place.organization_id))
            if wanted == theirs:
                return theirs
            if seen != theirs.version:
                raise DetailsConflict(theirs, wanted, wanted.changed_since(seen))
            entry = _entry(place, *changed_fields(asdict(theirs), asdict(wanted)))
            saved = await carry_out(
                place.work,
                place.organization_id,
                entry,
                lambda: place.management.update_organization(
                    place.organization_id, name=wanted.name, description=wanted.description
                ),
            )
    return _details(saved)


async def require_mfa(place: Place, wanted: bool) -> bool:
    """Ask members for a second factor, or stop asking. True when that changed something.

    Every membership is read again at its next request: who has no factor is refused from then on.
    """
    async with _turn(place):
        with _explaining():
            organization = await place.management.get_organization(place.organization_id)
            if organization.is_mfa_required is wanted:
                return False
            await carry_out(
                place.work,
                place.organization_id,
                _entry(place, {"mfa_required": not wanted}, {"mfa_required": wanted}),
                lambda: place.management.update_organization(place.organization_id, is_mfa_required=wanted),
                user_ids=[EVERYONE],
            )
    return True


async def add_domain(place: Place, domain: str) -> None:
    """Let people of a domain join. Nobody opens the door to roles that they may not give themselves."""
    async with _turn(place):
        with _explaining():
            joining = await _read_joining_of_existing(place)
            if domain in joining.domains:
                raise Invalid(fields={"domain": f"{domain} is on the list already."})
            _refuse_beyond_own(place.tenant, joining.role_names)
            await _change_domains(
                place,
                joining.domains,
                (*joining.domains, domain),
                lambda: place.management.add_joining_domain(place.organization_id, domain),
            )


async def remove_domain(place: Place, domain: str) -> None:
    """Let nobody join by this domain any more; who did stays. Removing it again changes nothing."""
    async with _turn(place):
        with _explaining():
            joining = await _read_joining_of_existing(place)
            if domain not in joining.domains:
                return
            await _change_domains(
                place,
                joining.domains,
                tuple(item for item in joining.domains if item != domain),
                lambda: _unless_gone(place.management.remove_joining_domain(place.organization_id, domain)),
            )


async def choose_joining_role(place: Place, seen: str, wanted: Role | None) -> None:
    """The role of who joins by themselves; None gives none. Raises :class:`RolesConflict`.

    ``place.tenant`` must hold everything the caller is granted. A role beyond that is refused.
    """
    names = frozenset({wanted.value} if wanted else ())
    _refuse_beyond_own(place.tenant, names)
    async with _turn(place):
        with _explaining():
            theirs = (await _read_joining_of_existing(place)).role_names
            if theirs == names:
                return
            if seen != Joining((), theirs).version:
                raise RolesConflict(theirs)
            role_ids = [
                role.id for role in await place.management.list_organization_roles() if role.name in names
            ]
            if len(role_ids) != len(names):
                raise Invalid(fields={"role": "This role does not exist in Logto."})
            before, after = {"joining_roles": sorted(theirs)}, {"joining_roles": sorted(names)}
            await carry_out(
                place.work,
                place.organization_id,
                _entry(place, before, after),
                lambda: place.management.replace_joining_roles(place.organization_id, role_ids),
            )


def joining_role_choices(tenant: Tenant) -> tuple[Role, ...]:
    """The roles to offer. Saving asks the tokens themselves."""
    offered = frozenset(permission for permission in Permission if tenant.offers(permission))
    return assignable_roles(offered, _PERSON_ROLES)


async def get_name(place: Place) -> str:
    """What the organization is called in Logto now. Raises :class:`OrganizationGone`."""
    with _explaining():
        return (await place.management.get_organization(place.organization_id)).name


async def delete_organization(place: Place, typed_name: str) -> str:
    """Delete it in Logto and order the removal of its data here; returns its name.

    One that is gone in Logto already is removed here all the same. Raises :class:`Invalid` when the typed
    name differs.
    """
    try:
        name = await get_name(place)
    except OrganizationGone:
        name = place.tenant.organization_name
    if _as_read(typed_name) != _as_read(name):
        raise Invalid(fields={"name": f"This is not its name. Type “{_as_read(name)}” to delete it."})

    async def delete() -> None:
        await _unless_gone(place.management.delete_organization(place.organization_id))
        requested_by = place.tenant.principal.subject
        await request_removal(place.work, place.organization_id, name, requested_by)

    target = Target("organization", place.organization_id, name)
    entry = AuditEntry(Actor.of(place.tenant.principal), Action.ORGANIZATION_DELETE, target)
    with _explaining():
        await carry_out(place.work, place.organization_id, entry, delete, user_ids=[EVERYONE])
    return name


@contextmanager
def _explaining() -> Iterator[None]:
    """Refusals of Logto's as errors for people."""
    try:
        yield
    except ManagementError as refusal:
        if refusal.status == 404:
            raise OrganizationGone from None
        raise explained(refusal) from None


def _turn(place: Place) -> AbstractAsyncContextManager[None]:
    return lease(place.work, f"organization:{place.organization_id}", seconds=_TURN)


async def _unless_gone(call: Awaitable[None]) -> None:
    """What is to be deleted and is not there needs no deleting."""
    try:
        await call
    except ManagementError as refusal:
        if refusal.status != 404:
            raise


async def _read_joining(place: Place) -> Joining:
    domains, roles = await asyncio.gather(
        place.management.list_joining_domains(place.organization_id),
        place.management.list_joining_roles(place.organization_id),
    )
    return Joining(tuple(sorted(domains)), roles)


async def _read_joining_of_existing(place: Place) -> Joining:
    """The same of one that exists for sure: Logto answers empty lists for one that does not."""
    await place.management.get_organization(place.organization_id)
    return await _read_joining(place)


async def _change_domains(
    place: Place, before: Collection[str], after: Collection[str], call: Callable[[], Awaitable[None]]
) -> None:
    entry = _entry(place, {"joining_domains": sorted(before)}, {"joining_domains": sorted(after)})
    await carry_out(place.work, place.organization_id, entry, call)


def _refuse_beyond_own(tenant: Tenant, role_names: frozenset[str]) -> None:
    known = {role.value: role for role in _PERSON_ROLES}
    for name in sorted(role_names):
        role = known.get(name)
        if role is None or missing_to_assign(tenant.granted, role):
            reason = "more than you hold yourself" if role else "a role that Workroom does not know"
            raise Invalid(fields={"role": f"“{name}” is {reason}, so you cannot let people join with it."})


def _entry(place: Place, before: dict[str, Any], after: dict[str, Any]) -> AuditEntry:
    tenant = place.tenant
    target = Target("organization", tenant.organization_id, tenant.organization_name)
    return AuditEntry(Actor.of(tenant.principal), Action.ORGANIZATION_UPDATE, target, before, after)


def _details(organization: OrganizationInfo) -> Details:
    return Details(organization.name, organization.description or "")


def _version(values: list[str]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def _as_read(name: str) -> str:
    """A name as a page shows it, where any run of spaces is one."""
    return " ".join(unicodedata.normalize("NFC", name).split())
