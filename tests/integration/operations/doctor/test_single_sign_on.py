"""``saas-app doctor`` checks whether Logto sends people to the providers of their companies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.operations.doctor.installation import Installation


def test_single_sign_on_that_logto_does_not_offer_is_reported(installation: Installation) -> None:
    report = installation.doctor(SINGLE_SIGN_ON="true")

    assert list(report.failed) == ["single sign-on"]
    assert "it is off" in report.failed["single sign-on"]
    assert "→ saas-app provision" in report.failed["single sign-on"]


@pytest.mark.parametrize(("name", "failed"), [("Workroom org", ["single sign-on"]), ("Operator", [])])
def test_connectors_that_nothing_answers_are_reported(
    installation: Installation, name: str, failed: list[str]
) -> None:
    connector = installation.ask(lambda client: client.create_sso_connector(name))
    installation.ask(lambda client: client.change_sign_in_experience({"singleSignOnEnabled": True}))
    try:
        report = installation.doctor()
    finally:
        installation.ask(lambda client: client.change_sign_in_experience({"singleSignOnEnabled": False}))
        installation.ask(lambda client: client.delete_sso_connector(connector.id))

    assert list(report.failed) == failed
    assert ("but SINGLE_SIGN_ON is off" in report.output) is bool(failed)


@pytest.fixture
def offered(installation: Installation) -> Iterator[None]:
    """Logto sends people to the identity providers of their companies."""

    def switch(*, is_on: bool) -> None:
        installation.ask(lambda client: client.change_sign_in_experience({"singleSignOnEnabled": is_on}))

    switch(is_on=True)
    yield
    switch(is_on=False)


@pytest.mark.usefixtures("offered")
def test_single_sign_on_that_logto_offers_is_no_finding(installation: Installation) -> None:
    report = installation.doctor(SINGLE_SIGN_ON="true")

    assert (report.exit_code, report.failed) == (0, {}), report.output
    assert "Logto signs people in at the identity providers of their companies" in report.output


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize(("name", "failed"), [("Workroom org", ["single sign-on"]), ("Operator", [])])
def test_connectors_that_point_elsewhere_are_reported(
    installation: Installation, name: str, failed: list[str]
) -> None:
    connector = installation.ask(lambda client: client.create_sso_connector(name))
    try:
        report = installation.doctor(SINGLE_SIGN_ON="true")
    finally:
        installation.ask(lambda client: client.delete_sso_connector(connector.id))

    assert list(report.failed) == failed
    assert (f"do not point at Workroom: {connector.id}" in report.output) is bool(failed)
