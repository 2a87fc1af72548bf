"""Every text for people is in the catalogues, and every catalogue has every text.

docs/translate.md says how texts are marked and translated.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import jinja2
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import nodes

from saas_app.text.languages import SOURCE, TRANSLATIONS, languages
from saas_app.web.kept_forms import OwnedForms
from tests.databases import ROOT
from tools.update_translations import extract

pytestmark = pytest.mark.one_database

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
TRANSLATED = [tag for tag in languages() if tag != SOURCE]
PLACEHOLDER = re.compile(r"%\(\w+\)s")
TAG = re.compile(r"</?\w+[^>]*>")
READ_BY_PEOPLE = re.compile(r"\s(?:aria-label|title|alt|placeholder|data-label|data-text-\w+)=\"([^\"]*)")
WORDS = re.compile(r"[A-Za-z]{2,}")
SENTENCE = re.compile(r"[A-Z][a-z]+|[a-z]{2,}[.,:]? [a-z“]{2,}|[A-Za-z]{3,}[.:!?…]$")
THE_SAME_EVERYWHERE = {
    "Workroom",
    "Workroom, home",
    "Logto",
    "UTC",
    "User",  # Logto's type of role
    "JSON",
    "CSV",
    "Escape",
    "Python",
    "TypeScript",
    "API",
    "POST",
    "GET",
}
"""Names, and words that no language translates."""


def read(tag: str) -> Catalog:
    with (TRANSLATIONS / f"{tag}.po").open("rb") as file:
        return read_po(file, locale=tag.replace("-", "_"))


def messages_of(catalog: Catalog) -> dict[tuple[str, str], Message]:
    """Return the messages of a catalogue by context and (singular) id."""
    found = {}
    for message in catalog:
        if message.id:
            single = message.id if isinstance(message.id, str) else message.id[0]
            found[message.context or "", single] = message
    return found


def pairs_of(message: Message) -> Iterator[tuple[str, str]]:
    """Yield each translation of a message with the English text that it stands for."""
    if isinstance(message.id, str):
        yield message.id, message.string
    else:
        for position, string in enumerate(message.string):
            yield message.id[min(position, 1)], string


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], Message]:
    """The messages of the code and the templates."""
    return messages_of(extract())


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_catalogue_has_exactly_the_texts_of_the_product(
    tag: str, found: dict[tuple[str, str], Message]
) -> None:
    known = messages_of(read(tag))

    assert sorted(set(found) - set(known)) == [], "run make translations"
    assert sorted(set(known) - set(found)) == [], "run make translations"


@pytest.mark.parametrize("tag", TRANSLATED)
def test_every_text_is_translated(tag: str) -> None:
    missing = [
        english
        for message in messages_of(read(tag)).values()
        for english, text in pairs_of(message)
        if not text or message.fuzzy
    ]

    assert missing == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_translation_has_the_placeholders_and_tags_of_its_text(tag: str) -> None:
    wrong = [
        english
        for message in messages_of(read(tag)).values()
        for english, text in pairs_of(message)
        if not fits(english, text)
    ]

    assert wrong == []


def fits(english: str, text: str) -> bool:
    """Return whether a translation has the placeholders of the English text, and the same markup.

    The form for one may leave its number out.
    """
    if not text:
        return True
    wanted, got = set(PLACEHOLDER.findall(english)), set(PLACEHOLDER.findall(text))
    return got | {"%(num)s"} == wanted | {"%(num)s"} and Counter(TAG.findall(english)) == Counter(
        TAG.findall(text)
    )


@pytest.mark.parametrize(
    "text",
    [
        "Se eliminó.",
        "Se eliminó %(nombre)s.",
        "Se eliminó %(name)s de %(other)s.",
        "Se eliminó <b>%(name)s</b>.",
    ],
)
def test_a_translation_that_lost_a_placeholder_is_found(text: str) -> None:
    assert not fits("%(name)s was deleted.", text)


def bare_texts(source: str) -> Iterator[str]:
    """Yield the texts of a template that are not marked for translation."""
    environment = jinja2.Environment(extensions=[OwnedForms, "jinja2.ext.i18n"], autoescape=True)
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    tree = environment.parse(source)
    html = "".join(item.data if isinstance(item, nodes.TemplateData) else "\0" for item in _output(tree))
    for attribute in READ_BY_PEOPLE.findall(html):
        yield from _words(attribute)
    for text in re.split(r"<(?:script|style|code|kbd|svg)\b.*?</\w+>|<[^>]*>", html, flags=re.DOTALL):
        yield from _words(text or "")
    for constant in _constants(tree):
        if SENTENCE.search(constant) and constant not in THE_SAME_EVERYWHERE:
            yield constant


def _words(text: str) -> Iterator[str]:
    for part in text.split("\0"):
        cleaned = re.sub(r"&\w+;", " ", part).strip(" \n.:·,()“”")
        if WORDS.search(cleaned) and cleaned not in THE_SAME_EVERYWHERE:
            yield cleaned


def _output(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the pieces that a template writes, in their order, without what calls of texts contain."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Block) and child.name == "frame_class":  # names of classes
            continue
        if isinstance(child, nodes.Output):
            yield from child.nodes
        elif not (isinstance(child, nodes.Block) and child.name == "frame_class"):
            yield from _output(child)


def _constants(node: nodes.Node) -> Iterator[str]:
    """Yield the constants that a template may show: not those of marked texts, comparisons or lookups."""
    if (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Name)
        and node.node.name in ("_", "gettext", "ngettext", "pgettext")
    ):
        for value in node.kwargs:
            yield from _constants(value)
        return
    if isinstance(
        node,
        nodes.TemplateData
        | nodes.Compare
        | nodes.Getitem
        | nodes.FromImport
        | nodes.Import
        | nodes.Include
        | nodes.Extends,
    ):
        return
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "url_for":
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    for child in node.iter_child_nodes():
        yield from _constants(child)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_template_has_a_bare_text(path: Path) -> None:
    assert list(bare_texts(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Delete this project</p>",
        "<p>{{ _('Name') }} of the member</p>",
        '<a aria-label="Remove {{ name }}">{{ x }}</a>',
        '<input placeholder="Search">',
        "{{ page_header('Members') }}",
        "{{ page_header('Leave ' ~ name) }}",
        "{{ 'Yes' if allowed else _('No') }}",
        "{% set labels = {'open': 'Open'} %}",
    ],
)
def test_a_bare_text_in_a_template_is_found(source: str) -> None:
    assert len(list(bare_texts(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "{{ _('Delete this project') }}",
        "{% trans name=x|name %}You joined <strong>{{ name }}</strong>.{% endtrans %}",
        '<a href="/o" class="btn" aria-label="{{ _(\'Remove %(name)s\', name=x) }}">{{ _("Remove") }}</a>',
        "{% if status == 'archived' %}{{ 'plus'|icon }}{% endif %}",
        "{% block frame_class %}narrow{% endblock %}",
        "<code>projects:read</code>",
    ],
)
def test_a_marked_text_passes(source: str) -> None:
    assert list(bare_texts(source)) == []


FOR_TERMINALS = ("operations/*", "demo/*", "config/*", "cli.py", "without_rich.py")
"""Modules whose texts people read in a terminal; test_command_texts.py checks them."""


def bare_sentences(source: str) -> Iterator[str]:
    """Yield the texts in a module that readers would see untranslated."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call):
            name = ast.unparse(call.func).split(".")[-1]
            if SHOWS_TEXT.search(name):
                for argument in [
                    *call.args,
                    *(
                        keyword.value
                        for keyword in call.keywords
                        if keyword.arg in ("message", "title", "detail", "label")
                    ),
                ]:
                    yield from _bare(argument)


