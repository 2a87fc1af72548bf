"""A name inside a sentence, a title or an attribute is isolated: one from right to left turns nothing.

In an element of its own it is the filter ``name`` that does it, with ``<bdi>``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from saas_app.web.kept_forms import OwnedForms

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = sorted((ROOT / "saas_app").rglob("*pages.py"))

NAMES = {"name", "display_name", "organization_name", "title", "invitee", "address", "search", "shown"}
"""What templates and modules call a text that somebody chose for a person or a thing."""

FIXED = {"field.name", "field.label", "button.name", "role.name", "error.title"}
"""Named so too, but by us or by an operator."""

SAFE = {"isolated", "urlencode", "initial", "length"}
READ_ALOUD = re.compile(r"\s(?:aria-label|title|alt|placeholder|data-label)=\"[^\"]*\Z")


def path_of(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return f"{path_of(node.node)}.{node.attr}"
    return node.name if isinstance(node, nodes.Name) else "…"


def names_in(node: nodes.Node) -> Iterator[str]:
    """The names in an expression that nothing isolates."""
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
    """The expressions of an output that stand in an attribute which is read aloud or shown as a text."""
    before = ""
    for item in output.nodes:
        if isinstance(item, nodes.TemplateData):
            before += item.data
        elif READ_ALOUD.search(before):
            yield item


def bare_names(source: str) -> Iterator[str]:
    """The names that stand bare in a template's sentences, titles and attributes."""
    environment = jinja2.Environment(extensions=[OwnedForms], autoescape=True)
    tree = environment.parse(source)
    for sentence in tree.find_all(nodes.Concat):
        yield from (name for part in sentence.nodes for name in names_in(part))
    for block in tree.find_all(nodes.Block):
        if block.name == "title":
            yield from (name for output in block.find_all(nodes.Output) for name in names_in(output))
    for output in tree.find_all(nodes.Output):
        yield from (name for part in attributes_in(output) for name in names_in(part))


def bare_names_of_notices(source: str) -> Iterator[str]:
    """The names that stand bare in the sentences that a module of pages builds."""
    for sentence in ast.walk(ast.parse(source)):
        if isinstance(sentence, ast.JoinedStr):
            values = [item.value for item in sentence.values if isinstance(item, ast.FormattedValue)]
            for path in map(ast.unparse, values):
                if path.rsplit(".", 1)[-1] in NAMES and path not in FIXED:
                    yield path


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_names_in_sentences_of_templates_are_isolated(path: Path) -> None:
    assert list(bare_names(path.read_text(encoding="utf-8"))) == []


def test_names_in_notices_are_isolated() -> None:
    found = {
        str(path.relative_to(ROOT)): bare
        for path in MODULES
        if (bare := list(bare_names_of_notices(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "{{ header('Delete “' ~ project.name ~ '”?') }}",
        "{{ button('Remove ' ~ member.display_name|truncate(24)) }}",
        "{% block title %}Edit {{ project.name }}{% endblock %}",
        '<a aria-label="Revoke {{ client.name }}">…</a>',
    ],
)
def test_a_bare_name_is_found(source: str) -> None:
    assert len(list(bare_names(source))) == 1


def test_a_bare_name_in_a_notice_is_found() -> None:
    assert list(bare_names_of_notices('flash(f"{made.name} is ready")')) == ["made.name"]
