"""What a caller can find, and where it leads. Permissions decide what is looked for and offered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, urlencode

from saas_app.db.session import DatabaseSession
from saas_app.identity.profiles import Membership
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.search.queries import find_known
from saas_app.search.values import Group, Match
from saas_app.text.order import fold, order_key
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated
from saas_app.web.navigation import actions_for, menu_for

_SIZE: Final = 6  # results of a kind


_OWN_PAGES: Final = (
    (_("Account"), "/account", "person"),
    (_("All organizations"), "/o", "grid"),
    (_("Create organization"), "/o/new", "plus"),
)


async def search_organization(db: DatabaseSession, tenant: Tenant, text: str) -> list[Group]:
    """Return what the caller can open and do in the organization, in one statement at most.

    Without a text, the pages, the actions and the latest projects. Projects and people are looked for if the
    caller's tokens grant it.
    """
    known = await find_known(
        db,
        text,
        _SIZE,
        with_projects=tenant.may(Permission.PROJECTS_READ),
        with_people=bool(text) and tenant.may(Permission.MEMBERS_READ),
    )
    root = f"/o/{quote(tenant.organization_id, safe='')}/"
    return _without_empty(
        Group(
            _("Projects"),
            tuple(Match(name, f"{root}projects/{id_}", "folder") for id_, name in known.projects),
        ),
        Group(
            _("People"),
            tuple(Match(name, f"{root}members?{urlencode({'q': name})}", "person") for name in known.people),
        ),
        Group(_("Actions"), tuple(_named(text, _actions(tenant, root)))),
        Group(_("Pages"), tuple(_named(text, _pages(tenant, root)))),
        Group(_("Search in lists"), tuple(_lists(tenant, root, text)), is_last=True),
    )


def search_own(memberships: Iterable[Membership], text: str, language: str) -> list[Group]:
    """Return the caller's organizations and pages."""
    wanted = fold(text)
    found = sorted(
        (item for item in memberships if wanted in fold(item.organization_name)),
        key=lambda item: (order_key(item.organization_name, language), item.organization_id),
    )
    organizations = (
        Match(
            item.organization_name,
            f"/o/{quote(item.organization_id, safe='')}/",
            "",
            item.organization_id,
            item.role_names,
            item.branding,
        )
        for item in found[:_SIZE]
    )
    pages = (Match(label, target, symbol) for label, target, symbol in _OWN_PAGES)
    return _without_empty(
        Group(_("Organizations"), tuple(organizations)), Group(_("Your account"), tuple(_named(text, pages)))
    )


def _actions(tenant: Tenant, root: str) -> Iterator[Match]:
    for action in actions_for(tenant):
        yield Match(action.label, root + action.slug, "plus")


def _pages(tenant: Tenant, root: str) -> Iterator[Match]:
    for entry in menu_for(tenant):
        yield Match(entry.label, root + entry.slug, "arrow")


def _lists(tenant: Tenant, root: str, text: str) -> Iterator[Match]:
    if text and tenant.offers(Permission.PROJECTS_READ):
        yield Match(
            _("Projects with “%(text)s”", text=isolated(text)),
            f"{root}projects?{urlencode({'q': text})}",
            "search",
        )
    if text and tenant.offers(Permission.MEMBERS_READ):
        yield Match(
            _("Members with “%(text)s”", text=isolated(text)),
            f"{root}members?{urlencode({'q': text})}",
            "search",
        )


def _named(text: str, matches: Iterable[Match]) -> Iterator[Match]:
    """Yield the matches whose label contains the text, in the reader's language."""
    wanted = fold(text)
    for match in matches:
        if wanted in fold(match.label.said if isinstance(match.label, Sentence) else match.label):
            yield match


def _without_empty(*groups: Group) -> list[Group]:
    return [group for group in groups if group.matches]
