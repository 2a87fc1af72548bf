"""Addresses of pictures: public ones only, however a private one is written."""

from __future__ import annotations

import pytest

from saas_app.text.pictures import LONGEST, NotAPicture, read_picture, shown_picture


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/me.png",
        "https://pictures.example.com/a/b?size=200&v=2#top",
        "https://example.com:443/me.png",
        "https://xn--bcher-kva.example.com/me.png",
        "https://example.xn--p1ai/me.png",
        "https://10.example.com/me.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "data:image/svg+xml,%3Csvg%20xmlns=%22http://www.w3.org/2000/svg%22/%3E",
    ],
)
def test_a_public_address_is_accepted(address: str) -> None:
    assert read_picture(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,%3Cscript%3Ealert(1)%3C/script%3E",
        "data:image/svg+xml;charset=utf-8,%3Csvg/%3E",
        "data:image/svg+xml,<svg/>",
        "data:image/png",
        "data:,",
        "DATA:image/png;base64,AAAA",
        "http://example.com/me.png",
        "ftp://example.com/me.png",
        "//example.com/me.png",
        "/me.png",
        "example.com/me.png",
        "https:///me.png",
        "https:/example.com/me.png",
        "https://localhost/me.png",
        "https://LOCALHOST./me.png",
        "https://printer/me.png",
        "https://router.lan/me.png",
        "https://db.internal/me.png",
        "https://host.docker.internal/me.png",
        "https://1.168.192.in-addr.arpa/me.png",
        "https://127.0.0.1/me.png",
        "https://10.0.0.1/me.png",
        "https://169.254.169.254/latest/meta-data",
        "https://8.8.8.8/me.png",
        "https://127.1/me.png",
        "https://2130706433/me.png",
        "https://0x7f000001/me.png",
        "https://0x7f.0.0.1/me.png",
        "https://0177.0.0.1/me.png",
        "https://127.0.0.1./me.png",
        "https://[::1]/me.png",
        "https://[::ffff:127.0.0.1]/me.png",
        "https://[fd00::1]/me.png",
        "https://[fe80::1%25eth0]/me.png",
        "https://[::1/me.png",
        "https://\uff11\uff12\uff17.0.0.1/me.png",
        "https://127\u30020\u30020\u30021/me.png",
        "https://user@example.com/me.png",
        "https://user:secret@example.com/me.png",
        "https://example.com:8443/me.png",
        "https://example.com:port/me.png",
        "https://example.com\\@localhost/me.png",
        "https://example.com/a b.png",
        "https://example.com/\tme.png",
        "https://example.com/\n",
        "https://-example.com/me.png",
        "https://exa_mple.com/me.png",
        f"https://example.com/{'a' * LONGEST}",
    ],
)
def test_any_other_address_is_refused(address: str) -> None:
    with pytest.raises(NotAPicture):
        read_picture(address)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("https://example.com/me.png", "https://example.com/me.png"),
        ("http://k.kakaocdn.net/me.png", None),
        ("javascript:alert(1)", None),
        ("", None),
        (None, None),
    ],
)
def test_a_picture_from_elsewhere_is_shown_only_if_its_address_is_public(
    stored: str | None, shown: str | None
) -> None:
    assert shown_picture(stored) == shown
