"""The text that the demo prints when everything is running."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from saas_app.demo.options import DemoOptions
from saas_app.demo.people import ORGANIZATIONS, PASSWORD, PEOPLE
from saas_app.operations.sign_in_methods.model import Connectors

_RELOADING: Final = (
    "  Workroom restarts when its code, templates or static files change. Its log "
    "follows.\n  Restart this command when migrations, permissions or demo data change.\n\n"
)


def welcome(options: DemoOptions, connectors: Connectors) -> str:
    """Return the text: URLs, the demo people, and what to try."""
    senders = {"email": connectors.mailgun, "SMS": connectors.gatewayapi}
    mocked = " and ".join(kind for kind, sender in senders.items() if sender is None)
    messages = f"  Codes by {mocked} appear at {options.logto_url}/messages\n" if mocked else ""
    width = max(len(person.username) for person in PEOPLE)
    people = "\n".join(f"    {person.username:<{width}}  {person.hint}" for person in PEOPLE)
    return (
        f"\n  Workroom            {options.app_url}\n"
        f"  identity provider   {options.logto_url}   (development only)\n\n"
        f"  Sign in as, with the password {PASSWORD}:\n\n{people}\n\n"
        f"{messages}"
        f"  The API is documented at {options.app_url}/api/docs. To get a token for it:\n\n"
        f'    {Path(sys.executable).with_name("saas-app")} token --client "{ORGANIZATIONS[0].machine}" '
        f"--env-file {options.env_file}\n\n"
        f"{_RELOADING if options.reload else ''}"
        f"  Logs and data are in {options.data}/. Stop with Ctrl-C.\n"
    )
