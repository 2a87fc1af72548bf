"""The example of ``connectors.toml`` in the repository, and an environment with its secrets."""

from __future__ import annotations

from tests.databases import ROOT

EXAMPLE = ROOT / "connectors.toml.example"
ENVIRONMENT = {
    "MAILGUN_API_KEY": "hush-mailgun",
    "GATEWAYAPI_TOKEN": "hush-gatewayapi",
    "NAVER_CLIENT_ID": "naver-client",
    "NAVER_CLIENT_SECRET": "hush-naver",
}
