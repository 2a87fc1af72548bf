"""Routes of Logto that the development provider lacks. None replies 404, which would look like Logto's."""

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
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ManagementApp]:
    async with management_app(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_absent_route_is_reported_as_not_implemented(
    api: ManagementApp, method: str, path: str
) -> None:
    answer = await api.call(method, path.removeprefix("/api").replace("{", "").replace("}", ""))
    assert answer.refusal == (501, "local_logto.not_implemented")
