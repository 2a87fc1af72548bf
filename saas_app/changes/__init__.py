"""Changes of an organization that affect both Logto and our database, in one order (decision 7)."""
