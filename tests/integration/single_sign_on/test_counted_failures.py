"""Which failures of a provider the admins see: those that no browser can cause."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from local_logto.fakes.openid import FakeOpenId, new_key

from tests.clients import Browser
from tests.conftest import OpenBrowser
from tests.integration.single_sign_on.passage import Passage
from tests.integration.single_sign_on.wizard import Wizard

Fail = Callable[[FakeOpenId], object]


def token_error(error: str) -> Fail:
    return lambda provider: provider.refuse(400, {"error": error}, path="/token")


AT_RETURN: dict[str, tuple[Fail, str]] = {
    "a wrong secret": (token_error("invalid_client"), "credentials"),
    "a client that may not": (token_error("unauthorized_client"), "credentials"),
    "another grant": (token_error("unsupported_grant_type"), "request"),
    "scopes": (token_error("invalid_scope"), "request"),
    "no key": (lambda provider: provider.refuse(200, {"keys": []}, path="/jwks"), "keys"),
    "keys that cannot be read": (lambda provider: provider.refuse(500, path="/jwks"), "metadata"),
    "keys that cannot be reached": (lambda provider: provider.drop_connections(path="/jwks"), "unreachable"),
    "a key that is not published": (lambda provider: setattr(provider, "signs_with", new_key()), "keys"),
    "no signature": (lambda provider: provider.token_header.update(alg="none"), "keys"),
    "another audience": (lambda provider: provider.id_token.update(aud="another"), "tokens"),
    "another issuer": (lambda provider: provider.id_token.update(iss="https://other.example"), "tokens"),
    "a wrong clock": (lambda provider: provider.id_token.update(exp=1), "tokens"),
    "no person": (lambda provider: provider.id_token.update(sub=" "), "tokens"),
    "two people": (lambda provider: provider.userinfo.update(sub="boss"), "tokens"),
    "userinfo that cannot be read": (lambda provider: provider.refuse(500, path="/me"), "tokens"),
    "no access token": (lambda provider: provider.tokens.update(access_token=None), "tokens"),
    "metadata of another issuer": (
        lambda provider: provider.metadata.update(issuer="https://x.example"),
        "metadata",
    ),
}


@pytest.mark.parametrize(("fail", "expected"), AT_RETURN.values(), ids=AT_RETURN)
async def test_what_the_provider_does_at_the_return_counts(
    on: Wizard, visitor: Passage, fail: Fail, expected: str
) -> None:
    back = await visitor.depart()
    fail(on.company.provider)

    await visitor.refusal(back)

    assert await on.company.failure() == expected
    assert "Sign-ins have failed since" in await on.text()


async def test_a_provider_that_cannot_be_reached_counts_at_the_departure(
    on: Wizard, visitor: Passage
) -> None:
    await on.company.provider.switch_off()

    await visitor.refusal(visitor.asked())

    page = await on.text()
    assert "Workroom cannot reach the provider." in page
    assert 'href="#test"' in page
    assert await on.company.failures_told() == ["the provider cannot be reached"]


async def test_a_failed_test_before_it_is_on_does_not_count(tested: Wizard, browser: Browser) -> None:
    """The admin who tests sees it at once."""
    company = tested.company
    company.asserts(company.address(company.admin.username))
    passage = await Passage.begin(company, tested.browser)
    started = await tested.browser.get(f"{tested.path}/test", 303)
    company.provider.client_secret = "another"

    await tested.browser.get(await passage.visit(started.headers["Location"]), 400)

    assert await company.failure() is None
    assert await company.events("sso.fail") == []


# What a stranger, or whoever has a browser, can do

Tamper = Callable[[str], str]


def _without_code(back: str) -> str:
    return f"{back.split('?')[0]}?state={back.split('state=')[1].split('&')[0]}"


def _saying(said: str) -> Tamper:
    return lambda back: f"{_without_code(back)}&{said}"


TAMPERED: dict[str, Tamper] = {
    **{
        error: _saying(f"error={error}")
        for error in (
            *("access_denied", "invalid_client", "unauthorized_client", "invalid_request", "invalid_scope"),
            *("server_error", "unsupported_response_type", "login_required", "strange"),
        )
    },
    "a code that nobody issued": _saying("code=garbage"),
    "no code": _without_code,
    "another issuer": lambda back: back.replace("iss=", "iss=https%3A%2F%2Fevil.example%2F"),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED)
async def test_what_a_browser_says_does_not_count(on: Wizard, visitor: Passage, tamper: Tamper) -> None:
    await visitor.refusal(tamper(await visitor.depart()))

    assert await on.company.failure() is None
    assert await on.company.events("sso.fail") == []


ANSWERS_TO_ODD_CODES: dict[str, Fail] = {
    "invalid_grant": token_error("invalid_grant"),
    "invalid_request": token_error("invalid_request"),
    "server_error": token_error("server_error"),
    "an unknown error": token_error("bad_verification_code"),
    "a page of a firewall": lambda provider: provider.refuse(403, "<html>", path="/token"),
    "a page of a firewall that says all is well": lambda provider: provider.refuse(
        200, "<html>", path="/token"
    ),
    "a crash": lambda provider: provider.refuse(500, path="/token"),
    "a lost connection": lambda provider: provider.drop_connections(path="/token"),
    "too much": lambda provider: provider.refuse(200, "x" * 300_000, path="/token"),
    "no ID token, as without the scope openid": lambda provider: provider.tokens.update(id_token=None),
    "no nonce": lambda provider: provider.id_token.update(nonce=None),
    "the nonce of another sign-in": lambda provider: provider.id_token.update(nonce="another"),
    "a nonce with a control character": lambda provider: provider.id_token.update(nonce="a\x00"),
}


@pytest.mark.parametrize("answer", ANSWERS_TO_ODD_CODES.values(), ids=ANSWERS_TO_ODD_CODES)
async def test_an_answer_that_a_browser_can_cause_does_not_count(
    on: Wizard, visitor: Passage, answer: Fail
) -> None:
    """Whoever has a browser can send any code, and take parameters out of what Workroom asks."""
    back = await visitor.depart()
    answer(on.company.provider)

    await visitor.refusal(back)

    assert await on.company.failure() is None
    assert await on.company.events("sso.fail") == []


async def test_a_way_back_of_another_browser_does_not_count(
    on: Wizard, visitor: Passage, open_browser: OpenBrowser
) -> None:
    on.company.provider.client_secret = "the next one"
    back = await visitor.depart()

    await (await open_browser()).get(back, 400)

    assert await on.company.failure() is None
