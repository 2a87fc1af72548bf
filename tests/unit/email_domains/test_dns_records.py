"""Looking up TXT records: every failure of DNS, in bounded time, without blocking other requests."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time

import dns.rcode
import pytest

from saas_app.config.values import Nameserver, read_nameservers
from saas_app.email_domains.dns_records import TxtResolver
from tests.nameserver import FakeNameserver


@pytest.fixture
def resolver(nameserver: FakeNameserver) -> TxtResolver:
    return TxtResolver([Nameserver(*nameserver.address)], timeout=2)


@pytest.fixture
def impatient_resolver(nameserver: FakeNameserver) -> TxtResolver:
    """A resolver that gives up after half a second, for nameservers that never give a usable answer."""
    return TxtResolver([Nameserver(*nameserver.address)], timeout=0.5)


@pytest.fixture
def name() -> str:
    """A name that no other test looks up."""
    return f"_workroom.{secrets.token_hex(6)}.example"


async def test_all_records_are_returned_with_their_strings_joined(
    nameserver: FakeNameserver, resolver: TxtResolver, name: str
) -> None:
    nameserver.records[name] = ["v=spf1 -all", "x" * 450, "second"]
    answer = await resolver.look_up(name)
    assert answer.values == {"v=spf1 -all", "x" * 450, "second"}
    assert answer.problem is None


async def test_an_alias_is_followed(nameserver: FakeNameserver, resolver: TxtResolver, name: str) -> None:
    nameserver.aliases[name] = f"elsewhere.{name}"
    nameserver.records[f"elsewhere.{name}"] = ["found"]
    assert (await resolver.look_up(name)).values == {"found"}


async def test_a_name_without_txt_records_gives_an_empty_answer_without_a_problem(
    nameserver: FakeNameserver, resolver: TxtResolver, name: str
) -> None:
    nameserver.empty.add(f"empty.{name}")
    for looked_up in (name, f"empty.{name}"):
        answer = await resolver.look_up(looked_up)
        assert (answer.values, answer.problem) == (frozenset(), None), looked_up


async def test_an_answer_too_long_for_udp_is_fetched_over_tcp(
    nameserver: FakeNameserver, resolver: TxtResolver, name: str
) -> None:
    nameserver.records[name] = [f"{number} {'y' * 180}" for number in range(200)]
    assert len((await resolver.look_up(name)).values) == 200
    assert ("tcp", name) in nameserver.asked


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
async def test_a_dns_error_is_a_problem_and_not_a_missing_record(
    nameserver: FakeNameserver, resolver: TxtResolver, name: str, rcode: dns.rcode.Rcode
) -> None:
    nameserver.failures[name] = rcode
    answer = await resolver.look_up(name)
    assert answer.problem == f"DNS returned an error ({dns.rcode.to_text(rcode)})."


async def test_an_unreadable_answer_is_a_problem(
    nameserver: FakeNameserver, impatient_resolver: TxtResolver, name: str
) -> None:
    nameserver.garbled.add(name)
    assert (await impatient_resolver.look_up(name)).problem


async def test_a_nameserver_that_is_down_is_a_problem() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert (await TxtResolver([Nameserver("127.0.0.1", port)], timeout=0.5).look_up("x.example")).problem


async def test_a_silent_nameserver_times_out_without_blocking_the_event_loop(
    nameserver: FakeNameserver, impatient_resolver: TxtResolver, name: str
) -> None:
    nameserver.silent.add(name)
    ticks, began = 0, time.monotonic()
    looking = asyncio.create_task(impatient_resolver.look_up(name))
    while not looking.done():
        await asyncio.sleep(0.02)
        ticks += 1
    assert looking.result().problem == "DNS did not respond in time."
    assert ticks > 5
    assert time.monotonic() - began < 30  # seconds; half a second on an idle machine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("192.0.2.53", (Nameserver("192.0.2.53", 53),)),
        ("127.0.0.1:5353, 2001:db8::53", (Nameserver("127.0.0.1", 5353), Nameserver("2001:db8::53", 53))),
        ("[2001:db8::53]:5353", (Nameserver("2001:db8::53", 5353),)),
    ],
)
def test_nameservers_are_read_with_their_ports(text: str, expected: tuple[Nameserver, ...]) -> None:
    assert read_nameservers(text) == expected


@pytest.mark.parametrize(
    "text", ["dns.example", "127.0.0.1:99999", "127.0.0.1:0", "127.0.0.1:x", "a@127.0.0.1"]
)
def test_a_nameserver_that_is_not_an_ip_address_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="IP addresses"):
        read_nameservers(text)
