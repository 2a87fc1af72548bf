"""Reads and checks ``connectors.toml``, and fills in values from the environment.

A file that breaks a rule is rejected before anything is sent. Each problem names the key and the rule.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from saas_app.errors import ConfigurationError
from saas_app.identity.offered_methods import OfferedMethods, SocialButton
from saas_app.operations.sign_in_methods.checks import check
from saas_app.operations.sign_in_methods.model import SECRETS, Declaration
from saas_app.operations.sign_in_methods.problem import Problem
from saas_app.text.translation import Sentence, _
from saas_app.text.validation import describe

FILE_VARIABLE: Final = "CONNECTORS_FILE"
DEFAULT_FILE: Final = Path("connectors.toml")

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_REFERENCE_RULE: Final = _(
    'must name an environment variable, as in "${NAME}", because secrets must not be in the file'
)
_SHAPES: Final = {"missing": _("is missing"), "extra_forbidden": _("is not a known key")}


def find_declaration(environ: Mapping[str, str]) -> Path | None:
    """Return the file to read: ``CONNECTORS_FILE``, otherwise ``connectors.toml`` if it exists.

    None if there is no file, or if the variable is set to "".
    """
    named = environ.get(FILE_VARIABLE)
    if named is not None:
        return Path(named) if named else None
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def load_declaration(path: Path, environ: Mapping[str, str]) -> Declaration:
    """Return the declaration, complete and checked.

    Raises :class:`ConfigurationError` with every invalid key and the rule it breaks. It contains no values,
    because a secret may be in the wrong place.
    """
    document, faults = _resolved(_read(path), environ)
    declaration = _parsed(path, document, faults)
    unknown = {fault.key for fault in faults}  # their values are missing, so they cannot be checked
    problems = [*faults, *(problem for problem in check(declaration) if problem.key not in unknown)]
    if problems:
        raise _refused(path, problems)
    return declaration


def offered_methods(path: Path | None) -> OfferedMethods:
    """Return the sign-in methods for the front page. It needs no secrets, and checks no rules.

    Codes are offered only where Logto asks for one first. Where the password comes first, a button for codes
    would lead to the password.

    Raises :class:`ConfigurationError` if the file cannot be read.
    """
    if path is None:
        return OfferedMethods()
    declaration = _parsed(path, _read(path))
    buttons = (declaration.social.buttons if declaration.social else None) or ()
    names = {connector.target: connector.label for connector in declaration.connectors.social}
    return OfferedMethods(
        email_code=declaration.proofs_of("email")[:1] == ("code",),
        sms_code=declaration.proofs_of("phone")[:1] == ("code",),
        social=tuple(SocialButton(target, names[target]) for target in buttons if target in names),
    )


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            _("Cannot read %(path)s: %(strerror)s.", path=path, strerror=error.strerror)
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(_("Cannot read %(path)s: it is not UTF-8 text.", path=path)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            _("%(path)s is not valid TOML: %(error)s.", path=path, error=error)
        ) from None


def _parsed(path: Path, document: Mapping[str, object], known: Iterable[Problem] = ()) -> Declaration:
    """Return the document as a declaration. ``known`` problems are reported with those found here."""
    try:
        return Declaration.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        problems = [
            Problem(_key(problem["loc"]), _SHAPES.get(problem["type"]) or describe(problem))
            for problem in found
        ]
        raise _refused(path, [*known, *problems]) from None


def _key(location: Iterable[int | str]) -> str:
    return ".".join(str(part) for part in location if part != "[key]")


def _refused(path: Path, problems: Iterable[Problem]) -> ConfigurationError:
    told = Sentence.joined((problem.sentence for problem in problems), "; ")
    return ConfigurationError(_("%(path)s: %(problems)s.", path=path, problems=told))


def _resolved(
    document: dict[str, object], environ: Mapping[str, str]
) -> tuple[dict[str, object], list[Problem]]:
    """Fill values from the environment into the connectors. Return the document and the problems found.

    A reference to a variable that is not set remains, so that everything else can still be checked.
    """
    connectors = document.get("connectors")
    if not isinstance(connectors, dict):
        return document, []  # the model reports its wrong type
    problems: list[Problem] = []

    def filled(connector: str, section: object) -> object:
        if not isinstance(section, dict):
            return section
        for key, value in section.items():
            if isinstance(value, str):
                problems.extend(_faults(f"connectors.{connector}.{key}", key, value, environ))
        return {key: _filled(value, environ) for key, value in section.items()}

    return document | {"connectors": {name: filled(name, section) for name, section in connectors.items()}}, (
        problems
    )


def _faults(path: str, key: str, value: str, environ: Mapping[str, str]) -> Iterator[Problem]:
    if key in SECRETS and not _REFERENCE.fullmatch(value):
        yield Problem(path, _REFERENCE_RULE)
    for name in _REFERENCE.findall(value):
        if not environ.get(name):
            yield Problem(path, _("the environment variable %(name)s is not set", name=name))


def _filled(value: object, environ: Mapping[str, str]) -> object:
    if not isinstance(value, str):
        return value
    return _REFERENCE.sub(lambda match: environ.get(match[1]) or match[0], value)
