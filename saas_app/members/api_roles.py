"""The type of a role in API requests: only roles for people."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, WithJsonSchema

from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.rbac.permissions import Role


def _for_people(role: Role) -> Role:
    if role not in PERSON_ROLES:
        raise ValueError("is a role for API clients, not for people")
    return role


PersonRole: TypeAlias = Annotated[
    Role,
    AfterValidator(_for_people),
    WithJsonSchema({"type": "string", "enum": [role.value for role in PERSON_ROLES]}),
]
