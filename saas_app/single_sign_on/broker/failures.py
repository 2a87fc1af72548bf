"""Notes that a company's identity provider fails, and that it works again.

Only what Workroom hears from the provider itself counts, and only if no browser can have caused it.
Otherwise, a stranger could alarm the admins. A sign-in writes nothing unless the state changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import structlog

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import DatabaseUnavailable
from saas_app.models import SsoFailure
from saas_app.single_sign_on.broker.provider_errors import ProviderRefused
from saas_app.single_sign_on.checked_hosts import IssuerFault, IssuerRefused
from saas_app.single_sign_on.failures import EXPLANATIONS
from saas_app.single_sign_on.queries import change_connection, save_failure
from saas_app.single_sign_on.values import TARGET, WORKS, Connection

log = structlog.get_logger(__name__)

_PATIENCE: Final = 1.0  # seconds to wait for a turn to write. A person waits for the page
_FAILURES: Final[Mapping[IssuerFault, SsoFailure | None]] = {
    IssuerFault.BUSY: None,  # whoever opens many sign-ins keeps others waiting
    **dict.fromkeys(
        (IssuerFault.UNKNOWN_HOST, IssuerFault.UNREACHABLE, IssuerFault.CERTIFICATE, IssuerFault.TIMEOUT),
        SsoFailure.UNREACHABLE,
    ),
    **dict.fromkeys((IssuerFault.NO_KEY, IssuerFault.NO_ALGORITHM), SsoFailure.KEYS),
}
"""Failures by what is wrong with an issuer. Anything else is in its metadata."""


def failure_of(refused: ProviderRefused | IssuerRefused) -> SsoFailure | None:
    """Return the failure to tell the admins about, or None."""
    if isinstance(refused, ProviderRefused):
        return refused.failure
    return None if refused.is_after_code else _FAILURES.get(refused.kind, SsoFailure.METADATA)


async def note_failure(work: UnitOfWork, connection: Connection, failure: SsoFailure | None) -> None:
    """Note that sign-ins through a connection fail, if that is news and it is on. None is no failure.

    The audit log tells when it begins.
    """
    if failure is None or failure is connection.failure or not connection.is_on:
        return
    with _if_the_database_responds(connection):
        async with work.writing(connection.organization_id, patience=_PATIENCE) as db:
            if await save_failure(db, connection, failure, utc_now()):
                target = Target(TARGET, connection.connector_id, connection.name)
                after = {"reason": str(EXPLANATIONS[failure].reason)}
                record(db, AuditEntry(SYSTEM, Action.SSO_FAIL, target, after=after))


async def note_answer(work: UnitOfWork, connection: Connection) -> None:
    """Note that the provider works, if it was known to fail."""
    if connection.failing_since is None:
        return
    with _if_the_database_responds(connection):
        async with work.writing(connection.organization_id, patience=_PATIENCE) as db:
            await change_connection(db, connection.organization_id, **WORKS)


@contextmanager
def _if_the_database_responds(connection: Connection) -> Iterator[None]:
    """Go on without the note if the database is busy: a later sign-in makes it."""
    try:
        yield
    except DatabaseUnavailable as error:
        log.warning(
            "the state of a provider is not noted",
            organization_id=connection.organization_id,
            reason=error.code,
        )
