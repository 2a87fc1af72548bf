"""The errors of the Experience API, and of the Management API where they are the same: code, status, message.

Codes and statuses are those of Logto 1.42. So are the messages that clients have been seen to receive.
"""

from __future__ import annotations

from local_logto.errors import RequestError
from local_logto.translation import _

_REFUSALS: dict[str, tuple[int, str]] = {
    "application.device_flow_native_only": (422, "Device flow is only available for native applications."),
    "application.device_flow_not_changeable": (
        422,
        "Device flow cannot be changed after application creation.",
    ),
    "application.invalid_third_party_application_type": (
        400,
        "Only traditional web, single-page, and native applications can be marked as third-party apps.",
    ),
    "application.third_party_application_cannot_enable_token_exchange": (
        422,
        "Third-party applications are not allowed to enable token exchange.",
    ),
    "auth.forbidden": (403, "Forbidden. Please check your user roles and permissions."),
    "connector.invalid_config": (400, "The connector's config is invalid."),
    "connector.invalid_response": (400, "The connector's response is invalid."),
    "connector.social_auth_code_invalid": (
        401,
        "Unable to get access token, please check authorization code.",
    ),
    "connector.social_invalid_access_token": (401, "The connector's access token is invalid."),
    "connector.cannot_overwrite_metadata_for_non_standard_connector": (
        400,
        "This connector's 'metadata' cannot be overwritten.",
    ),
    "connector.email_connector.bulk_deletion_no_filter": (
        422,
        "At least one filter condition must be provided to perform bulk deletion by properties. "
        "Supported properties are: languageTag and templateType.",
    ),
    "connector.invalid_type_for_syncing_profile": (
        422,
        "You can only sync user profile with social connectors.",
    ),
    "connector.multiple_instances_not_supported": (
        422,
        "Can not create multiple instance with picked standard connector.",
    ),
    "connector.not_found_with_connector_id": (
        422,
        "Can not find connector with given standard connector id.",
    ),
    "connector.unexpected_type": (400, "The connector's type is unexpected."),
    "guard.invalid_input": (400, "The request body is invalid."),
    "password.rejected": (
        422,
        _("Password rejected. Please check if your password meets the requirements."),
    ),
    "request.feature_not_supported": (
        422,
        "This feature is not supported in the current environment.",
    ),
    "request.message_rate_limited": (429, _("Too many messages were sent to this address. Try again later.")),
    "session.connector_validation_session_not_found": (
        400,
        _("The connector session for token validation is not found."),
    ),
    "session.email_blocklist.email_subaddressing_not_allowed": (
        422,
        _("Email subaddressing is not allowed."),
    ),
    "session.email_blocklist.invalid_email": (400, _("Invalid email address.")),
    "session.identifier_not_found": (
        404,
        _("User identifier not found. Please go back and sign in again."),
    ),
    "session.identity_conflict": (409, _("Another account was already identified. Start a new session.")),
    "session.insufficient_info": (400, _("Insufficient sign-in info.")),
    "session.interaction_not_found": (404, _("The interaction was not found. Go back and start again.")),
    "session.invalid_credentials": (
        422,
        _("Incorrect account or password. Please check your input."),
    ),
    "session.invalid_interaction_type": (400, _("The current interaction does not support this operation.")),
    "session.mfa.backup_code_can_not_be_alone": (422, _("Backup code can not be the only MFA.")),
    "session.mfa.backup_code_required": (422, _("Backup code is required.")),
    "session.mfa.invalid_backup_code": (400, _("Invalid backup code.")),
    "session.mfa.invalid_totp_code": (400, _("Invalid TOTP code.")),
    "session.mfa.mfa_factor_not_enabled": (400, _("MFA factor is not enabled.")),
    "session.mfa.mfa_policy_not_user_controlled": (422, _("MFA policy is not user controlled.")),
    "session.mfa.pending_info_not_found": (400, _("Pending MFA info not found, please initiate MFA first.")),
    "session.mfa.require_mfa_verification": (403, _("Mfa verification is required to sign in.")),
    "session.not_supported_for_forgot_password": (400, _("This is not available during a password reset.")),
    "session.sso_enabled": (
        422,
        _("Single sign on is enabled for this given email. Please sign in with SSO."),
    ),
    "session.verification_failed": (400, _("The verification failed. Start again.")),
    "session.verification_session_not_found": (
        404,
        _("The verification was not successful. Restart the verification flow and try again."),
    ),
    "single_sign_on.duplicate_connector_name": (
        409,
        "Connector name already exists. Please choose a different name.",
    ),
    "single_sign_on.duplicated_domains": (422, "There are duplicate domains."),
    "single_sign_on.forbidden_domains": (422, "Public email domains are not allowed."),
    "user.backup_code_already_in_use": (422, _("Backup code is already in use.")),
    "user.email_already_in_use": (422, _("This email is associated with an existing account.")),
    "user.email_exists_in_profile": (422, _("The account already has an email address.")),
    "user.invalid_phone": (422, _("Invalid phone number.")),
    "user.last_sign_in_method_required": (400, _("The account needs at least one way to sign in.")),
    "user.missing_mfa": (422, _("You need to bind additional MFA before signing-in.")),
    "user.identity_already_in_use": (
        422,
        _("The social account has been associated with an existing account."),
    ),
    "user.identity_not_exist": (404, _("The social account has not been registered yet.")),
    "user.missing_profile": (422, _("You need to provide additional info before signing-in.")),
    "user.new_password_required_in_profile": (422, _("A new password is required.")),
    "user.password_exists_in_profile": (422, _("The account already has a password.")),
    "user.phone_already_in_use": (422, _("This phone number is associated with an existing account.")),
    "user.phone_exists_in_profile": (422, _("The account already has a phone number.")),
    "user.same_password": (422, _("The new password must differ from the old one.")),
    "user.sign_in_method_not_enabled": (422, _("This sign-in method is not enabled.")),
    "user.suggest_mfa": (422, _("For better account security, we recommend binding MFA to your account.")),
    "user.sso_identity_not_exist": (404, _("The enterprise SSO account has not been registered yet.")),
    "user.suspended": (401, _("This account is suspended.")),
    "user.totp_already_in_use": (422, _("TOTP is already in use.")),
    "user.totp_secret_invalid": (422, _("Invalid TOTP secret supplied.")),
    "user.user_not_exist": (404, _("There is no account with this identifier.")),
    "user.username_already_in_use": (422, _("This username is already in use.")),
    "user.username_exists_in_profile": (422, _("The account already has a username.")),
    "user.username_invalid_charset_hard": (
        422,
        _("A username consists of letters, numbers and underscores."),
    ),
    "user.username_lowercase_not_allowed": (422, _("A username must not contain lowercase letters.")),
    "user.username_numbers_not_allowed": (422, _("A username must not contain numbers.")),
    "user.username_required": (422, _("A username is required.")),
    "user.username_starts_with_number": (422, _("A username must not start with a number.")),
    "user.username_too_long": (422, _("The username is too long.")),
    "user.username_too_short": (422, _("The username is too short.")),
    "user.username_underscore_not_allowed": (422, _("A username must not contain underscores.")),
    "user.username_uppercase_not_allowed": (422, _("A username must not contain uppercase letters.")),
    "user.wrong_backup_code_format": (422, _("Backup code format is invalid.")),
    "verification_code.code_mismatch": (400, _("Invalid verification code.")),
    "verification_code.email_mismatch": (400, _("The code was sent to another email address.")),
    "verification_code.exceed_max_try": (400, _("Too many incorrect codes. Request a new one.")),
    "verification_code.expired": (400, _("The verification code has expired. Request a new one.")),
    "verification_code.not_found": (
        400,
        _("Verification code not found. Please send verification code first."),
    ),
    "verification_code.phone_mismatch": (400, _("The code was sent to another phone number.")),
}


def refusal(code: str, *, status: int | None = None, data: object = None) -> RequestError:
    """Return the error for one of the codes above. Some codes have more than one status."""
    default_status, message = _REFUSALS[code]
    return RequestError(status or default_status, code, message, data=data)
