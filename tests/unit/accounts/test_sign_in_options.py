"""Parameters of a link to /sign-in that are passed on to Logto's pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.accounts.sign_in_options import read_options


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_screen", "identifier:sign_in"),
        ("first_screen", "register"),
        ("direct_sign_in", "social:naver"),
        ("direct_sign_in", "sso:a1b2c3"),
        ("identifier", "email"),
        ("identifier", "email phone username"),
        ("login_hint", "o'hara+x@example.test"),
        ("login_hint", "821012345678"),
        ("ui_locales", "es-MX es en"),
    ],
)
def test_parameters_that_logto_knows_are_passed_on(name: str, value: str) -> None:
    assert read_options({name: value}).as_query() == {name: value, "prompt": "consent"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_screen", "admin"),
        ("first_screen", "sign_in register"),
        ("direct_sign_in", "naver"),
        ("direct_sign_in", "social:"),
        ("direct_sign_in", "social:naver/../x"),
        ("direct_sign_in", "social:naver\n"),
        ("identifier", "passport"),
        ("login_hint", "a@b.test\r\nX: y"),
        ("login_hint", "a" * 321),
        ("ui_locales", "../../etc"),
        ("prompt", "none"),
    ],
)
def test_parameters_that_logto_does_not_know_are_dropped_and_the_others_kept(name: str, value: str) -> None:
    kept = {"ui_locales": "es"} if name != "ui_locales" else {"identifier": "email"}
    assert read_options({**kept, name: value}).as_query() == {**kept, "prompt": "consent"}


def test_a_list_keeps_its_known_items_without_duplicates() -> None:
    options = read_options({"identifier": "email fax email phone", "ui_locales": "es <b> es en"})
    assert (options.identifier, options.ui_locales) == ("email phone", "es en")


def test_prompt_login_is_combined_with_consent_to_get_a_refresh_token() -> None:
    assert read_options({"prompt": "login"}).prompt == "login consent"


def test_the_sign_up_page_overrides_first_screen() -> None:
    assert read_options({"first_screen": "sign_in"}, first_screen="register").first_screen == "register"


NAMES = st.sampled_from(["first_screen", "direct_sign_in", "identifier", "login_hint"])


@given(st.dictionaries(NAMES, st.text()))
def test_every_value_is_printable_and_bounded_for_any_query(given_query: dict[str, str]) -> None:
    for value in read_options(given_query).as_query().values():
        assert value.isprintable()
        assert len(value) <= 320
