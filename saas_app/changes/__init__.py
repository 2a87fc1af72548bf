"""Changes of an organization that Logto and our database must both make, in one order (ADR 0007)."""
