"""Every text of the pages is in the catalogues, and every catalogue translates every text."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jinja2
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import read_po

import local_logto
from local_logto.translation import SOURCE, TRANSLATIONS, languages

ROOT = Path(local_logto.__file__).parent
TEMPLATES = sorted((ROOT / "templates").glob("*.html"))
TRANSLATED = [tag for tag in languages() if tag != SOURCE]
PLACEHOLDER = re.compile(r"%\(\w+\)s|{{[\w.]+}}")
MARKUP = re.compile(r"</?\w+[^>]*>")
NO_TEXTS = {"· local_logto", "card wide", "/messages", "/account", "/oidc/jwks"}
NO_TEXTS |= {"/oidc/.well-known/openid-configuration"}
JINJA = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}


@cache
def extracted() -> frozenset[str]:
    """Return the messages of the code and the templates, a plural by its singular."""
    sources: list[tuple[Path, str, dict[str, str]]] = [(path, "python", {}) for path in ROOT.rglob("*.py")]
    sources += [(path, "jinja2.ext:babel_extract", JINJA) for path in TEMPLATES]
    return frozenset(
        ids if isinstance(ids, str) else ids[0]
        for path, method, options in sources
        for _line, ids, _comments, _context in extract_from_file(
            method, path, keywords=DEFAULT_KEYWORDS, options=options
        )
    )


def read(tag: str) -> Catalog:
    with (TRANSLATIONS / f"{tag}.po").open("rb") as file:
        return read_po(file, locale=tag.replace("-", "_"))


def messages_of(tag: str) -> list[Message]:
    return [message for message in read(tag) if message.id]


def pairs_of(message: Message) -> Iterator[tuple[str, str]]:
    """Yield each translation with the English text that it stands for."""
    if isinstance(message.id, str):
        yield message.id, str(message.string)
    else:
        for position, text in enumerate(message.string):
            yield message.id[min(position, 1)], text


def fits(english: str, text: str) -> bool:
    """Return whether a translation has the placeholders and the markup of the English text.

    The form for one may leave its number out.
    """
    wanted, got = set(PLACEHOLDER.findall(english)), set(PLACEHOLDER.findall(text))
    has_placeholders = got | {"%(num)s"} == wanted | {"%(num)s"}
    return has_placeholders and Counter(MARKUP.findall(english)) == Counter(MARKUP.findall(text))


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_catalogue_has_exactly_the_texts_of_the_pages(tag: str) -> None:
    known = {next(pairs_of(message))[0] for message in messages_of(tag)}
    assert sorted(extracted() ^ known) == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_every_text_is_translated(tag: str) -> None:
    pairs = [(pair, message.fuzzy) for message in messages_of(tag) for pair in pairs_of(message)]
    assert [english for (english, text), is_fuzzy in pairs if not text or is_fuzzy] == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_translation_has_the_placeholders_and_the_markup_of_its_text(tag: str) -> None:
    pairs = [pair for message in messages_of(tag) for pair in pairs_of(message)]
    assert [english for english, text in pairs if not fits(english, text)] == []


@pytest.mark.parametrize("text", ["Enviado a.", "Enviado a %(dirección)s.", "<b>Enviado</b> a %(address)s."])
def test_a_translation_that_lost_a_placeholder_is_found(text: str) -> None:
    assert not fits("Sent to %(address)s.", text)


# --- texts that are not marked


def bare_texts(source: str) -> list[str]:
    """Return the words of a template that stand outside of tags and of ``_()``."""
    environment = jinja2.Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    tree = environment.parse(source)
    html = "\0".join(data.data for data in tree.find_all(jinja2.nodes.TemplateData))
    spoken = re.findall(r"(?:aria-label|title|placeholder|alt|data-done)=\"([^\"\0]+)", html)
    visible = re.split(r"<[^>]*>", html.replace("\0", ""))
    constants = [
        str(const.value)
        for condition in tree.find_all((jinja2.nodes.CondExpr, jinja2.nodes.Or))
        for const in condition.iter_child_nodes()
        if isinstance(const, jinja2.nodes.Const)
    ]
    found = [text.strip() for text in [*spoken, *visible, *constants]]
    return [text for text in found if re.search(r"[A-Za-z]{2,}", text) and text not in NO_TEXTS]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_a_bare_text(path: Path) -> None:
    assert bare_texts(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Sign in</p>",
        "<p>{{ _('Sent') }} to you</p>",
        '<a aria-label="Remove">{{ x }}</a>',
        '<input placeholder="Search">',
        "{{ name or 'Nobody' }}",
        "{{ 'Yes' if allowed else _('No') }}",
    ],
)
def test_a_bare_text_in_a_template_is_found(source: str) -> None:
    assert len(bare_texts(source)) == 1


SHOWS_TEXT = {
    *("Choice", "Field", "FormPage", "Link", "Secret", "SideAction", "code_field", "new_password_page"),
    *("page", "posting_page", "show_notice", "RequestError", "refused"),
}
FOLDERS = ("account", "experience/pages", "oidc/device", "oidc/session", "oidc/authorization")
SENTENCE = re.compile(r"^[A-Z][a-z]|[a-z] [a-z]| \w{2,}")


def bare_sentences(source: str) -> list[str]:
    """Return the texts that a module gives to a page without marking them."""
    found = []
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in SHOWS_TEXT:
            values = [*call.args, *(keyword.value for keyword in call.keywords)]
            choices = [one for value in values for one in _choices(value)]
            found += [text for value in choices if SENTENCE.search(text := _text_of(value))]
    return found


def _text_of(value: ast.expr) -> str:
    parts = value.values if isinstance(value, ast.JoinedStr) else [value]
    constants = [part.value for part in parts if isinstance(part, ast.Constant)]
    return "".join(one for one in constants if isinstance(one, str))


def _choices(value: ast.expr) -> list[ast.expr]:
    return [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_page_has_a_bare_text(folder: str) -> None:
    found = {path.name: bare_sentences(path.read_text("utf-8")) for path in (ROOT / folder).glob("*.py")}
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    "source",
    [
        'Link("Back", url)',
        'FormPage(title, "Continue" if new else _("Save"))',
        'show_notice(_("Gone"), f"{name} left.")',
        'page("x.html", title="Not here")',
    ],
)
def test_a_bare_text_in_a_module_is_found(source: str) -> None:
    assert len(bare_sentences(source)) == 1
