"""Which email addresses the tenant keeps out, and where somebody tries them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from local_logto import email_blocklist
from local_logto.errors import RequestError
from unit.experience_app import CODES_AND_PASSWORDS, PASSWORD, ExperienceApp, experience_app
from unit.experience_calls import (
    VERIFY,
    begin,
    email,
    last_code,
    prove_password,
    send_code,
    verification,
)
from unit.management_app import management_app

BLOCKED = "session.email_blocklist.email_not_allowed"
SUBADDRESS = "session.email_blocklist.email_subaddressing_not_allowed"


@pytest.mark.parametrize(
    ("policy", "address", "code"),
    [
        ({}, "eve@evil.example", None),
        ({"customBlocklist": ["@evil.example"]}, "Eve@EVIL.example", BLOCKED),
        ({"customBlocklist": ["@evil.example"]}, "eve@not-evil.example", None),
        ({"customBlocklist": ["@*.evil.example"]}, "eve@mail.evil.example", BLOCKED),
        ({"customBlocklist": ["@*.evil.example"]}, "eve@evil.example", None),
        ({"customBlocklist": ["eve*@x.example"]}, "evelyn@x.example", BLOCKED),
        ({"customBlocklist": ["eve.a@x.example"]}, "evesa@x.example", None),
        ({"customAllowlist": ["@good.example"]}, "eve@x.example", BLOCKED),
        ({"customAllowlist": ["@good.example"]}, "eve@good.example", None),
        ({"customAllowlist": ["@x.example"], "customBlocklist": ["eve@x.example"]}, "eve@x.example", BLOCKED),
        ({"customAllowlist": []}, "eve@x.example", None),
        ({"blockSubaddressing": True}, "eve+1@x.example", SUBADDRESS),
        ({"blockSubaddressing": True}, "eve@x.example", None),
    ],
)
def test_policy_keeps_out_what_it_names(policy: dict[str, Any], address: str, code: str | None) -> None:
    if code is None:
        email_blocklist.refuse_blocked(policy, address)
        return
    with pytest.raises(RequestError) as refused:
        email_blocklist.refuse_blocked(policy, address)
    assert (refused.value.status, refused.value.code) == (422, code)


@pytest.mark.parametrize(
    "item", ["@x.example", "a@x.example", "a*@x.example", "@*.x.example", "*@x.example", "*a@*.example"]
)
def test_address_domain_or_pattern_is_an_item(item: str) -> None:
    assert email_blocklist.checked({"customBlocklist": [item, item]}) == {"customBlocklist": [item]}


@pytest.mark.parametrize(
    "item", ["x.example", "@x", "a@@x.example", "@*.*", "a b@x.example", "@.x*.example", "*", ""]
)
async def test_other_items_are_refused_and_change_nothing(tmp_path: Path, item: str) -> None:
    async with management_app(tmp_path) as api:
        change = {"emailBlocklistPolicy": {"customBlocklist": ["@x.example", item]}}
        answer = await api.call("PATCH", "/sign-in-exp", change)
        code = "sign_in_experiences.invalid_custom_email_blocklist_format"
        assert (answer.status, answer.code) == (400, code)
        assert (await api.get("/sign-in-exp")).body["emailBlocklistPolicy"] == {}


async def test_disposable_addresses_cannot_be_told_here(tmp_path: Path) -> None:
    async with management_app(tmp_path) as api:
        change = {"emailBlocklistPolicy": {"blockDisposableAddresses": True}}
        answer = await api.call("PATCH", "/sign-in-exp", change)
        assert (answer.status, answer.code) == (400, "request.invalid_input")


@pytest.fixture
async def logto(tmp_path: Path) -> AsyncIterator[ExperienceApp]:
    async with experience_app(tmp_path) as app:
        await app.configure(**CODES_AND_PASSWORDS)
        yield app


async def block(logto: ExperienceApp) -> None:
    policy = {"customBlocklist": ["@evil.example"]}
    await logto.configure(**CODES_AND_PASSWORDS, emailBlocklistPolicy=policy)


async def test_nobody_registers_with_a_blocked_address(logto: ExperienceApp) -> None:
    await block(logto)
    await begin(logto, "Register")
    body = {"identifier": email("eve@evil.example"), "interactionEvent": "Register"}
    status, refused = await logto.call("POST", "/verification/verification-code", body)
    assert (status, refused["code"]) == (422, BLOCKED)
    assert await logto.messages() == []


async def test_address_blocked_after_its_code_was_sent_makes_no_account(logto: ExperienceApp) -> None:
    await begin(logto, "Register")
    sent = await send_code(logto, "eve@evil.example", "Register")
    await logto.call("POST", VERIFY, verification("eve@evil.example", sent, await last_code(logto)))
    await block(logto)
    status, refused = await logto.call("POST", "/identification", {"verificationId": sent})
    assert (status, refused["code"]) == (422, BLOCKED)


async def test_account_takes_no_blocked_address(logto: ExperienceApp) -> None:
    await logto.add_user("nina")
    await begin(logto, "SignIn")
    proof = await prove_password(logto, "nina")
    assert (await logto.call("POST", "/identification", {"verificationId": proof}))[0] == 204
    sent = await send_code(logto, "eve@evil.example", "SignIn")
    await logto.call("POST", VERIFY, verification("eve@evil.example", sent, await last_code(logto)))
    await block(logto)
    status, refused = await logto.call("POST", "/profile", {"type": "email", "verificationId": sent})
    assert (status, refused["code"]) == (422, BLOCKED)


async def test_who_has_a_blocked_address_still_signs_in(logto: ExperienceApp) -> None:
    await logto.add_user("nina", primary_email="nina@evil.example")
    await block(logto)
    await begin(logto, "SignIn")
    body = {"identifier": email("nina@evil.example"), "password": PASSWORD}
    status, proof = await logto.call("POST", "/verification/password", body)
    assert status == 200
    assert (await logto.call("POST", "/identification", proof))[0] == 204
