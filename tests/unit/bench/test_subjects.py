"""Workroom and its twins do the work that they are measured for, and all twins the same."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import pytest

from bench.client import Request
from bench.furnished import furnish
from bench.running_twins import installed, running_twins
from bench.site import running_site
from bench.subjects import SUBJECTS, TWINS
from saas_app.projects.api.projects import ProjectSummaryView, ProjectView
from tests.databases import empty_database

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def answer_to(request: Request, token: str | None = None) -> tuple[int, bytes]:
    """Send a request, optionally with another token, and return the status and the body."""
    headers = {**request.headers, "Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    body = None if request.body is None else json.dumps(request.body).encode()
    try:
        with urlopen(HttpRequest(request.url, body, headers)) as response:  # noqa: S310 - our own server
            return response.status, response.read()
    except HTTPError as error:
        return error.code, error.read()


def test_workroom_answers_the_request_of_every_subject() -> None:
    with running_site(server=os.environ.get("TEST_DATABASE_URL")) as site:
        requests = asyncio.run(furnish(site))
        statuses = {key: answer_to(request)[0] for key, request in requests.items()}

    assert statuses == {key: request.status for key, request in requests.items()}
    assert set(statuses) == {subject.key for subject in SUBJECTS}


def test_the_twins_answer_like_the_api_and_like_each_other(tmp_path: Path) -> None:
    """One test, because it starts every twin: lists, one project, new tasks, strangers, and the page."""
    lists: list[Any] = []
    with empty_database(tmp_path) as url, running_twins(installed(TWINS), url, tmp_path) as servers:
        assert servers[0].name == "quart"
        for server in servers:
            for key, request in server.requests.items():
                status, body = answer_to(request)
                assert (status, server.name, key) == (request.status, server.name, key)
                assert answer_to(request, "another")[0] == (200 if key in ("bare", "page") else 401)
                if key == "list":
                    lists.append(json.loads(body))
                if key == "project":
                    assert set(json.loads(body)) == set(ProjectView.model_fields)
        page = answer_to(servers[0].requests["page"])[1].decode()

    assert len(lists[0]["items"]) == 20
    assert set(lists[0]["items"][0]) == set(ProjectSummaryView.model_fields)
    for item in lists[0]["items"]:
        assert item["name"] in page
    for others in lists[1:]:
        names = [[item["name"] for item in found["items"]] for found in (lists[0], others)]
        assert names[0] == names[1]
        assert set(others["items"][0]) == set(ProjectSummaryView.model_fields)
