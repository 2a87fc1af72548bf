"""A commit that is measured beside this checkout runs with the packages that its lock file names."""

from __future__ import annotations

import ensurepip
import subprocess
import sys
from pathlib import Path

import pytest

from bench import checkouts

pytestmark = pytest.mark.one_database

# venv installs this version of pip, so nothing is downloaded and the hash is not compared
LOCK = f"pip=={ensurepip.version()} --hash=sha256:{'0' * 64}\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, which takes the place of this checkout."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "requirements.lock").write_text(LOCK)
    (root / "tools").symlink_to(checkouts.ROOT / "tools")
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.test")
    for command in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "Lock pip")):
        subprocess.run(["git", "-C", str(root), *command], check=True)
    monkeypatch.setattr(checkouts, "ROOT", root)
    return root


@pytest.mark.usefixtures("repository")
def test_a_commit_with_the_same_packages_runs_in_this_environment() -> None:
    with checkouts.open_checkout("HEAD") as before:
        assert before.python == sys.executable


def test_a_commit_with_other_packages_runs_in_an_environment_of_its_own(repository: Path) -> None:
    (repository / "requirements.lock").write_text("# another package since\n")

    with checkouts.open_checkout("HEAD") as before:
        prefix = [before.python, "-c", "import sys; print(sys.prefix)"]
        assert subprocess.check_output(prefix, text=True).strip() == str(before.path / ".venv")
    assert not before.path.exists()
