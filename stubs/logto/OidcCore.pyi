from logto.models.oidc import OidcProviderMetadata
from logto.models.response import TokenResponse

class OidcCore:
    metadata: OidcProviderMetadata
    def __init__(self, metadata: OidcProviderMetadata) -> None: ...
    async def fetchTokenByCode(
        self, clientId: str, clientSecret: str | None, redirectUri: str, code: str, codeVerifier: str
    ) -> TokenResponse: ...
