"""Which ways to sign in Logto's sign-in page leaves to a recovery admin."""

from __future__ import annotations

from typing import Any

import pytest

from saas_app.logto import LogtoUser
from saas_app.single_sign_on.recovery import Offered, WayIn

ALL = Offered(username_password=True, email_password=True, email_code=True)
NONE = Offered(username_password=False, email_password=False, email_code=False)
DOMAINS = ("initech.test", "xn--bcher-kva.test")


def user(**values: Any) -> LogtoUser:
    return LogtoUser(id="u1", **values)


def settings(*methods: dict[str, Any]) -> dict[str, Any]:
    return {"signIn": {"methods": list(methods)}}


def test_the_sign_in_page_is_read_by_identifier() -> None:
    username = {"identifier": "username", "password": True, "verificationCode": False}
    email = {"identifier": "email", "password": False, "verificationCode": True}
    read = Offered.read(settings(email, username))
    assert read == Offered(username_password=True, email_password=False, email_code=True)


def test_what_the_sign_in_page_does_not_name_is_not_offered() -> None:
    assert Offered.read(settings()) == NONE
    assert Offered.read(settings({"identifier": "phone", "password": True, "verificationCode": True})) == NONE


@pytest.mark.parametrize(
    ("offered", "account", "way"),
    [
        (ALL, user(username="ada", has_password=True), WayIn.USERNAME),
        (NONE, user(username="ada", has_password=True, primaryEmail="ada@home.test"), None),
        (ALL, user(username="ada"), None),
        (ALL, user(has_password=True), None),
        (ALL, user(primaryEmail="ada@home.test"), WayIn.ADDRESS),
        (Offered(True, True, False), user(primaryEmail="ada@home.test"), None),
        (Offered(False, True, False), user(primaryEmail="ada@home.test", has_password=True), WayIn.ADDRESS),
        (Offered(False, False, True), user(primaryEmail="ada@home.test", has_password=True), WayIn.ADDRESS),
        (ALL, user(primaryEmail="ada@initech.test", has_password=True), None),
        (ALL, user(primaryEmail="ada@INITECH.test", has_password=True), None),
        (ALL, user(primaryEmail="ada@bücher.test", has_password=True), None),
        (ALL, user(primaryEmail="no address", has_password=True), None),
    ],
)
def test_an_account_has_a_way_in_only_if_it_is_offered(
    offered: Offered, account: LogtoUser, way: WayIn | None
) -> None:
    assert offered.way_of(account, DOMAINS) is way
