"""Who may import whom, as ARCHITECTURE.md says: the contracts of import-linter hold."""

from importlinter.cli import lint_imports


def test_the_import_contracts_hold(capsys: object) -> None:
    assert lint_imports() == 0
