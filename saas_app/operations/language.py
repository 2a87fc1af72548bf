"""The language of the command line: that of the terminal. Help and click's own texts follow it.

The help of a command is the docstring of its function, and that of an option is marked with ``_()``. Both
are English until they are shown.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from copy import copy
from typing import Any, Final, TypeVar

import click
from babel.core import negotiate_locale
from click import core, decorators, exceptions, formatting, parser, termui, types

from saas_app.text.languages import SOURCE, current_language, languages
from saas_app.text.translation import _, ngettext, translated

_Command = TypeVar("_Command", bound=click.Command)

_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
_OF_CLICK: Final = (
    _("Usage:"),
    _("Options"),
    _("Commands"),
    _("Positional arguments"),
    _("Show this message and exit."),
    _("Show the version and exit."),
    _("default: {default}"),
    _("env var: {var}"),
    _("required"),
    _("Aborted!"),
    _("Error: {message}"),
    _("Try '{command} {option}' for help."),
    _("Invalid value: {message}"),
    _("Invalid value for {param_hint}: {message}"),
    _("Missing argument"),
    _("Missing option"),
    _("Missing parameter"),
    _("Missing command."),
    _("No such command {name!r}."),
    _("No such option {name!r}."),
    _("Option {name!r} does not take a value."),
    _("Option {name!r} requires an argument."),
    _("{value!r} is not a valid {number_type}."),
    _("{value} is not in the range {range}."),
    _("{name} {filename!r} does not exist."),
    _("{name} {filename!r} is a file."),
    _("{name} {filename!r} is a directory."),
    _("{name} {filename!r} is not readable."),
    _("{name} {filename!r} is not writable."),
    _("Error: invalid input"),
    ngettext("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})", 1),
    ngettext("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)", 1),
)
"""The texts of click that our commands can show, for the catalogues."""


def terminal_language(environ: Mapping[str, str]) -> str:
    """Return the language of the terminal, by POSIX's variables. English if it is unknown."""
    chosen = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    tag = chosen.partition(".")[0].partition("@")[0].replace("_", "-")
    return negotiate_locale([tag], languages(), sep="-") or SOURCE


def speak_click() -> None:
    """Let click take its texts from our catalogues. Its :mod:`gettext` reads only compiled files."""
    for module in (core, decorators, exceptions, formatting, parser, termui, types):
        vars(module).update(_=_click_text, ngettext=_click_plural)


def translated_help(command: _Command) -> _Command:
    """Return a command whose help, options and subcommands are in the current language."""
    shown: Any = copy(command)
    shown.help = _click_text(help_message(command.help or ""))
    shown.params = [_translated_option(parameter) for parameter in command.params]
    if isinstance(command, click.Group):
        shown.commands = {name: translated_help(inner) for name, inner in command.commands.items()}
    return shown  # type: ignore[no-any-return]


def help_message(docstring: str) -> str:
    """Return a docstring as it is in the catalogues: one line for each paragraph."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _translated_option(parameter: click.Parameter) -> click.Parameter:
    if not isinstance(parameter, click.Option) or not parameter.help:
        return parameter
    shown = copy(parameter)
    shown.help = _click_text(parameter.help)
    return shown


def _click_text(message: str) -> str:
    return translated(current_language(), message)


def _click_plural(singular: str, plural: str, num: int) -> str:
    return translated(current_language(), singular, plural, num=num)
