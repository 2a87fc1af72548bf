"""Second factors at sign-in: authenticator apps and backup codes, enrolled, proved, demanded, skipped."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest

from tests.contract.client import LogtoBrowser, Reply
from tests.contract.fixtures import NewBrowser
from tests.contract.management import ManagementApi, Workshop
from tests.contract.oidc import Oidc
from tests.contract.people import Person
from tests.contract.world import World

Settings = Callable[..., Awaitable[None]]

TOTP_ONLY = {"factors": ["Totp"], "policy": "NoPrompt"}
TOTP_AND_CODES = {"factors": ["Totp", "BackupCode"], "policy": "NoPrompt"}
STEP = 30


@pytest.fixture
async def settings(
    api: ManagementApi, sign_in_settings: dict[str, Any], _username_and_password: None
) -> AsyncIterator[Settings]:
    """Changes the sign-in experience for one test; it is put back as it was."""

    async def change(**values: object) -> None:
        (await api.patch("/sign-in-exp", values)).expect(200)

    yield change
    names = ("mfa", "sentinelPolicy", "signUp")
    (await api.patch("/sign-in-exp", {name: sign_in_settings[name] for name in names})).expect(200)


@dataclass(slots=True)
class Visit:
    """One person on their way through the Experience API."""

    browser: LogtoBrowser
    person: Person

    async def begin(self, world: World) -> Visit:
        """Everything before the second factor."""
        await self.browser.authorize(world.web)
        await self.call("PUT", "", {"interactionEvent": "SignIn"})
        body = {
            "identifier": {"type": "username", "value": self.person.username},
            "password": self.person.password,
        }
        proof = (await self.call("POST", "/verification/password", body)).expect(200).body
        (await self.call("POST", "/identification", proof)).expect(204)
        return self

    async def call(self, method: str, path: str, body: object = None) -> Reply:
        return await self.browser.experience(method, path, body)

    async def post(self, path: str, **body: object) -> Reply:
        return await self.call("POST", path, body)

    async def submit(self) -> Reply:
        return await self.call("POST", "/submit")

    async def new_totp(self) -> str:
        """Put a new secret into an authenticator, prove and bind it; returns the secret."""
        new = (await self.call("POST", "/verification/totp/secret")).expect(200).body
        body = {"verificationId": new["verificationId"], "code": pyotp.TOTP(new["secret"]).now()}
        proof = (await self.post("/verification/totp/verify", **body)).expect(200).body
        (await self.post("/profile/mfa", type="Totp", **proof)).expect(204)
        return str(new["secret"])

    async def new_backup_codes(self) -> list[str]:
        new = (await self.call("POST", "/verification/backup-code/generate")).expect(200).body
        bound = await self.post("/profile/mfa", type="BackupCode", verificationId=new["verificationId"])
        bound.expect(204)
        return list(new["codes"])


VisitOf = Callable[[Person], Awaitable[Visit]]


@pytest.fixture
def visit(new_browser: NewBrowser, world: World) -> VisitOf:
    async def run(person: Person) -> Visit:
        return await Visit(new_browser(), person).begin(world)

    return run


@pytest.fixture
async def nina(workshop: Workshop) -> Person:
    return await workshop.person("nina", primaryEmail=workshop.email("nina"))


def refused(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.body["code"]


async def enrol(api: ManagementApi, person: Person, kind: str = "Totp") -> Any:
    reply = await api.post(f"/users/{person.id}/mfa-verifications", {"type": kind})
    return reply.expect(200).body


async def test_enrolled_authenticator_is_asked_for_and_lets_in(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_ONLY)
    secret = (await enrol(api, nina))["secret"]
    session = await visit(nina)
    asked = await session.submit()
    assert refused(asked) == (403, "session.mfa.require_mfa_verification")
    assert asked.body["data"]["availableFactors"] == ["Totp"]
    (await session.post("/verification/totp/verify", code=pyotp.TOTP(secret).now())).expect(200)
    assert "redirectTo" in (await session.submit()).expect(200).body


async def test_factor_that_is_switched_off_is_not_asked_for(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa={"factors": [], "policy": "NoPrompt"})
    await enrol(api, nina)
    (await (await visit(nina)).submit()).expect(200)


async def test_code_of_a_minute_ago_or_of_another_secret_is_wrong(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_ONLY)
    secret = (await enrol(api, nina))["secret"]
    session = await visit(nina)
    old = pyotp.TOTP(secret).at(int(time.time()) - 4 * STEP)
    for code in (old, pyotp.TOTP(pyotp.random_base32()).now(), "", "no code"):
        reply = await session.post("/verification/totp/verify", code=code)
        assert reply.status == 400
    assert refused(await session.submit()) == (403, "session.mfa.require_mfa_verification")


async def test_code_of_the_next_step_is_right_as_clocks_differ(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_ONLY)
    secret = (await enrol(api, nina))["secret"]
    session = await visit(nina)
    next_code = pyotp.TOTP(secret).at(int(time.time()) + STEP)
    (await session.post("/verification/totp/verify", code=next_code)).expect(200)


async def test_authenticator_code_is_good_for_one_sign_in(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_ONLY)
    secret = (await enrol(api, nina))["secret"]
    first, second = await visit(nina), await visit(nina)
    code = pyotp.TOTP(secret).now()
    (await first.post("/verification/totp/verify", code=code)).expect(200)
    again = await second.post("/verification/totp/verify", code=code)
    assert refused(again) == (400, "session.mfa.invalid_totp_code")


async def test_backup_code_lets_in_once(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_AND_CODES)
    await enrol(api, nina)
    codes = (await enrol(api, nina, "BackupCode"))["codes"]
    session = await visit(nina)
    assert (await session.submit()).body["data"]["availableFactors"] == ["Totp", "BackupCode"]
    (await session.post("/verification/backup-code/verify", code=codes[3])).expect(200)
    (await session.submit()).expect(200)
    again = await (await visit(nina)).post("/verification/backup-code/verify", code=codes[3])
    assert refused(again) == (400, "session.mfa.invalid_backup_code")
    listed = (await api.get(f"/users/{nina.id}/mfa-verifications")).expect(200).body
    assert [factor.get("remainCodes") for factor in listed] == [None, 9]


async def test_password_alone_changes_nothing_of_an_account_with_a_factor(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_AND_CODES)
    await enrol(api, nina)
    await enrol(api, nina, "BackupCode")
    session = await visit(nina)
    codes = (await session.call("POST", "/verification/backup-code/generate")).expect(200).body
    wanted = (403, "session.mfa.require_mfa_verification")
    bound = await session.post("/profile/mfa", type="BackupCode", verificationId=codes["verificationId"])
    assert refused(bound) == wanted
    assert refused(await session.call("POST", "/profile/mfa/mfa-skipped")) == wanted
    assert refused(await session.post("/profile", type="username", value="somebody_else")) == wanted
    assert refused(await session.submit()) == wanted


async def test_secret_of_the_same_interaction_proves_nothing(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_ONLY)
    await enrol(api, nina)
    session = await visit(nina)
    new = (await session.call("POST", "/verification/totp/secret")).expect(200).body
    body = {"verificationId": new["verificationId"], "code": pyotp.TOTP(new["secret"]).now()}
    (await session.post("/verification/totp/verify", **body)).expect(200)
    assert refused(await session.submit()) == (403, "session.mfa.require_mfa_verification")


async def test_mandatory_policy_leads_to_a_factor_and_then_to_backup_codes(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa={"factors": ["Totp", "BackupCode"], "policy": "Mandatory"})
    session = await visit(nina)
    missing = await session.submit()
    assert refused(missing) == (422, "user.missing_mfa")
    assert missing.body["data"] == {"availableFactors": ["Totp"]}
    skipped = await session.call("POST", "/profile/mfa/mfa-skipped")
    assert refused(skipped) == (422, "session.mfa.mfa_policy_not_user_controlled")
    secret = await session.new_totp()
    assert refused(await session.submit()) == (422, "session.mfa.backup_code_required")
    assert len(set(await session.new_backup_codes())) == 10
    (await session.submit()).expect(200)
    listed = (await api.get(f"/users/{nina.id}/mfa-verifications")).expect(200).body
    assert {factor["type"] for factor in listed} == {"Totp", "BackupCode"}
    again = await visit(nina)
    (await again.post("/verification/totp/verify", code=pyotp.TOTP(secret).now())).expect(200)
    (await again.submit()).expect(200)


async def test_backup_codes_never_stand_alone(settings: Settings, visit: VisitOf, nina: Person) -> None:
    await settings(mfa=TOTP_AND_CODES)
    session = await visit(nina)
    new = (await session.call("POST", "/verification/backup-code/generate")).expect(200).body
    bound = await session.post("/profile/mfa", type="BackupCode", verificationId=new["verificationId"])
    assert refused(bound) == (422, "session.mfa.backup_code_can_not_be_alone")


async def test_factor_that_is_not_enabled_cannot_be_bound(
    settings: Settings, visit: VisitOf, nina: Person
) -> None:
    await settings(mfa={"factors": [], "policy": "NoPrompt"})
    session = await visit(nina)
    new = (await session.call("POST", "/verification/totp/secret")).expect(200).body
    body = {"verificationId": new["verificationId"], "code": pyotp.TOTP(new["secret"]).now()}
    proof = (await session.post("/verification/totp/verify", **body)).expect(200).body
    bound = await session.post("/profile/mfa", type="Totp", **proof)
    assert refused(bound) == (400, "session.mfa.mfa_factor_not_enabled")


async def test_second_authenticator_is_refused(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_AND_CODES)
    await enrol(api, nina)
    codes = (await enrol(api, nina, "BackupCode"))["codes"]
    session = await visit(nina)
    (await session.post("/verification/backup-code/verify", code=codes[0])).expect(200)
    new = (await session.call("POST", "/verification/totp/secret")).expect(200).body
    body = {"verificationId": new["verificationId"], "code": pyotp.TOTP(new["secret"]).now()}
    proof = (await session.post("/verification/totp/verify", **body)).expect(200).body
    bound = await session.post("/profile/mfa", type="Totp", **proof)
    assert refused(bound) == (422, "user.totp_already_in_use")


async def test_unproved_or_unknown_secret_is_not_bound(
    settings: Settings, visit: VisitOf, nina: Person
) -> None:
    await settings(mfa=TOTP_ONLY)
    session = await visit(nina)
    new = (await session.call("POST", "/verification/totp/secret")).expect(200).body
    assert new["secretQrCode"].startswith("data:image/png;base64,")
    unproved = await session.post("/profile/mfa", type="Totp", verificationId=new["verificationId"])
    assert refused(unproved) == (400, "session.verification_failed")
    unknown = await session.post("/profile/mfa", type="Totp", verificationId="unknown")
    assert refused(unknown) == (404, "session.verification_session_not_found")
    wrong = await session.post("/verification/totp/verify", verificationId=new["verificationId"], code="000")
    assert refused(wrong) == (400, "session.mfa.invalid_totp_code")


@pytest.mark.parametrize("policy", ["UserControlled", "PromptAtSignInAndSignUp", "PromptOnlyAtSignIn"])
async def test_skippable_policy_suggests_once(
    settings: Settings, visit: VisitOf, nina: Person, policy: str
) -> None:
    await settings(mfa={"factors": ["Totp"], "policy": policy})
    session = await visit(nina)
    assert refused(await session.submit()) == (422, "user.suggest_mfa")
    (await session.call("POST", "/profile/mfa/mfa-skipped")).expect(204)
    (await session.submit()).expect(200)
    (await (await visit(nina)).submit()).expect(200)


async def test_wish_for_a_factor_leads_to_the_choice_of_one(
    settings: Settings, visit: VisitOf, nina: Person
) -> None:
    await settings(mfa={"factors": ["Totp"], "policy": "PromptAtSignInAndSignUp"})
    session = await visit(nina)
    (await session.call("POST", "/profile/mfa/mfa-enabled")).expect(204)
    missing = await session.submit()
    assert refused(missing) == (422, "user.missing_mfa")
    assert missing.body["data"] == {"availableFactors": ["Totp"], "skippable": True}


@pytest.mark.parametrize(
    ("policy", "refusal"),
    [
        ("PromptAtSignInAndSignUp", "user.suggest_mfa"),
        ("Mandatory", "user.missing_mfa"),
        ("PromptOnlyAtSignIn", None),
    ],
)
async def test_signing_up_asks_for_a_factor_where_the_policy_says_so(
    settings: Settings,
    browser: LogtoBrowser,
    world: World,
    workshop: Workshop,
    policy: str,
    refusal: str | None,
) -> None:
    sign_up = {"identifiers": ["username"], "password": True, "verify": False}
    await settings(mfa={"factors": ["Totp"], "policy": policy}, signUp=sign_up)
    await browser.authorize(world.web)
    await browser.experience("PUT", "", {"interactionEvent": "Register"})
    identifier = {"type": "username", "value": workshop.unique("newcomer")}
    body = {"identifier": identifier, "password": f"Heron-{secrets.token_hex(6)}-Quay"}
    proof = await browser.experience("POST", "/verification/new-password-identity", body)
    (await browser.experience("POST", "/identification", proof.expect(200).body)).expect(201)
    state = (await browser.experience("GET", "/interaction")).expect(200).body
    workshop.will_delete(f"/users/{state['userId']}")
    submitted = await browser.experience("POST", "/submit")
    if refusal is None:
        submitted.expect(200)
    else:
        assert refused(submitted) == (422, refusal)


async def test_strict_organization_counts_no_address_and_makes_its_members_enrol(
    settings: Settings,
    visit: VisitOf,
    nina: Person,
    workshop: Workshop,
    world: World,
    oidc: Oidc,
    browser: LogtoBrowser,
) -> None:
    strict = await workshop.organization(isMfaRequired=True)
    await workshop.join(strict, nina, world.member)
    await settings(mfa=TOTP_ONLY)
    tokens = await oidc.sign_in(browser, world.web, nina, **world.everything)
    await settings(mfa={"factors": ["Totp", "EmailVerificationCode"], "policy": "NoPrompt"})
    before = await oidc.refresh(world.web, tokens.refresh_token, organization_id=strict)
    assert (before.status, before.body["error"]) == (403, "access_denied")

    await settings(mfa={**TOTP_ONLY, "organizationRequiredMfaPolicy": "Mandatory"})
    session = await visit(nina)
    missing = await session.submit()
    assert refused(missing) == (422, "user.missing_mfa")
    assert "skippable" not in missing.body["data"]
    skipped = await session.call("POST", "/profile/mfa/mfa-skipped")
    assert refused(skipped) == (422, "session.mfa.mfa_policy_not_user_controlled")
    await session.new_totp()
    (await session.submit()).expect(200)
    after = await oidc.refresh(world.web, tokens.refresh_token, organization_id=strict)
    after.expect(200)


async def test_interaction_tells_of_factors_and_no_secret(
    settings: Settings, visit: VisitOf, nina: Person
) -> None:
    await settings(mfa=TOTP_AND_CODES)
    session = await visit(nina)
    secret, codes = await session.new_totp(), await session.new_backup_codes()
    state = (await session.call("GET", "/interaction")).expect(200).body
    assert state["mfa"] == {
        "mfaEnabled": True,
        "totp": {"type": "Totp"},
        "backupCode": {"type": "BackupCode"},
    }
    kinds = [record["type"] for record in state["verificationRecords"]]
    assert kinds == ["Password", "Totp", "BackupCode"]
    assert not any(hidden in str(state) for hidden in (secret, *codes))


async def test_guesses_at_a_factor_lock_it_and_nothing_else(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_AND_CODES, sentinelPolicy={"maxAttempts": 2, "lockoutDuration": 10})
    secret = (await enrol(api, nina))["secret"]
    codes = (await enrol(api, nina, "BackupCode"))["codes"]
    session = await visit(nina)
    blocked = (400, "session.verification_blocked_too_many_attempts")
    first = await session.post("/verification/totp/verify", code="wrong")
    assert refused(first) == (400, "session.mfa.invalid_totp_code")
    assert refused(await session.post("/verification/totp/verify", code="wrong")) == blocked
    right = await session.post("/verification/totp/verify", code=pyotp.TOTP(secret).now())
    assert refused(right) == blocked
    (await session.post("/verification/backup-code/verify", code=codes[0])).expect(200)


async def test_guesses_at_a_password_lock_the_right_one_out_too(
    settings: Settings, browser: LogtoBrowser, nina: Person, world: World
) -> None:
    await settings(sentinelPolicy={"maxAttempts": 2, "lockoutDuration": 10})
    await browser.authorize(world.web)
    await browser.experience("PUT", "", {"interactionEvent": "SignIn"})
    seen = []
    for password in ("wrong", "wrong", nina.password):
        body = {"identifier": {"type": "username", "value": nina.username}, "password": password}
        seen.append(refused(await browser.experience("POST", "/verification/password", body)))
    blocked = (400, "session.verification_blocked_too_many_attempts")
    assert seen == [(422, "session.invalid_credentials"), blocked, blocked]
