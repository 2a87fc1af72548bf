"""Which report a token opens: anything else in an answer is a leak."""

from __future__ import annotations

from typing import Any

import pytest

from saas_app.lab.practice.values import Report, Workspace
from saas_app.lab.practice.wallet import Held

API = "https://api.workroom.example"
REPORT = Report(1, "code", "workshop", "Plan", "canary-1", is_confidential=False)
CONFIDENTIAL = Report(2, "other", "workshop", "Prices", "canary-2", is_confidential=True)
CLAIMS = {"aud": API, "organization_id": "workshop", "scope": "projects:read"}


@pytest.mark.parametrize(
    ("claims", "report", "opens"),
    [
        (CLAIMS, REPORT, True),
        (CLAIMS, CONFIDENTIAL, False),
        ({**CLAIMS, "scope": "projects:read projects:export"}, CONFIDENTIAL, True),
        ({**CLAIMS, "organization_id": "studio"}, REPORT, False),
        ({**CLAIMS, "aud": "https://api.elsewhere.example"}, REPORT, False),
        ({**CLAIMS, "aud": "urn:logto:organization:workshop"}, REPORT, False),
        ({}, REPORT, False),
    ],
)
def test_a_token_opens_the_reports_of_its_organization(
    claims: dict[str, Any], report: Report, opens: bool
) -> None:
    assert Held(None, claims).opens(report, API) is opens


def test_only_a_canary_in_an_answer_reveals_a_report() -> None:
    workspace = Workspace("w", (REPORT, CONFIDENTIAL))

    assert workspace.revealed_by('{"title": "Plan", "id": 1}') == ()
    assert workspace.revealed_by('{"text": "canary-2"}') == (CONFIDENTIAL,)
