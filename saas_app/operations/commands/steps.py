"""Runs the steps of a command on a database, and prints each."""

from __future__ import annotations

import click

from saas_app.config import DatabaseLocation
from saas_app.operations.database.steps import Step, Steps, run_steps


def report_steps(location: DatabaseLocation, steps: Steps, *, none: str) -> None:
    """Run the steps and print each with whether it changed anything. ``none`` is said if none did."""
    done = 0

    def report(step: Step) -> None:
        nonlocal done
        click.echo(f"{'done' if step.is_done else 'ok':<5} {step.what}")
        done += step.is_done

    run_steps(location, steps, report)
    click.echo(f"{done} done." if done else none)