SHOWS_TEXT = re.compile(
    r"^(?:notify|flash|StepResult|MenuEntry|ConflictField|\w+Field|DataRequired|InputRequired|ValidationError|StopValidation|NotFound|Conflict|Invalid|Busy|BadRequest|\w+Denied|SignatureRejected|\w+Unavailable|\w+Reached|\w+Limited|\w+Failed|InvalidToken)$"
)


def _bare(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str) and SENTENCE.search(value.value)
    ):
        yield ast.unparse(value)
    elif isinstance(value, ast.IfExp):
        yield from _bare(value.body)
        yield from _bare(value.orelse)


def modules() -> Iterator[Path]:
    for path in sorted((ROOT / "saas_app").rglob("*.py")):
        if not any(fnmatch(str(path.relative_to(ROOT / "saas_app")), pattern) for pattern in FOR_TERMINALS):
            yield path


def test_no_module_shows_a_bare_text() -> None:
    found = {
        str(path.relative_to(ROOT)): bare
        for path in modules()
        if (bare := list(bare_sentences(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        'raise Conflict("The project is archived.")',
        'raise NotFound(f"No {kind} has this id.")',
        'name = StringField("Name")',
        'DataRequired("Enter a name.")',
        'await notify("Saved.")',
    ],
)
def test_a_bare_text_in_a_module_is_found(source: str) -> None:
    assert len(list(bare_sentences(source))) == 1


def test_a_marked_text_in_a_module_passes() -> None:
    assert list(bare_sentences('raise Conflict(_("The project is archived."))')) == []


def unseen_texts(source: str) -> list[str]:
    """Return the texts that are marked inside an f-string. Before Python 3.12, the extraction skips those."""
    return [
        ast.unparse(call)
        for string in ast.walk(ast.parse(source))
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("_", "ngettext", "pgettext")
    ]


def test_no_text_is_marked_inside_an_f_string() -> None:
    sources = [*(ROOT / "saas_app").rglob("*.py"), *(ROOT / "local_logto/src").rglob("*.py")]
    found = {str(path): unseen_texts(path.read_text(encoding="utf-8")) for path in sources}
    assert {path: texts for path, texts in found.items() if texts} == {}


def test_a_text_that_is_marked_inside_an_f_string_is_found() -> None:
    assert unseen_texts("""say(f"{_('Stopped')} at {moment}")""") == ["_('Stopped')"]
