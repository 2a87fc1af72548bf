"""Choosing roles for a member: which are offered, which stay untouched, and the result of a choice. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from saas_app.errors import Invalid, NotFound
from saas_app.rbac.assignment import PERSON_ROLES, missing_to_assign
from saas_app.rbac.permissions import Permission, Role
from saas_app.text.translation import _

_BY_NAME = {role.value: role for role in PERSON_ROLES}


@dataclass(frozen=True, slots=True)
class RoleOption:
    """A role in the form. ``missing`` has the permissions that the caller lacks to assign it."""

    role: Role
    held: bool
    missing: tuple[Permission, ...]

    @property
    def is_open(self) -> bool:
        """Whether the caller may assign the role, or take it away if it is held."""
        return self.held or not self.missing


def role_options(held: frozenset[str], granted: frozenset[Permission]) -> tuple[RoleOption, ...]:
    """Return the roles for people that a caller with ``granted`` sees for a member who holds ``held``."""
    return tuple(
        RoleOption(role, role.value in held, missing_to_assign(granted, role)) for role in PERSON_ROLES
    )


def kept_roles(held: frozenset[str]) -> frozenset[str]:
    """Return the roles of a member that the registry does not offer to people. No form here changes them."""
    return held - _BY_NAME.keys()


def get_person_role(name: str) -> Role:
    """Return the role for people with this name, from an address. Raises :class:`NotFound`."""
    if name not in _BY_NAME:
        raise NotFound(_("No role for people has this name."))
    return _BY_NAME[name]


def read_choice(names: Sequence[str]) -> frozenset[Role]:
    """Read the roles of a form. Raises :class:`Invalid` for a name that is not a role for people."""
    unknown = [name for name in names if name not in _BY_NAME]
    if unknown:
        raise Invalid(
            _("Choose one of the roles listed here."),
            fields={"roles": _("“%(name)s” is not a role for people.", name=unknown[0][:64])},
        )
    return frozenset(_BY_NAME[name] for name in names)


def with_choice(held: frozenset[str], chosen: frozenset[Role]) -> frozenset[str]:
    """Return the role names of a member after a choice: the chosen ones, and those no form changes."""
    return kept_roles(held) | {role.value for role in chosen}
