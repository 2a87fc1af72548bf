"""The menu of an organization. The organization switcher uses it to stay on the same page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission, permissions_of
from saas_app.text.translation import Sentence, _


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A page below ``/o/<organization_id>/``, and the permission it needs (None: every member).

    ``key`` is its shortcut: after *g* for a page of the menu, alone for an action. Most actions have none.
    """

    slug: str
    label: Sentence
    permission: Permission | None = None
    key: str = ""


MENU = (
    MenuEntry("", _("Overview"), key="o"),
    MenuEntry("projects", _("Projects"), Permission.PROJECTS_READ, "p"),
    MenuEntry("members", _("Members"), Permission.MEMBERS_READ, "m"),
    MenuEntry("invitations", _("Invitations"), Permission.MEMBERS_INVITE, "i"),
    MenuEntry("api-clients", _("API clients"), Permission.API_CLIENTS_MANAGE, "k"),
    MenuEntry("audit", _("Audit log"), Permission.AUDIT_READ, "a"),
    MenuEntry("settings", _("Settings"), Permission.ORGANIZATION_UPDATE, "s"),
    MenuEntry("support", _("Support desk"), Permission.SUPPORT_ACT),
    MenuEntry("access", _("My access"), key="y"),
)

ACTIONS = (
    MenuEntry("projects/new", _("Create project"), Permission.PROJECTS_WRITE, "c"),
    MenuEntry("invitations/new", _("Invite people"), Permission.MEMBERS_INVITE),
    MenuEntry("api-clients/new", _("Create API client"), Permission.API_CLIENTS_MANAGE),
)
"""Pages on which members begin something. The search and the shortcuts lead there."""

_BY_SLUG = {entry.slug: entry for entry in MENU}
_PART_OF = {"access-requests": "members", "single-sign-on": "settings"}
"""Pages outside the menu, by their slug, and the entry that they belong to."""


def menu_for(tenant: Tenant) -> tuple[MenuEntry, ...]:
    """Return the entries that the menu shows to this caller."""
    return _offered(tenant, MENU)


def actions_for(tenant: Tenant) -> tuple[MenuEntry, ...]:
    """Return the actions that the search and the shortcuts offer to this caller."""
    return _offered(tenant, ACTIONS)


def entry_slug_of(path: str) -> str | None:
    """Return the slug of the menu entry that a path belongs to, or None outside the menu."""
    parts = path.split("/")
    if len(parts) < 4 or parts[1] != "o":
        return None
    slug = _PART_OF.get(parts[3], parts[3])
    return slug if slug in _BY_SLUG else None


def path_in(organization_id: str, slug: str, role_names: frozenset[str]) -> str:
    """Return the path of an entry in another organization, or its overview if the roles do not allow it."""
    entry = _BY_SLUG.get(slug)
    root = f"/o/{quote(organization_id, safe='')}/"
    if entry is None or (entry.permission and entry.permission not in permissions_of(role_names)):
        return root
    return root + entry.slug


def _offered(tenant: Tenant, entries: tuple[MenuEntry, ...]) -> tuple[MenuEntry, ...]:
    """Return the entries for this caller. Support access has none of the member's own pages."""
    is_support = tenant.principal.support is not None
    return tuple(
        entry
        for entry in entries
        if (entry.permission is None and not (is_support and entry.slug))
        or (entry.permission is not None and tenant.offers(entry.permission))
    )
