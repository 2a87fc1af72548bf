"""The calls for enterprise connectors, at a running Logto: what they send, and what is kept of responses."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from local_logto.fakes.openid import FakeOpenId, OpenIdPerson

from saas_app.logto import LogtoUser, ManagementClient, ManagementError, SsoConnector, SsoSubmission
from saas_app.text.ids import is_id
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.single_sign_on.company import arrive_by

UNKNOWN = "nosuchconnector"


@pytest.fixture
async def connector(management: ManagementClient) -> AsyncIterator[SsoConnector]:
    """A connector without a provider. It is deleted after the test."""
    made = await management.create_sso_connector(f"Calls {secrets.token_hex(5)}")
    yield made
    await management.delete_sso_connector(made.id)


@pytest.fixture
async def configured(
    management: ManagementClient, connector: SsoConnector, company_provider: FakeOpenId
) -> SsoConnector:
    """A connector with a provider and a domain."""
    await configure(management, connector, company_provider)
    return await found(management, connector)


async def configure(
    management: ManagementClient, connector: SsoConnector, provider: FakeOpenId, **changes: Any
) -> None:
    values = {
        "display_name": "Corp",
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        "scope": "openid groups",
        "domains": [f"{connector.id}.example"],
    }
    await management.configure_sso_connector(connector.id, **{**values, **changes})


async def found(management: ManagementClient, connector: SsoConnector) -> SsoConnector:
    """Read the connector again."""
    again = await management.find_sso_connector(connector.id)
    assert again is not None
    return again


async def raw(management: ManagementClient, connector: SsoConnector) -> dict[str, Any]:
    """Return everything that Logto stores about the connector."""
    entry: dict[str, Any] = await management._body("GET", f"/sso-connectors/{connector.id}")
    return entry


async def test_a_new_connector_has_an_id_and_nothing_else(
    management: ManagementClient, connector: SsoConnector
) -> None:
    assert is_id(connector.id)
    assert await found(management, connector) == connector
    assert (connector.provider, connector.issuer, connector.domains) == ("OIDC", "", ())


async def test_a_name_is_taken_once(management: ManagementClient, connector: SsoConnector) -> None:
    with pytest.raises(ManagementError) as refused:
        await management.create_sso_connector(connector.name)

    assert (refused.value.status, refused.value.code) == (409, "single_sign_on.duplicate_connector_name")


async def test_a_connector_is_found_by_its_name_among_all(
    management: ManagementClient, connector: SsoConnector
) -> None:
    named = [one for one in await management.list_sso_connectors() if one.name == connector.name]

    assert named == [connector]


async def test_no_connector_has_an_unknown_id(management: ManagementClient) -> None:
    assert await management.find_sso_connector(UNKNOWN) is None
    assert await management.find_sso_connector("../users") is None


async def test_configuring_sets_provider_name_and_domains(
    management: ManagementClient, connector: SsoConnector, company_provider: FakeOpenId
) -> None:
    await configure(management, connector, company_provider)

    stored = await raw(management, connector)
    assert stored["branding"] == {"displayName": "Corp"}
    assert stored["domains"] == [f"{connector.id}.example"]
    assert stored["config"] == {
        **company_provider.config,
        "scope": "openid groups",
        "trustUnverifiedEmail": False,
    }


async def test_configuring_again_replaces_everything_also_what_somebody_set_in_the_console(
    management: ManagementClient, configured: SsoConnector, company_provider: FakeOpenId
) -> None:
    trusting = {**company_provider.config, "trustUnverifiedEmail": True}
    await management._body("PATCH", f"/sso-connectors/{configured.id}", {"config": trusting})

    await configure(
        management, configured, company_provider, client_secret="rotated", scope="", domains=["b.example"]
    )

    stored = await raw(management, configured)
    assert stored["config"] == {
        **company_provider.config,
        "clientSecret": "rotated",
        "scope": "",
        "trustUnverifiedEmail": False,
    }
    assert stored["domains"] == ["b.example"]


async def test_a_connector_does_not_show_its_secret(
    management: ManagementClient, configured: SsoConnector, company_provider: FakeOpenId
) -> None:
    listed = await management.list_sso_connectors()

    assert configured in listed
    assert configured.client_secret == company_provider.client_secret
    assert company_provider.client_secret not in repr(listed)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"issuer": None}, "invalid_config_response"),
        ({"jwks_uri": None}, "invalid_config_response"),
    ],
)
async def test_an_issuer_with_incomplete_metadata_is_refused_and_nothing_changes(
    management: ManagementClient,
    configured: SsoConnector,
    company_provider: FakeOpenId,
    wrong: dict[str, object],
    message: str,
) -> None:
    company_provider.metadata = wrong

    with pytest.raises(ManagementError) as refused:
        await configure(management, configured, company_provider, scope="other")

    assert (refused.value.status, refused.value.code) == (400, "connector.invalid_config")
    assert refused.value.data["message"] == message
    assert await found(management, configured) == configured


async def test_an_issuer_that_is_switched_off_is_refused(
    management: ManagementClient, connector: SsoConnector, company_provider: FakeOpenId
) -> None:
    await company_provider.switch_off()

    with pytest.raises(ManagementError) as refused:
        await configure(management, connector, company_provider)

    assert (refused.value.status, refused.value.code) == (400, "connector.invalid_config")
    assert refused.value.data["message"] == "fail_to_fetch_config"
    assert (await found(management, connector)).issuer == ""


async def test_a_public_email_service_is_no_domain_of_a_company(
    management: ManagementClient, configured: SsoConnector
) -> None:
    with pytest.raises(ManagementError) as refused:
        await management.set_sso_domains(configured.id, ["gmail.com"])

    assert (refused.value.status, refused.value.code) == (422, "single_sign_on.forbidden_domains")
    assert await found(management, configured) == configured


async def test_setting_domains_leaves_the_provider_as_it_is(
    management: ManagementClient, configured: SsoConnector
) -> None:
    before = await raw(management, configured)

    await management.set_sso_domains(configured.id, ["a.example", "b.example"])

    assert await raw(management, configured) == {**before, "domains": ["a.example", "b.example"]}
    assert {"a.example", "b.example"} <= await management.list_sso_domains()


async def test_domains_can_be_set_while_the_provider_is_switched_off(
    management: ManagementClient, configured: SsoConnector, company_provider: FakeOpenId
) -> None:
    await company_provider.switch_off()

    await management.set_sso_domains(configured.id, [])

    assert (await found(management, configured)).domains == ()


async def test_an_unknown_connector_has_no_domains_to_set(management: ManagementClient) -> None:
    with pytest.raises(ManagementError) as refused:
        await management.set_sso_domains(UNKNOWN, [])

    assert (refused.value.status, refused.value.code) == (404, "entity.not_exists_with_id")


async def test_an_unknown_connector_cannot_be_configured(
    management: ManagementClient, connector: SsoConnector, company_provider: FakeOpenId
) -> None:
    await management.delete_sso_connector(connector.id)

    with pytest.raises(ManagementError) as refused:
        await configure(management, connector, company_provider)

    assert (refused.value.status, refused.value.code) == (404, "entity.not_exists_with_id")


async def test_deleting_a_connector_that_is_gone_does_nothing(
    management: ManagementClient, connector: SsoConnector
) -> None:
    await management.delete_sso_connector(connector.id)
    await management.delete_sso_connector(connector.id)

    assert await management.find_sso_connector(connector.id) is None


# --- joining


@pytest.fixture
async def organization_id(make: Factory) -> str:
    """An organization without members."""
    return (await make.empty_organization()).id


async def test_people_of_a_connector_join_until_it_is_removed(
    management: ManagementClient, organization_id: str, configured: SsoConnector
) -> None:
    await management.add_joining_connector(organization_id, configured.id)
    await management.add_joining_connector(organization_id, configured.id)
    assert await management.list_joining_connectors(organization_id) == [configured.id]

    await management.remove_joining_connector(organization_id, configured.id)
    await management.remove_joining_connector(organization_id, configured.id)
    assert await management.list_joining_connectors(organization_id) == []


async def test_an_unknown_connector_cannot_join(management: ManagementClient, organization_id: str) -> None:
    with pytest.raises(ManagementError) as refused:
        await management.add_joining_connector(organization_id, UNKNOWN)

    assert (refused.value.status, refused.value.code) == (422, "entity.relation_foreign_key_not_found")


# --- who signed in


@pytest.fixture
async def account(
    offered_at_logto: None,
    management: ManagementClient,
    configured: SsoConnector,
    company_provider: FakeOpenId,
    open_browser: OpenBrowser,
) -> LogtoUser:
    """The account of a person who came through the connector, without their identities."""
    email = f"carol@{configured.domains[0]}"
    claims = {"email": email, "email_verified": True, "groups": ["staff"], "member_of": ["cn=all"]}
    company_provider.person = OpenIdPerson("u_carol", claims)
    await arrive_by(configured.id, await open_browser())
    made = await management.find_user_by_email(email)
    assert made is not None
    return made


async def proof_of(management: ManagementClient, user_id: str) -> SsoSubmission | None:
    (session,) = await management.list_user_sessions(user_id)
    return session.sso


async def test_a_session_says_who_came_through_which_connector(
    management: ManagementClient, account: LogtoUser, configured: SsoConnector, company_provider: FakeOpenId
) -> None:
    proof = await proof_of(management, account.id)

    assert proof is not None
    assert (proof.connector_id, proof.issuer) == (configured.id, company_provider.issuer)
    assert (proof.user_id, proof.email) == ("u_carol", account.email)
    assert (proof.claims["groups"], proof.claims["memberOf"]) == (["staff"], ["cn=all"])


async def test_a_session_by_password_has_no_proof(
    management: ManagementClient, make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person("Pat")
    await open_browser(person)

    assert await proof_of(management, person.id) is None


async def test_an_account_of_a_company_has_an_identity_and_no_password(
    management: ManagementClient, account: LogtoUser, configured: SsoConnector, company_provider: FakeOpenId
) -> None:
    user = await management.get_user_with_sso(account.id)

    assert not user.has_password
    (identity,) = user.sso_identities
    assert (identity.connector_id, identity.issuer) == (configured.id, company_provider.issuer)
    assert (identity.identity_id, identity.detail["email"]) == ("u_carol", account.email)
    assert identity.created_at is not None


async def test_a_person_with_a_password_has_no_identity(management: ManagementClient, make: Factory) -> None:
    person = await make.person("Pat")

    user = await management.get_user_with_sso(person.id)

    assert (user.has_password, user.sso_identities) == (True, ())


async def test_identities_are_told_only_if_they_are_asked_for(
    management: ManagementClient, account: LogtoUser
) -> None:
    assert (await management.get_user(account.id)).sso_identities == ()


async def test_no_identity_is_left_when_the_connector_is_deleted(
    management: ManagementClient, account: LogtoUser, configured: SsoConnector
) -> None:
    await management.delete_sso_connector(configured.id)

    assert (await management.get_user_with_sso(account.id)).sso_identities == ()


async def test_an_unknown_account_has_no_identities(management: ManagementClient) -> None:
    with pytest.raises(ManagementError) as refused:
        await management.get_user_with_sso("nosuchperson")

    assert (refused.value.status, refused.value.code) == (404, "entity.not_found")
