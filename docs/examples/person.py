"""A command-line program that acts for a person: they sign in with a browser, and it calls the API as them.

It needs its own *Native* application in Logto, with the redirect URI http://127.0.0.1:8765/callback.

    LOGTO=http://localhost:3001 WORKROOM=http://localhost:3000 RESOURCE=https://api.workroom.example \
    ORGANIZATION=… CLIENT_ID=… python docs/examples/person.py
"""

import asyncio
import hashlib
import os
import secrets
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

PORT = int(os.environ.get("PORT", "8765"))
REDIRECT_URI = f"http://127.0.0.1:{PORT}/callback"
ORGANIZATIONS = "urn:logto:scope:organizations"  # without it, Logto issues no token for an organization
PERMISSIONS = ("projects:read", "projects:write", "members:read")  # all permissions that the program requests


async def sign_in(http: aiohttp.ClientSession) -> str:
    """Run the authorization code flow with PKCE and return the refresh token."""
    state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = [
        ("client_id", os.environ["CLIENT_ID"]),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", " ".join(("openid", "offline_access", ORGANIZATIONS, *PERMISSIONS))),
        ("resource", os.environ["RESOURCE"]),
        ("resource", "urn:logto:resource:organizations"),
        ("prompt", "consent"),
        ("state", state),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ]
    async with asyncio.timeout(300):
        returned = await callback(f"{os.environ['LOGTO']}/oidc/auth?{urlencode(query)}")
    if returned.get("state") != state or "code" not in returned:
        raise SystemExit(f"The sign-in did not work: {returned.get('error_description')}")
    form = {
        "grant_type": "authorization_code",
        "code": returned["code"],
        "redirect_uri": REDIRECT_URI,
        "code_verifier": verifier,
    }
    return str((await ask_logto(http, form))["refresh_token"])


async def callback(address: str) -> dict[str, str]:
    """Print where to sign in, and wait for the redirect back to our own port."""
    arrived: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

    async def answer(request: web.Request) -> web.Response:
        if not arrived.done():
            arrived.set_result(dict(request.query))
        return web.Response(text="You are signed in. You may close this page.")

    app = web.Application()
    app.router.add_get("/callback", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", PORT).start()
        print(f"Sign in here:\n{address}", flush=True)
        return await arrived
    finally:
        await runner.cleanup()


async def ask_logto(http: aiohttp.ClientSession, form: dict[str, str]) -> Any:
    """Call the token endpoint, as a client without a secret."""
    form = {**form, "client_id": os.environ["CLIENT_ID"]}
    async with http.post(f"{os.environ['LOGTO']}/oidc/token", data=form) as answer:
        body = await answer.json()
        if answer.status != 200:
            raise SystemExit(f"{body['error']}: {body.get('error_description')}")
        return body


async def read(http: aiohttp.ClientSession, refresh: dict[str, str], path: str, **resource: str) -> Any:
    """Read from the API. With ``resource``, use an API-resource token, otherwise an organization token."""
    url = f"{os.environ['WORKROOM']}/api/v1/organizations/{refresh['organization_id']}{path}"
    for _ in range(3):
        tokens = await ask_logto(http, {**refresh, **resource})
        refresh["refresh_token"] = tokens["refresh_token"]  # a public client gets a new one each time
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        async with http.get(url, headers=headers) as answer:
            body = await answer.json()
            if answer.status == 200:
                return body
            if body["code"] != "invalid-token":
                break
        await asyncio.sleep(1)  # the membership has just changed: a later token is accepted
    raise SystemExit(f"{body['code']}: {body['detail']}")


async def main() -> None:
    """Sign in, fetch both kinds of token, and use each for its own routes."""
    async with aiohttp.ClientSession() as http:
        refresh = {"grant_type": "refresh_token", "organization_id": os.environ["ORGANIZATION"]}
        refresh["refresh_token"] = await sign_in(http)
        for project in (await read(http, refresh, "/projects", resource=os.environ["RESOURCE"]))["items"]:
            print(f"project {project['name']}")
        for member in (await read(http, refresh, "/members"))["items"]:
            print(f"member {member['name']}: {', '.join(member['roles'])}")


asyncio.run(main())
