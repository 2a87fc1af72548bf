"""Rows for tests of every route. Each feature's tests have a module ``rows`` that makes the feature's own.

These modules are found by their name, so that nothing here names a feature.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from saas_app.runtime import Runtime
from tests.databases import ROOT
from tests.factories import Factory

MakeRows = Callable[[Factory, Runtime, str], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Rows:
    """How to make a feature's rows: ``make(factory, runtime, organization_id)`` returns the values of
    ``arguments``, which appear in the feature's URL rules.
    """

    arguments: frozenset[str]
    make: MakeRows


@cache
def all_rows() -> tuple[Rows, ...]:
    """Return the rows of every feature."""
    modules = sorted((ROOT / "tests/integration").glob("*/rows.py"))
    return tuple(import_module(f"tests.integration.{path.parent.name}.rows").ROWS for path in modules)


async def make_rows(
    make: Factory, runtime: Runtime, organization_id: str, arguments: frozenset[str] | None = None
) -> dict[str, Any]:
    """Make new rows in an organization and return their ids by argument.

    With ``arguments``, only features whose URL rules have one of them make rows.
    """
    values: dict[str, Any] = {}
    for rows in all_rows():
        if arguments is None or rows.arguments & arguments:
            values |= await rows.make(make, runtime, organization_id)
    return values
