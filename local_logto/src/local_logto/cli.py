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

_Result = TypeVar("_Result")


@click.group()
def main() -> None:
    """A development identity provider that behaves like Logto 1.42. Not for production."""
    os.umask(0o077)  # the files contain password hashes and keys


@main.command()
@click.option("--host", help="Address to listen on. Must be a loopback address unless allowed otherwise.")
@click.option("--port", type=int, help="Port to listen on. 0 picks a free one.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the database.")
def serve(**given: Any) -> None:
    """Run the provider until Ctrl-C."""
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
    server = _AnnouncingServer(
        config, f"local_logto listens on {settings.endpoint} (issuer {settings.issuer})"
    )
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    if not server.started:
        _exit_with("could not start. The lines above say why.")


@main.command("rotate-key")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the database.")
def rotate_key(**given: Any) -> None:
    """Sign with a new key from now on. Tokens signed with older keys stay valid."""
    kid = _with_store(_settings(**given), lambda store, _settings: rotate(store))
    click.echo(f"new signing key {kid}")


@main.command()
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the database.")
def credentials(**given: Any) -> None:
    """Print the ID and secret of the application that may use the Management API."""
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
        _exit_with(f"{name}: {first['msg']}" if name else first["msg"].removeprefix("Value error, "))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        _exit_with(
            f"cannot listen on {host}:{port}: {error.strerror}. Free the port or choose another --port."
        )
    return listener


def _prepare_folder(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.database.touch(mode=0o600)
        _restrict(settings)
    except OSError as error:
        _exit_with(f"cannot write to {settings.data_dir}: {error.strerror}. Choose another --data-dir.")


def _restrict(settings: Settings) -> None:
    """Restrict the database files to their owner: they contain password hashes and keys."""
    beside = (settings.database.with_name(settings.database.name + ending) for ending in ("-wal", "-shm"))
    for file in (settings.database, *beside):
        mode = file.stat().st_mode & 0o777 if file.exists() else 0
        if mode & 0o077:
            file.chmod(mode & 0o700)
            click.echo(f"local_logto: other users could read {file}. Now only its owner can.", err=True)


def _with_store(settings: Settings, work: Callable[[Store, Settings], _Result]) -> _Result:
    _prepare_folder(settings)
    store = Store(settings.database)
    try:
        store.open()
        return work(store, settings)
    except (OutdatedSchema, DatabaseError) as error:
        reason = error.orig if isinstance(error, DatabaseError) else error
        _exit_with(
            f"cannot use {settings.database}: {reason}. "
            "If no other process uses it, delete the file to start again, or choose another --data-dir."
        )
    finally:
        store.close()


def _only_open(_store: Store, _settings: Settings) -> None:
    """Open the file and nothing else, so that an unusable one is reported in one line."""


def _exit_with(message: str) -> NoReturn:
    click.echo(f"local_logto: {message}", err=True)
    sys.exit(1)
