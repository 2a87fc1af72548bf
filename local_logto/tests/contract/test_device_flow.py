"""Signing in on a device without a keyboard, by a code that a person types elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from contract.client import Form, LogtoBrowser, Reply
from contract.fixtures import LikeRecording, NewBrowser
from contract.management import Workshop
from contract.oidc import Oidc
from contract.people import App, Person
from contract.recordings import assert_like_recording, load
from contract.world import ORGANIZATIONS_RESOURCE, ORGANIZATIONS_SCOPE, World

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = f"openid profile offline_access {ORGANIZATIONS_SCOPE}"
DEVICE = {"redirectUris": [], "postLogoutRedirectUris": []}


@dataclass(frozen=True, slots=True)
class Device:
    """A waiting device, and the code that it shows."""

    oidc: Oidc
    app: App
    reply: Reply

    @property
    def user_code(self) -> str:
        code: str = self.reply.body["user_code"]
        return code

    async def asks(self) -> Reply:
        return await self.oidc.token(self.app, grant_type=GRANT, device_code=self.reply.body["device_code"])


@pytest.fixture
async def app(workshop: Workshop) -> App:
    return await workshop.application(
        "Native", oidcClientMetadata=DEVICE, customClientMetadata={"isDeviceFlow": True}
    )


@pytest.fixture
async def member(workshop: Workshop, nina: Person) -> Person:
    """Nina, as a member of an organization."""
    await workshop.join(await workshop.organization(), nina)
    return nina


async def turn_on(oidc: Oidc, app: App, **parameters: str) -> Device:
    form = {"scope": SCOPE, "client_id": app.id, **parameters}
    return Device(oidc, app, await oidc.send("POST", "/oidc/device/auth", data=form))


@pytest.fixture
async def device(oidc: Oidc, app: App, world: World) -> Device:
    return await turn_on(oidc, app, resource=ORGANIZATIONS_RESOURCE, prompt="consent")


def kept_cookies(reply: Reply) -> dict[str, str]:
    """Return the cookies that were set to a value."""
    pairs = (cookie.split(";", 1)[0].partition("=") for cookie in reply.cookies)
    return {name: value for name, _, value in pairs if value}


async def open_form(browser: LogtoBrowser) -> str:
    """Open the page. Returns the secret that its form sends."""
    first = (await browser.send("GET", "/oidc/device")).expect(302)
    assert first.headers["Location"] == "/device"
    return kept_cookies(first)["_logto_device_flow_xsrf"]


async def send_form(browser: LogtoBrowser, **fields: str) -> Reply:
    return await browser.send("POST", "/oidc/device", data=fields)


async def approve(browser: LogtoBrowser, device: Device, person: Person) -> Reply:
    """Type the code, sign in, and follow to the last page."""
    secret = await open_form(browser)
    taken = await send_form(browser, xsrf=secret, user_code=device.user_code, confirm="yes")
    assert urlsplit(taken.expect(303).location).path == "/sign-in"
    return await follow(browser, await browser.prove_password(person))


async def follow(browser: LogtoBrowser, url: str) -> Reply:
    for _ in range(6):
        reply = await browser.send("GET", url)
        if reply.status == 200:
            return reply
        url = reply.location
    raise AssertionError(f"no page, last {url}")


# --- the device


async def test_device_is_given_two_codes_as_recorded(device: Device, like_recording: LikeRecording) -> None:
    like_recording("411-device-auth", device.reply)
    body = device.reply.body
    assert re.fullmatch(r"[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}", body["user_code"])
    assert body["verification_uri"] == f"{device.oidc.endpoint}/device"
    assert body["verification_uri_complete"] == f"{body['verification_uri']}?user_code={body['user_code']}"


@pytest.mark.parametrize(
    ("kind", "recording"),
    [
        ("native", "411-device-auth-not-a-device-application"),
        ("web", "411-device-auth-traditional"),
        ("unknown", "411-device-auth-unknown-client"),
    ],
)
async def test_other_applications_get_no_code(
    oidc: Oidc, world: World, workshop: Workshop, like_recording: LikeRecording, kind: str, recording: str
) -> None:
    apps = {"native": await workshop.application("Native"), "web": world.web, "unknown": App("nosuch")}
    like_recording(recording, await oidc.post("/oidc/device/auth", {"scope": "openid"}, apps[kind]))


async def test_waiting_device_gets_the_recorded_reply(device: Device, like_recording: LikeRecording) -> None:
    like_recording("412-token-pending", await device.asks())


async def test_unknown_device_code_is_refused(device: Device, like_recording: LikeRecording) -> None:
    reply = await device.oidc.token(device.app, grant_type=GRANT, device_code="x" * 43)
    like_recording("412-token-unknown-code", reply)


async def test_application_without_the_device_flow_is_refused(
    oidc: Oidc, device: Device, workshop: Workshop, like_recording: LikeRecording
) -> None:
    other = Device(oidc, await workshop.application("Native"), device.reply)
    like_recording("412-token-other-client", await other.asks())


async def test_code_works_only_for_the_application_that_requested_it(
    oidc: Oidc, workshop: Workshop, device: Device
) -> None:
    other = await workshop.application(
        "Native", oidcClientMetadata=DEVICE, customClientMetadata={"isDeviceFlow": True}
    )
    reply = (await Device(oidc, other, device.reply).asks()).expect(400)
    assert reply.body["error"] == "invalid_grant"


async def test_device_application_cannot_send_an_authorization_request(
    browser: LogtoBrowser, app: App
) -> None:
    reply = (await browser.authorize(app)).expect(400)
    assert reply.body["error"] in ("invalid_redirect_uri", "invalid_request")


# --- the person


async def test_pages_and_cookies_are_as_recorded(browser: LogtoBrowser, device: Device, nina: Person) -> None:
    """One flow: a wrong code, a form without its secret, and then the way to the last page."""
    recorded = [hop for hop in load("413-device-browser")["chain"] if "/api/" not in hop["url"]]
    secret = await open_form(browser)
    await browser.send("GET", f"/device?user_code={device.user_code}")
    await send_form(browser, xsrf=secret, user_code="AAAA-AAAA", confirm="yes")
    secret = kept_cookies(browser.hops[-1])["_logto_device_flow_xsrf"]
    await send_form(browser, user_code=device.user_code, confirm="yes")
    secret = kept_cookies(browser.hops[-1])["_logto_device_flow_xsrf"]
    await send_form(browser, xsrf=secret, user_code=device.user_code, confirm="yes")
    assert (await follow(browser, await browser.prove_password(nina))).status == 200
    hops = [hop for hop in browser.hops if "/api/" not in hop.url]
    assert [(hop.method, hop.status) for hop in hops] == [(hop["method"], hop["status"]) for hop in recorded]
    for hop, expected in zip(hops, recorded, strict=True):
        if expected["location"]:
            assert shape_of(hop.location, device.app) == shape_of(expected["location"], None), expected[
                "note"
            ]
        names = {name for name in kept_cookies(hop) if not name.endswith(".sig")}
        assert names == {name for name in expected["set_cookie_names"] if not name.endswith(".sig")}


def shape_of(location: str, app: App | None) -> tuple[str, str]:
    """Return path and query without ids."""
    parts = urlsplit(location)
    path = re.sub(r"/oidc/device/.+", "/oidc/device/<interaction>", parts.path)
    return path, re.sub(r"app_id=[a-z0-9]{21}", "app_id=<app>", parts.query)


async def test_tokens_after_approval_are_as_recorded_and_issued_once(
    browser: LogtoBrowser, device: Device, member: Person, like_recording: LikeRecording
) -> None:
    """One flow: asking for the tokens a second time ends the grant of the first."""
    page = await approve(browser, device, member)
    assert urlsplit(page.url).path == "/device/success"
    first = await device.asks()
    like_recording("414-token-after-approval", first)
    like_recording("414-token-twice", await device.asks())
    dead = await device.oidc.refresh(device.app, first.body["refresh_token"])
    assert dead.expect(400).body["error"] == "invalid_grant"
    like_recording("414-userinfo", await device.oidc.userinfo(first.body["access_token"]))


@pytest.mark.parametrize("prompt", ["no-prompt", "prompt-consent"])
async def test_device_gets_tokens_for_an_organization_as_recorded(
    oidc: Oidc, browser: LogtoBrowser, app: App, world: World, workshop: Workshop, prompt: str
) -> None:
    organization, person = await workshop.organization(), await workshop.person()
    await workshop.join(organization, person, world.member)
    asked = {"scope": f"{SCOPE} {world.read_members}", "resource": ORGANIZATIONS_RESOURCE}
    device = await turn_on(
        oidc, app, **asked, **({"prompt": "consent"} if prompt == "prompt-consent" else {})
    )
    await approve(browser, device, person)
    first = await device.asks()
    assert_like_recording(f"415-token-{prompt}", first)
    issued = await oidc.refresh(app, first.body["refresh_token"], organization_id=organization)
    assert_like_recording(f"415-organization-token-{prompt}", issued, {world.read_members: "dv:e98864"})


@pytest.mark.parametrize("prompt", ["no-prompt", "prompt-consent"])
async def test_second_device_is_approved_without_another_sign_in_as_recorded(
    oidc: Oidc, browser: LogtoBrowser, app: App, device: Device, nina: Person, prompt: str
) -> None:
    await approve(browser, device, nina)
    second = await turn_on(oidc, app, **({"prompt": "consent"} if prompt == "prompt-consent" else {}))
    browser.hops.clear()
    secret = await open_form(browser)
    taken = await send_form(browser, xsrf=secret, user_code=second.user_code, confirm="yes")
    await follow(browser, taken.location)
    recorded = load(f"415-second-device-{prompt}")["chain"]
    assert [(hop.method, hop.status) for hop in browser.hops] == [
        (hop["method"], hop["status"]) for hop in recorded
    ]
    for hop, expected in zip(browser.hops, recorded, strict=True):
        if expected["location"]:
            assert shape_of(hop.location, app) == shape_of(expected["location"], None)
    assert (await second.asks()).status == 200


async def test_device_learns_of_an_abort_as_recorded(
    browser: LogtoBrowser, device: Device, like_recording: LikeRecording
) -> None:
    secret = await open_form(browser)
    reply = await send_form(browser, xsrf=secret, user_code=device.user_code, abort="yes")
    assert reply.expect(302).headers["Location"] == "/device?error=AbortedError"
    like_recording("414-token-aborted", await device.asks())


async def test_sign_in_page_opens_for_a_device(browser: LogtoBrowser, device: Device) -> None:
    secret = await open_form(browser)
    taken = await send_form(browser, xsrf=secret, user_code=device.user_code, confirm="yes")
    (await browser.send("GET", taken.expect(303).location)).expect(200)


async def test_used_code_is_refused_in_another_browser(
    new_browser: NewBrowser, device: Device, nina: Person
) -> None:
    await approve(new_browser(), device, nina)
    second = new_browser()
    secret = await open_form(second)
    reply = await send_form(second, xsrf=secret, user_code=device.user_code, confirm="yes")
    assert (
        reply.expect(302).headers["Location"]
        == f"/device?input_code={device.user_code}&error=AlreadyUsedError"
    )


async def test_code_in_another_spelling_is_shown_for_confirmation(
    browser: LogtoBrowser, device: Device
) -> None:
    secret = await open_form(browser)
    typed = device.user_code.replace("-", " ").lower()
    reply = await send_form(browser, xsrf=secret, user_code=typed)
    assert reply.expect(302).headers["Location"] == f"/device?user_code={device.user_code}"
    assert (await device.asks()).body["error"] == "authorization_pending"


async def test_form_of_another_browser_confirms_nothing(new_browser: NewBrowser, device: Device) -> None:
    secret = await open_form(new_browser())
    victim = new_browser()
    await open_form(victim)
    for given in (secret, "", "é"):
        reply = await send_form(victim, xsrf=given, user_code=device.user_code, confirm="yes")
        assert reply.expect(302).headers["Location"] == "/device?error=InvalidRequest"
    assert (await device.asks()).body["error"] == "authorization_pending"


async def test_address_with_the_code_leads_to_the_confirmation(browser: LogtoBrowser, device: Device) -> None:
    first = await browser.send(
        "GET",
        urlsplit(device.reply.body["verification_uri_complete"])._replace(scheme="", netloc="").geturl(),
    )
    assert first.expect(302).headers["Location"] == f"/oidc/device?user_code={device.user_code}"
    form = Form((await browser.send("GET", first.location)).expect(200).body)
    assert form.submits_itself
    asked = await browser.submit(form)
    assert asked.expect(302).headers["Location"] == f"/device?user_code={device.user_code}"
