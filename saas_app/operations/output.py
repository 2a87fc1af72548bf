"""Output of commands: lines for people in the language of their terminal, or log lines in English."""

from __future__ import annotations

import os

import click
import structlog

from saas_app.text.translation import said


def logs_are_json() -> bool:
    """Return whether messages are logged as JSON. Results of commands are printed in any case."""
    return os.environ.get("LOG_FORMAT") == "json"


def say(*parts: object, err: bool = False, nl: bool = True) -> None:
    """Print a line for people: its parts, with a space between them."""
    click.echo(" ".join(str(said(part)) for part in parts), err=err, nl=nl)


def column(text: str, width: int) -> str:
    """Return a text that fills a column of a table."""
    return f"{said(text):<{width}}"


def announce(sentence: str) -> None:
    """Report what the command is doing, as a line for people or a log line."""
    if logs_are_json():
        structlog.get_logger("saas_app.commands").info(str(sentence))
    else:
        say(sentence)


def one_line(answer: str) -> str:
    """Return a text with words of another server, without line breaks and terminal control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in said(answer)).split())
