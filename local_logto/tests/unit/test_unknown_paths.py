"""Addresses that nothing answers: a page for people, JSON for programs."""

from __future__ import annotations

import pytest

from unit.management_app import ManagementApp

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def test_browser_is_told_what_this_server_is(api: ManagementApp) -> None:
    response = await api.client.get("/console", headers={"Accept": BROWSER})
    html = await response.get_data(as_text=True)
    assert response.status_code == 404
    assert response.content_type == "text/html; charset=utf-8"
    assert "This development identity provider has no such page" in html
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
async def test_program_is_answered_in_json(api: ManagementApp, accept: str) -> None:
    response = await api.client.get("/console", headers={"Accept": accept})
    assert response.status_code == 404
    assert await response.get_json() == {"message": "Not Found"}


async def test_oidc_answers_in_json_whoever_asks(api: ManagementApp) -> None:
    response = await api.client.get("/oidc/nothing", headers={"Accept": BROWSER})
    assert response.status_code == 404
    assert "message" in await response.get_json()


async def test_wrong_method_is_a_page_too(api: ManagementApp) -> None:
    response = await api.client.delete("/sign-in", headers={"Accept": BROWSER})
    assert response.status_code == 405
    assert "Method Not Allowed" in await response.get_data(as_text=True)
