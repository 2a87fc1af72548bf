"""Runs the steps of a command on a database, and prints each."""

from __future__ import annotations

from saas_app.config import DatabaseLocation
from saas_app.operations.database.steps import Step, Steps, run_steps
from saas_app.operations.output import column, say
from saas_app.text.translation import Sentence, _


def report_steps(location: DatabaseLocation, steps: Steps, *, none: Sentence) -> None:
    """Run the steps and print each with whether it changed anything. ``none`` is said if none did."""
    done = 0

    def report(step: Step) -> None:
        nonlocal done
        say(column(_("done") if step.is_done else _("ok"), 5), step.what)
        done += step.is_done

    run_steps(location, steps, report)
    say(_("%(number)s done.", number=done) if done else none)
