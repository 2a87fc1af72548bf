from logto.LogtoClient import LogtoClient as LogtoClient
from logto.LogtoClient import LogtoConfig as LogtoConfig
from logto.models.oidc import OidcProviderMetadata as OidcProviderMetadata
from logto.models.oidc import UserInfoScope as UserInfoScope
from logto.models.response import TokenResponse as TokenResponse
from logto.Storage import Storage as Storage

class LogtoException(Exception): ...
