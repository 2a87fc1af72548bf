"""Who meets the single sign-on that an organization requires, and who learns that it does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from saas_app.errors import SsoRequired
from saas_app.identity.bearer_access import BearerAccess
from saas_app.identity.freshness import Freshness, Reading
from saas_app.identity.membership_changes import KnownChanges
from saas_app.identity.principal import Principal
from saas_app.identity.session_access import Refusal, SessionAccess
from saas_app.identity.single_sign_on import SsoRequirement
from saas_app.identity.tenants import require_single_sign_on
from tests.unit.identity.values import API_AUDIENCE, ORGANIZATION_AUDIENCE, RESOURCE, access, token

REQUIRED = SsoRequirement("c1", "Okta", "ada")
FRESHNESS = Freshness(timedelta(seconds=300), RESOURCE)


@pytest.mark.parametrize(
    ("subject", "connector_id", "is_met"),
    [
        ("carol", "c1", True),
        ("carol", "c2", False),
        ("carol", "", False),
        ("carol", None, False),
        ("ada", None, True),
        ("ada", "c2", True),
    ],
)
def test_the_connector_or_being_the_recovery_admin_meets_it(
    subject: str, connector_id: str | None, is_met: bool
) -> None:
    assert REQUIRED.is_met(subject, connector_id) is is_met


def test_without_a_recovery_admin_only_the_connector_meets_it() -> None:
    nobody = SsoRequirement("c1", "Okta", None)
    assert not nobody.is_met("ada", None)


def session(*tokens: object, connector_id: str | None = None) -> SessionAccess:
    given = access(*tokens)  # type: ignore[arg-type]
    principal = replace(given.principal, sso_connector_id=connector_id)
    return replace(given, principal=principal, sso_requirement=REQUIRED)


def check(given: SessionAccess) -> None:
    require_single_sign_on(Reading(given, "acme", FRESHNESS))


@pytest.mark.parametrize("audience", [ORGANIZATION_AUDIENCE, API_AUDIENCE])
def test_a_fresh_token_of_either_kind_proves_a_member_who_is_refused(audience: str) -> None:
    with pytest.raises(SsoRequired) as refused:
        check(session(token(audience)))
    error = refused.value
    assert (error.connector_id, error.provider, error.organization) == ("c1", "Okta", "Acme")


def test_nothing_is_said_without_a_token() -> None:
    check(session())


def test_nothing_is_said_by_a_token_that_is_not_fresh() -> None:
    check(session(token(ORGANIZATION_AUDIENCE, age=301)))


def test_nothing_is_said_to_somebody_whom_logto_refused() -> None:
    check(session(token(ORGANIZATION_AUDIENCE, refusal=Refusal.NOT_A_MEMBER)))


def test_a_session_through_the_connector_is_not_refused() -> None:
    check(session(token(ORGANIZATION_AUDIENCE), connector_id="c1"))


def bearer(subject: str, *, is_machine: bool = False, required: SsoRequirement | None = REQUIRED) -> bool:
    """Return whether a token of this holder is refused."""
    holder = Principal(subject, is_machine=is_machine)
    changes = KnownChanges(0, None)
    found = BearerAccess(holder, "Acme", changes, is_membership_changing=False, sso_requirement=required)
    return found.unmet_requirement is not None


def test_tokens_of_people_do_not_meet_it_and_machines_need_not() -> None:
    assert bearer("carol")
    assert not bearer("ada")
    assert not bearer("robot", is_machine=True)
    assert not bearer("carol", required=None)
