"""Writes the files of a new feature from the skeleton next to this module. It never overwrites a file."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from string import Template
from typing import Final

from saas_app.config import MIGRATIONS
from saas_app.errors import ConfigurationError
from saas_app.operations.new_feature.names import FeatureNames
from saas_app.text.translation import _

ROOT: Final = MIGRATIONS.parent
_SKELETON: Final = Path(__file__).parent / "skeleton"
_PLACES: Final = {
    "feature": "saas_app/{many}",
    "templates": "templates/{many}",
    "tests": "tests/integration/{many}",
}


def write_feature(names: FeatureNames, root: Path = ROOT) -> list[Path]:
    """Write the files of a feature into a checkout. Return their paths relative to ``root``.

    Raises :class:`ConfigurationError`, with nothing written, if ``root`` is not a checkout, or if a file or
    folder of that name exists.
    """
    if not (root / "tests/integration").is_dir():
        raise ConfigurationError(
            _("%(root)s is not a checkout with tests. Run this command in one.", root=root)
        )
    files = _files(names)
    taken = [path for path in (*_folders(names), *files) if (root / path).exists()]
    if taken:
        raise ConfigurationError(
            _("%(path)s exists already. Choose another name; nothing was written.", path=taken[0])
        )
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return list(files)


def _folders(names: FeatureNames) -> list[Path]:
    return [Path(place.format(many=names.many)) for place in _PLACES.values()]


def _files(names: FeatureNames) -> dict[Path, str]:
    sources = {Path(f"saas_app/models/{names.one}.py"): _SKELETON / "model.py.txt"}
    for folder, place in zip(_PLACES, _folders(names), strict=True):
        for source in sorted((_SKELETON / folder).iterdir()):
            sources[place / source.name.removesuffix(".txt")] = source
    words = names.as_words()
    texts = {path: Template(source.read_text(encoding="utf-8")) for path, source in sources.items()}
    return {path: _with_imports_in_order(text.substitute(words)) for path, text in texts.items()}


def _with_imports_in_order(text: str) -> str:
    """Sort each block of imports, because their order depends on the feature's name."""
    blocks = groupby(text.splitlines(keepends=True), lambda line: line.startswith("from "))
    return "".join(
        line for are_imports, block in blocks for line in (sorted(block) if are_imports else block)
    )
