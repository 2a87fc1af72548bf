"""Environment files: a written file can be read, sourced by a shell, and updated without loss."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas_app.errors import ConfigurationError
from saas_app.operations.env_file import overlay_environment, read_env_file, write_env_file


def characters(without: str) -> st.SearchStrategy[str]:
    return st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters=without)


VALUES = st.text(characters("$`"), max_size=40) | st.text(characters("'\\"), max_size=40)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of an environment file that does not exist yet."""
    return tmp_path / ".env"


def test_comments_blank_lines_and_other_values_are_kept(path: Path) -> None:
    path.write_text("# mine\n\nOTHER=1  # why\nexport LOGTO_APP_ID=old\n#LOGTO_APP_SECRET=no\n")

    write_env_file(path, {"LOGTO_APP_ID": "new", "LOGTO_APP_SECRET": "s"})

    assert path.read_text() == (
        "# mine\n\nOTHER=1  # why\nLOGTO_APP_ID=new\n#LOGTO_APP_SECRET=no\nLOGTO_APP_SECRET=s\n"
    )
    assert read_env_file(path) == {"OTHER": "1", "LOGTO_APP_ID": "new", "LOGTO_APP_SECRET": "s"}


def test_a_duplicate_name_is_written_once(path: Path) -> None:
    path.write_text("A=1\nA=2\n")

    write_env_file(path, {"A": "3"})

    assert path.read_text() == "A=3\n"


def test_only_the_owner_may_read_a_written_file(tmp_path: Path, path: Path) -> None:
    path.write_text("A=1\n")
    path.chmod(0o644)

    write_env_file(path, {"A": "2"})

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_symbolic_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / ".env"
    target.write_text("A=1\n")
    link.symlink_to(target)

    write_env_file(link, {"A": "2"})

    assert link.is_symlink()
    assert target.read_text() == "A=2\n"


@given(value=VALUES)
def test_a_written_value_is_read_back(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    path = tmp_path_factory.mktemp("env") / ".env"

    write_env_file(path, {"VALUE": value})

    assert read_env_file(path) == {"VALUE": value}


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "",
        "with space",
        "it's",
        'say "so"',
        "$HOME `id` $(id)",
        "a#b",
        "a=b&c=d",
        "back\\slash",
        "end\\",
        'it\'s \\ "so"',
    ],
)
def test_a_shell_reads_the_same_value(path: Path, value: str) -> None:
    write_env_file(path, {"VALUE": value})
    shell = shutil.which("sh")
    assert shell

    output = subprocess.run(
        [shell, "-c", f'. {path}; printf %s "$VALUE"'], capture_output=True, text=True, check=True
    ).stdout

    assert output == value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("export A=1", "1"),
        ("A = 1", None),
        ("A=a b # c", "a b"),
        ("A=a#b", "a#b"),
        ("A='a # b'  # c", "a # b"),
        ('A="a b"', "a b"),
        ("A=", ""),
        ("A", None),
        ("A='open", None),
        ("A='it'\"'\"'s'", None),
        ("A-B=1", None),
        ('A="it\'s \\"so\\""', 'it\'s "so"'),
        ('A="one\\ntwo"', "one\ntwo"),
        ("A=$HOME", "$HOME"),
    ],
)
def test_lines_are_read_as_people_write_them(path: Path, line: str, value: str | None) -> None:
    path.write_text(f"\n{line}\n")

    if value is None:
        with pytest.raises(ConfigurationError, match="line 2"):
            read_env_file(path)
    else:
        assert read_env_file(path) == {"A": value}


def test_the_environment_overrides_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("WORKROOM_TEST_A=file\nWORKROOM_TEST_B=file\n")
    monkeypatch.setenv("WORKROOM_TEST_A", "environment")
    monkeypatch.setenv("WORKROOM_TEST_B", "to be taken back at the end")
    monkeypatch.delenv("WORKROOM_TEST_B")

    overlay_environment(path)

    assert os.environ["WORKROOM_TEST_A"] == "environment"
    assert os.environ["WORKROOM_TEST_B"] == "file"


def test_a_missing_file_is_reported_with_the_command_that_creates_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"provision --write-env"):
        read_env_file(tmp_path / "none.env")


def test_a_missing_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"Cannot write .*: No such file"):
        write_env_file(tmp_path / "none" / ".env", {"A": "1"})


def test_a_line_break_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="A contains a line break"):
        write_env_file(tmp_path / ".env", {"A": "1\nB=2"})


@pytest.mark.parametrize("value", ["it's $5", "it's `id`", "a\\$b"])
def test_a_value_that_a_shell_would_expand_is_rejected(path: Path, value: str) -> None:
    with pytest.raises(ConfigurationError, match="A contains"):
        write_env_file(path, {"A": value})

    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfAPP_URL=https://work.example\nB=2\n",
        b"APP_URL=https://work.example\r\nB=2\r\n",
        b"\xef\xbb\xbf# Workroom\r\nAPP_URL=\"https://work.example\"\r\n\r\nB='2'",
        b"APP_URL=https://work.example\rB=2",
        b"  export APP_URL= https://work.example \t\nB=2 # two\n",
    ],
)
def test_files_of_every_editor_are_read(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    assert read_env_file(path) == {"APP_URL": "https://work.example", "B": "2"}
    write_env_file(path, {"B": "3"})
    assert read_env_file(path) == {"APP_URL": "https://work.example", "B": "3"}


def test_a_unicode_line_separator_does_not_end_a_line(path: Path) -> None:
    path.write_text("A=one\u2028two\nB=3\n", encoding="utf-8")
    assert read_env_file(path) == {"A": "one\u2028two", "B": "3"}


def test_a_utf_16_file_is_rejected(path: Path) -> None:
    path.write_text("A=1\n", encoding="utf-16")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_env_file(path)
