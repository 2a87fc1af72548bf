"""The features of an organization, for the menu and for the organization switcher."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission, permissions_of


@dataclass(frozen=True, slots=True)
class Feature:
    """A place below ``/o/<organization_id>/``, and the permission it needs (None: every member)."""

    slug: str
    label: str
    permission: Permission | None = None


FEATURES = (
    Feature("", "Overview"),
    Feature("projects", "Projects", Permission.PROJECTS_READ),
    Feature("members", "Members", Permission.MEMBERS_READ),
    Feature("invitations", "Invitations", Permission.MEMBERS_INVITE),
    Feature("api-clients", "API clients", Permission.API_CLIENTS_MANAGE),
    Feature("audit", "Audit log", Permission.AUDIT_READ),
    Feature("settings", "Settings", Permission.ORGANIZATION_UPDATE),
    Feature("access", "My access"),
)

_BY_SLUG = {feature.slug: feature for feature in FEATURES}


def features_offered(tenant: Tenant) -> tuple[Feature, ...]:
    """Return the features that the menu shows to this caller."""
    return tuple(
        feature for feature in FEATURES if feature.permission is None or tenant.offers(feature.permission)
    )


def feature_of(path: str) -> str | None:
    """Return the slug of the feature of a path, or None outside an organization's features."""
    parts = path.split("/")
    if len(parts) < 4 or parts[1] != "o" or parts[3] not in _BY_SLUG:
        return None
    return parts[3]


def feature_path(organization_id: str, slug: str, role_names: frozenset[str]) -> str:
    """Return the path of a feature in another organization, or its overview if the roles do not allow it."""
    feature = _BY_SLUG.get(slug)
    root = f"/o/{quote(organization_id, safe='')}/"
    if feature is None or (feature.permission and feature.permission not in permissions_of(role_names)):
        return root
    return root + feature.slug
