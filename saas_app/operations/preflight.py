"""Checks before a program starts. Each failure is one clear sentence."""

from __future__ import annotations

import errno
import importlib.util
import os
import socket
import tempfile
from pathlib import Path

from saas_app.errors import ConfigurationError
from saas_app.text.translation import _

_LOCALHOST = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))  # browsers try both


def require_free_port(host: str, port: int, remedy: str) -> None:
    """Raise :class:`ConfigurationError` if the port is in use or cannot be used."""
    addresses = _LOCALHOST if host == "localhost" else (_resolve(host),)
    for family, address in addresses:
        trouble = _trouble(family, address, port)
        if trouble:
            raise ConfigurationError(_("%(trouble)s: %(remedy)s.", trouble=trouble, remedy=remedy))


def find_free_port(wanted: int) -> int:
    """Return the wanted port of 127.0.0.1, or another one if something listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was just released is free
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_writable_folder(folder: Path) -> None:
    """Create a folder if it is missing. Raise :class:`ConfigurationError` if it is not writable."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = os.strerror(error.errno or errno.EIO).lower()
        raise ConfigurationError(
            _(
                "Cannot write to %(folder)s (%(reason)s): make it writable, or start in another folder.",
                folder=folder.resolve(),
                reason=reason,
            )
        ) from None


def require_package(name: str, remedy: str) -> None:
    """Raise :class:`ConfigurationError` if a package that only development needs is not installed."""
    if importlib.util.find_spec(name) is None:
        raise ConfigurationError(_("%(name)s is not installed: %(remedy)s.", name=name, remedy=remedy))


def _resolve(host: str) -> tuple[socket.AddressFamily, str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise ConfigurationError(_("%(host)s is not an address of this machine.", host=host)) from None
    return found[0], str(found[4][0])


def _trouble(family: socket.AddressFamily, address: str, port: int) -> str:
    """Return why the port cannot be used, or "". A machine without IPv6 is fine."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # a port that was just released is free
            probe.bind((address, port))
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _("Port %(port)s is in use", port=str(port))
        if error.errno == errno.EACCES:
            return _("Port %(port)s is reserved for the system", port=str(port))
        if family != socket.AF_INET6:
            return _(
                "Port %(port)s cannot be used (%(reason)s)",
                port=str(port),
                reason=os.strerror(error.errno or errno.EIO).lower(),
            )
    return ""
