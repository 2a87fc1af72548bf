"""People who sign in at their company's identity provider."""

from __future__ import annotations

from tests.integration.single_sign_on.company import Company, SignInThroughCompany


async def test_a_new_person_of_the_company_signs_in(
    connection_on: Company, sign_in_through_company: SignInThroughCompany
) -> None:
    email = connection_on.address("carol")

    browser = await sign_in_through_company(connection_on, email)

    account = await connection_on.account(email)
    assert account is not None
    await browser.get("/account")
