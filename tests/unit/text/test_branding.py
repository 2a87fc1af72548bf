"""Logos and colors: only what pages may show, with text on it that everybody can read."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from saas_app.text.branding import (
    BLACK,
    UNBRANDED,
    WHITE,
    Branding,
    NotAColor,
    contrast,
    read_color,
    shown_color,
    text_color_on,
)

NO_COLORS = [
    "",
    "#fff",
    "3651c4",
    "#3651c",
    "#3651c4ff",
    "#3651cg",
    "# 651c4",
    "#3651c4;",
    "#3651c4 ",
    "#3651c4\n",
    "red",
    "rgb(1,2,3)",
    "url(//evil.example)",
    "#000}*{background:url(//evil.example)}",
    '#000"/><script>',
    "expression(alert(1))",
    "#\uff13\uff16\uff15\uff11c4",
    "#36\u0665\u0661c4",
    "#3651\N{KELVIN SIGN}4",
    "#" + "0" * 100_000,
]


@pytest.mark.parametrize("text", NO_COLORS)
def test_anything_but_six_hexadecimal_digits_is_no_color(text: str) -> None:
    with pytest.raises(NotAColor):
        read_color(text)


@pytest.mark.parametrize("text", [*NO_COLORS[2:], None, ""])
def test_a_color_of_another_form_in_logto_is_not_shown(text: str | None) -> None:
    assert shown_color(text) is None


def test_a_color_is_compared_in_lower_case() -> None:
    assert read_color("#3651C4") == "#3651c4"


def test_the_short_form_that_logto_accepts_is_shown_in_full() -> None:
    assert shown_color("#3aF") == "#33aaff"


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [(WHITE, BLACK, 21.0), (WHITE, WHITE, 1.0), ("#777777", WHITE, 4.48), ("#ff0000", WHITE, 4.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


def test_text_on_any_color_has_the_contrast_that_wcag_requires() -> None:
    steps = range(0, 256, 5)
    colors = (f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in product(steps, repeat=3))

    worst = min(contrast(color, text_color_on(color)) for color in colors)

    assert worst >= 4.5


@pytest.mark.parametrize(
    ("branding", "color"),
    [
        (None, None),
        ([], "red"),
        ({"logoUrl": 1, "darkLogoUrl": {}}, {"primaryColor": ["#000000"]}),
        ({"logoUrl": ""}, {}),
    ],
)
def test_json_of_another_shape_is_no_branding(branding: Any, color: Any) -> None:
    assert Branding.stored(branding, color) == UNBRANDED


def test_pages_show_only_public_addresses_and_colors() -> None:
    stored = Branding.stored(
        {"logoUrl": "http://example.com/a.png", "darkLogoUrl": "https://example.com/b.png"},
        {"primaryColor": "#36c"},
    )

    assert stored == Branding("http://example.com/a.png", "https://example.com/b.png", "#36c")
    assert stored.shown == Branding(None, "https://example.com/b.png", "#3366cc")
