"""Tokens with two names: the subject, and the person who acts for them (``act``, RFC 8693 §4.1).

Logto issues them to any application with ``allowTokenExchange``, and takes an ID token or a token of another
application for the subject (1.42). So only the tokens of one application of ours may have an actor, and all
of its tokens must.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from saas_app.identity.claims import is_id
from saas_app.identity.token_verifier import TokenRejected
from saas_app.text.translation import _

if TYPE_CHECKING:
    from saas_app.identity.bearer import BearerToken


def actor_of(claims: Mapping[str, Any]) -> str | None:
    """Return who acts for the subject of a token, or None. Raises :class:`TokenRejected`.

    Exactly one person may be named, so a chain of actors is rejected.
    """
    if "act" not in claims:
        return None
    act = claims["act"]
    if not isinstance(act, dict) or set(act) != {"sub"} or not is_id(act["sub"]):
        raise TokenRejected(_("it does not name exactly one person who acts for its subject"))
    actor: str = act["sub"]
    return actor


def require_expected_actor(token: BearerToken, support_app_id: str) -> None:
    """Check that a token has an actor if and only if it belongs to the support application.

    ``support_app_id`` is "" without one. Raises :class:`TokenRejected`.
    """
    is_of_support = support_app_id != "" and token.client_id == support_app_id
    if is_of_support != (token.actor is not None):
        raise TokenRejected(_("only tokens of the support application name somebody who acts for another"))
    if token.actor is not None and token.organization_id is None:
        raise TokenRejected(_("somebody acts for another person in it, in no organization"))
    if token.actor is not None and token.actor == token.subject:
        raise TokenRejected(_("nobody acts for themselves"))
