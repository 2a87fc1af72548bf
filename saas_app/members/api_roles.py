"""Roles of people and their ends in API requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, WithJsonSchema

from saas_app.errors import Invalid
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


@contextmanager
def end_named_as_sent() -> Iterator[None]:
    """Let errors name the field of the request, which is another one in the form of the page."""
    try:
        yield
    except Invalid as error:
        if "until" in error.fields:
            raise Invalid(error.detail, fields={"ends_at": error.fields["until"]}) from None
        raise
