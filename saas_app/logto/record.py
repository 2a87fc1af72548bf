"""The base of Logto's records, and the types of their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel

from saas_app.logto.responses import as_list, unreadable
from saas_app.text.cleaning import clean_name

Entry: TypeAlias = Mapping[str, Any]


class Record(BaseModel):
    """A JSON object from Logto. Fields have Logto's names in snake_case, or state the name as an alias."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        val_temporal_unit="milliseconds",
        hide_input_in_errors=True,
        defer_build=True,  # when first read: a process reads few kinds, and each takes a call to Logto
    )

    @classmethod
    def read(cls, entry: Any) -> Self:
        """Return the record in a JSON object. Raises :class:`LogtoUnavailable` if it cannot be read."""
        try:
            return cls.model_validate(entry)
        except ValidationError:
            raise unreadable() from None

    @classmethod
    def read_all(cls, entries: Any) -> list[Self]:
        """Return the records in a JSON array. Raises :class:`LogtoUnavailable` if one cannot be read."""
        return [cls.read(entry) for entry in as_list(entries)]

    @field_validator("*", mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any, info: ValidationInfo) -> Any:
        return cls.model_fields[info.field_name or ""].get_default() if value is None else value


def _each(key: str) -> BeforeValidator:
    """Take one value from each object of a list. Anything but a list is left for pydantic to reject."""

    def read(entries: Any) -> Any:
        if not isinstance(entries, list):
            return entries
        return [entry.get(key) if isinstance(entry, Mapping) else None for entry in entries]

    return BeforeValidator(read)


def _or_id(name: str, info: ValidationInfo) -> str:
    return clean_name(name) or str(info.data.get("id") or info.data.get("organization_id"))


Ids: TypeAlias = Annotated[frozenset[str], _each("id")]
Names: TypeAlias = Annotated[frozenset[str], _each("name")]
RoleNames: TypeAlias = Annotated[Names, Field(validation_alias="organizationRoles")]
ShownName: TypeAlias = Annotated[str, AfterValidator(_or_id)]
PersonName: TypeAlias = Annotated[str | None, AfterValidator(lambda name: clean_name(name) or None)]
