"""The command line of the benchmarks: ``python -m bench run``, ``compare`` and ``page``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import click
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from bench.checkouts import open_checkout, this_checkout
from bench.page import RESULTS
from bench.page import write as write_page
from bench.run import Plan, run
from bench.running_twins import installed
from bench.subjects import SUBJECTS, TWIN_OF_WORKROOM, TWINS
from bench.table import comparison, result_table

_POSTGRESQL: Final = "postgresql+asyncpg://postgres@127.0.0.1/postgres"
_KEYS: Final = tuple(subject.key for subject in SUBJECTS)


@click.group()
def main() -> None:
    """Measure how much CPU time requests to Workroom cost, beside lean twins on several frameworks."""


@main.command("run")
@click.option("--only", default="", help=f"Subjects, separated by commas: {', '.join(_KEYS)}.")
@click.option("--twins", default=",".join(TWINS), show_default=True, help="Twins, separated by commas.")
@click.option("--against", help="A checkout, or a git reference, whose code is measured in the same rounds.")
@click.option(
    "--database", type=click.Choice(["sqlite", "postgresql", "both"]), default="both", show_default=True
)
@click.option(
    "--postgresql", envvar="TEST_DATABASE_URL", default=_POSTGRESQL, show_default=True, help="The server."
)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option(
    "--seconds", type=float, default=0.3, show_default=True, help="CPU seconds of a subject in a round."
)
@click.option(
    "--memory-requests",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Measure memory before and after this many requests to each server, and start-up too.",
)
@click.option("--output", type=click.Path(path_type=Path), help="The file for the result, as JSON.")
@click.option("--keep", is_flag=True, help="Write the result to bench/results, named after date and commit.")
def run_command(
    only: str,
    twins: str,
    against: str | None,
    database: str,
    postgresql: str,
    rounds: int,
    seconds: float,
    memory_requests: int,
    output: Path | None,
    keep: bool,
) -> None:
    """Measure this checkout, and print a table for each database."""
    keys = frozenset(only.split(",") if only else _KEYS)
    if unknown := keys - set(_KEYS):
        raise click.UsageError(f"Unknown subjects: {', '.join(sorted(unknown))}. Known: {', '.join(_KEYS)}.")
    with ExitStack() as stack:
        checkouts = [this_checkout()]
        if against:
            checkouts.append(stack.enter_context(open_checkout(against)))
        databases, chosen = _databases(database, postgresql), _twins(twins.split(","))
        result = run(Plan(checkouts, databases, keys, chosen, rounds, seconds, memory_requests), _say)
    for name, numbers in result["databases"].items():
        click.echo(f"\n{name}, {result['commit']}\n\n{result_table(numbers['subjects'])}")
    if keep:
        RESULTS.mkdir(exist_ok=True)
        output = RESULTS / f"{result['at'][:10]}-{result['commit']}.json"
    if output is not None:
        output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        _say(f"Written to {output}")


def _databases(wanted: str, postgresql: str) -> dict[str, str | None]:
    """Return the databases to measure on. PostgreSQL is skipped if it is not reachable."""
    databases = {"sqlite": None, "postgresql": postgresql}
    if wanted != "both":
        databases = {wanted: databases[wanted]}
    if "postgresql" in databases and (failure := asyncio.run(_connection_failure(postgresql))):
        if wanted == "postgresql":
            raise click.ClickException(f"PostgreSQL is not reachable: {failure}")
        _say(f"Skipped PostgreSQL, which is not reachable: {failure}")
        del databases["postgresql"]
    return databases


def _twins(wanted: Collection[str]) -> list[str]:
    """Return the wanted twins that are installed, always with the one to which Workroom is compared."""
    chosen = [name for name in TWINS if name in wanted or name == TWIN_OF_WORKROOM]
    if missing := set(chosen) - set(installed(chosen)):
        _say(f"Skipped the twins on {', '.join(sorted(missing))}, which make bench installs.")
    return installed(chosen)


@main.command("compare")
@click.argument("old", type=click.Path(exists=True, path_type=Path))
@click.argument("new", type=click.Path(exists=True, path_type=Path))
def compare_command(old: Path, new: Path) -> None:
    """Compare two kept results."""
    click.echo(comparison(_read(old), _read(new)))


@main.command("page")
@click.argument("result", type=click.Path(exists=True, path_type=Path))
def page_command(result: Path) -> None:
    """Show a kept result in docs/performance.md, and draw its charts."""
    write_page(result)


def _read(path: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


async def _connection_failure(url: str) -> str | None:
    """Return why a database server cannot be reached, or None if it can."""
    engine = create_async_engine(url, connect_args={"timeout": 5})
    try:
        async with engine.connect() as connection:
            await connection.execute(sa.text("SELECT 1"))
    except (OSError, sa.exc.SQLAlchemyError) as failure:
        return str(failure).splitlines()[0]
    finally:
        await engine.dispose()
    return None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(prog_name="python -m bench")
