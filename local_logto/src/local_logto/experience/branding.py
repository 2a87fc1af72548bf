"""The logo and the color of sign-in pages: the organization's over the tenant's, as Logto 1.42 merges them.

The tenant's count once somebody has changed them: what Logto is seeded with are its own logo and color. Pages
contain no inline style. The color comes with a style sheet whose address names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from local_logto.management.sign_in_exp import SEED, with_organization
from local_logto.oidc.authorization.first_screen import shared_by_pages
from local_logto.oidc.session.interactions import Interaction
from local_logto.settings_rows import SIGN_IN_EXP, read_setting
from local_logto.store import Store

WHITE: Final = "#ffffff"
BLACK: Final = "#000000"
LIGHT_SURFACE: Final = "#eceefd"  # the darkest one of light pages, and the lightest one of dark pages
DARK_SURFACE: Final = "#262a42"

_READABLE: Final = 4.5  # contrast of text (WCAG 2.2 AA)
_STEPS: Final = 20


@dataclass(frozen=True)
class PageBranding:
    """What a page shows. Empty values are not set. Colors are six hexadecimal digits, without the ``#``."""

    logo: str = ""
    dark_logo: str = ""
    color: str = ""
    dark_color: str = ""

    @property
    def logo_origins(self) -> tuple[str, ...]:
        """The origins of the logos, for the policy of the page."""
        return tuple(dict.fromkeys(_origin(logo) for logo in (self.logo, self.dark_logo) if logo))


NO_BRANDING: Final = PageBranding()


def branding_of(store: Store, interaction: Interaction) -> PageBranding:
    """Return the branding of the pages of an interaction, whose request may name an organization."""
    values = read_setting(store, SIGN_IN_EXP)
    changed = {name: values.get(name, {}) for name in ("branding", "color")}
    own = {name: {} if value == SEED[name] else value for name, value in changed.items()}
    organization_id = shared_by_pages(interaction.params, interaction.client_id).get("organizationId")
    merged = with_organization(store, own, organization_id)
    branding, color = merged["branding"], merged["color"]
    logo = _shown_logo(branding, "logoUrl") or _shown_logo(branding, "darkLogoUrl")
    primary = _six_digits(color.get("primaryColor"))
    dark = _six_digits(color.get("darkPrimaryColor")) if color.get("isDarkModeEnabled") else ""
    return PageBranding(logo, _shown_logo(branding, "darkLogoUrl") or logo, primary, dark or primary)


def style_sheet(color: str, dark_color: str) -> str:
    """Return a style sheet that colors buttons exactly, and links as far as they stay readable."""
    light, dark = _variables(f"#{color}", LIGHT_SURFACE), _variables(f"#{dark_color}", DARK_SURFACE)
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_color_on(color: str) -> str:
    """Return white or black, whichever is more readable on the color."""
    return max(WHITE, BLACK, key=lambda text: contrast(text, color))


def readable_on(surface: str, color: str) -> str:
    """Return the color, darkened or lightened until text in it is readable on the surface."""
    goal = text_color_on(surface)
    shades = (_mixed(color, goal, step / _STEPS) for step in range(_STEPS + 1))
    return next(shade for shade in shades if contrast(shade, surface) >= _READABLE)


def _variables(color: str, surface: str) -> str:
    text, link = text_color_on(color), readable_on(surface, color)
    away = BLACK if text == WHITE else WHITE
    strong = _mixed(link, text_color_on(surface), 0.2)
    return (
        f"--fill: {color}; --fill-strong: {_mixed(color, away, 0.15)}; --on-fill: {text}; "
        f"--accent: {link}; --accent-strong: {strong};"
    )


def _mixed(color: str, goal: str, share: float) -> str:
    pairs = zip(_channels(color), _channels(goal), strict=True)
    return "#" + "".join(f"{round(one + (other - one) * share):02x}" for one, other in pairs)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _channels(color: str) -> tuple[int, int, int]:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _six_digits(color: Any) -> str:
    """Return a color that the Management API accepted, in its long form."""
    digits = str(color or "").lower().removeprefix("#")
    return "".join(2 * digit for digit in digits) if len(digits) == 3 else digits


def _shown_logo(branding: Mapping[str, Any], name: str) -> str:
    """Return a logo's address if a browser can load it as a picture from the web."""
    address = str(branding.get(name) or "")
    return address if address and _origin(address) else ""


def _origin(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return f"{parts.scheme}://{quote(parts.netloc.rpartition('@')[2], safe=':[]')}"
