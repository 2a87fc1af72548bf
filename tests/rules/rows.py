"""Rows for the rules about routes. Every feature's tests say in a module ``rows`` how to make its own.

A new feature's rows are found there, so that no rule has to name it.
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
    """How a feature's rows are made: ``make(factory, runtime, organization_id)`` returns the values of
    ``arguments``, which the feature's routes take.
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
    """Make new rows in an organization and return their ids by argument: of every feature, or only of those
    whose routes take one of ``arguments``.
    """
    values: dict[str, Any] = {}
    for rows in all_rows():
        if arguments is None or rows.arguments & arguments:
            values |= await rows.make(make, runtime, organization_id)
    return values
