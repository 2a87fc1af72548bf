"""A site with every sign-in method of ``connectors.toml.example``, and fakes of the providers behind them.

The identity provider and the application are separate programs. The fakes of Mailgun, GatewayAPI and Naver
run in the tests' event loop. The example file is unchanged, except for the one address that Logto lets us
set.
"""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from local_logto.fakes.gatewayapi import API_TOKEN, FakeGatewayApi, fake_gatewayapi
from local_logto.fakes.mailgun import API_KEY, FakeMailgun, fake_mailgun
from local_logto.fakes.naver import CLIENT_ID, CLIENT_SECRET, FakeNaver, fake_naver

from saas_app.web.origin import origin_of
from tests.browser.site import Site
from tests.databases import ROOT, migrated_database
from tests.processes import running_application, running_provider
from tests.settings import management_settings

EXAMPLE = ROOT / "connectors.toml.example"
EXAMPLE_DOMAIN = "mg.example.com"
EXAMPLE_SMS_ENDPOINT = "https://gatewayapi.com/rest/mtsms"
PATIENCE_WITH_PROVIDERS = 2  # seconds
SECRETS = {
    "MAILGUN_API_KEY": API_KEY,
    "GATEWAYAPI_TOKEN": API_TOKEN,
    "NAVER_CLIENT_ID": CLIENT_ID,
    "NAVER_CLIENT_SECRET": CLIENT_SECRET,
}


@dataclass(frozen=True, slots=True)
class MethodsSite:
    """The site, and the providers to which its Logto sends messages and people."""

    site: Site
    mailgun: FakeMailgun
    gatewayapi: FakeGatewayApi
    naver: FakeNaver

    @property
    def origins(self) -> frozenset[str]:
        """The origins a browser may call; Naver is one."""
        return self.site.origins | {str(origin_of(self.naver.base_url))}

    def behave(self) -> None:
        """Make all providers work again."""
        for provider in (self.mailgun, self.gatewayapi, self.naver):
            provider.behave()


def write_declaration(directory: Path, sms_endpoint: str) -> Path:
    """Write the example with this address for text messages."""
    example = EXAMPLE.read_text(encoding="utf-8")
    assert f'"{EXAMPLE_SMS_ENDPOINT}"' in example
    assert f'"{EXAMPLE_DOMAIN}"' in example
    path = directory / "connectors.toml"
    path.write_text(example.replace(f'"{EXAMPLE_SMS_ENDPOINT}"', f'"{sms_endpoint}"'), encoding="utf-8")
    return path


@asynccontextmanager
async def open_methods_site(directory: Path) -> AsyncIterator[MethodsSite]:
    """Start and provision everything, until the block ends."""
    async with AsyncExitStack() as stack:
        mailgun = await stack.enter_async_context(fake_mailgun(EXAMPLE_DOMAIN))
        gatewayapi = await stack.enter_async_context(fake_gatewayapi())
        naver = await stack.enter_async_context(fake_naver())
        provider = stack.enter_context(
            running_provider(
                directory,
                LOCAL_LOGTO_MAILGUN_BASE_URL=mailgun.base_url,
                LOCAL_LOGTO_NAVER_BASE_URL=naver.base_url,
                LOCAL_LOGTO_NAVER_API_BASE_URL=naver.base_url,
                LOCAL_LOGTO_CONNECTOR_TIMEOUT=str(PATIENCE_WITH_PROVIDERS),
            )
        )
        declaration = write_declaration(directory, gatewayapi.endpoint)
        naver_id = tomllib.loads(declaration.read_text(encoding="utf-8"))["connectors"]["naver-universal"][
            "id"
        ]
        naver.callbacks = frozenset({f"{provider.endpoint}/callback/{naver_id}"})  # as registered at Naver
        database = stack.enter_context(migrated_database(directory))
        application = stack.enter_context(
            running_application(provider, database, directory, CONNECTORS_FILE=str(declaration), **SECRETS)
        )
        management = management_settings(provider)
        yield MethodsSite(Site(application.url, management), mailgun, gatewayapi, naver)
