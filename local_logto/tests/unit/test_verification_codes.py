"""Verification codes: their lifetime, tries and single use, and messages that could not be sent."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from local_logto import verification_codes
from local_logto.connectors.send_limit import counted_sending
from local_logto.connectors.sending import Outgoing
from local_logto.errors import RequestError
from local_logto.messages import KEPT_MESSAGES, Message, list_messages, store_message
from local_logto.settings import Settings
from local_logto.store import Store
from local_logto.verification_codes import CodePolicy, send_code, sent_codes, use_code
from unit.experience_calls import other_code

NINA = "nina@example.test"
POLICY = CodePolicy()


async def sent(store: Store, verification_id: str = "v", recipient: str = NINA) -> str:
    """Send a code to the messages page and read it there."""
    await send_code(store, Settings(), verification_id, Outgoing("email", recipient, "SignIn", {}))
    code = list_messages(store)[0].code
    assert code is not None
    return code


async def refused(
    store: Store, code: str, *, kind: str = "email", to: str = NINA, verification_id: str = "v"
) -> str:
    with pytest.raises(RequestError) as caught:
        await use_code(store, verification_id, kind, to, code, POLICY)
    assert caught.value.status == 400
    return caught.value.code


async def kept(store: Store) -> list[str]:
    """Return the ids of the verifications that have a code."""
    with store.begin() as connection:
        return list(connection.scalars(sa.select(sent_codes.c.verification_id)))


async def test_code_has_six_digits_and_works_once(store: Store) -> None:
    code = await sent(store)
    assert len(code) == 6
    assert code.isdigit()
    await use_code(store, "v", "email", NINA, code, POLICY)
    assert await refused(store, code) == "verification_code.not_found"


async def test_new_code_of_a_verification_replaces_the_old_one(store: Store) -> None:
    old, new = await sent(store), await sent(store)
    if old != new:
        assert await refused(store, old) == "verification_code.code_mismatch"
    await use_code(store, "v", "email", NINA, new, POLICY)


async def test_code_of_another_verification_is_not_found(store: Store) -> None:
    code = await sent(store)
    assert await refused(store, code, verification_id="other") == "verification_code.not_found"


@pytest.mark.parametrize(("kind", "to"), [("email", "n@x.test"), ("phone", "4912345")])
async def test_code_is_valid_only_for_the_address_it_was_sent_to(store: Store, kind: str, to: str) -> None:
    code = await sent(store)
    assert await refused(store, code, kind=kind, to=to) == f"verification_code.{kind}_mismatch"


async def test_eleventh_try_fails_even_with_the_right_code(store: Store) -> None:
    code = await sent(store)
    for _ in range(10):
        assert await refused(store, other_code(code)) == "verification_code.code_mismatch"
    assert await refused(store, code) == "verification_code.exceed_max_try"


async def test_concurrent_tries_count_too(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await sent(store)
    find_problem = verification_codes._find_problem

    def look_while_others_guess(*given: Any) -> str | None:
        with closing(sqlite3.connect(Settings(data_dir=tmp_path).database)) as connection, connection:
            connection.execute("update sent_codes set try_count = 10")
        return find_problem(*given)

    monkeypatch.setattr(verification_codes, "_find_problem", look_while_others_guess)
    assert await refused(store, code) == "verification_code.code_mismatch"


async def test_code_expires_after_ten_minutes(store: Store, clock: time_machine.Traveller) -> None:
    code = await sent(store)
    clock.shift(timedelta(seconds=601))
    assert await refused(store, code) == "verification_code.expired"


@pytest.fixture
async def ten_sent(store: Store, clock: time_machine.Traveller) -> Store:
    """A store from which Nina was just sent ten codes, to her address in either case."""
    for number in range(10):
        await sent(store, f"v{number}", NINA.upper() if number % 2 else NINA)
    return store


async def test_eleventh_code_in_ten_minutes_is_refused(ten_sent: Store) -> None:
    with pytest.raises(RequestError) as caught:
        await sent(ten_sent, "v10")
    assert (caught.value.status, caught.value.code) == (429, "request.message_rate_limited")
    assert "v10" not in await kept(ten_sent)


async def test_limit_of_one_address_does_not_affect_another(ten_sent: Store) -> None:
    assert await sent(ten_sent, "other", "else@example.test")


async def test_codes_are_sent_again_after_ten_minutes(ten_sent: Store, clock: time_machine.Traveller) -> None:
    clock.shift(timedelta(seconds=601))
    assert await sent(ten_sent, "v11")


async def test_codes_and_invitations_are_counted_separately(store: Store) -> None:
    for _ in range(10):
        async with counted_sending(store, "invitation", NINA):
            pass
    assert await sent(store)
    with pytest.raises(RequestError, match="message_rate_limited"):
        async with counted_sending(store, "invitation", NINA):
            pytest.fail("the eleventh was sent")


async def test_codes_that_were_not_delivered_count_too(store: Store) -> None:
    message = Outgoing("email", NINA, "ForgotPassword", {})
    for number in range(10):
        await send_code(store, Settings(), f"v{number}", message, is_delivered=False)
    assert list_messages(store) == []
    assert len(await kept(store)) == 10
    with pytest.raises(RequestError, match="message_rate_limited"):
        await send_code(store, Settings(), "v10", message, is_delivered=False)


async def test_code_that_could_not_be_sent_neither_counts_nor_replaces_another(store: Store) -> None:
    code = await sent(store)
    nobody_sends = Settings(built_in_messages=False)
    for _ in range(12):
        with pytest.raises(RequestError) as caught:
            await send_code(store, nobody_sends, "v", Outgoing("email", NINA, "SignIn", {}))
        assert (caught.value.status, caught.value.code) == (501, "connector.not_found")
    await use_code(store, "v", "email", NINA, code, POLICY)
    assert await sent(store, "another")


async def test_codes_of_yesterday_are_removed(store: Store, clock: time_machine.Traveller) -> None:
    await sent(store, "old")
    clock.shift(timedelta(days=1, seconds=1))
    await sent(store, "new")
    assert await kept(store) == ["new"]


async def test_messages_are_listed_newest_first_up_to_a_limit(store: Store) -> None:
    for number in range(KEPT_MESSAGES + 3):
        store_message(store, Message("email", NINA, "SignIn", number, code=f"{number:06}"))
    shown = [message.code for message in list_messages(store)]
    assert len(shown) == KEPT_MESSAGES
    assert shown[0] == f"{KEPT_MESSAGES + 2:06}"
    assert shown[-1] == "000003"
