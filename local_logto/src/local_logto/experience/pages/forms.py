"""What a sign-in page consists of: fields, buttons, links, and how a refusal finds its place. Pure.

Labels and buttons are those of Logto's own pages, so that one browser test drives either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from local_logto.errors import RequestError
from local_logto.experience.code_delivery import UnsentMessage
from local_logto.experience.pages.sentences import sentence_of
from local_logto.experience.password_policy import PasswordPolicy

_PASSWORD_CODES = ("password.", "session.invalid_credentials", "user.same_password")
LONGEST_INPUT = 256


@dataclass(frozen=True)
class Field:
    """One input; ``error`` stands below it and makes it invalid."""

    name: str
    label: str
    type: str = "text"
    autocomplete: str = "off"
    value: str = ""
    error: str | None = None
    input_mode: str | None = None
    repeats: str = ""  # the name of the field whose value has to be typed once more

    @property
    def shown_value(self) -> str:
        """What stands in the input when the page opens: no password, and no code that did not work."""
        is_used_up = self.type == "password" or self.autocomplete == "one-time-code"
        return "" if is_used_up else self.value


@dataclass(frozen=True)
class Link:
    """A way on that changes nothing; ``question`` stands before it."""

    label: str
    url: str
    question: str = ""


@dataclass(frozen=True)
class SideAction:
    """A second button with a form of its own, such as sending a code again.

    ``question`` stands before it; for ``wait`` seconds it is too early, the page says so, and refuses it.
    """

    label: str
    name: str
    question: str = ""
    wait: int = 0


@dataclass(frozen=True)
class Choice:
    """One of several ways on, each with a page of its own; ``hint`` says what it takes."""

    label: str
    hint: str
    url: str


@dataclass(frozen=True)
class Exhibit:
    """Something the page shows to be taken away: ``lines`` to copy, or a picture with the lines ``instead``.

    ``picture`` is inline SVG, ``download`` a ``data:`` address of the lines as a file.
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
    """A page with one form. ``error`` is for what belongs to no field, ``retry`` the side action that failed,
    ``pressed`` the name of the side button that was pressed. ``other_ways`` stand below *Try another way*,
    ``ways_if_unsent`` too once a message could not be sent. ``account`` tells password managers whose
    password is typed when the identifier stood on the page before; ``offers_social`` has the page show a
    button for each social connector.
    Without a ``button`` there is no form, only ``choices``.
    """

    title: str
    button: str
    fields: tuple[Field, ...]
    description: str = ""
    links: tuple[Link, ...] = ()
    side_actions: tuple[SideAction, ...] = ()
    other_ways: tuple[Link | SideAction, ...] = ()
    choices: tuple[Choice, ...] = ()
    exhibit: Exhibit | None = None
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
        """The field that has the focus when the page opens: the first wrong one, else the first."""
        wrong = [field.name for field in self.fields if field.error]
        return next(iter([*wrong, *(field.name for field in self.fields)]), "")

    @property
    def all_side_actions(self) -> tuple[SideAction, ...]:
        ways = tuple(way for way in self.other_ways if isinstance(way, SideAction))
        return self.side_actions + ways

    def value(self, name: str) -> str:
        """What was typed into the field."""
        return next(field.value for field in self.fields if field.name == name)

    def filled(self, values: Mapping[str, str]) -> FormPage:
        """The page with the side button that was pressed, or what was typed; an empty field is an error."""
        pressed = next((action.name for action in self.all_side_actions if action.name in values), "")
        if pressed:
            return replace(self, pressed=pressed)
        fields = tuple(_filled(field, values.get(field.name, "")) for field in self.fields)
        fields = tuple(_compared(field, fields) for field in fields)
        return replace(self, fields=fields, status=422 if any(f.error for f in fields) else 200)

    def refuse_early(self) -> None:
        """Raise 429 ``page.too_early`` when the side button that was pressed has to wait."""
        wait = next((action.wait for action in self.all_side_actions if action.name == self.pressed), 0)
        if wait:
            seconds = "second" if wait == 1 else "seconds"
            raise RequestError(429, "page.too_early", f"Wait {wait} more {seconds} for a new code.")

    def refused(self, error: RequestError) -> FormPage:
        """The page with the refusal at the field it is about, or above the form when it is about none."""
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
        """The page with a second chance for what was pressed: nobody typed anything wrong."""
        ways = self.other_ways + self.ways_if_unsent
        page = replace(self, error=sentence_of(error), status=error.status_of_page, other_ways=ways)
        failed = next((action for action in self.all_side_actions if action.name == self.pressed), None)
        if failed is None:
            return replace(page, button="Try again")
        return replace(
            page,
            retry=replace(failed, label="Try again"),
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
        return replace(field, value="", error=f"{field.label} is required.")
    if len(value) > LONGEST_INPUT:
        return replace(field, value="", error=f"{field.label} is too long.")
    return replace(field, value=value)


def _compared(field: Field, fields: tuple[Field, ...]) -> Field:
    """The field, refused when it should repeat another one and does not."""
    repeated = next((other for other in fields if other.name == field.repeats), None)
    if field.error or repeated is None or repeated.value == field.value:
        return field
    return replace(field, value="", error="Your passwords don’t match.")


def password_field() -> Field:
    return Field("password", "Password", "password", "current-password")


def code_field(label: str = "Verification code") -> Field:
    return Field("code", label, autocomplete="one-time-code", input_mode="numeric")


def new_password_page(title: str, policy: PasswordPolicy, account: str) -> FormPage:
    """Where a password is chosen, for a new account or in place of a forgotten one."""
    requirement = f"At least {policy.min_length} characters"
    if policy.min_character_types > 1:
        kinds = "lowercase letters, uppercase letters, digits, symbols"
        requirement += f", of {policy.min_character_types} kinds: {kinds}"
    field = Field("password", "Password", "password", "new-password")
    again = Field("confirmPassword", "Confirm password", "password", "new-password", repeats="password")
    return FormPage(title, "Save password", (field, again), f"{requirement}.", account=account)
