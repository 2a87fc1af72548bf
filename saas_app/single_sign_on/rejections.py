"""What an organization learns of sign-ins through its provider that were rejected."""

from __future__ import annotations

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target
from saas_app.email_domains.names import domain_of
from saas_app.single_sign_on.proofs import Refusal
from saas_app.single_sign_on.values import TARGET, Connection
from saas_app.text.domains import shown_domain


def rejection_event(
    connection: Connection, refusal: Refusal, *, email: str | None = None, account_id: str | None = None
) -> AuditEntry:
    """Return the event of a rejected sign-in.

    It names an account by its ID only, and the asserted address by its domain only: both may belong to a
    stranger, and an admin who controls the provider must not learn whose account an address belongs to. The
    domain tells an honest admin what is misconfigured.
    """
    domain = domain_of(email)
    after = {
        "reason": refusal.value,
        **({} if domain is None else {"domain": shown_domain(domain)}),
        **({} if account_id is None else {"account": account_id}),
    }
    target = Target(TARGET, connection.connector_id, connection.name)
    return AuditEntry(SYSTEM, Action.SSO_REFUSE, target, after=after)
