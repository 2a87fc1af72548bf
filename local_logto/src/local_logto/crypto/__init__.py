"""Keys, signatures, passwords and random values. No rules of Logto or OAuth belong here."""
