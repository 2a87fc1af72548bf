"""Unknown paths: a page for people, JSON for programs."""

from __future__ import annotations

import pytest

from unit.management_app import ManagementApp

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def test_browser_gets_a_page_that_explains_the_server(api: ManagementApp) -> None:
    response = await api.client.get("/console", headers={"Accept": BROWSER})
    html = await response.get_data(as_text=True)
    assert response.status_code == 404
    assert response.content_type == "text/html; charset=utf-8"
    assert "This development identity provider has no such page" in html
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
async def test_program_gets_json(api: ManagementApp, accept: str) -> None:
    response = await api.client.get("/console", headers={"Accept": accept})
    assert response.status_code == 404
    assert await response.get_json() == {"message": "Not Found"}


async def test_oidc_routes_always_reply_in_json(api: ManagementApp) -> None:
    response = await api.client.get("/oidc/nothing", headers={"Accept": BROWSER})
    assert response.status_code == 404
    assert "message" in await response.get_json()


async def test_wrong_method_gets_a_page_too(api: ManagementApp) -> None:
    response = await api.client.delete("/sign-in", headers={"Accept": BROWSER})
    assert response.status_code == 405
    assert "This request is not possible" in await response.get_data(as_text=True)
