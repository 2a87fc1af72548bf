"""Origins are compared as in browsers."""

import pytest

from saas_app.web.origin import origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://work.example", "https://work.example"),
        ("https://work.example:443/o?q=a", "https://work.example"),
        ("http://LOCALHOST:3000/", "http://localhost:3000"),
        ("http://work.example:80", "http://work.example"),
        ("http://[::1]:3000/o", "http://[::1]:3000"),
        ("https://user:secret@work.example/", "https://work.example"),
        ("null", None),
        ("", None),
        ("file:///etc", None),
        ("https://", None),
        ("https://work.example:port", None),
        ("https://[::1", None),
    ],
)
def test_the_origin_of_a_url_is_normalized(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin
