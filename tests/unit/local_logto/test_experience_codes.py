"""Verification codes: lifetime, tries, single use, and the limit on sending."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine

from local_logto.errors import RequestError
from local_logto.experience.codes import create_code, use_code, verification_codes
from local_logto.experience.sign_in_experience import CodePolicy
from local_logto.experience.state import Identifier
from local_logto.messages import KEPT_MESSAGES, keep_message, list_messages
from local_logto.store import Store

NINA = Identifier("email", "nina@example.test")
POLICY = CodePolicy()
START = "2026-11-21T12:00:00+00:00"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path / "codes.sqlite3")
    await store.open()
    yield store
    await store.close()


async def refused(store: Store, code: str, *, to: Identifier = NINA, verification_id: str = "v") -> str:
    with pytest.raises(RequestError) as caught:
        await use_code(store, verification_id, to, code, POLICY)
    assert caught.value.status == 400
    return caught.value.code


def wrong(code: str) -> str:
    return "000000" if code != "000000" else "111111"


async def test_code_has_six_digits_and_works_once(store: Store) -> None:
    code = await create_code(store, "v", NINA)
    assert len(code) == 6
    assert code.isdigit()
    await use_code(store, "v", NINA, code, POLICY)
    assert await refused(store, code) == "verification_code.not_found"


async def test_code_of_another_verification_is_not_found(store: Store) -> None:
    code = await create_code(store, "v", NINA)
    assert await refused(store, code, verification_id="other") == "verification_code.not_found"


async def test_code_fits_only_the_address_it_was_sent_to(store: Store) -> None:
    code = await create_code(store, "v", NINA)
    assert (
        await refused(store, code, to=Identifier("email", "n@x.test")) == "verification_code.email_mismatch"
    )
    assert await refused(store, code, to=Identifier("phone", "4912345")) == "verification_code.phone_mismatch"


async def test_eleventh_try_fails_even_with_the_right_code(store: Store) -> None:
    code = await create_code(store, "v", NINA)
    for _ in range(10):
        assert await refused(store, wrong(code)) == "verification_code.code_mismatch"
    assert await refused(store, code) == "verification_code.exceed_max_try"


async def test_code_expires_after_ten_minutes(store: Store) -> None:
    with time_machine.travel(START, tick=False) as clock:
        code = await create_code(store, "v", NINA)
        clock.shift(timedelta(seconds=601))
        assert await refused(store, code) == "verification_code.expired"


async def test_ten_codes_in_ten_minutes_whatever_the_case_of_the_address(store: Store) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for number in range(10):
            address = NINA.value.upper() if number % 2 else NINA.value
            await create_code(store, f"v{number}", Identifier("email", address))
        with pytest.raises(RequestError) as caught:
            await create_code(store, "v10", NINA)
        assert (caught.value.status, caught.value.code) == (429, "request.message_rate_limited")
        await create_code(store, "other", Identifier("email", "else@example.test"))
        clock.shift(timedelta(seconds=601))
        await create_code(store, "v11", NINA)


async def test_codes_of_yesterday_are_removed(store: Store) -> None:
    with time_machine.travel(START, tick=False) as clock:
        await create_code(store, "old", NINA)
        clock.shift(timedelta(days=1, seconds=1))
        await create_code(store, "new", NINA)
    async with store.begin() as connection:
        kept = await connection.scalars(sa.select(verification_codes.c.verification_id))
    assert list(kept) == ["new"]


async def test_messages_are_bounded_and_newest_first(store: Store) -> None:
    for number in range(KEPT_MESSAGES + 3):
        await keep_message(store, "email", "nina@example.test", "SignIn", code=f"{number:06}")
    kept = [message.code for message in await list_messages(store)]
    assert len(kept) == KEPT_MESSAGES
    assert kept[0] == f"{KEPT_MESSAGES + 2:06}"
    assert kept[-1] == "000003"
