"""The base of every model that goes over the wire, and the few that all routes share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from saas_app.web.typed_text import clean_line, clean_text

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 100
_KEPT_BY_CLEANING: Final = r"[^\s\x00-\x1f\x7f-\x9f]"


class ApiModel(BaseModel):
    """A request or response body: unknown fields are refused, types are not guessed from others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Line:
    """``Annotated[str, Line(120)]``: one line, cleaned as in a form, then bounded in characters."""

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
        told: JsonSchemaValue = {"type": "string", "maxLength": self.longest}
        return told | ({"minLength": 1, "pattern": _KEPT_BY_CLEANING} if self.shortest else {})

    def _checked(self, value: str) -> str:
        cleaned = type(self).clean(value)
        if len(cleaned) < self.shortest:
            raise ValueError("must not be blank")
        if len(cleaned) > self.longest:
            raise ValueError(f"must have at most {self.longest} characters")
        return cleaned


@dataclass(frozen=True, slots=True)
class Text(Line):
    """The same for several lines, which may be none."""

    shortest: int = 0
    clean: ClassVar[Callable[[str], str]] = staticmethod(clean_text)


def unchanged() -> Any:
    """For a field of an edit that may be left out, without being nullable: ``model_fields_set`` tells."""
    return Field(default=None, json_schema_extra=_forget_default)


def _forget_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _one_value(value: Any) -> Any:
    if isinstance(value, list):
        raise ValueError("may be given once")  # noqa: TRY004 - pydantic wants a ValueError
    return value


class ListQuery(ApiModel):
    """How a list is paged (keyset): ``cursor`` is what the page before gave as ``next_cursor``."""

    limit: Annotated[int, BeforeValidator(_one_value)] = Field(
        DEFAULT_LIMIT, ge=1, le=LARGEST_LIMIT, description="How many items at most"
    )
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before; opaque")


class Problem(ApiModel):
    """An error (RFC 9457). ``code`` is stable; ``decision`` says step by step why a 403 is one."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    decision: dict[str, Any] | None = None
    errors: dict[str, str] | None = None
