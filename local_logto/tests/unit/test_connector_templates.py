"""Texts of messages: variables, the choice of a template, and languages."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from local_logto.connectors.languages import preferred_language
from local_logto.connectors.templates import by_usage, choose, fill, fill_html, text_of_html
from local_logto.errors import RequestError

PAYLOAD = {
    "code": "123456",
    "organization": {"id": "o1", "name": "Bread & <b>Butter</b>", "branding": {}},
    "count": 2.0,
    "isNew": True,
    "nothing": None,
    "tags": ["a", "b"],
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Your code: {{code}}", "Your code: 123456"),
        ("{{ code }}{{  code\t}}", "123456123456"),
        ("{{organization.name}}", "Bread & <b>Butter</b>"),
        ("{{organization.slogan}}", ""),
        ("{{organization.branding.logoUrl.height}}", ""),
        ("{{application.name}}", "{{application.name}}"),
        ("{{.code}} {{}} {{co de}} {code}", "{{.code}} {{}} {{co de}} {code}"),
        ("{{nothing}}|{{count}}|{{isNew}}|{{tags}}|{{tags.1}}", "|2|true|a,b|b"),
        ("{{organization}}", "[object Object]"),
    ],
)
def test_variables_are_replaced_as_logto_does(template: str, expected: str) -> None:
    assert fill(template, PAYLOAD) == expected


def test_value_is_not_treated_as_a_template() -> None:
    assert fill("{{name}}", {"name": "{{code}}", "code": "123456"}) == "{{code}}"


def test_values_are_escaped_in_html_and_the_template_is_not() -> None:
    html = fill_html("<p>{{organization.name}}</p>", PAYLOAD)
    assert html == "<p>Bread &amp; &lt;b&gt;Butter&lt;/b&gt;</p>"
    assert text_of_html(html) == "Bread & <b>Butter</b>"


def test_generic_text_replaces_a_missing_one() -> None:
    templates = {"SignIn": "a", "Generic": "b"}
    assert choose(templates, "SignIn") == "a"
    assert choose(templates, "BindMfa") == "b"
    with pytest.raises(RequestError) as caught:
        choose({"SignIn": "a"}, "BindMfa")
    assert (caught.value.status, caught.value.code) == (400, "connector.template_not_found")


def test_first_of_two_texts_for_a_usage_is_used() -> None:
    first, second = {"usageType": "Generic", "content": "1"}, {"usageType": "Generic", "content": "2"}
    assert choose(by_usage([first, second]), "SignIn") == first


@pytest.mark.parametrize(
    ("ui_locales", "accepted", "detects", "expected"),
    [
        ("es-MX en", "de", True, "es"),
        (None, "fr;q=0.5, de-AT, es;q=0.8", True, "de"),
        (None, "de", False, "ko"),
        ("tlh", "", True, "ko"),
        ("pt", "", True, "pt-BR"),
        ("PT-pt", "", True, "pt-PT"),
    ],
)
def test_message_language_follows_request_then_browser_then_fallback(
    ui_locales: str | None, accepted: str, detects: bool, expected: str
) -> None:
    information = {"autoDetect": detects, "fallbackLanguage": "ko"}
    browser = parse_accept_header(accepted, LanguageAccept)
    assert preferred_language(information, ui_locales, browser) == expected


def test_unknown_language_falls_back_to_english() -> None:
    assert preferred_language({"fallbackLanguage": "tlh"}, None, LanguageAccept()) == "en"
