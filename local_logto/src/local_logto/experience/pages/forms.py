"""The parts of a sign-in page (fields, buttons, links) and where an error appears on it. Pure.

Labels and buttons are those of Logto's own pages, so that one browser test drives either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from local_logto.errors import RequestError
from local_logto.experience.code_delivery import UnsentMessage
from local_logto.experience.pages.sentences import sentence_of
from local_logto.experience.password_policy import PasswordPolicy
from local_logto.translation import _, ngettext

_PASSWORD_CODES = ("password.", "session.invalid_credentials", "user.same_password")
LONGEST_INPUT = 256


@dataclass(frozen=True)
class Field:
    """One input. ``error`` is shown below it and marks it as invalid."""

    name: str
    label: str
    type: str = "text"
    autocomplete: str = "off"
    value: str = ""
    error: str | None = None
    input_mode: str | None = None
    repeats: str = ""  # the name of the field whose value must be repeated

    @property
    def shown_value(self) -> str:
        """The initial value of the input. Passwords and rejected codes are not shown again."""
        is_used_up = self.type == "password" or self.autocomplete == "one-time-code"
        return "" if is_used_up else self.value


@dataclass(frozen=True)
class Link:
    """A link to another page; ``question`` is shown before it."""

    label: str
    url: str
    question: str = ""


@dataclass(frozen=True)
class SideAction:
    """A second button with its own form, such as resending a code.

    ``question`` is shown before it. ``wait`` is the number of seconds until the button may be used: the page
    shows them, and an earlier request is rejected.
    """

    label: str
    name: str
    question: str = ""
    wait: int = 0


@dataclass(frozen=True)
class Choice:
    """One of several next steps, each with its own page; ``hint`` says what it needs."""

    label: str
    hint: str
    url: str


@dataclass(frozen=True)
class Secret:
    """A secret for the person to store: ``lines`` to copy, or a picture with the lines under ``instead``.

    ``picture`` is inline SVG. ``download`` is a ``data:`` URL with the lines as a file.
    """

    title: str = ""
    text: str = ""
    picture: str = ""
    instead: str = ""
    hint: str = ""
    lines: tuple[str, ...] = ()
    download: str = ""


@dataclass(frozen=True)
class FormPage:
    """A page with one form, or with ``choices`` only if it has no ``button``.

    ``error`` belongs to no field. ``retry`` is the side action that failed, ``pressed`` the name of the side
    button that was pressed. ``other_ways`` appear below *Try another way*, and ``ways_if_unsent`` join them
    if a message could not be sent. ``account`` tells password managers whose password it is when the
    identifier was entered on the page before. ``offers_social`` adds a button for each social connector.
    """

    title: str
    button: str
    fields: tuple[Field, ...]
    description: str = ""
    links: tuple[Link, ...] = ()
    side_actions: tuple[SideAction, ...] = ()
    other_ways: tuple[Link | SideAction, ...] = ()
    choices: tuple[Choice, ...] = ()
    shown_secret: Secret | None = None
    ways_if_unsent: tuple[Link, ...] = ()
    notice: str = ""
    account: str = ""
    error: str | None = None
    retry: SideAction | None = None
    status: int = 200
    pressed: str = ""
    offers_social: bool = False

    @property
    def focused(self) -> str:
        """The name of the field that gets the focus: the first one with an error, otherwise the first."""
        wrong = [field.name for field in self.fields if field.error]
        return next(iter([*wrong, *(field.name for field in self.fields)]), "")

    @property
    def all_side_actions(self) -> tuple[SideAction, ...]:
        ways = tuple(way for way in self.other_ways if isinstance(way, SideAction))
        return self.side_actions + ways

    def value(self, name: str) -> str:
        """Return what was typed into the field."""
        return next(field.value for field in self.fields if field.name == name)

    def filled(self, values: Mapping[str, str]) -> FormPage:
        """Return the page with the pressed side button or the typed values. An empty field is an error."""
        pressed = next((action.name for action in self.all_side_actions if action.name in values), "")
        if pressed:
            return replace(self, pressed=pressed)
        fields = tuple(_filled(field, values.get(field.name, "")) for field in self.fields)
        fields = tuple(_compared(field, fields) for field in fields)
        return replace(self, fields=fields, status=422 if any(f.error for f in fields) else 200)

    def refuse_early(self) -> None:
        """Raise 429 ``page.too_early`` if the pressed side button still has to wait."""
        wait = next((action.wait for action in self.all_side_actions if action.name == self.pressed), 0)
        if wait:
            sentence = ngettext(
                "Wait %(num)s more second to request a new code.",
                "Wait %(num)s more seconds to request a new code.",
                wait,
            )
            raise RequestError(429, "page.too_early", sentence)

    def refused(self, error: RequestError) -> FormPage:
        """Return the page with the error at its field, or above the form if it belongs to none."""
        if isinstance(error, UnsentMessage):
            return self._unsent(error)
        target, sentence = self._field_of(error), sentence_of(error)
        if target is None:
            return replace(self, error=sentence, status=error.status)
        fields = tuple(
            replace(field, error=sentence) if field.name == target else field for field in self.fields
        )
        return replace(self, fields=fields, status=error.status)

    def _unsent(self, error: UnsentMessage) -> FormPage:
        """Return the page with a way to try again. The person made no mistake."""
        ways = self.other_ways + self.ways_if_unsent
        page = replace(self, error=sentence_of(error), status=error.status_of_page, other_ways=ways)
        failed = next((action for action in self.all_side_actions if action.name == self.pressed), None)
        if failed is None:
            return replace(page, button=_("Try again"))
        return replace(
            page,
            retry=replace(failed, label=_("Try again")),
            side_actions=tuple(action for action in self.side_actions if action != failed),
            other_ways=tuple(way for way in ways if way != failed),
        )

    def _field_of(self, error: RequestError) -> str | None:
        names = [field.name for field in self.fields]
        if self.pressed or not names:
            return None
        wanted = "password" if error.code.startswith(_PASSWORD_CODES) else names[0]
        return wanted if wanted in names else names[0]


def _filled(field: Field, typed: str) -> Field:
    value = typed if field.type == "password" else typed.strip()
    if not value:
        return replace(field, value="", error=_("%(field)s is required.", field=field.label))
    if len(value) > LONGEST_INPUT:
        return replace(field, value="", error=_("%(field)s is too long.", field=field.label))
    return replace(field, value=value)


def _compared(field: Field, fields: tuple[Field, ...]) -> Field:
    """Return the field, with an error if it must repeat another field and differs."""
    repeated = next((other for other in fields if other.name == field.repeats), None)
    if field.error or repeated is None or repeated.value == field.value:
        return field
    return replace(field, value="", error=_("Your passwords don’t match."))


def password_field() -> Field:
    return Field("password", _("Password"), "password", "current-password")


def code_field(label: str = "") -> Field:
    return Field("code", label or _("Verification code"), autocomplete="one-time-code", input_mode="numeric")


def new_password_page(title: str, policy: PasswordPolicy, account: str) -> FormPage:
    """Build the page that sets a password, for a new account or after a reset."""
    requirement = ngettext("At least %(num)s character.", "At least %(num)s characters.", policy.min_length)
    if policy.min_character_types > 1:
        requirement = _(
            "At least %(length)s characters, of %(kinds)s kinds: lowercase letters, uppercase letters, "
            "digits, symbols.",
            length=policy.min_length,
            kinds=policy.min_character_types,
        )
    field = Field("password", _("Password"), "password", "new-password")
    again = Field("confirmPassword", _("Confirm password"), "password", "new-password", repeats="password")
    return FormPage(title, _("Save password"), (field, again), requirement, account=account)
