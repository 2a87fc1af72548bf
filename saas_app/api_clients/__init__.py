"""API clients of an organization: created in Logto with the machine role, rotated and revoked."""
