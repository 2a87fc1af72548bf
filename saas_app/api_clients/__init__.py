"""Machine clients of an organization: made in Logto, given the machine role, rotated and revoked."""
