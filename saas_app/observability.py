"""Structured logs with a request id and without secrets.

The line for a request has the path without its query, because the query of a sign-in callback contains a
code.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from types import TracebackType
from typing import Any

import uuid_utils
from quart import Request, Response, g

from saas_app.audit.trace import Trace, current_trace
from saas_app.text.cleaning import clean_line
from saas_app.without_rich import structlog

log = structlog.get_logger("saas_app.access")

_SECRET_NAMES = re.compile(r"token|secret|password|cookie|authorization|verifier|^code$", re.IGNORECASE)
_HEALTH = ("/healthz", "/readyz")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def configure_logging(log_format: str) -> None:
    """Log one line per event to standard error, for people (``console``) or programs (``json``)."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            add_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact_secrets,
            structlog.processors.format_exc_info if log_format == "json" else _leave,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def take_over_logging(log_format: str) -> None:
    """Log everything in one format: our events, other packages' logs, warnings, and uncaught exceptions.

    Only programs call this. Code that imports the application keeps its own logging.
    """
    configure_logging(log_format)
    is_json = log_format == "json"
    handler = logging.StreamHandler(sys.stderr)
    if is_json:
        handler.setFormatter(_json_formatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    if is_json:
        logging.captureWarnings(True)
        sys.excepthook = _log_uncaught
        threading.excepthook = _log_uncaught_in_thread
        sys.unraisablehook = _log_unraisable


def _json_formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact_secrets,
            structlog.processors.JSONRenderer(),
        ],
    )


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("saas_app").critical("ended by an error", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(uncaught: threading.ExceptHookArgs) -> None:
    if uncaught.exc_value is not None:
        _log_uncaught(uncaught.exc_type, uncaught.exc_value, uncaught.exc_traceback)


def _log_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    message = unraisable.err_msg or "an exception was ignored"
    error = unraisable.exc_value
    logging.getLogger("saas_app").error(
        message, exc_info=(type(error), error, unraisable.exc_traceback) if error is not None else None
    )


def add_request_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the id of the request in which the event happens, if there is one."""
    if request_id := current_trace.get().request_id:
        event["request_id"] = request_id
    return event


def redact_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of all fields whose names suggest a secret, at any depth."""
    for name, value in event.items():
        if name != "event" and (_suggests_secret(name) or not isinstance(value, str | int | float)):
            event[name] = _without_secrets(name, value)
    return event


@lru_cache(maxsize=1024)
def _suggests_secret(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None


def _without_secrets(name: str, value: Any) -> Any:
    if _suggests_secret(name):
        return "[redacted]"
    if isinstance(value, Mapping):
        return {key: _without_secrets(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets("", inner) for inner in value]
    return value


def _leave(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return event


def init() -> None:
    """Configure structlog if nothing else has.

    By default, structlog uses ``rich`` if it is installed, which shows all local variables of an exception,
    including secrets, and blocks the event loop for seconds.
    """
    if not structlog.is_configured():
        configure_logging("console")


def begin_request(request: Request) -> None:
    """Give the request an id: the caller's, if it has the form of one, or a new one."""
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid_utils.uuid7())
    g.started = time.perf_counter()
    current_trace.set(Trace(g.request_id, clean_line(request.remote_addr)))


def finish_request(request: Request, response: Response) -> None:
    """Send the request's id, and log one line for its response.

    Static files are not logged, and neither are health checks that succeed: a load balancer sends one every
    few seconds.
    """
    response.headers["X-Request-Id"] = g.get("request_id", "")
    rule = request.url_rule.rule if request.url_rule else None
    is_quiet = rule is None or rule.startswith("/static") or (rule in _HEALTH and response.status_code == 200)
    if not is_quiet:
        milliseconds = round((time.perf_counter() - g.started) * 1000, 1) if "started" in g else None
        log.info(
            "request", method=request.method, path=request.path, status=response.status_code, ms=milliseconds
        )
