"""The programs that run on the machines, and their settings."""

from __future__ import annotations

import glob
import ipaddress
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.databases import ROOT
from tests.hosts.network import Machine

LIBFAKETIME: Final = "/usr/lib/*/faketime/libfaketimeMT.so.1"
_DEADLINE: Final = 30.0  # seconds until a program listens


def find_postgres() -> Path | None:
    """Return the directory with the newest server's programs. Debian keeps them out of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: path.parts[4])
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def find_faketime() -> str | None:
    """Return the library that changes the clock of a program."""
    return next(iter(glob.glob(LIBFAKETIME)), None)  # noqa: PTH207 - an absolute pattern


def find_missing_program() -> str | None:
    """Return what has to be installed, or None."""
    if find_postgres() is None:
        return "PostgreSQL's server is missing (Debian: postgresql)"
    for program, package in (("redis-server", "redis-server"), ("caddy", "caddy"), ("setpriv", "util-linux")):
        if shutil.which(program) is None:
            return f"{program} is missing (Debian: {package})"
    return None


@dataclass
class Program:
    """A program on a machine. It can be started again after it ended.

    It is ready when its port accepts connections. ``user`` is the account that it runs as, if not ours.
    ``folder`` is where it runs; Python imports from there first.
    """

    machine: Machine
    arguments: Sequence[str]
    port: int
    log: Path
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    stops_by: signal.Signals = signal.SIGTERM
    folder: Path = ROOT
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"{self.machine.address}:{self.port}"

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Run the program, and wait until it accepts connections."""
        command = self.machine.command(*self.arguments, user=self.user)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=dict(self.environment),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _DEADLINE
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(f"{self.arguments[0]} did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, by: signal.Signals | None = None) -> None:
        """Tell the program to stop, by a signal if it is not the usual one, and wait until it has."""
        if self.process is not None:
            self.process.send_signal(by or self.stops_by)
            self.process.wait(_DEADLINE)

    def restart(self) -> None:
        """Stop the program and run it again."""
        self.stop()
        self.start()

    def fail(self) -> None:
        """Kill every program of the machine, as when its power fails."""
        self.machine.kill_all()
        if self.process is not None:
            self.process.wait(_DEADLINE)

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.machine.address, self.port), timeout=1).close()
        except OSError:
            return False
        return True


def new_postgres(machine: Machine, data: Path, log: Path) -> Program:
    """Create an empty server whose only user is the superuser ``postgres``, who needs no password.

    ``data`` is an empty directory that every user can reach.
    """
    programs = find_postgres()
    assert programs is not None
    shutil.chown(data, "postgres", "postgres")
    as_postgres = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
    initdb = (
        programs / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "--no-sync",
        "--locale=C.UTF-8",
    )
    subprocess.run([*as_postgres, *initdb, "-E", "UTF8"], check=True, capture_output=True, cwd="/")
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {machine.address}/24 trust\n")
    settings = {
        "listen_addresses": machine.address,
        "unix_socket_directories": "",
        "max_connections": "200",
        "fsync": "off",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        machine, [str(programs / "postgres"), "-D", str(data), *options], 5432, log,
        user="postgres", stops_by=signal.SIGINT,
    )  # fmt: skip


def new_redis(machine: Machine, directory: Path) -> Program:
    """Return a Redis that keeps nothing on disk."""
    options = ("--bind", machine.address, "--protected-mode", "no", "--save", "", "--dir", str(directory))
    return Program(machine, ["redis-server", *options], 6379, directory / "redis.log")


def new_proxy(machine: Machine, hosts: Mapping[str, str], directory: Path) -> Program:
    """Return a proxy with TLS that spreads requests over the hosts as the one of ``deploy/proxy`` does.

    The header ``X-At`` names a host to ask instead, and ``X-Served-By`` tells which one has answered.
    """
    certificate, key = new_certificate(machine.address, directory)
    config = directory / "Caddyfile"
    config.write_text(
        _CADDYFILE.format(
            address=machine.address,
            certificate=certificate,
            key=key,
            chosen="".join(_CHOSEN.format(name=name, address=address) for name, address in hosts.items()),
            hosts=" ".join(hosts.values()),
            forwarding=_shipped_forwarding(),
        )
    )
    folders = {"HOME": str(directory), "XDG_CONFIG_HOME": str(directory), "XDG_DATA_HOME": str(directory)}
    command = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
    return Program(machine, command, 443, directory / "proxy.log", environment={**os.environ, **folders})


def _shipped_forwarding() -> str:
    """Return how the proxy of ``deploy/proxy`` chooses, checks and repeats."""
    text = (ROOT / "deploy/proxy/Caddyfile").read_text()
    (block,) = re.findall(
        r"^\treverse_proxy app-1:3000 app-2:3000 {\n(.*?)\n\t}$", text, re.DOTALL | re.MULTILINE
    )
    return str(block)


_CADDYFILE: Final = """{{
    admin off
    auto_https disable_redirects
    skip_install_trust
    default_sni {address}
}}
https://{address} {{
    tls {certificate} {key}
{chosen}
    handle {{
        reverse_proxy {hosts} {{
            header_down X-Served-By {{http.reverse_proxy.upstream.hostport}}
{forwarding}
        }}
    }}
    handle_errors {{
        header Retry-After 2
        respond "No host answered." 503
    }}
}}
"""
_CHOSEN: Final = """
    @{name} header X-At {name}
    handle @{name} {{
        reverse_proxy {address} {{
            header_down X-Served-By {{http.reverse_proxy.upstream.hostport}}
            transport http {{
                keepalive 4s
            }}
        }}
    }}
"""


def new_certificate(address: str, directory: Path) -> tuple[Path, Path]:
    """Write a certificate for an IP address that vouches for itself, and its key. Valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    written, secret = directory / "certificate.pem", directory / "key.pem"
    written.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    pem, format_ = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(pem, format_, no_password))
    return written, secret
