"""The kinds of JSON values, and checks against them. Pure.

Reading requests, and the shapes that routes and connectors need, are defined elsewhere.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from local_logto.faults import MISSING, Issue, Path, report, wrong_number, wrong_size, wrong_type

_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")


class Kind(Protocol):
    """What a value must be. ``check`` returns the cleaned value and adds an issue for each fault."""

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any: ...


@dataclass(frozen=True)
class Text:
    """A string of ``min`` to ``max`` characters that matches all of ``pattern``."""

    min: int = 0
    max: int | None = None
    pattern: str | None = None
    is_email: bool = False
    is_url: bool = False
    ends_with: str | None = None
    may_be_empty: bool = False

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        if not isinstance(value, str):
            return wrong_type("string", value, path, issues)
        if value == "" and self.may_be_empty:
            return value
        if len(value) < self.min:
            wrong_size("too_small", "String", self.min, path, issues)
        if self.max is not None and len(value) > self.max:
            wrong_size("too_big", "String", self.max, path, issues)
        self._check_format(value, path, issues)
        return value

    def _check_format(self, value: str, path: Path, issues: list[Issue]) -> None:
        faults = (
            (
                "regex",
                "Invalid",
                self.pattern is not None and not re.fullmatch(self.pattern, value, re.ASCII),
            ),
            ("email", "Invalid email", self.is_email and not _EMAIL.fullmatch(value)),
            ("url", "Invalid url", self.is_url and not _is_url(value)),
        )
        for validation, message, is_wrong in faults:
            if is_wrong:
                report(issues, path, code="invalid_string", validation=validation, message=message)
        if self.ends_with is not None and not value.endswith(self.ends_with):
            message, ending = f'Invalid input: must end with "{self.ends_with}"', {"endsWith": self.ends_with}
            report(issues, path, code="invalid_string", validation=ending, message=message)


@dataclass(frozen=True)
class Number:
    """A number from ``min`` to ``max``, without a fraction if ``is_integer``."""

    is_integer: bool = False
    min: float | None = None
    max: float | None = None

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return wrong_type("number", value, path, issues)
        if isinstance(value, float) and not math.isfinite(value):
            return wrong_type("number", None, path, issues)
        is_whole = isinstance(value, int) or value.is_integer()
        if self.is_integer and not is_whole:
            message = "Expected integer, received float"
            report(issues, path, code="invalid_type", expected="integer", received="float", message=message)
            return value
        if self.min is not None and value < self.min:
            wrong_number("too_small", self.min, path, issues)
        if self.max is not None and value > self.max:
            wrong_number("too_big", self.max, path, issues)
        return int(value) if is_whole else value


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        return value if isinstance(value, bool) else wrong_type("boolean", value, path, issues)


@dataclass(frozen=True)
class Choice:
    """One of these strings."""

    options: tuple[str, ...]

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        expected = " | ".join(f"'{option}'" for option in self.options)
        if not isinstance(value, str):
            return wrong_type(expected, value, path, issues)
        if value not in self.options:
            message = f"Invalid enum value. Expected {expected}, received '{value}'"
            report(
                issues,
                path,
                code="invalid_enum_value",
                received=value,
                options=list(self.options),
                message=message,
            )
        return value


@dataclass(frozen=True)
class Exactly:
    """This value only."""

    expected: str | bool

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        if value is not self.expected and (isinstance(self.expected, bool) or value != self.expected):
            expected = json.dumps(self.expected)
            received = {} if value is MISSING else {"received": value}
            issue = {"code": "invalid_literal", "expected": self.expected}
            report(issues, path, **received, **issue, message=f"Invalid literal value, expected {expected}")
        return value


@dataclass(frozen=True)
class Anything:
    """Any value."""

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        return value


@dataclass(frozen=True)
class ListOf:
    """A list of at least ``min`` items of this kind."""

    item: Kind
    min: int = 0

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        if not isinstance(value, list):
            return wrong_type("array", value, path, issues)
        if len(value) < self.min:
            wrong_size("too_small", "Array", self.min, path, issues)
        return [self.item.check(item, (*path, index), issues) for index, item in enumerate(value)]


@dataclass(frozen=True)
class AnyObject:
    """A JSON object with any members."""

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        return value if isinstance(value, dict) else wrong_type("object", value, path, issues)


@dataclass(frozen=True)
class MapOf:
    """A JSON object with any names, whose values are all of one kind."""

    kind: Kind

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        if not isinstance(value, dict):
            return wrong_type("object", value, path, issues)
        return {name: self.kind.check(item, (*path, name), issues) for name, item in value.items()}


@dataclass(frozen=True)
class AnyOf:
    """The first kind that matches. If none does, the issue lists the faults of each."""

    kinds: tuple[Kind, ...]

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        faults: list[Issue] = []
        for kind in self.kinds:
            found: list[Issue] = []
            checked = kind.check(value, path, found)
            if not found:
                return checked
            faults.append({"issues": found, "name": "ZodError"})
        report(issues, path, code="invalid_union", unionErrors=faults, message="Invalid input")
        return value


@dataclass(frozen=True)
class OrNull:
    """The kind, or null."""

    kind: Kind

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        return None if value is None else self.kind.check(value, path, issues)


@dataclass(frozen=True)
class OrFalse:
    """The kind, or false."""

    kind: Kind

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        return False if value is False else self.kind.check(value, path, issues)


@dataclass(frozen=True)
class Shape:
    """An object with these members. Only the ``required`` ones must be present."""

    required: Mapping[str, Kind] = field(default_factory=dict)
    optional: Mapping[str, Kind] = field(default_factory=dict)

    def partial(self) -> Shape:
        """Return the shape with all members optional, as a PATCH takes them."""
        return replace(self, required={}, optional={**self.required, **self.optional})

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        if not isinstance(value, dict):
            return wrong_type("object", value, path, issues)
        kinds = {**self.required, **self.optional}
        return {
            name: kind.check(value.get(name, MISSING), (*path, name), issues)
            for name, kind in kinds.items()
            if name in value or name in self.required
        }


@dataclass(frozen=True)
class Rule:
    """A condition on a value whose parts are valid. A violation is reported at ``path`` below the value."""

    holds: Callable[[Any], bool]
    message: str
    path: Path = ()


@dataclass(frozen=True)
class Refined:
    """A kind with rules about the value as a whole."""

    kind: Kind
    rules: tuple[Rule, ...]

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        found: list[Issue] = []
        checked = self.kind.check(value, path, found)
        issues.extend(found)
        if not found:
            for rule in self.rules:
                if not rule.holds(checked):
                    report(issues, (*path, *rule.path), code="custom", message=rule.message)
        return checked


@dataclass(frozen=True)
class Filled:
    """An object whose missing members get these defaults."""

    shape: Shape
    defaults: Mapping[str, Any]

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        checked = self.shape.check(value, path, issues)
        return {**self.defaults, **checked} if isinstance(checked, dict) else checked


ANY_TEXTS: Final = ListOf(Text(min=1))
SOME_TEXTS: Final = ListOf(Text(min=1), min=1)


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.path) and " " not in value
