"""The language of the command line: that of the terminal. Help and click's own texts follow it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import copy
from typing import Any, Final, TypeVar

import click
from babel.core import negotiate_locale
from click import core, decorators, exceptions, formatting, parser, types

from local_logto.translation import SOURCE, _, languages, ngettext, said, speaking, translated

_Command = TypeVar("_Command", bound=click.Command)

_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
_OF_CLICK: Final = (
    _("Usage:"),
    _("Options"),
    _("Commands"),
    _("Show this message and exit."),
    _("Error: {message}"),
    _("Try '{command} {option}' for help."),
    _("Invalid value for {param_hint}: {message}"),
    _("{value!r} is not a valid {number_type}."),
    _("Missing command."),
    _("No such command {name!r}."),
    _("No such option {name!r}."),
    _("Option {name!r} does not take a value."),
    _("Option {name!r} requires an argument."),
    ngettext("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})", 1),
    ngettext("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)", 1),
)
"""The texts of click that the commands can show, for the catalogues."""


class Commands(click.Group):
    """A group of commands whose help and errors are in the language of the terminal."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command with this name, with its help in the current language."""
        command = super().get_command(ctx, cmd_name)
        return command and _with_translated_help(command)

    def get_help(self, ctx: click.Context) -> str:
        """Return the help of the group itself."""
        return super(Commands, _with_translated_help(self)).get_help(ctx)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command."""
        for module in (core, decorators, exceptions, formatting, parser, types):
            vars(module).update(_=translated, ngettext=translated)
        self._help_option = None  # click keeps it, in the language that it was first shown in
        with speaking(terminal_language(os.environ)):
            return super().main(*args, **extra)


def terminal_language(environ: Mapping[str, str]) -> str:
    """Return the language of the terminal, by POSIX's variables. English if it is unknown."""
    chosen = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    tag = chosen.partition(".")[0].partition("@")[0].replace("_", "-")
    return negotiate_locale([tag], languages(), sep="-") or SOURCE


def say(text: str, *, err: bool = False) -> None:
    """Print a line for people, in the current language."""
    click.echo(said(text), err=err)


def _with_translated_help(command: _Command) -> _Command:
    shown: Any = copy(command)
    shown.help = translated(command.help or "")
    shown.params = [_translated_option(parameter) for parameter in command.params]
    return shown  # type: ignore[no-any-return]


def _translated_option(parameter: click.Parameter) -> click.Parameter:
    if not isinstance(parameter, click.Option) or not parameter.help:
        return parameter
    shown = copy(parameter)
    shown.help = translated(parameter.help)
    return shown
