"""Email addresses that the tenant blocks, and the places where people may try them."""

from __future__ import annotations

from typing import Any

import pytest

from local_logto import email_blocklist
from local_logto.errors import RequestError
from unit.experience_app import CODES_AND_PASSWORDS, PASSWORD, ExperienceApp
from unit.experience_calls import begin, email, identify, prove_code, refusal
from unit.management_app import ManagementApp

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
def test_policy_blocks_the_addresses_that_it_names(
    policy: dict[str, Any], address: str, code: str | None
) -> None:
    if code is None:
        email_blocklist.refuse_blocked(policy, address)
        return
    with pytest.raises(RequestError) as refused:
        email_blocklist.refuse_blocked(policy, address)
    assert (refused.value.status, refused.value.code) == (422, code)


@pytest.mark.parametrize(
    "item", ["@x.example", "a@x.example", "a*@x.example", "@*.x.example", "*@x.example", "*a@*.example"]
)
def test_item_of_the_policy_is_an_address_a_domain_or_a_pattern(item: str) -> None:
    assert email_blocklist.checked({"customBlocklist": [item, item]}) == {"customBlocklist": [item]}


@pytest.mark.parametrize(
    "item", ["x.example", "@x", "a@@x.example", "@*.*", "a b@x.example", "@.x*.example", "*", ""]
)
async def test_other_items_are_refused_and_change_nothing(api: ManagementApp, item: str) -> None:
    change = {"emailBlocklistPolicy": {"customBlocklist": ["@x.example", item]}}
    answer = await api.call("PATCH", "/sign-in-exp", change)
    assert answer.refusal == (400, "sign_in_experiences.invalid_custom_email_blocklist_format")
    assert (await api.get("/sign-in-exp")).body["emailBlocklistPolicy"] == {}


async def test_blocking_disposable_addresses_is_not_supported(api: ManagementApp) -> None:
    change = {"emailBlocklistPolicy": {"blockDisposableAddresses": True}}
    answer = await api.call("PATCH", "/sign-in-exp", change)
    assert answer.refusal == (400, "request.invalid_input")


@pytest.fixture
async def logto(logto: ExperienceApp) -> ExperienceApp:
    await logto.configure(**CODES_AND_PASSWORDS)
    return logto


async def block(logto: ExperienceApp) -> None:
    policy = {"customBlocklist": ["@evil.example"]}
    await logto.configure(**CODES_AND_PASSWORDS, emailBlocklistPolicy=policy)


async def test_nobody_registers_with_a_blocked_address(logto: ExperienceApp) -> None:
    await block(logto)
    await begin(logto, "Register")
    body = {"identifier": email("eve@evil.example"), "interactionEvent": "Register"}
    assert await refusal(logto, "POST", "/verification/verification-code", body) == (422, BLOCKED)
    assert await logto.messages() == []


async def test_address_blocked_after_its_code_was_sent_makes_no_account(logto: ExperienceApp) -> None:
    await begin(logto, "Register")
    proof = {"verificationId": await prove_code(logto, "eve@evil.example", "Register")}
    await block(logto)
    assert await refusal(logto, "POST", "/identification", proof) == (422, BLOCKED)


async def test_blocked_address_cannot_be_added_to_an_account(logto: ExperienceApp) -> None:
    await logto.add_user("nina")
    await identify(logto, "nina")
    proof = {"verificationId": await prove_code(logto, "eve@evil.example", "SignIn")}
    await block(logto)
    assert await refusal(logto, "POST", "/profile", {"type": "email", **proof}) == (422, BLOCKED)


async def test_person_whose_address_was_blocked_later_still_signs_in(logto: ExperienceApp) -> None:
    await logto.add_user("nina", primary_email="nina@evil.example")
    await block(logto)
    await begin(logto, "SignIn")
    body = {"identifier": email("nina@evil.example"), "password": PASSWORD}
    status, proof = await logto.call("POST", "/verification/password", body)
    assert status == 200
    assert (await logto.call("POST", "/identification", proof))[0] == 204
