"""Changes that people make to their own account, with Logto's errors: identifiers, password, identities."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import IntegrityError

from local_logto.account.proving import COLUMNS, send_code_to, use_sent_code
from local_logto.account.visitor import Visitor
from local_logto.crypto.passwords import hash_password, verify_password
from local_logto.email_blocklist import refuse_blocked
from local_logto.experience.password_policy import PersonalInformation
from local_logto.experience.state import Identifier
from local_logto.experience.username_policy import find_username_violation
from local_logto.experience.users import find_user
from local_logto.experience.verification import refuse_weak_password
from local_logto.management import entities
from local_logto.management.users import update_user_row
from local_logto.refusals import refusal
from local_logto.webhooks import announce

_IDENTIFYING = ("username", "primary_email", "primary_phone")


def change_name(visitor: Visitor, name: str) -> None:
    store_values(visitor, name=name or None)


def change_username(visitor: Visitor, username: str) -> None:
    """Set the username. Raises 422 if the policy rejects it or another account has it."""
    violation = find_username_violation(username, visitor.settings.username_policy)
    if violation:
        raise refusal(f"user.username_{violation}")
    _refuse_taken(visitor, Identifier("username", username))
    store_values(visitor, username=username)


async def change_password(visitor: Visitor, password: str) -> None:
    """Set the password. Raises 422 ``password.rejected`` or ``user.same_password``."""
    user = visitor.user
    person = PersonalInformation(
        name=user["name"], username=user["username"], email=user["primary_email"], phone=user["primary_phone"]
    )
    refuse_weak_password(password, visitor.settings, person)
    if user["password_hash"] and await verify_password(user["password_hash"], password):
        raise refusal("user.same_password")
    store_values(visitor, password_hash=await hash_password(password))


async def send_code_to_new_address(visitor: Visitor, identifier: Identifier) -> None:
    """Send a code to a new address, unless the blocklist rejects it.

    Only after the code is entered does the person learn whether another account has the address.
    """
    _refuse_blocked(visitor, identifier.type, identifier.value)
    await send_code_to(visitor, "bind", identifier.type, identifier.value)


async def take_new_address(visitor: Visitor, code: str) -> str:
    """Add the address that the code proves to the account and return its type. Raises 422 if another account
    has it.
    """
    sent = await use_sent_code(visitor, "bind", code)
    _refuse_blocked(visitor, sent.address_type, sent.address)
    _refuse_taken(visitor, Identifier(sent.address_type, sent.address))
    store_values(visitor, **{COLUMNS[sent.address_type]: sent.address})
    return sent.address_type


def remove_identity(visitor: Visitor, target: str) -> None:
    """Unlink a social identity. Raises 400 ``user.last_sign_in_method_required`` for the last way in."""
    kept = {name: value for name, value in visitor.user["identities"].items() if name != target}
    if not kept and not any(visitor.user[column] for column in _IDENTIFYING):
        raise refusal("user.last_sign_in_method_required")
    store_values(visitor, identities=kept)


def store_values(visitor: Visitor, **values: Any) -> None:
    """Update the account's row and notify webhooks. Raises 422 if an identifier was taken meanwhile."""
    try:
        with visitor.store.begin() as connection:
            visitor.user = update_user_row(connection, visitor.id, values)
    except IntegrityError as error:
        taken = next(name for name in _IDENTIFYING if name in values)
        raise refusal(f"user.{taken.removeprefix('primary_')}_already_in_use") from error
    announce("User.Data.Updated", data=entities.user(visitor.user))


def _refuse_blocked(visitor: Visitor, address_type: str, address: str) -> None:
    if address_type == "email":
        refuse_blocked(visitor.settings.email_blocklist, address)


def _refuse_taken(visitor: Visitor, identifier: Identifier) -> None:
    case_sensitive = visitor.settings.username_policy.case_sensitive
    holder = find_user(visitor.store, identifier, case_sensitive=case_sensitive)
    if holder is not None and holder.id != visitor.id:
        raise refusal(f"user.{identifier.type}_already_in_use")
