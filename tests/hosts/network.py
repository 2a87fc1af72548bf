"""A network of machines on this one: Linux network namespaces, joined by a bridge.

The tests run outside the namespaces, at the bridge, and reach every machine. Names are unique for a run, and
only what this module made is deleted.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_NOWHERE: Final = "02:00:00:00:00:01"  # a hardware address that no machine has


def find_obstacle() -> str | None:
    """Return why this machine cannot run namespaces, or None."""
    if sys.platform != "linux":
        return "network namespaces exist on Linux only"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "ip is missing (Debian: iproute2)"
    probe = f"wr{secrets.token_hex(3)}"
    if (made := subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True)).returncode:
        return f"network namespaces are not allowed: {made.stderr.strip()}"
    _ip("netns", "del", probe)
    return None


@dataclass(frozen=True, slots=True)
class Machine:
    """A network namespace with one interface."""

    name: str
    address: str

    def command(self, *program: str, user: str | None = None) -> list[str]:
        """Return the command that runs a program here, as another user if one is named."""
        other = () if user is None else ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")
        return ["ip", "netns", "exec", self.name, *other, *program]

    @contextlib.contextmanager
    def cut_off(self, *others: Machine) -> Iterator[None]:
        """Lose every packet to other machines until the block ends, as if a cable were cut."""
        for other in others:
            _ip("-n", self.name, "neigh", "replace", other.address, "lladdr", _NOWHERE, "dev", "eth0")
        try:
            yield
        finally:
            for other in others:
                _ip("-n", self.name, "neigh", "del", other.address, "dev", "eth0")

    def kill_all(self) -> None:
        """Kill every program that runs here, as when the power fails, and wait until all have ended."""
        while pids := _ip("netns", "pids", self.name).split():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


@contextlib.contextmanager
def running_network(*names: str) -> Iterator[list[Machine]]:
    """Make a machine for each name, joined by a bridge, until the block ends."""
    run = f"wr{secrets.token_hex(3)}"
    with contextlib.ExitStack() as made:
        network = _free_network()
        _ip("link", "add", run, "type", "bridge")
        made.callback(_ip, "link", "del", run)
        _ip("address", "add", f"{network}.1/24", "dev", run)
        _ip("link", "set", run, "up")
        machines = []
        for number, name in enumerate(names, start=11):
            machine = Machine(f"{run}-{name}", f"{network}.{number}")
            _ip("netns", "add", machine.name)
            made.callback(_ip, "netns", "del", machine.name)
            made.callback(machine.kill_all)
            _plug_in(machine, run, plug := f"{run}v{number}")
            made.callback(_ip, "link", "del", plug)  # a namespace ends some time after it was deleted
            machines.append(machine)
        yield machines


def _plug_in(machine: Machine, bridge: str, plug: str) -> None:
    _ip("link", "add", plug, "type", "veth", "peer", "name", "eth0", "netns", machine.name)
    _ip("link", "set", plug, "master", bridge, "up")
    _ip("-n", machine.name, "address", "add", f"{machine.address}/24", "dev", "eth0")
    _ip("-n", machine.name, "link", "set", "eth0", "up")
    _ip("-n", machine.name, "link", "set", "lo", "up")


def _free_network() -> str:
    """Return the first three numbers of a network for measurements (RFC 2544) that nothing here uses."""
    used = _ip("-4", "-o", "address")
    networks = (f"198.{18 + secrets.randbelow(2)}.{secrets.randbelow(256)}" for _ in range(1000))
    return next(network for network in networks if f" {network}." not in used)


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout
