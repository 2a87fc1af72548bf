"""API clients of an organization: created in Logto, rotated and revoked."""
