"""Addresses that share one rate limit."""

from __future__ import annotations

import pytest

from saas_app.web.limits import network_of


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, ""),
        ("<local>", "<local>"),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str | None, counted_as: str) -> None:
    assert network_of(address) == counted_as
