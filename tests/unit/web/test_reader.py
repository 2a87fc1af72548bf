"""Who reads a response: their language, the format of their region, and their time zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from quart import Quart, Response

from saas_app.text.languages import current_language, language_name, speaking
from saas_app.web.reader import begin_reading, current_reader, name_language
from saas_app.web.times import ago, day_text, local_time, short_day
from tests.catalogues import catalogue, catalogues

app = Quart(__name__)
MOMENT = datetime(2026, 11, 21, 12, 35, 7, tzinfo=UTC)


@pytest.fixture(autouse=True)
def languages(tmp_path: Path) -> Iterator[None]:
    """Workroom speaks English, Brazilian Portuguese and Spanish."""
    with catalogues(tmp_path, catalogue("es", {}), catalogue("pt_BR", {})), speaking("en"):
        (tmp_path / "pt_BR.po").rename(tmp_path / "pt-BR.po")
        yield


async def read(accept: str = "", **cookies: str) -> None:
    """Begin to read a response as this browser does."""
    headers = {
        "Accept-Language": accept,
        "Cookie": "; ".join(f"workroom_{name}={value}" for name, value in cookies.items()),
    }
    async with app.test_request_context("/", headers=headers) as context:
        begin_reading(context.request)


@pytest.mark.parametrize(
    ("accept", "cookies", "language"),
    [
        ("", {}, "en"),
        ("es", {}, "es"),
        ("es-MX,es;q=0.9,en;q=0.8", {}, "es"),
        ("en-GB,es;q=0.9", {}, "en"),
        ("fr,es;q=0.5", {}, "es"),
        ("fr", {}, "en"),
        ("pt-BR", {}, "pt-BR"),
        ("es", {"language": "en"}, "en"),
        ("es", {"language": "xx"}, "es"),
        ("*", {}, "en"),
        ("es;q=broken, \x00", {}, "en"),
        ("es", {"language": "../../etc/passwd"}, "es"),
    ],
)
async def test_the_choice_comes_first_and_then_the_browser(
    accept: str, cookies: dict[str, str], language: str
) -> None:
    await read(accept, **cookies)

    assert (current_reader().language, current_language()) == (language, language)


@pytest.mark.parametrize(
    ("accept", "cookies", "shown"),
    [
        ("en-US", {}, "Nov 21, 2026"),
        ("en-GB", {}, "21 Nov 2026"),
        ("es-MX", {}, "21 nov 2026"),
        ("de", {}, "Nov 21, 2026"),
        ("en-GB,es", {"language": "es"}, "21 nov 2026"),
        ("en-ZZ", {}, "Nov 21, 2026"),
    ],
)
async def test_the_region_of_the_browser_decides_the_format(
    accept: str, cookies: dict[str, str], shown: str
) -> None:
    await read(accept, **cookies)

    assert day_text(date(2026, 11, 21)) == shown


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/Madrid", ">21 Nov 2026, 13:35<"),
        ("Asia/Kolkata", ">21 Nov 2026, 18:05<"),
        ("chosen:Asia/Kolkata", ">21 Nov 2026, 18:05<"),
        ("", " data-local>21 Nov 2026, 12:35 UTC<"),
        ("Mars/Olympus", " data-local>21 Nov 2026, 12:35 UTC<"),
        ("../../etc/passwd", " data-local>21 Nov 2026, 12:35 UTC<"),
    ],
)
async def test_a_time_is_shown_in_the_zone_of_the_reader_with_utc_in_its_title(zone: str, shown: str) -> None:
    await read("en-GB", zone=zone)

    element = local_time(MOMENT)

    assert shown in element
    assert 'title="2026-11-21 12:35:07 UTC"' in element


async def test_distances_and_short_days_follow_the_language() -> None:
    await read("es")

    assert ago(MOMENT, datetime(2026, 11, 21, 12, 38, 30, tzinfo=UTC)) == "hace 3 minutos"
    assert short_day(date(2026, 11, 2)) == "2 nov"


@pytest.mark.parametrize(("content_type", "named"), [("text/html; charset=utf-8", "es"), ("text/css", None)])
async def test_a_page_names_its_language(content_type: str, named: str | None) -> None:
    await read("es")
    response = Response("", content_type=content_type)

    name_language(None, response)  # type: ignore[arg-type]

    assert response.headers.get("Content-Language") == named
    assert ("accept-language" in str(response.vary).lower()) is (named is not None)


def test_a_language_is_named_by_itself() -> None:
    assert [language_name(tag) for tag in ("en", "es", "pt-BR")] == [
        "English",
        "Español",
        "Português (Brasil)",
    ]


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ("sepia", ""), ('dark"x', "")]
)
async def test_only_a_known_theme_is_used(cookie: str, theme: str) -> None:
    await read(theme=cookie)

    assert current_reader().theme == theme
