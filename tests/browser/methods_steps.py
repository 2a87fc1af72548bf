"""What people do at the site with every way in, and who they are."""

from __future__ import annotations

import secrets

from local_logto.fakes.naver import NaverAccount
from playwright.async_api import Page


def new_address() -> str:
    return f"rosa_{secrets.token_hex(5)}@example.test"


def new_number() -> str:
    return f"4512{secrets.randbelow(10**6):06}"


def naver_account(**given: str) -> NaverAccount:
    """Somebody at Naver whom nobody here knows yet."""
    tag = secrets.token_hex(5)
    return NaverAccount(
        **{"id": f"naver-{tag}", "email": f"{tag}@naver.example", "nickname": "Sujin", **given}
    )


async def follow(page: Page, way: str) -> None:
    """Choose one of the ways that the front page offers beside a password."""
    await page.get_by_role("group", name="Other ways to sign in").get_by_role("link", name=way).click()


async def enter_code(page: Page, code: str) -> None:
    await page.get_by_label("Verification code").fill(code)
    await page.get_by_role("button", name="Continue").click()
