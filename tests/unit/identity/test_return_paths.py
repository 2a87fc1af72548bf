"""After a sign-in, people return to our own pages only."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.identity.return_paths import own_path


@pytest.mark.parametrize("path", ["/", "/o", "/o/acme/projects?q=a&status=all", "/account#x", "/o/%2F/x"])
def test_a_path_of_this_application_is_kept(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "o/acme",
        "https://evil.test/",
        "https:evil.test",
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "/\n/evil.test",
        "/\r\nSet-Cookie: a=b",
        "\t//evil.test",
        " //evil.test",
        "javascript:alert(1)",
        "/" + "a" * 2000,
        "/sign-in",
        "/sign-in/renew?next=/",
        "/callback?code=1",
        "/sign-up",
    ],
)
def test_any_other_value_leads_to_the_front_page(value: str | None) -> None:
    assert own_path(value) == "/"


@given(st.text(max_size=60))
def test_no_value_leads_to_another_site(value: str) -> None:
    stripped = own_path(value).replace("\t", "").replace("\n", "").replace("\r", "").replace("\\", "/")
    assert urlsplit(urljoin("https://workroom.test/", stripped)).netloc == "workroom.test"
