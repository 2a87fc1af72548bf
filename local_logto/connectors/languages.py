"""In which language a person is written to, as Logto 1.42 decides it for messages and pages alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from werkzeug.datastructures import LanguageAccept

DEFAULT: Final = "en"
# The languages of Logto's own pages
_BUILT_IN: Final = (
    *("en", "ar", "de", "es", "fr", "it", "ja", "ko", "pl-PL", "pt-BR", "pt-PT", "ru", "th", "tr-TR"),
    *("uk-UA", "zh-CN", "zh-HK", "zh-TW"),
)


def message_locale(
    language_info: Mapping[str, object], ui_locales: str | None, accepted: LanguageAccept
) -> str:
    """The first known language of the request's ``ui_locales``, of the browser where ``autoDetect`` is on,
    of ``fallbackLanguage``; a region nobody has texts for counts as its language."""
    wanted = _candidates(language_info, ui_locales, accepted)
    return next((known for tag in wanted if (known := _find(tag))), DEFAULT)


def _candidates(
    language_info: Mapping[str, object], ui_locales: str | None, accepted: LanguageAccept
) -> Iterator[str]:
    yield from (ui_locales or "").split()
    if language_info.get("autoDetect", True):
        yield from accepted.values()
    yield str(language_info.get("fallbackLanguage", DEFAULT))


def _find(tag: str) -> str | None:
    wanted, base = tag.lower(), tag.lower().partition("-")[0]
    exact = (known for known in _BUILT_IN if known.lower() == wanted)
    similar = (known for known in _BUILT_IN if known.lower().partition("-")[0] == base)
    return next(exact, None) or next(similar, None)
