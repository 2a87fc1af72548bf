"""A service that trusts a token alone, to compare Workroom with, and Workroom's own answer as a decision.

The service does what RFC 9068 asks for, and no more: signature, issuer, audience and expiry. It does not
ask whether what the token says is still true.
"""

from __future__ import annotations

import time
from http import HTTPStatus

from saas_app.identity.claims import scopes_of
from saas_app.identity.token_verifier import TokenRejected
from saas_app.lab.evidence import ApiRequest, Decided, TokenShown
from saas_app.lab.stage import Stage
from saas_app.lab.values import Place
from saas_app.rbac.decision import Decision, Step, StepResult
from saas_app.rbac.permissions import Carrier, Permission, known_permissions, permissions_of
from saas_app.rbac.policy import AccessFacts, decide
from saas_app.text.translation import Sentence, _


async def decide_by_token_alone(
    stage: Stage, token: str, holder: str, place: Place, permission: Permission
) -> Decision:
    """Decide by an API-resource token, without asking whether it is still true."""
    try:
        claims = await stage.verifier.verify_access_token(token, audience=stage.api_resource)
    except TokenRejected as rejected:
        why = _("The token is not accepted: %(reason)s.", reason=rejected.reason)
        return _rejected(why, permission)
    return _decide(scopes_of(claims), holder, place, permission)


def decision_of_workroom(
    sent: ApiRequest,
    token: TokenShown,
    holder: str,
    place: Place,
    permission: Permission,
    *,
    ended: frozenset[str] = frozenset(),
) -> Decision:
    """Return how Workroom came to its answer to a request with a genuine API-resource token.

    ``ended`` are roles of the holder that had ended by then.
    """
    if sent.status == HTTPStatus.UNAUTHORIZED:
        why = _("The token is genuine. But Workroom knows of a change since then, so the token is outdated.")
        return _rejected(why, permission)
    is_denied = sent.status == HTTPStatus.FORBIDDEN
    return _decide(token.scopes, holder, place, permission, ended if is_denied else frozenset())


def beside(naive: Decision, workroom: Decision) -> tuple[Decided, Decided]:
    """Return both decisions about one token, with titles."""
    return (
        Decided(_("A service that checks only the token"), naive),
        Decided(_("Workroom, with the same token"), workroom),
    )


def _decide(
    scopes: frozenset[str],
    holder: str,
    place: Place,
    permission: Permission,
    ended: frozenset[str] = frozenset(),
) -> Decision:
    granted = frozenset(item for item in known_permissions(scopes) if item.carrier is Carrier.API_TOKEN)
    facts = AccessFacts(
        subject=holder,
        organization_name=place.name,
        role_names=None,
        granted=granted - permissions_of(ended),
        carriers=frozenset({Carrier.API_TOKEN}),
        ended=ended,
    )
    return decide(facts, permission)


def _rejected(why: Sentence, permission: Permission) -> Decision:
    return Decision(False, (StepResult(Step.AUTHENTICATED, False, why),), permission=permission)


def minutes_left(token: TokenShown) -> int:
    """Return for how many whole minutes a token stays valid. 0 if it has expired, or is about to."""
    return max(0, int(token.claims.get("exp", 0) - time.time()) // 60)
