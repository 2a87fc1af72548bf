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
from saas_app.operations.output import one_line, say
from saas_app.text.translation import _, number


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
        say(f"{number(count):>10} ", table)
    say(_("Exported %(rows)s rows.", rows=sum(rows.values())))


@command.command()
@click.argument("user_id")
@click.option("--yes", is_flag=True, help=_("Do not ask."))
@env_file_option
@short_errors
def erase(user_id: str, yes: bool, env_file: Path | None) -> None:
    """Delete what is stored about a person, and replace them in audit logs by a pseudonym.

    Their account in Logto must be deleted first. Running the command again erases what came since.
    """
    load_env_files(env_file)
    asyncio.run(_require_no_account(user_id))
    if not yes:
        click.confirm(_("Erase this person? This cannot be undone.").said, abort=True)
    _report(on_database(lambda work, _revision: erase_person(work, user_id)))


async def _require_no_account(user_id: str) -> None:
    async with connect(load_management_settings()) as client:
        account = await find_account(client, user_id)
    if account is None:
        return
    for name in account.sole_admin_of:
        say(_("Warning: this person is the only admin of %(name)s.", name=one_line(name)), err=True)
    raise ConfigurationError(
        _(
            "The account %(user_id)s still exists in Logto, and signing in would store its data "
            "again. Delete it in Logto's Console (User management), then run this command again. "
            "Nothing was erased.",
            user_id=user_id,
        )
    )


def _report(erased: Erased) -> None:
    for table, count in erased.deleted.items():
        say(f"{number(count):>10} ", _("%(table)s: deleted", table=table))
    for table, count in erased.replaced.items():
        say(f"{number(count):>10} ", _("%(table)s: replaced by the pseudonym", table=table))
    if erased.is_marked:
        hours = MARK_RETENTION.total_seconds() / 3600
        say(
            _(
                "The person's ID stays for %(hours)s hours, to reject their last tokens. Run this "
                "command again after that.",
                hours=round(hours),
            )
        )
    say(_("Erased. The pseudonym is %(pseudonym)s.", pseudonym=erased.pseudonym))
