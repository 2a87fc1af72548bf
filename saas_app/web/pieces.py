"""The smallest parts of a page, as filters: icons, badges, names.

Jinja applies a filter to constants once, when it compiles the template: ``{{ 'plus'|icon }}`` costs a request
nothing. A macro would be called again each time, so macros are for larger parts (``templates/components/``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from zlib import crc32

from markupsafe import Markup

from saas_app.rbac.permissions import Role, in_role_order
from saas_app.text.branding import WHITE, Branding, text_color_on
from saas_app.text.pictures import shown_picture
from saas_app.text.translation import _
from saas_app.text.visible import initial, runs_right_to_left, shows_something
from saas_app.web.static_files import static_url
from saas_app.web.times import time_left

_NO_ENDS: Final[Mapping[str, datetime]] = MappingProxyType({})


def icon(name: str, label: str = "") -> Markup:
    """Return a symbol of ``icons.svg``. It is read aloud as ``label``; without one it is decoration."""
    how = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(
        how, static_url("icons.svg"), name
    )


def badge(text: str, tone: str = "") -> Markup:
    """Return a small label. The tone is "", accent, positive, negative or caution."""
    classes = f"badge badge-{tone}" if tone else "badge"
    return Markup('<span class="{}">{}</span>').format(classes, text)


def initials(name: str) -> str:
    """Return one or two letters for a name: of its first two words, without the host of an address."""
    words = name.partition("@")[0].split()
    return "".join(map(initial, words[:2])) or "?"


@lru_cache(maxsize=4096)
def avatar(key: str, name: str, picture: str | Branding | None = None, *shapes: str) -> Markup:
    """Return the picture of a person, or the logo of an organization, as decoration.

    Without one, it is the initials on the organization's color, else on a tint. The tint comes from ``key``,
    which is the id, so it is the same everywhere. The style sheet shows the initials if the picture does not
    load. Shapes are square and large.
    ``{{ member.id|avatar(member.name, member.picture) }}``
    """
    shape = "".join(f" avatar-{kind}" for kind in shapes)
    tint, letters = f"tint-{crc32(key.encode()) % TINTS}", initials(name)
    if isinstance(picture, Branding):
        return _logo(shape, tint, letters, picture.shown)
    shown = shown_picture(picture)
    return _AVATAR.format(shape, tint, "", letters, _PICTURE.format("", shown, letters) if shown else "")


def _logo(shape: str, tint: str, letters: str, branding: Branding) -> Markup:
    """Return an organization's logo, for light pages and for dark ones, else its initials on its color.

    The policy of our pages allows no inline style. An attribute of SVG paints any color without one.
    """
    if branding.logo and branding.dark_logo:
        images = _PICTURE.format(_ON_LIGHT, branding.logo, letters)
        images += _PICTURE.format(_ON_DARK, branding.dark_logo, letters)
        return _AVATAR.format(shape, tint, "", letters, images)
    if logo := branding.logo or branding.dark_logo:
        return _AVATAR.format(shape, tint, "", letters, _PICTURE.format(_LOGO, logo, letters))
    if not branding.color:
        return _AVATAR.format(shape, tint, "", letters, "")
    ink = "ink-white" if text_color_on(branding.color) == WHITE else "ink-black"
    return _AVATAR.format(shape, ink, paint(branding.color), letters, "")


def paint(color: str) -> Markup:
    """Return an area in a color, as decoration. The style sheet gives it its size."""
    return _PAINT.format(color)


def role_badges(names: Iterable[str], ends: Mapping[str, datetime] = _NO_ENDS) -> Markup:
    """Return the badges of organization roles, in the registry's order, with the time left if they end."""
    badges = [
        _ending_badge(name, ends[name]) if name in ends else _ROLE_BADGES.get(name) or badge(name)
        for name in in_role_order(names)
    ]
    return Markup(" ").join(badges or [badge(_("No role"))])


def _ending_badge(name: str, end: datetime) -> Markup:
    return badge(Markup("{} · {}").format(name, time_left(end)), "caution")


def shown_name(value: Any) -> Any:
    """Return a name or an address for an element: always visible, and isolated from the text around it.

    Right-to-left words would otherwise reorder the punctuation and numbers beside them. In attributes and
    inside sentences, the filter ``isolated`` does the same.
    """
    if not isinstance(value, str):
        return value
    if not shows_something(value):
        return _NO_NAME
    return Markup("<bdi>{}</bdi>").format(value) if runs_right_to_left(value) else value


_NO_NAME: Final = _("(blank name)")  # the text of :func:`saas_app.text.visible.isolated`
TINTS: Final = 8  # classes tint-0 to tint-7 of the style sheet
_AVATAR: Final = Markup('<span class="avatar{} {}" aria-hidden="true">{}<span>{}</span>{}</span>')
_PICTURE: Final = Markup(
    '<img{} src="{}" alt="" data-initials="{}" loading="lazy" referrerpolicy="no-referrer">'
)
_LOGO: Final = Markup(' class="logo"')
_ON_LIGHT: Final = Markup(' class="logo on-light"')
_ON_DARK: Final = Markup(' class="logo on-dark"')
_PAINT: Final = Markup(
    '<svg class="paint" aria-hidden="true"><rect width="100%" height="100%" fill="{}"></rect></svg>'
)
_ROLE_BADGES: Final = {role.value: badge(role.value, "accent" if role is Role.ADMIN else "") for role in Role}
