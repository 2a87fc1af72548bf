"""Whether a bearer token is newer than the changes of its membership, and when Logto is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from saas_app.identity import bearer_freshness
from saas_app.identity.bearer import BearerToken
from saas_app.identity.bearer_access import BearerAccess
from saas_app.identity.bearer_freshness import BearerFreshness
from saas_app.identity.membership_changes import NO_CHANGES, KnownChanges
from saas_app.identity.membership_check import Claimed
from saas_app.identity.principal import Principal
from saas_app.logto.provider_clock import Moment
from saas_app.rbac.permissions import Carrier

TOKEN = BearerToken(
    fingerprint=b"1",
    subject="u1",
    client_id="cli",
    carrier=Carrier.API_TOKEN,
    organization_id="acme",
    scopes=frozenset({"projects:read"}),
    issued_at=1_000,
    expires_at=2_000,
)
BEFORE, AFTER, UNCLEAR = Moment(900, 901), Moment(1_100, 1_101), Moment(999, 1_001)


class Logto:
    """Answers what a token's holder holds, and counts how often it is asked."""

    def __init__(self) -> None:
        self.holds = True
        self.asked = 0

    async def is_still_granted(self, management: Any, claimed: Claimed) -> bool:
        self.asked += 1
        return self.holds


@pytest.fixture
def logto(monkeypatch: pytest.MonkeyPatch) -> Logto:
    asked = Logto()
    monkeypatch.setattr(bearer_freshness, "is_still_granted", asked.is_still_granted)
    return asked


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
async def test_time_alone_tells_old_from_new(
    freshness: BearerFreshness, logto: Logto, moment: Moment | None, current: bool
) -> None:
    assert await freshness.is_current(TOKEN, known(moment)) is current
    assert logto.asked == 0


@pytest.mark.parametrize("holds", [True, False])
async def test_where_time_leaves_a_doubt_logto_is_asked_once(
    freshness: BearerFreshness, logto: Logto, holds: bool
) -> None:
    logto.holds = holds
    assert await freshness.is_current(TOKEN, known(UNCLEAR)) is holds
    assert await freshness.is_current(TOKEN, known(UNCLEAR)) is holds
    assert logto.asked == 1


async def test_a_token_that_was_used_before_the_change_is_older(
    freshness: BearerFreshness, logto: Logto
) -> None:
    await freshness.is_current(TOKEN, known())
    assert not await freshness.is_current(TOKEN, known(UNCLEAR))
    assert logto.asked == 0


async def test_another_token_of_the_same_second_is_judged_by_itself(freshness: BearerFreshness) -> None:
    await freshness.is_current(TOKEN, known())
    assert await freshness.is_current(replace(TOKEN, fingerprint=b"2"), known(UNCLEAR))


async def test_an_outdated_token_stays_outdated(freshness: BearerFreshness) -> None:
    await freshness.is_current(TOKEN, known(AFTER))
    assert not await freshness.is_current(TOKEN, known(BEFORE, version=2))


async def test_while_a_change_is_under_way_logto_is_asked_at_every_request(
    freshness: BearerFreshness, logto: Logto
) -> None:
    for _ in range(2):
        assert await freshness.is_current(TOKEN, known(is_changing=True))
    assert logto.asked == 2


async def test_a_token_that_was_current_is_asked_about_when_a_change_begins(
    freshness: BearerFreshness, logto: Logto
) -> None:
    logto.holds = False
    assert await freshness.is_current(TOKEN, known(BEFORE))
    assert not await freshness.is_current(TOKEN, known(BEFORE, is_changing=True))


async def test_while_a_change_is_under_way_a_token_in_doubt_is_refused(
    freshness: BearerFreshness, logto: Logto
) -> None:
    assert not await freshness.is_current(TOKEN, known(UNCLEAR, is_changing=True))
    assert logto.asked == 0


async def test_without_the_management_api_a_token_in_doubt_is_refused() -> None:
    assert not await BearerFreshness(None).is_current(TOKEN, known(UNCLEAR))
