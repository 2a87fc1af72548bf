"""The frozen values that the parts of this feature hand to each other, and its errors."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from saas_app.errors import NotFound, VersionConflict
from saas_app.text.branding import Branding
from saas_app.text.translation import _


@dataclass(frozen=True, slots=True)
class Details:
    """The name and description of an organization."""

    name: str
    description: str = ""


def version_of(values: Details | Branding) -> str:
    """Return what identifies the values a form was opened with. Each has its own part."""
    return ".".join(_version([value]) for value in asdict(values).values())


def changed_since(values: Details | Branding, seen: str) -> frozenset[str]:
    """Return the names of the fields that differ from those of the version ``seen``."""
    now, then = version_of(values).split("."), seen.split(".")
    then += [""] * len(now)
    return frozenset(name for name, new, old in zip(asdict(values), now, then, strict=False) if new != old)


@dataclass(frozen=True, slots=True)
class Joining:
    """How people join automatically: the email domains set in Logto, and the names of the default roles."""

    domains: tuple[str, ...]
    role_names: frozenset[str]

    @property
    def version(self) -> str:
        """Identifies the roles."""
        return _version(sorted(self.role_names))


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """The content of the settings page. ``has_factor`` says whether the caller has a second factor."""

    details: Details
    branding: Branding
    is_mfa_required: bool
    joining: Joining
    has_factor: bool


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What the admin of a new organization has done already."""

    has_invited: bool
    has_project: bool
    has_second_role: bool
    has_seen_access: bool = False

    @property
    def are_done(self) -> bool:
        """Return whether nothing is left to do."""
        return self.has_invited and self.has_project and self.has_second_role and self.has_seen_access


class OrganizationGone(NotFound):
    """The organization was deleted while the caller worked on it."""

    code, title = "organization-gone", _("This organization no longer exists")

    def __init__(self) -> None:
        super().__init__(_("Somebody deleted it while this page was open. Nothing was changed."))


class SettingsConflict(VersionConflict):
    """The values of a form changed after it was opened.

    ``changed`` names the fields that the caller changed after opening the form, and ``changed_meanwhile``
    those that others changed. ``seen`` is the version with which the form was opened.
    """

    def __init__(self, theirs: Details | Branding, yours: Details | Branding, seen: str) -> None:
        super().__init__()
        self.theirs = theirs
        self.yours = yours
        self.changed = changed_since(yours, seen)
        self.changed_meanwhile = changed_since(theirs, seen)


class RolesConflict(VersionConflict):
    """The default role changed after the form was opened."""

    def __init__(self, theirs: frozenset[str]) -> None:
        super().__init__(_("The role has changed since you opened this page. Nothing was overwritten."))
        self.theirs = theirs


def _version(values: list[str] | list[str | None]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
