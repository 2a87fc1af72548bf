"""Sentences: names are isolated on a page and plain for programs; pages show the reader's language."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from saas_app.errors import AppError, Conflict, Invalid
from saas_app.rbac.decision import Step, StepResult
from saas_app.text.languages import speaking
from saas_app.text.translation import Sentence, _, ngettext, pgettext, said
from saas_app.text.visible import BLANK_NAME, isolated
from saas_app.web.pieces import shown_name
from tests.catalogues import catalogue, catalogues

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
        StepResult(Step.MEMBER, True, Sentence(WRITTEN)).explanation,
    ],
    ids=["detail", "title", "field", "decision"],
)
def test_errors_and_decisions_use_sentences(sentence: str) -> None:
    assert (sentence, rendered("{{ sentence }}", sentence=sentence)) == (PLAIN, SHOWN)


def test_the_log_gets_the_plain_text_of_an_error() -> None:
    assert str(Conflict(WRITTEN)) == PLAIN


@pytest.fixture
def spanish(tmp_path: Path) -> Iterator[None]:
    """Texts are shown in Spanish, by a catalogue of these few."""
    texts = {
        "“%(name)s” was created.": "Se creó «%(name)s».",
        "Not saved. %(why)s": "No se guardó. %(why)s",
        "Name": "Nombre",
        BLANK_NAME: "(sin nombre)",
    }
    plurals = {("%(num)s task", "%(num)s tasks"): ("%(num)s tarea", "%(num)s de tareas", "%(num)s tareas")}
    written = catalogue("es", texts, plurals)
    written.add("Open", "Abierta", context="task")
    with catalogues(tmp_path, written), speaking("es"):
        yield


@pytest.mark.usefixtures("spanish")
class TestInSpanish:
    """A sentence is made once, and shown in the language of whoever reads it."""

    def test_a_page_shows_the_translation(self) -> None:
        assert rendered("{{ label }}", label=_("Name")) == "Nombre"

    def test_as_a_string_it_stays_english(self) -> None:
        assert _("“%(name)s” was created.", name="Apollo") == "“Apollo” was created."

    def test_names_stay_isolated_on_a_page_and_plain_for_programs(self) -> None:
        sentence = _("“%(name)s” was created.", name=isolated(NAME))

        assert (sentence.shown, sentence.said) == (f"Se creó «\u2068{NAME}\u2069».", f"Se creó «{NAME}».")

    def test_a_sentence_in_a_sentence_is_translated_too(self) -> None:
        why = _("“%(name)s” was created.", name=isolated(NAME))

        assert _("Not saved. %(why)s", why=why).shown == f"No se guardó. Se creó «\u2068{NAME}\u2069»."

    def test_a_name_without_visible_characters_is_named_in_their_language(self) -> None:
        sentence = _("“%(name)s” was created.", name=isolated("\u3164"))

        assert (sentence.shown, rendered("{{ x }}", x=shown_name("\u3164"))) == (
            "Se creó «(sin nombre)».",
            "(sin nombre)",
        )

    def test_joined_texts_are_translated_each(self) -> None:
        joined = Sentence.joined((_("Name"), "acme", _("Name")), "; ")

        assert (joined, joined.said) == ("Name; acme; Name", "Nombre; acme; Nombre")

    @pytest.mark.parametrize(("num", "text"), [(1, "1 tarea"), (2, "2 tareas"), (12_000, "12.000 tareas")])
    def test_a_number_decides_the_form_and_is_formatted(self, num: int, text: str) -> None:
        assert ngettext("%(num)s task", "%(num)s tasks", num).shown == text

    def test_a_context_tells_texts_apart(self) -> None:
        assert (pgettext("task", "Open").shown, pgettext("door", "Open").shown) == ("Abierta", "Open")

    @pytest.mark.parametrize("text", ["", "100 %", "No such text", "50 % of %(name)s"])
    def test_a_text_without_a_translation_is_shown_as_it_is(self, text: str) -> None:
        assert Sentence(text).shown == text

    def test_a_document_is_translated_through_and_through(self) -> None:
        document = {"title": _("Name"), "errors": {"name": _("Name")}, "steps": [_("Name"), 3]}

        assert said(document) == {"title": "Nombre", "errors": {"name": "Nombre"}, "steps": ["Nombre", 3]}

    def test_a_copy_is_the_same_sentence(self) -> None:
        sentence = ngettext("%(num)s task", "%(num)s tasks", 2)

        assert pickle.loads(pickle.dumps(sentence)).shown == sentence.shown  # noqa: S301


def test_a_stored_sentence_is_made_again_with_its_names_isolated_and_for_every_language() -> None:
    token = _("organization token")
    sentence = _(
        "The %(token)s was issued by Logto for %(organization)s only.",
        token=token,
        organization=isolated(NAME),
    )

    stored = json.dumps(sentence.as_json(), ensure_ascii=False)
    again = Sentence.from_json(json.loads(stored))

    assert "\u2068" not in stored
    assert (again, again.shown) == (sentence, sentence.shown)
    with speaking("es"):
        assert again.shown == sentence.shown != str(sentence)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"message": "Hello"},
        {"message": 7, "values": {}},
        {"message": "%(name)900000000s", "values": {"name": "x"}},
        {"message": "%s", "values": {"name": "x"}},
    ],
)
def test_json_that_is_no_sentence_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        str(Sentence.from_json(stored).shown)
