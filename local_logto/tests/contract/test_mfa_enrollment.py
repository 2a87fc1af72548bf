"""Adding a second factor at sign-in: when it is required or suggested, and what is refused."""

from __future__ import annotations

import pyotp
import pytest

from contract.client import LogtoBrowser
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import Person
from contract.second_factors import TOTP_AND_CODES, TOTP_ONLY, Settings, Visit, VisitOf, enroll
from contract.world import World


async def test_mandatory_policy_requires_a_factor_and_then_backup_codes(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    """One flow: what each submission requires is what the test proves."""
    await settings(mfa={"factors": ["Totp", "BackupCode"], "policy": "Mandatory"})
    session = await visit(nina)
    missing = await session.submit()
    assert missing.refusal == (422, "user.missing_mfa")
    assert missing.body["data"] == {"availableFactors": ["Totp"]}
    skipped = await session.call("POST", "/profile/mfa/mfa-skipped")
    assert skipped.refusal == (422, "session.mfa.mfa_policy_not_user_controlled")
    secret = await session.new_totp()
    assert (await session.submit()).refusal == (422, "session.mfa.backup_code_required")
    assert len(set(await session.new_backup_codes())) == 10
    (await session.submit()).expect(200)
    listed = (await api.get(f"/users/{nina.id}/mfa-verifications")).expect(200).body
    assert {factor["type"] for factor in listed} == {"Totp", "BackupCode"}
    again = await visit(nina)
    (await again.post("/verification/totp/verify", code=pyotp.TOTP(secret).now())).expect(200)
    (await again.submit()).expect(200)


async def test_backup_codes_cannot_be_the_only_factor(
    settings: Settings, visit: VisitOf, nina: Person
) -> None:
    await settings(mfa=TOTP_AND_CODES)
    session = await visit(nina)
    new = (await session.call("POST", "/verification/backup-code/generate")).expect(200).body
    bound = await session.post("/profile/mfa", type="BackupCode", verificationId=new["verificationId"])
    assert bound.refusal == (422, "session.mfa.backup_code_can_not_be_alone")


async def test_factor_that_is_not_enabled_cannot_be_bound(
    settings: Settings, visit: VisitOf, nina: Person
) -> None:
    await settings(mfa={"factors": [], "policy": "NoPrompt"})
    session = await visit(nina)
    _, proof = await session.prove_new_totp()
    bound = await session.bind_totp(proof)
    assert bound.refusal == (400, "session.mfa.mfa_factor_not_enabled")


async def test_second_authenticator_is_refused(
    settings: Settings, visit: VisitOf, nina: Person, api: ManagementApi
) -> None:
    await settings(mfa=TOTP_AND_CODES)
    await enroll(api, nina)
    codes = (await enroll(api, nina, "BackupCode"))["codes"]
    session = await visit(nina)
    (await session.post("/verification/backup-code/verify", code=codes[0])).expect(200)
    _, proof = await session.prove_new_totp()
    bound = await session.bind_totp(proof)
    assert bound.refusal == (422, "user.totp_already_in_use")


@pytest.fixture
async def visit_with_totp(settings: Settings, visit: VisitOf, nina: Person) -> Visit:
    """Nina's sign-in where she may add an authenticator app."""
    await settings(mfa=TOTP_ONLY)
    return await visit(nina)


async def test_new_secret_has_a_qr_code(visit_with_totp: Visit) -> None:
    new = (await visit_with_totp.call("POST", "/verification/totp/secret")).expect(200).body
    assert new["secretQrCode"].startswith("data:image/png;base64,")


async def test_secret_that_was_not_proven_is_not_bound(visit_with_totp: Visit) -> None:
    new = (await visit_with_totp.call("POST", "/verification/totp/secret")).expect(200).body
    bound = await visit_with_totp.bind_totp({"verificationId": new["verificationId"]})
    assert bound.refusal == (400, "session.verification_failed")


async def test_unknown_secret_is_not_bound(visit_with_totp: Visit) -> None:
    bound = await visit_with_totp.bind_totp({"verificationId": "unknown"})
    assert bound.refusal == (404, "session.verification_session_not_found")


async def test_wrong_code_proves_no_secret(visit_with_totp: Visit) -> None:
    new = (await visit_with_totp.call("POST", "/verification/totp/secret")).expect(200).body
    body = {"verificationId": new["verificationId"], "code": "000"}
    wrong = await visit_with_totp.post("/verification/totp/verify", **body)
    assert wrong.refusal == (400, "session.mfa.invalid_totp_code")


@pytest.mark.parametrize("policy", ["UserControlled", "PromptAtSignInAndSignUp", "PromptOnlyAtSignIn"])
async def test_skipped_suggestion_is_not_repeated(
    settings: Settings, visit: VisitOf, nina: Person, policy: str
) -> None:
    await settings(mfa={"factors": ["Totp"], "policy": policy})
    session = await visit(nina)
    assert (await session.submit()).refusal == (422, "user.suggest_mfa")
    (await session.call("POST", "/profile/mfa/mfa-skipped")).expect(204)
    (await session.submit()).expect(200)
    (await (await visit(nina)).submit()).expect(200)


async def test_accepted_suggestion_requires_a_factor(
    settings: Settings, visit: VisitOf, nina: Person
) -> None:
    await settings(mfa={"factors": ["Totp"], "policy": "PromptAtSignInAndSignUp"})
    session = await visit(nina)
    (await session.call("POST", "/profile/mfa/mfa-enabled")).expect(204)
    missing = await session.submit()
    assert missing.refusal == (422, "user.missing_mfa")
    assert missing.body["data"] == {"availableFactors": ["Totp"], "skippable": True}


@pytest.mark.usefixtures("sign_up_by_username")
@pytest.mark.parametrize(
    ("policy", "refusal"),
    [
        ("PromptAtSignInAndSignUp", "user.suggest_mfa"),
        ("Mandatory", "user.missing_mfa"),
        ("PromptOnlyAtSignIn", None),
    ],
)
async def test_sign_up_requires_a_factor_where_the_policy_says_so(
    settings: Settings,
    browser: LogtoBrowser,
    world: World,
    workshop: Workshop,
    policy: str,
    refusal: str | None,
) -> None:
    sign_up = {"identifiers": ["username"], "password": True, "verify": False}
    await settings(mfa={"factors": ["Totp"], "policy": policy}, signUp=sign_up)
    await browser.begin(world.web, "Register")
    proof = await browser.offer_identity(workshop.unique("newcomer"))
    (await browser.experience("POST", "/identification", proof.expect(200).body)).expect(201)
    state = (await browser.experience("GET", "/interaction")).expect(200).body
    workshop.will_delete(f"/users/{state['userId']}")
    submitted = await browser.experience("POST", "/submit")
    if refusal is None:
        submitted.expect(200)
    else:
        assert submitted.refusal == (422, refusal)


async def test_organization_that_requires_mfa_makes_its_members_add_a_factor(
    settings: Settings,
    visit: VisitOf,
    nina: Person,
    workshop: Workshop,
    world: World,
    oidc: Oidc,
    browser: LogtoBrowser,
) -> None:
    """One flow: an address is not enough for such an organization, and an authenticator app is."""
    strict = await workshop.organization(isMfaRequired=True)
    await workshop.join(strict, nina, world.member)
    await settings(mfa=TOTP_ONLY)
    tokens = await oidc.sign_in(browser, world.web, nina, **world.everything)
    await settings(mfa={"factors": ["Totp", "EmailVerificationCode"], "policy": "NoPrompt"})
    before = await oidc.renew(tokens, organization_id=strict)
    assert (before.status, before.body["error"]) == (403, "access_denied")

    await settings(mfa={**TOTP_ONLY, "organizationRequiredMfaPolicy": "Mandatory"})
    session = await visit(nina)
    missing = await session.submit()
    assert missing.refusal == (422, "user.missing_mfa")
    assert "skippable" not in missing.body["data"]
    skipped = await session.call("POST", "/profile/mfa/mfa-skipped")
    assert skipped.refusal == (422, "session.mfa.mfa_policy_not_user_controlled")
    await session.new_totp()
    (await session.submit()).expect(200)
    after = await oidc.renew(tokens, organization_id=strict)
    after.expect(200)
