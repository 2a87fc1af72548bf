"""What a sign-in page consists of: fields, buttons, links, and how a refusal finds its field. Pure.

Labels and buttons are those of Logto's own pages, so that one browser test drives either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from local_logto.errors import RequestError
from local_logto.experience.json_access import mapping, mappings, text
from local_logto.experience.password_policy import PasswordPolicy
from local_logto.experience.sign_in_experience import IDENTIFIER_TYPES
from local_logto.experience.state import Identifier

_LABELS = {"username": "Username", "email": "Email", "phone": "Phone number"}
_AUTOCOMPLETE = {"username": "username", "email": "email", "phone": "tel"}
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


@dataclass(frozen=True)
class Link:
    """A way on that changes nothing; ``question`` stands before it."""

    label: str
    url: str
    question: str = ""


@dataclass(frozen=True)
class SideAction:
    """A second button with a form of its own, such as sending a code again."""

    label: str
    name: str


@dataclass(frozen=True)
class FormPage:
    """A page with one form. ``error`` is for what belongs to no field; ``account`` tells password managers
    whose password is typed when the identifier stood on the page before."""

    title: str
    button: str
    fields: tuple[Field, ...]
    description: str = ""
    links: tuple[Link, ...] = ()
    side_actions: tuple[SideAction, ...] = ()
    notice: str = ""
    account: str = ""
    error: str | None = None
    status: int = 200

    @property
    def focused(self) -> str:
        """The field that has the focus when the page opens: the first wrong one, else the first."""
        wrong = [field.name for field in self.fields if field.error]
        return (wrong or [field.name for field in self.fields])[0]

    def value(self, name: str) -> str:
        """What was typed into the field."""
        return next(field.value for field in self.fields if field.name == name)

    def filled(self, values: Mapping[str, str]) -> FormPage:
        """The page with what was typed; an empty field is an error."""
        fields = tuple(_filled(field, values.get(field.name, "")) for field in self.fields)
        return replace(self, fields=fields, status=422 if any(f.error for f in fields) else 200)

    def refused(self, error: RequestError) -> FormPage:
        """The page with the refusal at the field it is about."""
        target, sentence = self._field_of(error), sentence_of(error)
        fields = tuple(
            replace(field, error=sentence) if field.name == target else field for field in self.fields
        )
        return replace(self, fields=fields, status=error.status)

    def _field_of(self, error: RequestError) -> str:
        names = [field.name for field in self.fields]
        wanted = "password" if error.code.startswith(_PASSWORD_CODES) else names[0]
        return wanted if wanted in names else names[0]


def _filled(field: Field, typed: str) -> Field:
    value = typed if field.type == "password" else typed.strip()
    if not value:
        return replace(field, value="", error=f"{field.label} is required.")
    if len(value) > LONGEST_INPUT:
        return replace(field, value="", error=f"{field.label} is too long.")
    return replace(field, value=value)


def identifier_field(types: tuple[str, ...], value: str = "") -> Field:
    """The field for whatever people may sign in with: ``Username``, ``Email`` or ``Username / Email``."""
    ordered = [name for name in IDENTIFIER_TYPES if name in types]
    return Field(
        "identifier",
        " / ".join(_LABELS[name] for name in ordered),
        type="email" if ordered == ["email"] else "tel" if ordered == ["phone"] else "text",
        autocomplete=" ".join(["username"] if len(ordered) > 1 else [_AUTOCOMPLETE[n] for n in ordered]),
        value=value[:LONGEST_INPUT],
    )


def password_field() -> Field:
    return Field("password", "Password", "password", "current-password")


def code_field() -> Field:
    return Field("code", "Verification code", autocomplete="one-time-code", input_mode="numeric")


def new_password_page(title: str, policy: PasswordPolicy, account: str) -> FormPage:
    """Where a password is chosen, for a new account or in place of a forgotten one."""
    requirement = f"At least {policy.min_length} characters"
    if policy.min_character_types > 1:
        kinds = "lowercase letters, uppercase letters, digits, symbols"
        requirement += f", of {policy.min_character_types} kinds: {kinds}"
    field = Field("password", "Password", "password", "new-password")
    return FormPage(title, "Save password", (field,), f"{requirement}.", account=account)


def read_identifier(typed: str, types: tuple[str, ...]) -> Identifier:
    """What kind of identifier was typed; raises 422 when it can be none of the enabled kinds."""
    digits = typed.lstrip("+").replace(" ", "").replace("-", "")
    if "email" in types and "@" in typed.strip("@") and " " not in typed:
        return Identifier("email", typed)
    if "phone" in types and digits.isascii() and digits.isdigit():
        return Identifier("phone", digits)
    if "username" in types:
        return Identifier("username", typed)
    kinds = " or ".join(_LABELS[name].lower() for name in types)
    raise RequestError(422, "guard.invalid_input", f"That is not a valid {kinds}.")


def sentence_of(error: RequestError) -> str:
    """What to tell the person: the error's own sentence, or every reason against a password."""
    if error.code != "password.rejected":
        return error.message
    reasons = mappings({"reasons": error.data}, "reasons")
    return " ".join(_reason_sentence(reason) for reason in reasons)


def _reason_sentence(reason: Mapping[str, object]) -> str:
    code = (text(reason, "code") or "").removeprefix("password_rejected.")
    limits = mapping(reason, "interpolation")
    return {
        "too_short": f"Use at least {limits.get('min')} characters.",
        "too_long": f"Use at most {limits.get('max')} characters.",
        "character_types": (
            f"Use at least {limits.get('min')} of: lowercase letters, uppercase letters, digits, symbols."
        ),
        "unsupported_characters": "Use only letters without accents, digits and common symbols.",
        "restricted.repetition": "Avoid repeated characters.",
        "restricted.sequence": "Avoid sequences such as 123 or abc.",
        "restricted.user_info": "Avoid your own name or address.",
        "restricted.words": "Avoid words that belong to this product.",
    }[code]
