"""The commands ``serve``, ``rotate-key`` and ``credentials``. ``LOCAL_LOGTO_*`` sets everything else."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import uvicorn
from pydantic import ValidationError
from sqlalchemy.exc import DatabaseError

from local_logto.app import create_app
from local_logto.crypto.keys import rotate
from local_logto.management.seeded_app import ensure_access
from local_logto.schema import OutdatedSchema
from local_logto.settings import Settings
from local_logto.store import Store
from local_logto.terminal import Commands, say
from local_logto.translation import SOURCE, _, joined, said, speaking

_Result = TypeVar("_Result")

_data_dir = click.option("--data-dir", type=click.Path(path_type=Path), help=_("Folder of the database."))


@click.group(
    cls=Commands,
    help=_("A development identity provider that behaves like Logto 1.42. Not for production."),
)
def main() -> None:
    os.umask(0o077)  # the files contain password hashes and keys


@main.command(help=_("Run the provider until Ctrl-C."))
@click.option("--host", help=_("Address to listen on. Must be a loopback address unless allowed otherwise."))
@click.option("--port", type=int, help=_("Port to listen on. 0 picks a free one."))
@_data_dir
def serve(**given: Any) -> None:
    settings = _settings(**given)
    listener = _listen(settings.host, settings.port)
    port = listener.getsockname()[1]
    if port != settings.port:
        settings = _settings(**{**given, "port": port})
    _with_store(settings, _only_open)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # URLs carry codes and states, so requests are not logged.
    config = uvicorn.Config(
        create_app(settings),
        http="h11",  # limits the size of request headers; httptools does not
        ws="none",
        access_log=False,
        server_header=False,
        log_level="warning",
        lifespan="on",
    )
    announcement = _(
        "local_logto listens on %(endpoint)s (issuer %(issuer)s)",
        endpoint=settings.endpoint,
        issuer=settings.issuer,
    )
    server = _AnnouncingServer(config, said(announcement))
    with contextlib.suppress(KeyboardInterrupt), speaking(SOURCE):  # each request has its own language
        server.run(sockets=[listener])
    if not server.started:
        _exit_with(_("could not start. The lines above say why."))


@main.command(
    "rotate-key", help=_("Sign with a new key from now on. Tokens signed with older keys stay valid.")
)
@_data_dir
def rotate_key(**given: Any) -> None:
    kid = _with_store(_settings(**given), lambda store, _settings: rotate(store))
    say(_("new signing key %(kid)s", kid=kid))


@main.command(help=_("Print the ID and secret of the application that may use the Management API."))
@_data_dir
def credentials(**given: Any) -> None:
    settings = _settings(**given)
    secret = _with_store(settings, ensure_access)
    click.echo(f"LOGTO_MANAGEMENT_APP_ID={settings.management_app_id}")
    click.echo(f"LOGTO_MANAGEMENT_APP_SECRET={secret}")


class _AnnouncingServer(uvicorn.Server):
    """A server that prints one line when it is ready."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            click.echo(self._announcement)


def _settings(**given: Any) -> Settings:
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        _exit_with(f"{name}: {first['msg']}" if name else first["ctx"]["error"].args[0])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        _exit_with(
            _(
                "cannot listen on %(host)s:%(port)s: %(reason)s. Free the port or choose another --port.",
                host=host,
                port=port,
                reason=error.strerror,
            )
        )
    return listener


def _prepare_folder(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.database.touch(mode=0o600)
        _restrict(settings)
    except OSError as error:
        _exit_with(
            _(
                "cannot write to %(folder)s: %(reason)s. Choose another --data-dir.",
                folder=settings.data_dir,
                reason=error.strerror,
            )
        )


def _restrict(settings: Settings) -> None:
    """Restrict the database files to their owner: they contain password hashes and keys."""
    beside = (settings.database.with_name(settings.database.name + ending) for ending in ("-wal", "-shm"))
    for file in (settings.database, *beside):
        mode = file.stat().st_mode & 0o777 if file.exists() else 0
        if mode & 0o077:
            file.chmod(mode & 0o700)
            _warn(_("other users could read %(file)s. Now only its owner can.", file=file))


def _with_store(settings: Settings, work: Callable[[Store, Settings], _Result]) -> _Result:
    _prepare_folder(settings)
    store = Store(settings.database)
    try:
        store.open()
        return work(store, settings)
    except (OutdatedSchema, DatabaseError) as error:
        reason = error.orig if isinstance(error, DatabaseError) else error
        _exit_with(
            _(
                "cannot use %(file)s: %(reason)s. If no other process uses it, delete the file to start "
                "again, or choose another --data-dir.",
                file=settings.database,
                reason=reason.args[0] if isinstance(reason, OutdatedSchema) else reason,
            )
        )
    finally:
        store.close()


def _only_open(_store: Store, _settings: Settings) -> None:
    """Open the file and nothing else, so that an unusable one is reported in one line."""


def _exit_with(message: str) -> NoReturn:
    _warn(message)
    sys.exit(1)


def _warn(message: str) -> None:
    say(joined(": ", ["local_logto", message]), err=True)
