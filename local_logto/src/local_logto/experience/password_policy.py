"""Which passwords Logto rejects, and why. Pure: no database, no request.

The rules are those of Logto 1.42 except its lookup of breached passwords, because this provider works
offline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from local_logto.experience.json_access import boolean, integer, mapping, strings

_SYMBOLS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_RUNS = (
    "0123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    *("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik", "9ol"),
)
_RUNS_BOTH_WAYS = (*_RUNS, *(run[::-1] for run in _RUNS))
_SHORTEST_RUN = 3
_FREE_CHARACTERS = 3  # a password with more characters outside every restricted phrase passes


@dataclass(frozen=True)
class PasswordPolicy:
    """``passwordPolicy`` of the sign-in experience, with Logto's defaults."""

    min_length: int = 8
    max_length: int = 256
    min_character_types: int = 1
    rejects_runs: bool = True
    rejects_personal_information: bool = True
    rejected_words: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> PasswordPolicy:
        length, rejects = mapping(value, "length"), mapping(value, "rejects")
        return cls(
            min_length=integer(length, "min", 8),
            max_length=integer(length, "max", 256),
            min_character_types=integer(mapping(value, "characterTypes"), "min", 1),
            rejects_runs=boolean(rejects, "repetitionAndSequence", default=True),
            rejects_personal_information=boolean(rejects, "userInfo", default=True),
            rejected_words=strings(rejects, "words"),
        )


@dataclass(frozen=True)
class PersonalInformation:
    """What is known about the person and must not make up their password."""

    name: str | None = None
    username: str | None = None
    email: str | None = None
    phone: str | None = None

    def phrases(self) -> Iterator[str]:
        """Yield every personal phrase in lower case: the name, its words, the email's local part, the phone
        number.
        """
        if self.name:
            yield from (self.name.lower(), "".join(self.name.lower().split()), *self.name.lower().split())
        for phrase in (self.username, (self.email or "").split("@")[0], self.phone):
            if phrase:
                yield phrase.lower()


@dataclass(frozen=True)
class PasswordIssue:
    """One reason of ``password.rejected``. ``limit`` is the name and value of the limit that was violated."""

    code: str
    limit: tuple[str, int] | None = None

    def to_json(self) -> dict[str, object]:
        body: dict[str, object] = {"code": f"password_rejected.{self.code}"}
        return body | ({"interpolation": dict([self.limit])} if self.limit else {})


def find_password_issues(
    password: str, policy: PasswordPolicy, person: PersonalInformation
) -> list[PasswordIssue]:
    """Return every reason to reject the password, in Logto's order."""
    return [
        *_length_issues(password, policy),
        *_character_issues(password, policy),
        *_phrase_issues(password, policy, person),
    ]


def _length_issues(password: str, policy: PasswordPolicy) -> Iterator[PasswordIssue]:
    if len(password) < policy.min_length:
        yield PasswordIssue("too_short", ("min", policy.min_length))
    elif len(password) > policy.max_length:
        yield PasswordIssue("too_long", ("max", policy.max_length))


def _character_issues(password: str, policy: PasswordPolicy) -> Iterator[PasswordIssue]:
    kinds = {_kind_of(character) for character in password}
    if None in kinds:
        yield PasswordIssue("unsupported_characters")
    elif len(kinds) < policy.min_character_types:
        yield PasswordIssue("character_types", ("min", policy.min_character_types))


def _kind_of(character: str) -> str | None:
    if character in _SYMBOLS:
        return "symbol"
    if not character.isascii() or not character.isalnum():
        return None
    if character.isdigit():
        return "digit"
    return "upper" if character.isupper() else "lower"


def _phrase_issues(
    password: str, policy: PasswordPolicy, person: PersonalInformation
) -> Iterator[PasswordIssue]:
    """Find restricted phrases. They count only if they make up nearly the whole password."""
    lowered = password.lower()[: policy.max_length]
    covered: set[int] = set()
    found: dict[str, None] = {}
    for start in range(len(lowered)):
        for code, length in _phrases_at(lowered[start:], policy, person):
            if length:
                covered.update(range(start, start + length))
                found[code] = None
    if len(covered) > max(1, len(password) - _FREE_CHARACTERS):
        yield from (PasswordIssue(f"restricted.{code}") for code in found)


def _phrases_at(text: str, policy: PasswordPolicy, person: PersonalInformation) -> Iterator[tuple[str, int]]:
    if policy.rejects_runs:
        yield "repetition", _repetition_length(text)
        yield "sequence", _sequence_length(text)
    yield "words", _longest_start(text, (word.lower() for word in policy.rejected_words))
    if policy.rejects_personal_information:
        yield "user_info", _longest_start(text, person.phrases())


def _repetition_length(text: str) -> int:
    length = len(text) - len(text.lstrip(text[0]))
    return length if length >= _SHORTEST_RUN else 0


def _sequence_length(text: str) -> int:
    length = 1
    while length < len(text) and any(text[: length + 1] in run for run in _RUNS_BOTH_WAYS):
        length += 1
    return length if length >= _SHORTEST_RUN else 0


def _longest_start(text: str, phrases: Iterator[str]) -> int:
    return max((len(phrase) for phrase in phrases if text.startswith(phrase)), default=0)
