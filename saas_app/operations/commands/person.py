"""``saas-app person``: export or erase what is stored about a person."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from saas_app.config import load_management_settings
from saas_app.errors import ConfigurationError
from saas_app.logto import connect
from saas_app.operations.commands.common import env_file_option, load_env_files, short_errors
from saas_app.operations.commands.organization import to_option
from saas_app.operations.data.account import find_account
from saas_app.operations.data.database import on_database
from saas_app.operations.data.erasure import MARK_RETENTION, Erased, erase_person
from saas_app.operations.data.person_export import export_person
from saas_app.operations.output import one_line


@click.group("person")
def command() -> None:
    """Export or erase what is stored about a person."""


@command.command()
@click.argument("user_id")
@to_option
@env_file_option
@short_errors
def export(user_id: str, path: Path, env_file: Path | None) -> None:
    """Write what is stored about a person to a new file, without tokens."""
    load_env_files(env_file)
    rows = on_database(lambda work, revision: export_person(work, user_id, path, revision))
    for table, count in rows.items():
        click.echo(f"{count:>10,}  {table}")
    click.echo(f"Exported {sum(rows.values()):,} rows.")


@command.command()
@click.argument("user_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@env_file_option
@short_errors
def erase(user_id: str, yes: bool, env_file: Path | None) -> None:
    """Delete what is stored about a person, and replace them in audit logs by a pseudonym.

    Their account in Logto must be deleted first. Running the command again erases what came since.
    """
    load_env_files(env_file)
    asyncio.run(_require_no_account(user_id))
    if not yes:
        click.confirm("Erase this person? This cannot be undone.", abort=True)
    _report(on_database(lambda work, _revision: erase_person(work, user_id)))


async def _require_no_account(user_id: str) -> None:
    async with connect(load_management_settings()) as client:
        account = await find_account(client, user_id)
    if account is None:
        return
    for name in account.sole_admin_of:
        click.echo(f"Warning: this person is the only admin of {one_line(name)}.", err=True)
    raise ConfigurationError(
        f"The account {user_id} still exists in Logto, and signing in would store its data again. Delete "
        "it in Logto's Console (User management), then run this command again. Nothing was erased."
    )


def _report(erased: Erased) -> None:
    for table, count in erased.deleted.items():
        click.echo(f"{count:>10,}  {table}: deleted")
    for table, count in erased.replaced.items():
        click.echo(f"{count:>10,}  {table}: replaced by the pseudonym")
    if erased.is_marked:
        hours = MARK_RETENTION.total_seconds() / 3600
        click.echo(
            f"The person's ID stays for {hours:.0f} hours, to reject their last tokens. "
            "Run this command again after that."
        )
    click.echo(f"Erased. The pseudonym is {erased.pseudonym}.")
