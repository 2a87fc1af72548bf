"""Creates the people, organizations and projects of the demo. A second run changes nothing.

People, organizations, memberships, roles, API clients and the invitation are created in Logto, through
the Management API; projects in our database. Changes that people made to them are undone.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import structlog

from saas_app.api_clients.seed import remember_client
from saas_app.audit.recorder import Action
from saas_app.audit.seed import seed_entries
from saas_app.coordination.jobs import Failure
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.demo.audit_history import history_of
from saas_app.demo.people import (
    CUSTOM_DATA_KEY,
    ORGANIZATIONS,
    PASSWORD,
    PEOPLE,
    SUPPORTED,
    DemoOrganization,
    DemoPerson,
    admin_of,
    invited_to,
    members_of,
    workers_of,
)
from saas_app.demo.projects import PROJECTS
from saas_app.demo.support import add_agent, allow_support
from saas_app.email_domains.seed import seed_claim, seed_verified
from saas_app.errors import ConfigurationError, LogtoUnavailable
from saas_app.identity.directory import Directory, remember_organization
from saas_app.identity.former_members import note_past_removal
from saas_app.identity.membership_changes import note_change
from saas_app.invitations.links import link_to
from saas_app.logto import (
    LogtoUser,
    ManagementClient,
    ManagementError,
    MemberInfo,
    OrganizationInfo,
)
from saas_app.operations.sign_in_methods.model import MockEmail
from saas_app.projects.seed import seed_projects
from saas_app.rbac.permissions import Role
from saas_app.text.languages import SOURCE
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_INVITATION_LIFETIME = 30 * 86400  # seconds


@dataclass(frozen=True, slots=True)
class SeedStep:
    """One seeding step, and whether it changed anything."""

    what: str
    name: str
    changed: bool


async def _isolated(item: str, steps: AsyncIterator[SeedStep]) -> AsyncIterator[SeedStep | Failure]:
    """Yield the steps of one item. If one fails, yield a failure instead of the remaining steps."""
    try:
        async for step in steps:
            yield step
    except (ConfigurationError, LogtoUnavailable):
        raise
    except Exception as error:
        log.warning("a part of the demo could not be seeded", item=item, exc_info=True)
        yield Failure.of(item, error)


class DemoSeeder:
    """Seeds one Logto and one database. The invitation's message links to the application's address.

    ``support`` is the organization of the support team, or "" without one.
    """

    def __init__(
        self, client: ManagementClient, work: UnitOfWork, app_url: str, *, support: str = ""
    ) -> None:
        self._client = client
        self._work = work
        self._app_url = app_url
        self._support = support
        self._directory = Directory(work)

    async def seed(self) -> AsyncIterator[SeedStep | Failure]:
        """Seed everything and yield each step. For an item that fails, yield a :class:`Failure` and continue.

        Raises :class:`ConfigurationError` if a demo username belongs to somebody else, and
        :class:`LogtoUnavailable`.
        """
        yield await self._ask_for_email_at_sign_up()
        users: dict[str, LogtoUser] = {}
        for person in PEOPLE:
            async for step in _isolated(
                _("person %(username)s", username=person.username), self._add(person, users)
            ):
                yield step
        existing = {
            organization.custom_data[CUSTOM_DATA_KEY]: organization
            for organization in await self._client.list_organizations()
            if CUSTOM_DATA_KEY in organization.custom_data
        }
        for declared in ORGANIZATIONS:
            steps = self._organization(declared, existing.get(declared.key), users)
            async for step in _isolated(_("organization %(name)s", name=declared.name), steps):
                yield step
        await self._remember(users)
        if self._support:
            async for step in _isolated(_("support access"), self._support_team(users)):
                yield step

    async def _support_team(self, users: Mapping[str, LogtoUser]) -> AsyncIterator[SeedStep]:
        for person in PEOPLE:
            if person.is_agent:
                user = users[person.username]
                is_new = await add_agent(self._client, self._work, self._support, user)
                yield SeedStep(_("support agent"), person.username, is_new)
        supported = next(
            organization
            for organization in await self._client.list_organizations()
            if organization.custom_data.get(CUSTOM_DATA_KEY) == SUPPORTED.key
        )
        allowed = await allow_support(self._work, supported.id)
        yield SeedStep(_("support access"), SUPPORTED.name, allowed)

    async def _add(self, person: DemoPerson, users: dict[str, LogtoUser]) -> AsyncIterator[SeedStep]:
        users[person.username], changed = await self._person(person)
        yield SeedStep(_("person"), f"{person.username} <{person.email}>", changed)

    async def _organization(
        self, declared: DemoOrganization, found: OrganizationInfo | None, users: Mapping[str, LogtoUser]
    ) -> AsyncIterator[SeedStep]:
        organization = found or await self._create(declared)
        yield SeedStep(_("organization"), declared.name, found is None)
        async for step in self._fill(declared, organization, users):
            yield step

    async def _ask_for_email_at_sign_up(self) -> SeedStep:
        """Let invited people sign up with their address. Only a sign-up with default settings is changed."""
        current = (await self._client.get_sign_in_experience()).get("signUp", {})
        if current.get("identifiers") != ["username"] or current.get("secondaryIdentifiers"):
            return SeedStep(_("sign-up"), _("not changed: it was set before"), False)
        wanted = {
            "identifiers": ["username"],
            "password": True,
            "verify": True,
            "secondaryIdentifiers": [{"identifier": "email", "verify": True}],
        }
        try:
            await self._client.change_sign_in_experience({"signUp": wanted})
        except ManagementError as refusal:
            if refusal.status != 400:
                raise
            return SeedStep(
                "sign-up", _("without an email address: this Logto has no email connector"), False
            )
        return SeedStep(_("sign-up"), _("asks for an email address"), True)

    async def _person(self, person: DemoPerson) -> tuple[LogtoUser, bool]:
        user = await self._client.find_user_by_username(person.username)
        if user is None:
            created = await self._client.create_user(
                username=person.username,
                email=person.email,
                phone=person.phone,
                name=person.name,
                password=PASSWORD,
                avatar=person.picture,
            )
            return created, True
        if (user.email or "").lower() != person.email:
            raise ConfigurationError(
                _(
                    "The username '%(username)s' belongs to %(owner)s in this Logto. The demo does not "
                    "change real accounts.",
                    username=person.username,
                    owner=user.email or _("another account"),
                )
            )
        is_complete = True
        if user.phone is None:  # created by an earlier version
            user, is_complete = await self._client.set_user_phone(user.id, person.phone), False
        if user.avatar is None and person.picture:
            user, is_complete = await self._client.set_user_avatar(user.id, person.picture), False
        return user, not is_complete

    async def _create(self, declared: DemoOrganization) -> OrganizationInfo:
        created = await self._client.create_organization(
            declared.name, declared.description, custom_data={CUSTOM_DATA_KEY: declared.key}
        )
        return await self._client.update_organization(created.id, color={"primaryColor": declared.color})

    async def _fill(
        self, declared: DemoOrganization, organization: OrganizationInfo, users: Mapping[str, LogtoUser]
    ) -> AsyncIterator[SeedStep]:
        async with self._work.writing(organization.id) as db:
            await remember_organization(db, organization)
        async for step in self._people(declared, organization.id, users):
            yield step
        admin = users[admin_of(declared).username]
        yield await self._machine(declared, organization.id, admin.id)
        if declared.domain:
            yield await self._domains(declared, organization.id, admin.id)
        yield await self._projects(declared, organization.id, admin.id, users)
        yield await self._audit_log(declared, organization.id, users)

    async def _people(
        self, declared: DemoOrganization, organization_id: str, users: Mapping[str, LogtoUser]
    ) -> AsyncIterator[SeedStep]:
        members = {member.user.id: member for member in await self._client.list_members(organization_id)}
        for person, role in members_of(declared):
            changed = await self._membership(organization_id, users[person.username].id, role, members)
            yield SeedStep(
                _("membership"),
                _(
                    "%(username)s as %(role)s of %(name)s",
                    username=person.username,
                    role=role,
                    name=declared.name,
                ),
                changed,
            )
        admin = users[admin_of(declared).username]
        for person, role in invited_to(declared):
            is_member = users[person.username].id in members
            changed = not is_member and await self._invite(organization_id, admin, person, role)
            yield SeedStep(
                _("invitation"),
                _(
                    "%(username)s as %(role)s of %(name)s",
                    username=person.username,
                    role=role,
                    name=declared.name,
                ),
                changed,
            )

    async def _projects(
        self, declared: DemoOrganization, organization_id: str, admin_id: str, users: Mapping[str, LogtoUser]
    ) -> SeedStep:
        projects = PROJECTS[declared.key]
        workers = [users[person.username].id for person in workers_of(declared)]
        async with self._work.writing(organization_id) as db:
            created = await seed_projects(db, admin_id, projects, workers)
        return SeedStep(
            _("projects"),
            _("%(number)s of %(name)s", number=len(projects), name=declared.name),
            bool(created),
        )

    async def _audit_log(
        self, declared: DemoOrganization, organization_id: str, users: Mapping[str, LogtoUser]
    ) -> SeedStep:
        now, events = utc_now(), history_of(declared, organization_id, users)
        removals = [event for event in events if event.entry.action is Action.MEMBER_REMOVE]
        async with self._work.writing(organization_id) as db:
            written = await seed_entries(db, events, now)
            for event in removals:
                removed = event.entry.target.id
                await note_past_removal(db, organization_id, declared.name, removed, event.at(now))
        return SeedStep(_("audit log"), _("weeks of %(name)s", name=declared.name), written)

    async def _membership(
        self, organization_id: str, user_id: str, role: str, members: Mapping[str, MemberInfo]
    ) -> bool:
        if user_id not in members:
            await self._client.add_members(organization_id, [user_id])
        elif members[user_id].role_names == {role}:
            return False
        await self._client.replace_roles(organization_id, user_id, [role])
        await note_change(self._work, organization_id, user_id)
        return True

    async def _machine(self, declared: DemoOrganization, organization_id: str, admin_id: str) -> SeedStep:
        """Create the organization's API client, with the role for machines."""
        mark = {CUSTOM_DATA_KEY: declared.key}
        known = await self._client.list_machines_by_name(declared.machine)
        machine = next((found for found in known if found.custom_data == mark), None)
        if machine is None:
            description = f"A demo API client of {declared.name}"
            machine = await self._client.create_machine(declared.machine, description, custom_data=mark)
        held: frozenset[str] = frozenset()
        for membership in await self._client.find_machine_organizations(machine.id) or []:
            if membership.organization_id == organization_id:
                held = membership.role_names
        is_missing = Role.INTEGRATION.value not in held
        if is_missing:
            roles = {role.name: role.id for role in await self._client.list_organization_roles()}
            await self._client.add_machine(organization_id, machine.id)
            await self._client.assign_machine_roles(
                organization_id, machine.id, [roles[Role.INTEGRATION.value]]
            )
        async with self._work.writing(organization_id) as db:
            await remember_client(db, machine.id, machine.name, admin_id)
        return SeedStep(
            _("machine"),
            _("%(name)s of %(organization)s", name=machine.name, organization=declared.name),
            is_missing,
        )

    async def _domains(self, declared: DemoOrganization, organization_id: str, admin_id: str) -> SeedStep:
        """Add a verified domain whose people join as viewers, and one that is not verified yet."""
        await seed_claim(self._work, organization_id, declared.claimed)
        changed = await seed_verified(self._work, self._client, organization_id, declared.domain, admin_id)
        if changed and not await self._client.list_joining_roles(organization_id):
            roles = {role.name: role.id for role in await self._client.list_organization_roles()}
            await self._client.replace_joining_roles(organization_id, [roles[Role.VIEWER.value]])
        return SeedStep(
            _("email domain"),
            _("%(domain)s of %(name)s", domain=declared.domain, name=declared.name),
            changed,
        )

    async def _invite(self, organization_id: str, inviter: LogtoUser, person: DemoPerson, role: str) -> bool:
        invitations = await self._client.list_invitations(organization_id)
        if any(known.status == "Pending" and known.invitee.lower() == person.email for known in invitations):
            return False
        roles = {found.name: found.id for found in await self._client.list_organization_roles()}
        invitation = await self._client.create_invitation(
            organization_id,
            person.email,
            role_ids=[roles[role]],
            expires_at=int((time.time() + _INVITATION_LIFETIME) * 1000),
            inviter_id=inviter.id,
        )
        if await self._keeps_messages():
            link = link_to(self._app_url, invitation.id)
            await self._client.send_invitation(invitation.id, link, SOURCE)
        return True

    async def _keeps_messages(self) -> bool:
        """Return whether emails go to a mock connector. Others would send them to addresses of nobody."""
        connectors = await self._client.list_connectors()
        return any(found.factory == MockEmail.factory for found in connectors)

    async def _remember(self, users: Mapping[str, LogtoUser]) -> None:
        for user in users.values():
            await self._directory.remember_user(
                {
                    "sub": user.id,
                    "username": user.username,
                    "name": user.name,
                    "email": user.email,
                    "picture": user.avatar,
                }
            )
