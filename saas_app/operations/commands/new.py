"""``saas-app new feature``: write the skeleton of a feature."""

from __future__ import annotations

import click

from saas_app.operations.commands.common import short_errors
from saas_app.operations.new_feature.names import feature_names
from saas_app.operations.new_feature.next_steps import next_steps
from saas_app.operations.new_feature.skeleton import write_feature
from saas_app.operations.output import column, say
from saas_app.text.translation import _


@click.group("new")
def command() -> None:
    """Write code to start from."""


@command.command("feature")
@click.argument("name")
@click.option("--one", metavar="NAME", help=_("The singular, if it is not NAME without the s."))
@short_errors
def feature(name: str, one: str | None) -> None:
    """Write a feature called NAME, a plural noun: a list, a form, an API route, a table and tests."""
    names = feature_names(name, one)
    for path in write_feature(names):
        say(column(_("written"), 8), path)
    say(f"\n{next_steps(names)}")
