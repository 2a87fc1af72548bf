"""Sets up the customer's identity provider, and connects it to organizations of the demo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.demo.company import (
    COMPANY_PEOPLE,
    CONNECTED,
    GROUP,
    TO_CONNECT,
    CompanyClient,
    CompanyProvider,
)
from saas_app.demo.people import CUSTOM_DATA_KEY, ORGANIZATIONS, PASSWORD, admin_of
from saas_app.email_domains.seed import seed_verified
from saas_app.logto import LogtoUser, ManagementClient, OrganizationInfo
from saas_app.models import DomainProof
from saas_app.rbac.permissions import Role
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.seed import SeededProvider, point_connector, seed_connection

_STAFF: Final = "Staff"
_CLAIM: Final = "organization_roles"
"""Logto has no claim for groups. These are a person's roles, with the ids of their organizations."""

_COLOR: Final = {"primaryColor": "#0f766e", "isDarkModeEnabled": True, "darkPrimaryColor": "#2dd4bf"}
"""Not Logto's, so that people see that they are at the company's provider."""

_SCOPES: Final = "openid profile email urn:logto:scope:organization_roles"


@dataclass(frozen=True, slots=True)
class _Demo:
    key: str
    organization: OrganizationInfo
    admin: LogtoUser

    @property
    def domain(self) -> str:
        return f"{self.key}.example"


async def connect_company(
    provider: CompanyProvider,
    company: ManagementClient,
    product: ManagementClient,
    work: UnitOfWork,
    registration: Registration,
) -> dict[str, CompanyClient]:
    """Set both sides up, and return the clients by organization. A second run changes only addresses.

    ``company`` and ``product`` are the Management APIs of the customer's provider and of Workroom's.
    """
    await company.change_sign_in_experience({"color": _COLOR})
    group = await _add_people(company)
    clients = {}
    for demo in await _find_demos(product):
        await _prove_domain(product, work, demo)
        clients[demo.key] = await _register(company, demo.organization.name, registration)
        if demo.key == CONNECTED:
            wanted = SeededProvider(
                name=demo.organization.name,
                issuer=provider.issuer,
                client_id=clients[demo.key].client_id,
                client_secret=clients[demo.key].client_secret,
                scopes=_SCOPES,
                domains=(demo.domain,),
                group_claim=_CLAIM,
                group_roles={group: Role.ADMIN.value},
            )
            await seed_connection(
                work, product, registration.vault, demo.organization.id, demo.admin.id, wanted
            )
        await point_connector(work, product, registration, demo.organization.id)
    return clients


async def _add_people(company: ManagementClient) -> str:
    """Create the people there, some with a role in an organization. Return how a token names that role."""
    users = {person.username: await _person(company, person.username) for person in COMPANY_PEOPLE}
    staff = next((one for one in await company.list_organizations() if one.name == _STAFF), None)
    if staff is None:
        staff = await company.create_organization(_STAFF, "The people of the company")
        await company.create_organization_role(GROUP, "Admins of applications", "User")
        await company.add_members(staff.id, [user.id for user in users.values()])
        for person in COMPANY_PEOPLE:
            if person.is_in_group:
                await company.replace_roles(staff.id, users[person.username].id, [GROUP])
    return f"{staff.id}:{GROUP}"


async def _person(company: ManagementClient, username: str) -> LogtoUser:
    person = next(known for known in COMPANY_PEOPLE if known.username == username)
    return await company.find_user_by_username(username) or await company.create_user(
        username=username, name=person.name, email=person.email, password=PASSWORD
    )


async def _find_demos(product: ManagementClient) -> Iterable[_Demo]:
    organizations = {one.custom_data.get(CUSTOM_DATA_KEY): one for one in await product.list_organizations()}
    found = []
    for declared in ORGANIZATIONS:
        admin = await product.find_user_by_username(admin_of(declared).username)
        if declared.key in (CONNECTED, TO_CONNECT) and declared.key in organizations and admin:
            found.append(_Demo(declared.key, organizations[declared.key], admin))
    return found


async def _prove_domain(product: ManagementClient, work: UnitOfWork, demo: _Demo) -> None:
    await seed_verified(
        work, product, demo.organization.id, demo.domain, demo.admin.id, proof=DomainProof.DNS
    )
    if not await product.list_joining_roles(demo.organization.id):
        roles = {role.name: role.id for role in await product.list_organization_roles()}
        await product.replace_joining_roles(demo.organization.id, [roles[Role.VIEWER.value]])


async def _register(company: ManagementClient, name: str, registration: Registration) -> CompanyClient:
    """Register Workroom as a client of an organization, for any connector: its ID is not known yet."""
    metadata = {"redirectUris": [registration.redirect_uri("*")], "postLogoutRedirectUris": []}
    known = await company.list_traditional_applications()
    client = next((one for one in known if one.name == name), None)
    if client is None:
        client = await company.create_traditional_application(
            name, "Workroom", oidc_metadata=metadata, custom={}
        )
    else:
        await company.replace_application_metadata(client.id, oidc_metadata=metadata, custom={})
    (secret,) = await company.list_secrets(client.id)
    return CompanyClient(client.id, secret.value)
