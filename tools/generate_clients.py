"""Generate typed clients of the JSON API from ``docs/openapi.json``, in Python and TypeScript.

``make clients`` installs the generators and writes the clients to ``build/clients``. An argument names
another folder. Decision 24 says why these generators, and why the result is not committed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]
_DOCUMENT: Final = _ROOT / "docs/openapi.json"
_PROGRAMS: Final = Path(sys.executable).parent
_DENO: Final = {
    "imports": {"api-client": "./src/index.ts"},
    # the generated code is written for browsers, and for tsc --strict
    "compilerOptions": {"lib": ["dom", "dom.iterable", "esnext"], "noImplicitOverride": False},
}


def main(arguments: list[str]) -> None:
    """Write both clients. Exits with the message of a generator that fails."""
    folder = Path(arguments[0]) if arguments else _ROOT / "build/clients"
    shutil.rmtree(folder, ignore_errors=True)
    generate_python(folder / "python")
    generate_typescript(folder / "typescript")
    print(f"Written to {folder}")  # noqa: T201


def generate_python(folder: Path) -> None:
    """Write the package ``api_client``, for httpx. Exits if the generator leaves anything out."""
    folder.mkdir(parents=True)
    config = folder / "config.json"
    format_it = f"{_PROGRAMS / 'ruff'} format --isolated --quiet ."
    config.write_text(json.dumps({"post_hooks": [format_it]}), encoding="utf-8")
    package = folder / "api_client"
    options = ["--path", _DOCUMENT, "--output-path", package, "--config", config]
    _run("openapi-python-client", "generate", "--meta", "none", "--fail-on-warning", *options)
    config.unlink()


def generate_typescript(folder: Path) -> None:
    """Write the modules to ``src``, for fetch, and the configuration with which Deno finds them."""
    only_code = "apiDocs=false,modelDocs=false,apiTests=false,modelTests=false"
    options = ["--input-spec", _DOCUMENT, "--output", folder / "src", "--global-property", only_code]
    _run(
        "openapi-generator-cli",
        "generate",
        *["--generator-name", "typescript-fetch", "--additional-properties", "importFileExtension=.ts"],
        *options,
    )
    (folder / "deno.json").write_text(json.dumps(_DENO, indent=2) + "\n", encoding="utf-8")


def _run(program: str, *arguments: str | Path) -> None:
    """Run a generator that is installed beside this Python. Its output is shown only if it fails."""
    command = [_PROGRAMS / program, *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if finished.returncode:
        sys.exit(f"{program} failed:\n{finished.stdout}{finished.stderr}")


if __name__ == "__main__":
    main(sys.argv[1:])
