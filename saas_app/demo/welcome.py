"""The text that the demo prints when everything is running."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import indent
from typing import Final

from saas_app.demo.company import COMPANY_PEOPLE, TO_CONNECT, CompanyClient, CompanyProvider
from saas_app.demo.options import DemoOptions
from saas_app.demo.people import ORGANIZATIONS, PASSWORD, PEOPLE
from saas_app.operations.output import column
from saas_app.operations.sign_in_methods.model import Connectors
from saas_app.text.translation import Sentence, _

_RELOADING: Final = _(
    "Workroom restarts when its code, templates or static files change. Its log follows.\n"
    "Restart this command when migrations, permissions or demo data change."
)


def welcome(
    options: DemoOptions,
    connectors: Connectors,
    company: CompanyProvider,
    clients: Mapping[str, CompanyClient],
) -> str:
    """Return the text: URLs, the demo people, and what to try.

    ``company`` is a customer's identity provider, and ``clients`` are what organizations enter to connect it.
    """
    paragraphs = "\n\n".join(
        (*_paragraphs(options, connectors), *_single_sign_on(company, clients), *_ends(options))
    )
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


def _single_sign_on(company: CompanyProvider, clients: Mapping[str, CompanyClient]) -> Iterator[str]:
    yield _(
        "Globex has its own identity provider. To sign in there, enter an address of Globex on the sign-in "
        "page, such as hugo@globex.example. Its people have the same password:"
    ).said
    width = max(len(person.username) for person in COMPANY_PEOPLE)
    yield indent(
        "\n".join(f"{person.username:<{width}}  {person.hint.said}" for person in COMPANY_PEOPLE), "  "
    )
    yield _(
        "Like a real provider, it does not ask again who you are. To be somebody else there, sign out at "
        "%(address)s",
        address=company.sign_out_url,
    ).said
    if client := clients.get(TO_CONNECT):
        yield _(
            "To connect it to Initech too, sign in as ivy, open Settings and then Single sign-on, and enter:"
        ).said
        labels = {
            _("Issuer").said: company.issuer,
            _("Client ID").said: client.client_id,
            _("Client secret").said: client.client_secret,
        }
        width = max(map(len, labels))
        yield indent("\n".join(f"{label:<{width}}  {value}" for label, value in labels.items()), "  ")


def _ends(options: DemoOptions) -> Iterator[str]:
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
