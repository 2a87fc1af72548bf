"""Checks before a program starts, and the line that each failure prints."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from saas_app.errors import ConfigurationError
from saas_app.operations.preflight import (
    find_free_port,
    require_free_port,
    require_package,
    require_writable_folder,
)
from tests.processes import free_port


def test_a_wanted_port_is_found_if_nothing_listens_there() -> None:
    wanted = free_port()

    assert find_free_port(wanted) == wanted


def test_another_port_is_found_if_something_listens_at_the_wanted_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]

        assert find_free_port(taken) not in (0, taken)


def test_a_free_port_passes() -> None:
    require_free_port("localhost", free_port(), "unused")


@pytest.mark.parametrize("listening", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - what is in the way may listen anywhere
def test_a_busy_port_is_named_with_the_remedy(listening: str) -> None:
    with socket.create_server((listening, 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(ConfigurationError) as caught:
            require_free_port("localhost", port, "start with APP_PORT=…")

    assert str(caught.value) == f"Port {port} is in use: start with APP_PORT=…."


def test_a_port_with_a_closing_connection_counts_as_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), listener.accept()[0] as accepted:
            accepted.close()  # the server closes first, so that its port stays in TIME_WAIT

    require_free_port("127.0.0.1", port, "unused")


def test_an_unknown_address_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.invalid is not an address"):
        require_free_port("nowhere.invalid", 1, "unused")


def test_an_installed_package_passes() -> None:
    require_package("local_logto", "unused")


def test_a_missing_package_is_named_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match="no_such_package is not installed: run make setup"):
        require_package("no_such_package", "run make setup")


def test_a_missing_folder_is_created(tmp_path: Path) -> None:
    require_writable_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError, match=r"Cannot write to .*file/var \(not a directory\)"):
        require_writable_folder(tmp_path / "file" / "var")
