"""How times, devices, roles and links are shown."""

from datetime import UTC, datetime, timedelta, timezone

import jinja2
import pytest
from quart import Quart, request

from saas_app.rbac.permissions import Role, in_role_order
from saas_app.web.pieces import badge, icon, role_badges, shown_name
from saas_app.web.templating import render, with_query
from saas_app.web.times import ago, exact_utc, local_time, relative_time
from saas_app.web.user_agents import device_name

NOW = datetime(2026, 11, 21, 12, 35, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (150, "2 minutes ago"),
        (3600, "1 hour ago"),
        (86_400 * 3, "3 days ago"),
        (86_400 * 400, "1 year ago"),
        (-30, "in a moment"),
        (-300, "in 5 minutes"),
    ],
)
def test_relative_times_use_the_largest_unit_that_fits(seconds: int, text: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == text


def test_a_time_of_any_zone_is_shown_in_utc() -> None:
    moment = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    marked = 'datetime="2026-11-21T12:35:07Z" title="2026-11-21 12:35:07 UTC"'
    assert exact_utc(moment) == "2026-11-21 12:35:07 UTC"
    assert local_time(moment) == f"<time {marked} data-local>Nov 21, 2026, 12:35 PM UTC</time>"


def test_a_relative_time_has_the_exact_time_as_its_title() -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    start = '<time datetime="2020-01-02T03:04:05Z" title="2020-01-02 03:04:05 UTC">'
    assert relative_time(moment) == f"{start}{ago(moment)}</time>"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15) Gecko Firefox/145.0", "Firefox on macOS"),
        ("curl/8.5", "curl"),
        ("", "Unknown browser"),
    ],
)
def test_a_session_is_named_by_its_device(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


def test_roles_are_listed_in_registry_order() -> None:
    assert in_role_order({"viewer", "zeta", "admin", "auditor"}) == ["admin", "viewer", "auditor", "zeta"]


def test_a_member_without_roles_and_a_role_of_others_get_a_badge_too() -> None:
    assert role_badges([]) == badge("No role")
    assert role_badges(["a&b", Role.ADMIN.value]) == f"{badge('admin', 'accent')} {badge('a&b')}"


def test_what_people_chose_is_escaped_in_every_piece() -> None:
    pieces = (badge("<b>", "<i>"), icon("<b>", "<i>"), role_badges(["<b>"]), shown_name("<b> ש"))
    assert [piece for piece in pieces if "<b>" in piece or "<i>" in piece] == []


@pytest.mark.parametrize(
    ("name", "shown"), [("Ada", "Ada"), ("", "(blank name)"), (" \u3164", "(blank name)"), (None, None)]
)
def test_a_name_is_always_visible(name: str | None, shown: str | None) -> None:
    assert shown_name(name) == shown


@pytest.mark.parametrize("name", ["no_such_name", "principal.no_such_attribute"])
async def test_an_undefined_name_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    environment = render.__globals__["environment_of"]("en")
    monkeypatch.setattr(environment, "loader", jinja2.DictLoader({"undefined.html": f"{{{{ {name} }}}}"}))
    async with Quart(__name__).test_request_context("/"):
        with pytest.raises(jinja2.UndefinedError):
            render("undefined.html")


@pytest.mark.parametrize(
    ("address", "after", "changed"),
    [
        ("/o?q=a+b&status=all", "x", "?q=a+b&status=all&after=x"),
        ("/o?q=a&after=old", "new", "?q=a&after=new"),
        ("/o?after=old", None, "/o"),
    ],
)
async def test_paging_keeps_the_rest_of_the_query(address: str, after: str | None, changed: str) -> None:
    async with Quart(__name__).test_request_context(address):
        assert with_query(request, after=after) == changed
