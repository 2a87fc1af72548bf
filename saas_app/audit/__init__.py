"""The audit log: every change and every denial in an organization, append-only."""
