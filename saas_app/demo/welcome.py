"""The text that the demo prints when everything is running."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Final

from saas_app.demo.options import DemoOptions
from saas_app.demo.people import ORGANIZATIONS, PASSWORD, PEOPLE
from saas_app.operations.output import column
from saas_app.operations.sign_in_methods.model import Connectors
from saas_app.text.translation import Sentence, _

_RELOADING: Final = _(
    "Workroom restarts when its code, templates or static files change. Its log follows.\n"
    "Restart this command when migrations, permissions or demo data change."
)


def welcome(options: DemoOptions, connectors: Connectors) -> str:
    """Return the text: URLs, the demo people, and what to try."""
    paragraphs = "\n\n".join(_paragraphs(options, connectors))
    return f"\n{indent(paragraphs, '  ')}\n"


def _paragraphs(options: DemoOptions, connectors: Connectors) -> Iterator[str]:
    provider, only = _("identity provider").said, _("(development only)").said
    yield (
        f"{column('Workroom', len(provider))}  {options.app_url}\n{provider}  {options.logto_url}   {only}"
    )
    yield _("Sign in as, with the password %(password)s:", password=PASSWORD).said
    width = max(len(person.username) for person in PEOPLE)
    yield indent("\n".join(f"{person.username:<{width}}  {person.hint.said}" for person in PEOPLE), "  ")
    messages = _where_codes_appear(options, connectors)
    documented = _("The API is documented at %(url)s/api/docs. To get a token for it:", url=options.app_url)
    yield "\n".join(line.said for line in (*messages, documented))
    yield (
        f'  {Path(sys.executable).with_name("saas-app")} token --client "{ORGANIZATIONS[0].machine}" '
        f"--env-file {options.env_file}"
    )
    if options.reload:
        yield _RELOADING.said
    yield _("Logs and data are in %(folder)s/. Stop with Ctrl-C.", folder=options.data).said


def _where_codes_appear(options: DemoOptions, connectors: Connectors) -> list[Sentence]:
    address = f"{options.logto_url}/messages"
    if connectors.mailgun is None and connectors.gatewayapi is None:
        return [_("Codes by email and SMS appear at %(address)s", address=address)]
    if connectors.mailgun is None:
        return [_("Codes by email appear at %(address)s", address=address)]
    if connectors.gatewayapi is None:
        return [_("Codes by SMS appear at %(address)s", address=address)]
    return []
