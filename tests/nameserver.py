"""A nameserver for tests that speaks DNS over UDP and TCP and answers each name as a test wants."""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

_UDP_SIZE = 512  # bytes (RFC 1035 §4.2.1). A longer response is truncated, and the client retries over TCP


@dataclass
class FakeNameserver:
    """Its answers, by name in lower case without the final dot. A name that was not set does not exist."""

    address: tuple[str, int]
    records: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    failures: dict[str, dns.rcode.Rcode] = field(default_factory=dict)
    empty: set[str] = field(default_factory=set)  # names that exist without a TXT record
    silent: set[str] = field(default_factory=set)
    garbled: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)  # transport and name
    before: Callable[[str], None] | None = None  # called in a thread with each name that is queried

    def answer(self, wire: bytes, transport: str) -> bytes | None:
        """Return the response to a query. None: send no response."""
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        self.asked.append((transport, name))
        if self.before is not None:
            self.before(name)
        if name in self.silent:
            return None
        if name in self.garbled:
            return wire[:2] + b"\x81\x80" + b"\x00\x01\x00\xff" + b"\x00" * 7
        response = self._respond(query, name)
        answer = response.to_wire(max_size=65535)
        if transport == "udp" and len(answer) > _UDP_SIZE:
            cut = dns.message.make_response(query)
            cut.flags |= dns.flags.TC
            return cut.to_wire()
        return answer

    def _respond(self, query: dns.message.Message, name: str) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        if name in self.failures:
            response.set_rcode(self.failures[name])
            return response
        owner = query.question[0].name
        while (alias := self.aliases.get(name)) is not None:
            response.answer.append(dns.rrset.from_text(owner, 60, "IN", "CNAME", f"{alias}."))
            owner, name = dns.name.from_text(alias), alias
        texts = self.records.get(name)
        if texts:
            rows = [" ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200)) for text in texts]
            response.answer.append(dns.rrset.from_text(owner, 60, "IN", "TXT", *rows))
        elif name not in self.empty:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


class _Udp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, sock = self.request
        answer = self.server.fake.answer(wire, "udp")  # type: ignore[attr-defined]
        if answer is not None:
            sock.sendto(answer, self.client_address)


class _Tcp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        head = self.rfile.read(2)
        if len(head) < 2:
            return
        answer = self.server.fake.answer(self.rfile.read(struct.unpack("!H", head)[0]), "tcp")  # type: ignore[attr-defined]
        if answer is not None:
            self.wfile.write(struct.pack("!H", len(answer)) + answer)


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextlib.contextmanager
def running_nameserver() -> Iterator[FakeNameserver]:
    """Run a nameserver on one port for UDP and TCP.

    The system chooses the port for TCP, because most ports in use are TCP ports.
    """
    with _TcpServer(("127.0.0.1", 0), _Tcp) as tcp, _UdpServer(tcp.server_address, _Udp) as udp:
        host, port = udp.server_address[:2]
        fake = FakeNameserver((str(host), port))
        udp.fake = tcp.fake = fake  # type: ignore[attr-defined]
        threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in (udp, tcp)]
        for thread in threads:
            thread.start()
        try:
            yield fake
        finally:
            for server in (udp, tcp):
                server.shutdown()
            for thread in threads:
                thread.join()
