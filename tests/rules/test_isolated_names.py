"""A name in a sentence, a title or an attribute is isolated, so that a right-to-left name reorders nothing.

In an element of its own, the filter ``name`` isolates it with ``<bdi>``. Errors and decisions make their
sentences :class:`saas_app.text.translation.Sentence`, which gives programs the plain text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from saas_app.web.kept_forms import OwnedForms
from tests.databases import ROOT

pytestmark = pytest.mark.one_database

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
NOT_FOR_READERS = (
    "api_clients/usage.py",
    "cli.py",
    "config/*",
    "db/*",
    "demo/*",
    "email_domains/rechecks.py",
    "operations/*",
    "single_sign_on/rechecks.py",
    "web/csv_stream.py",
    "web/json_api/*",
)
"""Modules whose sentences only a terminal, the log or a program reads."""

MODULES = sorted(
    path
    for path in (ROOT / "saas_app").rglob("*.py")
    if not any(fnmatch(str(path.relative_to(ROOT / "saas_app")), part) for part in NOT_FOR_READERS)
)

CHOSEN = "name display_name organization_name title invitee address email search shown subject"
NAMES = set(CHOSEN.split())
"""Variables and attributes that hold a name chosen by a person."""

PLAIN = {"detail", "explanation"}
"""Sentences. They lose the isolation inside another sentence; their ``shown`` keeps it."""

STORED_BY_LOGTO = {"API client of {}, created in Workroom."}
FIXED = {
    "field.name",
    "field.label",
    "button.name",
    "role.name",
    "error.title",
    "standing.policy.name",
    "ended.failure.detail",
    "lesson.title",
    "view.following.title",
    "first_break.title",
    "next_break.title",
}
"""Texts with such a variable that we or an operator chose."""

SAFE = {"isolated", "urlencode", "initial", "length"}
MAKES_TEXT = {"_", "ngettext", "pgettext"}
READS_AS_TEXT = re.compile(r"“|[a-z]{2}[.,;:”]? |[ “][a-z]{2,}")
READ_ALOUD = re.compile(r"\s(?:aria-label|title|alt|placeholder|data-label)=\"[^\"]*\Z")


def path_of(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return f"{path_of(node.node)}.{node.attr}"
    return node.name if isinstance(node, nodes.Name) else "…"


def names_in(node: nodes.Node) -> Iterator[str]:
    """Yield the names in an expression that are not isolated."""
    if isinstance(node, nodes.Filter) and node.name in SAFE:
        return
    if isinstance(node, nodes.CondExpr):
        for branch in (node.expr1, node.expr2):
            if branch is not None:
                yield from names_in(branch)
        return
    if isinstance(node, nodes.Compare):
        return
    path = path_of(node)
    if path.rsplit(".", 1)[-1] in NAMES and path not in FIXED:
        yield path
        return
    for child in node.iter_child_nodes():
        yield from names_in(child)


def attributes_in(output: nodes.Output) -> Iterator[nodes.Node]:
    """Yield the expressions of an output in attributes that are read aloud or shown."""
    before = ""
    for item in output.nodes:
        if isinstance(item, nodes.TemplateData):
            before += item.data
        elif READ_ALOUD.search(before):
            yield item


def bare_names(source: str) -> Iterator[str]:
    """Yield the names in a template's sentences, titles and attributes that are not isolated."""
    environment = jinja2.Environment(extensions=[OwnedForms, "jinja2.ext.i18n"], autoescape=True)
    tree = environment.parse(source)
    for text in tree.find_all(nodes.Call):
        if path_of(text.node) in MAKES_TEXT:
            yield from (name for value in text.kwargs for name in names_in(value))
    for sentence in tree.find_all(nodes.Concat):
        yield from (name for part in sentence.nodes for name in names_in(part))
    for block in tree.find_all(nodes.Block):
        if block.name == "title":
            yield from (name for output in block.find_all(nodes.Output) for name in names_in(output))
    for output in tree.find_all(nodes.Output):
        yield from (name for part in attributes_in(output) for name in names_in(part))


def names_in_value(value: ast.AST) -> Iterator[str]:
    """Yield the names and sentences in a Python expression that are not isolated."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) in SAFE:
        return
    if isinstance(value, ast.Name | ast.Attribute):
        path = ast.unparse(value).split(".")
        is_sentence = path[-1] == "shown" and path[-2:-1] and path[-2] in PLAIN
        if path[-1] in NAMES | PLAIN and ".".join(path) not in FIXED and not is_sentence:
            yield ".".join(path)
        return
    for child in ast.iter_child_nodes(value):
        yield from names_in_value(child)


def bare_names_of_sentences(source: str) -> Iterator[str]:
    """Yield the names in a module's sentences that are not isolated."""
    for text in ast.walk(ast.parse(source)):
        if isinstance(text, ast.JoinedStr):
            words = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in text.values
            )
            if READS_AS_TEXT.search(words) and words not in STORED_BY_LOGTO:
                yield from names_in_value(text)
        if isinstance(text, ast.Call) and ast.unparse(text.func) in MAKES_TEXT:
            yield from (name for keyword in text.keywords for name in names_in_keyword(keyword))


def names_in_keyword(keyword: ast.keyword) -> Iterator[str]:
    """Yield the names in a value of a text. A sentence may stand there: it keeps its own names isolated."""
    yield from (name for name in names_in_value(keyword.value) if name.rsplit(".", 1)[-1] not in PLAIN)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_names_in_sentences_of_templates_are_isolated(path: Path) -> None:
    assert list(bare_names(path.read_text(encoding="utf-8"))) == []


def test_names_in_sentences_of_modules_are_isolated() -> None:
    found = {
        str(path.relative_to(ROOT)): bare
        for path in MODULES
        if (bare := list(bare_names_of_sentences(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "{{ header('Delete “' ~ project.name ~ '”?') }}",
        "{{ button('Remove ' ~ member.display_name|truncate(24)) }}",
        "{% block title %}Edit {{ project.name }}{% endblock %}",
        '<a aria-label="Revoke {{ client.name }}">…</a>',
        "{{ _('Revoke %(name)s', name=client.name) }}",
    ],
)
def test_a_bare_name_in_a_template_is_found(source: str) -> None:
    assert len(list(bare_names(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'flash(f"{made.name} is ready")',
        'raise Conflict(f"“{project.name[:64]}”")',
        'raise NotFound(f"Not in {(tenant or former).organization_name}.")',
        'raise Conflict(f"Type “{as_displayed(name)}” to confirm.")',
        'said = f"Invited, but not told. {error.detail}"',
        '_("“%(name)s” was created.", name=made.name)',
    ],
)
def test_a_bare_name_in_a_sentence_is_found(source: str) -> None:
    assert len(list(bare_names_of_sentences(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'flash(f"{isolated(made.name)} is ready")',
        'said = f"Invited. {error.detail.shown}"',
        '_("“%(name)s” was created. %(why)s", name=isolated(made.name), why=error.detail)',
        'f"{name}={value}"',
    ],
)
def test_an_isolated_name_passes(source: str) -> None:
    assert list(bare_names_of_sentences(source)) == []
