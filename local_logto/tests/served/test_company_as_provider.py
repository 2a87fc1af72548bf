"""Two providers, each a program of its own: one is the identity provider of a company that uses the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from contract.client import AuthorizationRequest, Callback, LogtoBrowser, authorization_request
from contract.oidc import Oidc
from contract.people import CALLBACK, App
from local_logto.testing import Person, Provider, running_provider
from local_logto.testing.connections import brief_connector

DOMAIN = "example.test"  # of the addresses that ``Provider.person`` creates


@dataclass(frozen=True)
class Both:
    """A product's provider and a company's, connected."""

    product: Provider
    company: Provider
    connector_id: str
    organization_id: str
    app: App

    def request(self, **parameters: str) -> AuthorizationRequest:
        scope = "openid profile email identities urn:logto:scope:organizations"
        return authorization_request(self.product.endpoint, self.app, {"scope": scope, **parameters})


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with ExitStack() as stack:
        product = stack.enter_context(running_provider(tmp_path_factory.mktemp("product")))
        company = stack.enter_context(running_provider(tmp_path_factory.mktemp("company"), host="127.0.0.1"))
        yield connected(product, company)


def connected(product: Provider, company: Provider) -> Both:
    """Register each at the other. People of the company join an organization."""
    connector_id = product.connect(company, DOMAIN)
    organization = product.organization("Company")
    joining = f"/organizations/{organization.id}/jit/sso-connectors"
    product.management.call("POST", joining, {"ssoConnectorIds": [connector_id]})
    web = product.application(CALLBACK)
    return Both(product, company, connector_id, organization.id, App(web.id, web.secret))


@pytest.fixture
async def browser(both: Both) -> AsyncIterator[LogtoBrowser]:
    browser = LogtoBrowser(both.product.endpoint)
    yield browser
    await browser.close()


@pytest.fixture
async def oidc(both: Both) -> AsyncIterator[Oidc]:
    async with aiohttp.ClientSession(connector=brief_connector()) as http:
        yield Oidc(http, both.product.endpoint)


async def go_to_company(browser: LogtoBrowser, both: Both, url: str) -> str:
    """Follow the product's pages until the company's sign-in page. Returns its URL."""
    while urlsplit(url).path != "/sign-in" or not url.startswith(both.company.endpoint):
        url = await browser.step(url)
    return url


async def sign_in_at_company(browser: LogtoBrowser, url: str, person: Person) -> str:
    """Fill in the company's form. Returns where it redirects to."""
    form = {"identifier": person.username, "password": person.password}
    reply = await browser.send("POST", url, data=form, headers={"Sec-Fetch-Site": "same-origin"})
    return reply.expect(303).location


async def who_is(oidc: Oidc, callback: Callback) -> dict[str, object]:
    tokens = (await oidc.exchange(callback)).expect(200).body
    claims: dict[str, object] = (await oidc.userinfo(tokens["access_token"])).expect(200).body
    return claims


async def test_person_of_the_company_signs_in_with_one_browser(
    both: Both, browser: LogtoBrowser, oidc: Oidc
) -> None:
    """From the address on the product's page to the application, without an account at the product before."""
    maria = both.company.person("Maria")
    request = both.request()
    page = (await browser.send("GET", request.url)).expect(303).location
    form = {"identifier": maria.email, "password": ""}
    led = await browser.send("POST", page, data=form, headers={"Sec-Fetch-Site": "same-origin"})
    choice = await browser.send("GET", led.expect(303).location)
    link = unescape(choice.expect(200).body.partition('href="/direct/')[2].partition('"')[0])
    at_company = await go_to_company(browser, both, f"{both.product.endpoint}/direct/{link}")
    back = await sign_in_at_company(browser, at_company, maria)
    claims = await who_is(oidc, Callback(request, await browser.follow(back, CALLBACK), ()))
    assert (claims["email"], claims["name"], claims["email_verified"]) == (maria.email, "Maria", True)
    assert claims["organizations"] == [both.organization_id]
    [identity] = claims["sso_identities"]  # type: ignore[misc]
    assert (identity["issuer"], identity["identityId"]) == (both.company.issuer, maria.id)


async def test_session_at_the_company_signs_in_without_a_page(
    both: Both, browser: LogtoBrowser, oidc: Oidc
) -> None:
    """An application sends the browser to the company directly, where the person is signed in already."""
    nora = both.company.person("Nora")
    direct = {"direct_sign_in": f"sso:{both.connector_id}"}
    first = both.request(**direct)
    at_company = await go_to_company(browser, both, first.url)
    back = await sign_in_at_company(browser, at_company, nora)
    known = await who_is(oidc, Callback(first, await browser.follow(back, CALLBACK), ()))
    again = both.request(**direct, prompt="login consent")
    told = await browser.follow(again.url, CALLBACK)
    assert (await who_is(oidc, Callback(again, told, ())))["sub"] == known["sub"]


async def test_test_signs_in_at_the_company_in_one_line(both: Both, oidc: Oidc) -> None:
    olga = both.company.person("Olga")
    request = both.request(direct_sign_in=f"sso:{both.connector_id}")
    callback = both.product.sign_in(request.url, olga, at=both.company)
    told = dict(parse_qsl(urlsplit(callback).query))
    assert (await who_is(oidc, Callback(request, told, ())))["email"] == olga.email


async def test_roles_at_the_company_arrive_as_claims(both: Both) -> None:
    """Logto has no claim ``groups``. Its roles, of the tenant or of organizations, can serve as groups."""
    both.company.role("engineer")
    department = both.company.organization("Engineering")
    petra = both.company.person("Petra")
    both.company.join(department, petra, "engineer")
    both.company.group("staff", petra)
    both.company.group("managers")
    scope = "roles urn:logto:scope:organization_roles"
    connector_id = both.product.connect(both.company, "groups.example", scope=scope)
    request = both.request(direct_sign_in=f"sso:{connector_id}")
    both.product.sign_in(request.url, petra, at=both.company)
    [account] = both.product.management.call("GET", f"/users?search.primaryEmail={petra.email}")
    [session] = both.product.management.call("GET", f"/users/{account['id']}/sessions")["sessions"]
    [record] = session["lastSubmission"]["verificationRecords"]
    assert record["enterpriseSsoUserInfo"]["roles"] == ["staff"]
    assert record["enterpriseSsoUserInfo"]["organizationRoles"] == [f"{department.id}:engineer"]


async def test_connector_with_a_reserved_domain_only_can_be_tested(both: Both, oidc: Oidc) -> None:
    connector_id = both.product.connect(both.company, f"{both.connector_id}.sso-test.invalid")
    rita = both.company.person("Rita")
    request = both.request(direct_sign_in=f"sso:{connector_id}")
    callback = both.product.sign_in(request.url, rita, at=both.company)
    told = dict(parse_qsl(urlsplit(callback).query))
    assert (await who_is(oidc, Callback(request, told, ())))["email"] == rita.email


async def test_connector_shows_what_the_company_publishes(both: Both) -> None:
    call = both.product.management.call
    config = call("GET", f"/sso-connectors/{both.connector_id}")["providerConfig"]
    assert config["tokenEndpoint"] == f"{both.company.issuer}/token"
