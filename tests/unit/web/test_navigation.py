"""Features in the menu and in the organization switcher."""

import pytest

from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Role
from saas_app.web.navigation import MENU, entry_slug_of, menu_for, path_in


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("/o/acme/", ""),
        ("/o/acme/projects", "projects"),
        ("/o/acme/projects/17/edit", "projects"),
        ("/o/acme/access", "access"),
        ("/o/acme/access-requests/17", "members"),
        ("/o/acme/elsewhere", None),
        ("/o/new", None),
        ("/o", None),
        ("/account", None),
        ("/x/acme/projects", None),
    ],
)
def test_an_address_belongs_to_a_feature(path: str, slug: str | None) -> None:
    assert entry_slug_of(path) == slug


@pytest.mark.parametrize(
    ("slug", "roles", "path"),
    [
        ("projects", {Role.VIEWER.value}, "/o/globex/projects"),
        ("projects", set(), "/o/globex/"),
        ("access", set(), "/o/globex/access"),
        ("", {Role.ADMIN.value}, "/o/globex/"),
        ("../../account", {Role.ADMIN.value}, "/o/globex/"),
        ("//evil.test", {Role.ADMIN.value}, "/o/globex/"),
    ],
)
def test_switching_keeps_the_feature_if_the_roles_there_allow_it(
    slug: str, roles: set[str], path: str
) -> None:
    assert path_in("globex", slug, frozenset(roles)) == path


def test_an_organization_id_stays_one_segment_of_the_path() -> None:
    assert path_in("a/../b?c", "access", frozenset()) == "/o/a%2F..%2Fb%3Fc/access"


def test_the_menu_offers_the_features_of_a_viewer(carol_at_acme: Tenant) -> None:
    hers = {None, *ROLE_PERMISSIONS[Role.VIEWER]}
    offered = [entry.label for entry in menu_for(carol_at_acme)]
    assert offered == [entry.label for entry in MENU if entry.permission in hers]
    assert "Projects" in offered
    assert "Settings" not in offered
