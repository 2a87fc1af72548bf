"""Access requests: members ask for a role, and those who could assign it decide."""
