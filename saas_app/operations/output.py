"""What a command prints: lines for people, or lines of the log when ``LOG_FORMAT`` is ``json``."""

from __future__ import annotations

import os

import click
import structlog


def logs_are_json() -> bool:
    """Return whether what is not a command's result is written for machines."""
    return os.environ.get("LOG_FORMAT") == "json"


def announce(sentence: str) -> None:
    """Say what begins now: a line for people, or one of the log's."""
    if logs_are_json():
        structlog.get_logger("saas_app.commands").info(sentence)
    else:
        click.echo(sentence)


def one_line(answer: str) -> str:
    """What somebody else's server said, without line breaks and without what would steer a terminal."""
    return " ".join("".join(char if char.isprintable() else " " for char in answer).split())
