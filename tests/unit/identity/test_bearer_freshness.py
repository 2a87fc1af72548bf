"""Whether a bearer token is newer than the last change of its membership, and when Logto is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from saas_app.identity import bearer_freshness
from saas_app.identity.bearer_access import BearerAccess
from saas_app.identity.bearer_freshness import BearerFreshness
from saas_app.identity.membership_changes import NO_CHANGES, KnownChanges
from saas_app.identity.membership_check import Claimed
from saas_app.identity.principal import Principal
from saas_app.logto.provider_clock import Moment
from tests.unit.identity.values import BEARER_TOKEN

BEFORE, AFTER, UNCLEAR = Moment(900, 901), Moment(1_100, 1_101), Moment(999, 1_001)


class Logto:
    """A stand-in for Logto: says whether the member still holds the scopes, and counts the calls."""

    def __init__(self) -> None:
        self.holds = True
        self.calls = 0

    async def is_still_granted(self, management: Any, claimed: Claimed) -> bool:
        self.calls += 1
        return self.holds


@pytest.fixture
def logto(monkeypatch: pytest.MonkeyPatch) -> Logto:
    stand_in = Logto()
    monkeypatch.setattr(bearer_freshness, "is_still_granted", stand_in.is_still_granted)
    return stand_in


@pytest.fixture
def freshness(logto: Logto) -> BearerFreshness:
    management: Any = logto
    return BearerFreshness(management)


def known(moment: Moment | None = None, *, version: int = 1, is_changing: bool = False) -> BearerAccess:
    changes = NO_CHANGES if moment is None else KnownChanges(version=version, latest=moment)
    return BearerAccess(Principal("u1"), "Acme", changes, is_changing)


@pytest.mark.parametrize(
    ("moment", "current"), [(None, True), (BEFORE, True), (AFTER, False)], ids=["none", "before", "after"]
)
async def test_a_token_that_is_clearly_older_or_newer_than_the_change_is_judged_without_logto(
    freshness: BearerFreshness, logto: Logto, moment: Moment | None, current: bool
) -> None:
    assert await freshness.is_current(BEARER_TOKEN, known(moment)) is current
    assert logto.calls == 0


@pytest.mark.parametrize("holds", [True, False])
async def test_a_token_in_doubt_is_checked_with_logto_once(
    freshness: BearerFreshness, logto: Logto, holds: bool
) -> None:
    logto.holds = holds
    assert await freshness.is_current(BEARER_TOKEN, known(UNCLEAR)) is holds
    assert await freshness.is_current(BEARER_TOKEN, known(UNCLEAR)) is holds
    assert logto.calls == 1


async def test_a_token_that_was_used_before_the_change_is_outdated(
    freshness: BearerFreshness, logto: Logto
) -> None:
    await freshness.is_current(BEARER_TOKEN, known())
    assert not await freshness.is_current(BEARER_TOKEN, known(UNCLEAR))
    assert logto.calls == 0


async def test_another_token_of_the_same_second_is_checked_by_itself(freshness: BearerFreshness) -> None:
    await freshness.is_current(BEARER_TOKEN, known())
    assert await freshness.is_current(replace(BEARER_TOKEN, fingerprint=b"2"), known(UNCLEAR))


async def test_an_outdated_token_stays_outdated(freshness: BearerFreshness) -> None:
    await freshness.is_current(BEARER_TOKEN, known(AFTER))
    assert not await freshness.is_current(BEARER_TOKEN, known(BEFORE, version=2))


async def test_while_a_change_is_pending_logto_is_asked_at_every_request(
    freshness: BearerFreshness, logto: Logto
) -> None:
    for _ in range(2):
        assert await freshness.is_current(BEARER_TOKEN, known(is_changing=True))
    assert logto.calls == 2


async def test_a_current_token_is_checked_with_logto_once_a_change_is_pending(
    freshness: BearerFreshness, logto: Logto
) -> None:
    logto.holds = False
    assert await freshness.is_current(BEARER_TOKEN, known(BEFORE))
    assert not await freshness.is_current(BEARER_TOKEN, known(BEFORE, is_changing=True))


async def test_a_token_in_doubt_is_rejected_while_a_change_is_pending(
    freshness: BearerFreshness, logto: Logto
) -> None:
    assert not await freshness.is_current(BEARER_TOKEN, known(UNCLEAR, is_changing=True))
    assert logto.calls == 0


async def test_a_token_in_doubt_is_rejected_without_the_management_api() -> None:
    assert not await BearerFreshness(None).is_current(BEARER_TOKEN, known(UNCLEAR))
