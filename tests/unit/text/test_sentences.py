"""Sentences with names: names are isolated on a page, plain for programs."""

from __future__ import annotations

import json

import jinja2
import pytest

from saas_app.errors import AppError, Conflict, Invalid
from saas_app.rbac.decision import Step, StepResult
from saas_app.text.translation import Sentence
from saas_app.text.visible import isolated

NAME = "شركة (٢٠٢٦)!"
PLAIN = f"{NAME} is archived."
SHOWN = f"\u2068{NAME}\u2069 is archived."
WRITTEN = f"{isolated(NAME)} is archived."


def rendered(source: str, **values: object) -> str:
    return jinja2.Environment(autoescape=True).from_string(source).render(**values)


def test_a_sentence_is_plain_text_for_programs() -> None:
    assert json.loads(json.dumps({"detail": Sentence(WRITTEN)})) == {"detail": PLAIN}


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{ sentence }}", SHOWN),
        ("{{ sentence or 'That did not work.' }}", SHOWN),
        ("{{ 'No: ' ~ sentence }}", f"No: {SHOWN}"),
        ('<p title="{{ sentence }}">', f'<p title="{SHOWN}">'),
    ],
)
def test_a_page_isolates_the_names_of_a_sentence(source: str, shown: str) -> None:
    assert rendered(source, sentence=Sentence(WRITTEN)) == shown


def test_a_page_escapes_a_sentence() -> None:
    assert rendered("{{ sentence }}", sentence=Sentence("<b>&")) == "&lt;b&gt;&amp;"


def test_a_sentence_made_of_a_sentence_stays_isolated() -> None:
    assert Sentence(Sentence(WRITTEN)).shown == SHOWN


def test_a_stored_sentence_is_isolated_again_by_its_names() -> None:
    assert Sentence.naming(PLAIN, ["Acme", "", NAME]).shown == SHOWN


@pytest.mark.parametrize(
    "sentence",
    [
        Conflict(WRITTEN).detail,
        AppError(title=WRITTEN).title,
        Invalid(fields={"name": WRITTEN}).fields["name"],
        StepResult(Step.MEMBER, True, WRITTEN).explanation,
    ],
    ids=["detail", "title", "field", "decision"],
)
def test_errors_and_decisions_use_sentences(sentence: str) -> None:
    assert (sentence, rendered("{{ sentence }}", sentence=sentence)) == (PLAIN, SHOWN)


def test_the_log_gets_the_plain_text_of_an_error() -> None:
    assert str(Conflict(WRITTEN)) == PLAIN
