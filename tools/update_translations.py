"""Bring the catalogues of Workroom and local_logto up to date with the texts in their code and templates.

New messages are added without a translation, and those that are gone are removed. With a tag as its argument,
it starts the catalogue of another language first.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import read_po, write_po

from saas_app.operations.language import help_message

_ROOT: Final = Path(__file__).resolve().parents[1]
_HEADER: Final = "# Texts of {}. docs/translate.md says how to edit this file."
_JINJA: Final = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}
_WIDTH: Final = 110


@dataclass(frozen=True)
class Project:
    """A project with texts. Each language is a file in its folder of catalogues."""

    name: str
    code: Path
    templates: Path
    catalogues: Path


_PROVIDER: Final = _ROOT / "local_logto/src/local_logto"
WORKROOM: Final = Project("Workroom", _ROOT / "saas_app", _ROOT / "templates", _ROOT / "translations")
LOCAL_LOGTO: Final = Project("local_logto", _PROVIDER, _PROVIDER / "templates", _PROVIDER / "translations")


def extract(project: Project = WORKROOM) -> Catalog:
    """Return every message of the project, with the files it stands in."""
    catalog = Catalog(charset="utf-8")
    sources = [(path, "python", {}) for path in sorted(project.code.rglob("*.py"))]
    sources += [
        (path, "jinja2.ext:babel_extract", _JINJA) for path in sorted(project.templates.rglob("*.html"))
    ]
    for path, method, options in sources:
        for _, ids, comments, context in extract_from_file(
            method,
            path,
            keywords=DEFAULT_KEYWORDS,
            comment_tags=("Translators:",),
            options=options,
            strip_comment_tags=True,
        ):
            catalog.add(
                ids, locations=[(str(path.relative_to(_ROOT)), 0)], auto_comments=comments, context=context
            )
    for path in sorted(project.code.rglob("*.py")):
        for help_text in _help_of_commands(path) if project is WORKROOM else ():
            catalog.add(help_text, locations=[(str(path.relative_to(_ROOT)), 0)])
    return catalog


def _help_of_commands(path: Path) -> Iterator[str]:
    """Yield the help of the commands in a module: docstrings of functions that a decorator makes commands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and any(map(_makes_a_command, node.decorator_list)):
            yield help_message(ast.get_docstring(node) or "")


def _makes_a_command(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(function, ast.Attribute) and function.attr in ("command", "group")


def update(path: Path, found: Catalog, project: Project = WORKROOM) -> None:
    """Write a catalogue with exactly the found messages, and the translations it had."""
    tag = path.stem
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=tag.replace("-", "_"))
    else:
        catalog = Catalog(locale=Locale.parse(tag, sep="-"))
    catalog.update(found, no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    with path.open("wb") as file:
        write_po(
            file,
            catalog,
            width=_WIDTH,
            sort_output=True,
            ignore_obsolete=True,
            omit_header=True,
            include_lineno=False,
        )
    body = path.read_text(encoding="utf-8")
    top = (
        f'{_HEADER.format(project.name)}\nmsgid ""\nmsgstr ""\n"Language: {tag}\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Plural-Forms: {catalog.plural_forms}\\n"\n\n'
    )
    path.write_text(top + body.lstrip("\n"), encoding="utf-8")


def main(tags: list[str]) -> None:
    """Update all catalogues, and those of the given tags even if they do not exist yet."""
    for project in (WORKROOM, LOCAL_LOGTO):
        found = extract(project)
        paths = {*project.catalogues.glob("*.po"), *(project.catalogues / f"{tag}.po" for tag in tags)}
        for path in sorted(paths):
            update(path, found, project)
            with path.open("rb") as file:
                catalog = read_po(file)
            missing = sum(
                1
                for message in catalog
                if message.id and not all(message.string if message.pluralizable else [message.string])
            )
            print(f"{path.relative_to(_ROOT)}: {len(catalog)} messages, {missing} without a translation")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
