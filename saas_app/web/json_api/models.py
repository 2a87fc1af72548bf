"""The base class of all API models, field types, and the models that all routes share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Final, Self, TypeAlias

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from saas_app.text.translation import _
from saas_app.text.visible import MAX_MARKS, has_piled_marks
from saas_app.web.pagination import MAX_CURSOR_LENGTH
from saas_app.web.typed_text import clean_line, clean_text

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 100
_WITHOUT_NUL: Final = r"^[^\x00]*$"  # for searches, because PostgreSQL cannot compare with NUL
_CALENDAR: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_KEPT_BY_CLEANING: Final = r"[^\s\x00-\x1f\x7f-\x9f]"


class ApiModel(BaseModel):
    """A request or response body. Unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def of(cls, source: object) -> Self:
        """Return the model of a value with attributes of the same names. Others are left out.

        ``source`` may be a mapping that contains such values: a whole list is read in one call, which takes
        half as long as one call for each item.
        """
        return cls.model_validate(source, from_attributes=True)


@dataclass(frozen=True, slots=True)
class Line:
    """``Annotated[str, Line(120)]``: one line, cleaned as in a form, of at most 120 characters."""

    longest: int
    shortest: int = 1
    clean: ClassVar[Callable[[str], str]] = staticmethod(clean_line)

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(
            self._checked, core_schema.str_schema(strict=True)
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema_of: JsonSchemaValue = {"type": "string", "maxLength": self.longest}
        return schema_of | ({"minLength": 1, "pattern": _KEPT_BY_CLEANING} if self.shortest else {})

    def _checked(self, value: str) -> str:
        cleaned = type(self).clean(value)
        if len(cleaned) < self.shortest:
            raise ValueError(_("must not be blank"))
        if len(cleaned) > self.longest:
            raise ValueError(_("must have at most %(longest)s characters", longest=self.longest))
        if has_piled_marks(cleaned):
            raise ValueError(_("must have at most %(max_marks)s marks per letter", max_marks=MAX_MARKS))
        return cleaned


@dataclass(frozen=True, slots=True)
class Text(Line):
    """``Annotated[str, Text(2000)]``: any number of lines, cleaned as in a form, or no text."""

    shortest: int = 0
    clean: ClassVar[Callable[[str], str]] = staticmethod(clean_text)


@dataclass(frozen=True, slots=True)
class Search(Line):
    """``Annotated[str, Search(120)]``: a text to search for, or no text."""

    shortest: int = 0

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "maxLength": self.longest, "pattern": _WITHOUT_NUL}


def _text_only(value: Any) -> Any:
    if not isinstance(value, (str, date)) or (isinstance(value, str) and not _CALENDAR.match(value)):
        raise ValueError(_("must be in RFC 3339 format, such as 2027-01-31 or 2027-01-31T09:30:00Z"))
    return value


Day: TypeAlias = Annotated[date, BeforeValidator(_text_only)]
"""A day as text. A number is rejected; pydantic would read it as seconds."""


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # at an end of the calendar, where every check of a range rejects it
        return moment


Moment: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_text_only), AfterValidator(_in_utc)]
"""A time with its UTC offset, as text. It is read in UTC, as it is stored and as an ETag counts it."""


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(_("must be a number"))  # noqa: TRY004 - pydantic wants a ValueError
    return value


WHOLE: Final = BeforeValidator(_whole)
"""Reads a whole number. In an ``Annotated``, it stands after the bounds, which the schema then names."""

WholeNumber: TypeAlias = Annotated[int, WHOLE]
"""A whole number in a body, never as text. In JSON, 28.0 is one."""


def unchanged(description: str | None = None) -> Any:
    """Declare an optional field of an edit that is not nullable: ``model_fields_set`` says if it was sent."""
    return Field(default=None, description=description, json_schema_extra=_forget_default)


def _forget_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _one_value(value: Any) -> Any:
    if isinstance(value, list):
        raise ValueError(_("must be given only once"))  # noqa: TRY004 - pydantic wants a ValueError
    return value


class ListQuery(ApiModel):
    """The paging of a list (keyset): ``cursor`` is the ``next_cursor`` of the previous page."""

    limit: Annotated[int, BeforeValidator(_one_value)] = Field(
        DEFAULT_LIMIT, ge=1, le=LARGEST_LIMIT, description="The maximum number of items"
    )
    cursor: str | None = Field(
        None, max_length=MAX_CURSOR_LENGTH, description=("The `next_cursor` of the previous page; opaque")
    )


class DecisionStep(ApiModel):
    """One step of a decision, with an explanation."""

    step: str
    passed: bool
    explanation: str


class DecisionView(ApiModel):
    """Why access was denied: every step that was checked. The last step decided."""

    allowed: bool
    permission: str | None
    steps: list[DecisionStep]
    roles_that_grant: list[str]


class Problem(ApiModel):
    """An error (RFC 9457). ``code`` is stable. ``decision`` lists the steps that led to a 403."""

    type: str = Field(description="A URN that ends with `code`")
    title: str = Field(description="The kind of problem, for people")
    status: int = Field(description="The HTTP status")
    detail: str = Field(description="What is wrong with this request, for people")
    code: str = Field(description="The kind of problem, for programs. Stable")
    request_id: str = Field(description="The ID to give to support")
    decision: DecisionView = unchanged("For a 403: the decision, step by step")
    errors: dict[str, str] = unchanged("For a 422: what is wrong with each field")
