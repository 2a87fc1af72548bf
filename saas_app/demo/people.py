"""The people and organizations of the demo, as data. Their password is public, for development only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from saas_app.demo import portraits
from saas_app.rbac.permissions import Permission, Role, permissions_of
from saas_app.text.languages import languages, speaking
from saas_app.text.translation import Sentence, _

PASSWORD: Final = "Workroom-demo-1"  # noqa: S105 - printed on the sign-in page of the demo
CUSTOM_DATA_KEY: Final = "workroomDemo"
"""Marks an organization or a machine in Logto as part of the demo, because names there are not unique."""


class SignInShortcut(Protocol):
    """A person whom a sign-in page of the demo offers with one click."""

    @property
    def username(self) -> str:
        """The name that signs them in, with the password of the demo."""

    @property
    def name(self) -> str:
        """The name for display."""

    @property
    def hint(self) -> Sentence:
        """What is special about them, in one line."""


@dataclass(frozen=True, slots=True)
class DemoOrganization:
    """A demo organization. ``key`` identifies it in later runs, ``machine`` is the name of its API client.

    They have colors and no logos: a logo must have a public address with HTTPS, and the demo is offline.
    People with an address at ``domain`` join automatically as viewers. The domain ``claimed`` is not verified
    yet.
    """

    key: str
    name: str
    description: str
    machine: str
    color: str
    domain: str = ""
    claimed: str = ""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A demo account. Its roles are listed by the key of the organization. Some have no picture.

    ``is_agent``: they belong to the support team instead of an organization. ``domain`` is that of their
    email address, never an assigned one (RFC 2606).
    """

    username: str
    name: str
    phone: str  # digits with the country code, from a range that is never assigned (555-0100 to 555-0199)
    roles: Mapping[str, Role] = field(default_factory=dict)
    invited_as: Mapping[str, Role] = field(default_factory=dict)
    picture: str | None = None
    is_agent: bool = False
    domain: str = "workroom.example"

    @property
    def email(self) -> str:
        return f"{self.username}@{self.domain}"

    @property
    def hint(self) -> Sentence:
        """Their roles and invitations, in one line."""
        places = [
            _("%(role)s of %(name)s", role=role.value, name=_BY_KEY[key].name)
            for key, role in self.roles.items()
        ]
        places += [
            _("invited to %(name)s as %(role)s", name=_BY_KEY[key].name, role=role.value)
            for key, role in self.invited_as.items()
        ]
        if self.is_agent:
            places.append(_("support: acts for members of %(name)s", name=SUPPORTED.name))
        return Sentence.joined(places)


ORGANIZATIONS: Final = (
    DemoOrganization(
        "acme",
        "Acme Robotics",
        "Robot arms and the software that moves them",
        "CI robot",
        "#c2410c",
        domain="workroom.example",
        claimed="acme-robotics.example",
    ),
    DemoOrganization(
        "globex", "Globex", "Freight, warehouses and the lanes between them", "Warehouse sync", "#0f766e"
    ),
    DemoOrganization(
        "initech", "Initech", "Payroll and reporting for mid-sized companies", "Payroll export", "#86198f"
    ),
)
SUPPORTED: Final = ORGANIZATIONS[0]
"""The organization that allows support access."""

_BY_KEY: Final = {organization.key: organization for organization in ORGANIZATIONS}

PEOPLE: Final = (
    DemoPerson(
        "alice",
        "Alice Moreau",
        "12025550101",
        {"acme": Role.ADMIN, "globex": Role.VIEWER},
        picture=portraits.ALICE,
    ),
    DemoPerson("bob", "Bob Lindqvist", "12025550102", {"acme": Role.EDITOR, "globex": Role.ADMIN}),
    DemoPerson(
        "carol",
        "Carol Okafor",
        "12025550103",
        {"acme": Role.VIEWER, "initech": Role.EDITOR},
        picture=portraits.CAROL,
    ),
    DemoPerson(
        "dave",
        "Dave Tanaka",
        "12025550104",
        {"globex": Role.EDITOR, "initech": Role.ADMIN},
        picture=portraits.DAVE,
    ),
    DemoPerson("erin", "Erin Castillo", "12025550105", invited_as={"acme": Role.EDITOR}),
    DemoPerson("sam", "Sam Whitfield", "12025550106", is_agent=True),
    DemoPerson("fran", "Fran Keller", "12025550107", {"globex": Role.VIEWER}, domain="globex.example"),
    DemoPerson("ivy", "Ivy Novak", "12025550108", {"initech": Role.ADMIN}, domain="initech.example"),
)


def members_of(organization: DemoOrganization) -> Iterator[tuple[DemoPerson, Role]]:
    """Yield the members of an organization with their roles."""
    for person in PEOPLE:
        if organization.key in person.roles:
            yield person, person.roles[organization.key]


def invited_to(organization: DemoOrganization) -> Iterator[tuple[DemoPerson, Role]]:
    """Yield the people with a pending invitation to an organization, with their future roles."""
    for person in PEOPLE:
        if organization.key in person.invited_as:
            yield person, person.invited_as[organization.key]


def workers_of(organization: DemoOrganization) -> list[DemoPerson]:
    """Return the members of an organization who may work on its tasks."""
    return [
        person
        for person, role in members_of(organization)
        if Permission.PROJECTS_WRITE in permissions_of(frozenset({role.value}))
    ]


def admin_of(organization: DemoOrganization) -> DemoPerson:
    """Return the admin of an organization."""
    return next(person for person, role in members_of(organization) if role is Role.ADMIN)


def as_sign_in_shortcuts(people: Iterable[SignInShortcut]) -> list[dict[str, object]]:
    """Return people as shortcuts for the sign-in page of the development identity provider."""
    return [
        {
            "identifier": person.username,
            "password": PASSWORD,
            "name": person.name,
            "hint": person.hint,
            "hints": {tag: _in_language(tag, person.hint) for tag in languages()},
        }
        for person in people
    ]


def _in_language(tag: str, sentence: Sentence) -> str:
    with speaking(tag):
        return sentence.said
