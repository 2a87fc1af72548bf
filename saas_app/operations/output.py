"""Output of commands: lines for people, or log lines if ``LOG_FORMAT`` is ``json``."""

from __future__ import annotations

import os

import click
import structlog


def logs_are_json() -> bool:
    """Return whether messages are logged as JSON. Results of commands are printed in any case."""
    return os.environ.get("LOG_FORMAT") == "json"


def announce(sentence: str) -> None:
    """Report what the command is doing, as a line for people or a log line."""
    if logs_are_json():
        structlog.get_logger("saas_app.commands").info(sentence)
    else:
        click.echo(sentence)


def one_line(answer: str) -> str:
    """Return a text from another server without line breaks and terminal control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in answer).split())
