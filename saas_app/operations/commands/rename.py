"""``saas-app rename``: give a checkout the name of your own product."""

from __future__ import annotations

import click

from saas_app.operations.commands.common import short_errors
from saas_app.operations.output import say
from saas_app.operations.renaming import ProductName, rename
from saas_app.text.translation import _


@click.command("rename")
@click.argument("name")
@click.option("--from", "old", metavar="NAME", help=_("The current name, if it was renamed before."))
@short_errors
def command(name: str, old: str | None) -> None:
    """Rename the product to NAME in this checkout: texts, cookies, databases, distribution and docs.

    Run it again after you merge changes from upstream.
    """
    new = ProductName.parse(name)
    changed = rename(new, ProductName.parse(old) if old else None)
    say(
        _(
            "Changed %(changed)s files to %(title)s (%(slug)s in cookies, databases and packages).",
            changed=len(changed),
            title=new.title,
            slug=new.slug,
        )
    )
    say(
        _(
            "Next: make fmt; .venv/bin/saas-app openapi --write docs/openapi.json; make lint "
            "test. docs/start-your-own.md says what else to change."
        )
    )
