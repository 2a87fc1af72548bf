"""Initials, tints and pictures: the same everywhere."""

from __future__ import annotations

import pytest

from saas_app.text.branding import Branding
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
    ["javascript:alert(1)", "data:text/html,x", "http://example.com/a.png", "https://10.0.0.1/"],
)
def test_an_unsafe_picture_is_not_shown(picture: str) -> None:
    assert "<img" not in avatar("person", "Ada", picture)


def test_names_and_addresses_are_escaped() -> None:
    shown = str(avatar("person", "<b> &x", 'https://example.com/"><script>'))

    assert "<script>" not in shown
    assert "&lt;&amp;" in shown


LOGO = "https://example.com/logo.svg"


def test_a_logo_is_a_picture_over_the_initials() -> None:
    shown = str(avatar("acme", "Acme Robotics", Branding(LOGO, None, "#3651c4"), "square", "large"))

    assert 'class="avatar avatar-square avatar-large tint-' in shown
    assert f'<span>AR</span><img class="logo" src="{LOGO}" alt="" data-initials="AR" loading="lazy"' in shown
    assert "<svg" not in shown


def test_a_logo_for_dark_pages_takes_the_place_of_the_other_there() -> None:
    shown = str(avatar("acme", "Acme", Branding(LOGO, "https://example.com/dark.svg")))

    assert f'class="logo on-light" src="{LOGO}"' in shown
    assert 'class="logo on-dark" src="https://example.com/dark.svg"' in shown


@pytest.mark.parametrize(("color", "ink"), [("#3651c4", "white"), ("#ffe14d", "black")])
def test_without_a_logo_the_initials_are_readable_on_the_color(color: str, ink: str) -> None:
    shown = str(avatar("acme", "Acme", Branding(color=color)))

    assert f'fill="{color}"' in shown
    assert f"ink-{ink}" in shown
    assert "style=" not in shown
    assert "tint-" not in shown


@pytest.mark.parametrize(
    "branding",
    [
        Branding(),
        Branding("javascript:alert(1)", "data:image/svg+xml,%3Csvg/%3E", 'red"/><script>'),
        Branding("https://10.0.0.1/", "https://router.lan/logo.svg", "#000;x:url(//evil.example)"),
    ],
)
def test_an_unsafe_logo_or_color_is_not_shown(branding: Branding) -> None:
    shown = str(avatar("acme", "Acme", branding))

    assert "<img" not in shown
    assert "<svg" not in shown
    assert "tint-" in shown
