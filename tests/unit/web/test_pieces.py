"""Initials, tints and pictures: the same everywhere."""

from __future__ import annotations

import pytest

from saas_app.web.pieces import TINTS, avatar, initials


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Alice Moreau", "AM"),
        ("alice", "A"),
        ("Ana María López", "AM"),
        ("alice@example.com", "A"),
        ("李小龙", "李"),
        ("\N{FAMILY} Fam", "\N{FAMILY}F"),
        ("   ", "?"),
        ("@", "?"),
    ],
)
def test_initials_are_those_of_the_first_two_words(name: str, shown: str) -> None:
    assert initials(name) == shown


def test_the_tint_depends_on_the_id_alone() -> None:
    tints = {str(avatar("person", name)).split("tint-")[1][0] for name in ("Ada", "Bob", "Cleo")}

    assert len(tints) == 1


def test_every_tint_is_used() -> None:
    found = {str(avatar(f"person{number}", "Ada")).split("tint-")[1][0] for number in range(200)}

    assert found == {str(number) for number in range(TINTS)}


def test_a_picture_carries_the_initials_and_sends_no_referrer() -> None:
    shown = str(avatar("person", "Ada", "https://example.com/ada.png"))

    assert "<span>A</span><img " in shown
    assert 'data-initials="A"' in shown
    assert 'src="https://example.com/ada.png" alt=""' in shown
    assert 'referrerpolicy="no-referrer"' in shown


@pytest.mark.parametrize(
    "picture",
    ["javascript:alert(1)", "data:image/svg+xml,x", "http://example.com/a.png", "https://10.0.0.1/"],
)
def test_an_unsafe_picture_is_not_shown(picture: str) -> None:
    assert "<img" not in avatar("person", "Ada", picture)


def test_names_and_addresses_are_escaped() -> None:
    shown = str(avatar("person", "<b> &x", 'https://example.com/"><script>'))

    assert "<script>" not in shown
    assert "&lt;&amp;" in shown
