"""The audit trail: every change and every denial in an organization, append-only."""
