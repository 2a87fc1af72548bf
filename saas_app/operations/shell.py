"""A Python prompt on the database of a deployment, with ``await`` at the top level.

Sessions come from the application's unit of work, so tenant rules apply here too: a statement on an
organization's table outside that organization raises :class:`saas_app.db.tenant_scope.OutsideTenant`.
"""

from __future__ import annotations

import ast
import asyncio
import code
import contextlib
import inspect
import traceback
import types
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

import saas_app.models  # noqa: F401 - registers every model
from saas_app.config import Settings
from saas_app.db.base import Base, utc_now
from saas_app.db.connecting import connecting_to
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.operations.migrate import read_state
from saas_app.rbac.permissions import Permission, Role
from saas_app.text.translation import Sentence, _

_BANNER = _("""\
Workroom's database %(database)s

  settings, work (the unit of work), sa, select, utc_now, Permission, Role, and the models:
  %(models)s

  await rows(select(Organization))                     rows of a shared table
  await rows(select(AuditEvent), "ORGANIZATION-ID")    rows of one organization
  async with work.writing("ORGANIZATION-ID") as db:    changes, committed at the end of the block

Leave with Ctrl-D.""")


def run_shell(settings: Settings) -> None:
    """Read and run lines until the end of input."""
    read_state(settings.for_jobs)  # names the setting if the address is wrong
    engine = create_engine(settings.jobs_url)
    with asyncio.Runner() as runner:
        try:
            work = UnitOfWork(engine)
            models = {mapper.class_.__name__: mapper.class_ for mapper in Base.registry.mappers}
            names = {
                "settings": settings, "work": work, "rows": _rows_of(work), "sa": sa, "select": sa.select,
                "utc_now": utc_now, "Permission": Permission, "Role": Role, **models,
            }  # fmt: skip
            _enable_completion(names)
            database = connecting_to(settings.jobs_url).url.render_as_string(hide_password=True)
            banner = Sentence(str(_BANNER), {"database": database, "models": ", ".join(sorted(models))}).said
            _AsyncConsole(names, runner).interact(banner, exitmsg="")
        finally:
            runner.run(engine.dispose())


def _rows_of(work: UnitOfWork) -> Any:
    async def rows(statement: sa.Select[Any], organization_id: str | None = None) -> Sequence[Any]:
        """Return what a statement selects: values if it has one column or entity, otherwise tuples."""
        async with work.writing(organization_id) as db:  # a reading session returns no objects
            result = await db.execute(statement)
            found: Sequence[Any] = result.scalars().all() if len(result.keys()) == 1 else result.all()
            return found

    return rows


class _AsyncConsole(code.InteractiveConsole):
    """The standard console, with top-level ``await``. Coroutines run in ``runner``."""

    def __init__(self, names: dict[str, Any], runner: asyncio.Runner) -> None:
        super().__init__(names)
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._runner = runner

    def runcode(self, code: types.CodeType) -> None:
        """Run one statement. An exception is printed, and the prompt continues."""
        try:
            result = types.FunctionType(code, self.locals)()
            if inspect.iscoroutine(result):
                self._runner.run(result)
        except SystemExit:
            raise
        except BaseException as error:  # noqa: BLE001 - like the standard console, including Ctrl-C
            self.write("".join(traceback.format_exception_only(error)))  # the driver's traceback is long


def _enable_completion(names: dict[str, Any]) -> None:
    """Complete names with the Tab key, if this Python has readline."""
    with contextlib.suppress(ImportError):
        import readline
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
