"""Steps at the site with every sign-in method, and people who take them."""

from __future__ import annotations

import secrets

from local_logto.fakes.naver import NaverAccount
from playwright.async_api import Page


def new_address() -> str:
    return f"rosa_{secrets.token_hex(5)}@example.test"


def new_number() -> str:
    return f"4512{secrets.randbelow(10**6):06}"


def naver_account(**given: str) -> NaverAccount:
    """Return an account at Naver that is new to the site."""
    tag = secrets.token_hex(5)
    return NaverAccount(
        **{"id": f"naver-{tag}", "email": f"{tag}@naver.example", "nickname": "Sujin", **given}
    )


async def follow(page: Page, way: str) -> None:
    """Choose a sign-in method other than a password on the front page."""
    await page.get_by_role("group", name="Other ways to sign in").get_by_role("link", name=way).click()


async def enter_code(page: Page, code: str) -> None:
    await page.get_by_label("Verification code").fill(code)
    await page.get_by_role("button", name="Continue").click()
