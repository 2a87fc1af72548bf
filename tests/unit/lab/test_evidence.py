"""Evidence survives storage, in any language, and a comparison marks the claims that differ."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from saas_app.identity.wire import Exchange
from saas_app.lab.evidence import ApiRequest, Asked, Comparison, Decided, Evidence, Side, TokenShown
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.rbac.policy import AccessFacts, decide
from saas_app.text.translation import _

LEFT = TokenShown({"alg": "ES384"}, {"aud": "a", "scope": "projects:read", "iat": 1})
RIGHT = TokenShown({"alg": "ES384"}, {"aud": "a", "scope": "projects:read projects:write"})
SENT = Exchange("POST", "https://x/oidc/token", (("a", "b"),), 200, {"scope": ""}, datetime.now(UTC))
FACTS = AccessFacts("Ada", "Acme", frozenset({"viewer"}), frozenset(), frozenset(Carrier))


def test_evidence_is_the_same_after_storage() -> None:
    evidence = Evidence(
        "same",
        (Comparison(Side(_("Before"), LEFT), Side(_("After"), None)),),
        (Asked(_("After"), SENT),),
        (
            ApiRequest("GET", "/api/v1/me", _("Before"), 401, {"code": "x"}),
            ApiRequest("POST", "/api/v1/me", _("Before"), 201, {}, title=_("After"), body={"name": "x"}),
        ),
        (Decided(_("After"), decide(FACTS, Permission.PROJECTS_WRITE)),),
        (_("Before"),),
    )

    assert Evidence.from_json(json.loads(json.dumps(evidence.as_json()))) == evidence


def test_a_comparison_marks_the_claims_that_differ_or_are_on_one_side_only() -> None:
    assert Comparison(Side(_("Before"), LEFT), Side(_("After"), RIGHT)).changed == {"scope", "iat"}
