"""Texts in templates: ``{{ _('Create project') }}``, and ``{% trans %}`` around a sentence with markup in it.

A text without values is translated when its template is compiled, so it costs a request nothing. One with
values is looked up when it is rendered. Its values are escaped, and the text itself is not: catalogues are
part of the program.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2 import Environment
from jinja2.ext import InternationalizationExtension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

from saas_app.text.translation import number, translated


class TranslatedTexts(InternationalizationExtension):
    """Jinja's own extension for translations, which also translates constants early."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Replace each ``_('…')`` without values by the translated text."""
        tokens = list(stream)
        position = 0
        while position < len(tokens):
            ahead = tokens[position : position + 4]
            if [token.type for token in ahead] == ["name", "lparen", "string", "rparen"] and ahead[
                0
            ].value == "_":
                text = self.environment.globals["_"](ahead[2].value)  # type: ignore[operator]
                yield Token(ahead[0].lineno, "string", str(text))
                position += len(ahead)
            else:
                yield tokens[position]
                position += 1


def texts_of(environment: Environment, language: str) -> None:
    """Let the templates of an environment speak this language."""

    def text(message: str, **values: Any) -> Markup:
        return _filled(translated(language, message), values)

    def plural(singular: str, plural: str, num: int, **values: Any) -> Markup:
        return _filled(
            translated(language, singular, plural, num=num), {**values, "num": number(num, language)}
        )

    def in_context(context: str, message: str, **values: Any) -> Markup:
        return _filled(translated(language, message, context=context), values)

    environment.newstyle_gettext = True  # type: ignore[attr-defined]  # values go to the functions above
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals.update(_=text, gettext=text, ngettext=plural, pgettext=in_context)


def _filled(text: str, values: dict[str, Any]) -> Markup:
    return Markup(text) % values if values else Markup(text)  # noqa: S704 - catalogues are ours
