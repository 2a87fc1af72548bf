"""Faults in JSON values, worded as by zod, the validator that Logto uses. Pure."""

from __future__ import annotations

from typing import Any, Final

from local_logto.errors import RequestError

Issue = dict[str, Any]
Path = tuple[str | int, ...]

MISSING: Final = object()
_KINDS: Final = (
    (bool, "boolean"),
    (str, "string"),
    (int, "number"),
    (float, "number"),
    (list, "array"),
    (dict, "object"),
)


def refusal_of_faults(code: str, message: str, issues: list[Issue]) -> RequestError:
    """Return the 400 that lists these faults, each with its path."""
    return RequestError(
        400,
        code,
        message,
        data={"issues": issues, "name": "ZodError"},
        details="\n".join(_detail(issue) for issue in issues),
    )


def wrong_type(expected: str, value: object, path: Path, issues: list[Issue]) -> Any:
    """Report a value of another type, or a missing one, and return it."""
    received = _kind_of(value)
    message = "Required" if value is MISSING else f"Expected {expected}, received {received}"
    report(issues, path, code="invalid_type", expected=expected, received=received, message=message)
    return value


def wrong_size(code: str, what: str, limit: int, path: Path, issues: list[Issue]) -> None:
    """Report a ``too_small`` or ``too_big`` String or Array."""
    bound, words = ("minimum", "at least") if code == "too_small" else ("maximum", "at most")
    unit = "character(s)" if what == "String" else "element(s)"
    report(
        issues,
        path,
        **{"code": code, bound: limit, "type": what.lower()},
        inclusive=True,
        exact=False,
        message=f"{what} must contain {words} {limit} {unit}",
    )


def wrong_number(code: str, limit: float, path: Path, issues: list[Issue]) -> None:
    """Report a ``too_small`` or ``too_big`` number."""
    bound, words = ("minimum", "greater") if code == "too_small" else ("maximum", "less")
    report(
        issues,
        path,
        **{"code": code, bound: limit},
        type="number",
        inclusive=True,
        exact=False,
        message=f"Number must be {words} than or equal to {limit}",
    )


def report(issues: list[Issue], path: Path, **issue: Any) -> None:
    """Add an issue at this path."""
    issues.append({**issue, "path": list(path)})


def _kind_of(value: object) -> str:
    if value is MISSING:
        return "undefined"
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "null")


def _detail(issue: Issue) -> str:
    where = ".".join(str(part) for part in issue["path"])
    if issue["code"] == "invalid_type":
        what = f"Expected {issue['expected']} but received {issue['received']}."
    else:
        what = issue["message"]
    return f'Error in key path "{where}": ({issue["code"]}) {what}'
