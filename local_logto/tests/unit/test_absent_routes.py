"""Routes that Logto has and the development provider has not: none is a 404 that looks like a fact."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from local_logto.absent import ABSENT
from unit.management_app import ManagementApp, management_app

ROUTES = [
    (method, path)
    for family in ABSENT.values()
    for path, methods in family.items()
    for method in methods.split()
]


@pytest.fixture(scope="module")
async def logto(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ManagementApp]:
    async with management_app(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_absent_route_says_that_it_is_absent(logto: ManagementApp, method: str, path: str) -> None:
    answer = await logto.call(method, path.removeprefix("/api").replace("{", "").replace("}", ""))
    assert (answer.status, answer.code) == (501, "local_logto.not_implemented")
