"""The language of messages and pages, chosen as in Logto 1.42."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from werkzeug.datastructures import LanguageAccept

DEFAULT: Final = "en"
# The languages of Logto's own pages
BUILT_IN: Final = (
    *("en", "ar", "cs", "de", "es", "fa-IR", "fr", "it", "ja", "ko", "pl-PL", "pt-BR", "pt-PT", "ru", "th"),
    *("tr-TR", "uk-UA", "zh-CN", "zh-HK", "zh-TW"),
)

# The languages that a tenant's settings may name, in lower case
LANGUAGE_TAGS: Final = frozenset(
    (
        *("af-za", "am-et", "ar", "ar-ar", "as-in", "az-az", "be-by", "bg-bg", "bn-in", "br-fr", "bs-ba"),
        *("ca-es", "cb-iq", "co-fr", "cs", "cs-cz", "cx-ph", "cy-gb", "da-dk", "de", "de-de", "el-gr"),
        *("en", "en-gb", "en-us", "eo-eo", "es", "es-es", "es-419", "et-ee", "eu-es", "fa-ir", "ff-ng"),
        *("fi", "fi-fi", "fo-fo", "fr", "fr-ca", "fr-fr", "fy-nl", "ga-ie", "gl-es", "gn-py", "gu-in"),
        *("ha-ng", "he-il", "hi-in", "hr-hr", "ht-ht", "hu-hu", "hy-am", "id-id", "ik-us", "is-is", "it"),
        *("it-it", "iu-ca", "ja", "ja-jp", "ja-ks", "jv-id", "ka-ge", "kk-kz", "km-kh", "kn-in", "ko"),
        *("ko-kr", "ku-tr", "ky-kg", "lo-la", "lt-lt", "lv-lv", "mg-mg", "mk-mk", "ml-in", "mn-mn"),
        *("mr-in", "ms-my", "mt-mt", "my-mm", "nb-no", "ne-np", "nl", "nl-be", "nl-nl", "nn-no", "or-in"),
        *("pa-in", "pl-pl", "ps-af", "pt", "pt-br", "pt-pt", "ro-ro", "ru", "ru-ru", "rw-rw", "sc-it"),
        *("si-lk", "sk-sk", "sl-si", "sn-zw", "sq-al", "sr-rs", "sv", "sv-se", "sw-ke", "sy-sy", "sz-pl"),
        *("ta-in", "te-in", "tg-tj", "th", "th-th", "tl-ph", "tr", "tr-tr", "tt-ru", "tz-ma", "uk-ua"),
        *("ur-pk", "uz-uz", "vi-vn", "zh", "zh-cn", "zh-hk", "zh-mo", "zh-tw", "zz-tr"),
    )
)


def preferred_language(
    language_info: Mapping[str, object],
    ui_locales: str | None,
    accepted: LanguageAccept,
    *,
    known: Sequence[str] = BUILT_IN,
) -> str:
    """Return the language for a person: the first wanted one that there are texts for, by default in Logto.

    The request's ``ui_locales`` come first, then the browser's languages if ``autoDetect`` is on, then
    ``fallbackLanguage``. A region without texts counts as its language.
    """
    wanted = _candidates(language_info, ui_locales, accepted)
    return next((found for tag in wanted if (found := _find(tag, known))), DEFAULT)


def _candidates(
    language_info: Mapping[str, object], ui_locales: str | None, accepted: LanguageAccept
) -> Iterator[str]:
    yield from (ui_locales or "").split()
    if language_info.get("autoDetect", True):
        yield from accepted.values()
    yield str(language_info.get("fallbackLanguage", DEFAULT))


def _find(tag: str, known: Sequence[str]) -> str | None:
    wanted, base = tag.lower(), tag.lower().partition("-")[0]
    exact = (one for one in known if one.lower() == wanted)
    similar = (one for one in known if one.lower().partition("-")[0] == base)
    return next(exact, None) or next(similar, None)
