"""The lab: people learn organization-level RBAC by doing it, with real tokens."""
