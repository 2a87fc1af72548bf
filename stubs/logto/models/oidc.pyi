from typing import Any

from pydantic import BaseModel

class OidcProviderMetadata(BaseModel):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = ...
    def __init__(self, **data: Any) -> None: ...

class Scope:
    value: str

class UserInfoScope(Scope):
    email: UserInfoScope
    phone: UserInfoScope
    identities: UserInfoScope
    organizations: UserInfoScope
    organization_roles: UserInfoScope
