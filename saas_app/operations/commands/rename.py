"""``saas-app rename``: give a checkout the name of your own product."""

from __future__ import annotations

import click

from saas_app.operations.commands.common import in_one_line
from saas_app.operations.renaming import ProductName, rename


@click.command("rename")
@click.argument("name")
@click.option("--from", "old", metavar="NAME", help="The name until now, if it is not Workroom.")
@in_one_line
def command(name: str, old: str | None) -> None:
    """Rename the product to NAME in this checkout: texts, cookies, databases, the distribution, the docs.

    Run it again after taking over changes from upstream: it renames what came along.
    """
    new = ProductName.parse(name)
    changed = rename(new, ProductName.parse(old) if old else None)
    click.echo(f"{len(changed)} files name {new.title} now ({new.slug} in cookies, databases and packages).")
    click.echo(
        "Next: make fmt; .venv/bin/saas-app openapi --write docs/openapi.json; make lint test. "
        "docs/start-your-own.md says what is yours to change."
    )
