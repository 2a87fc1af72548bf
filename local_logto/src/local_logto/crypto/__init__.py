"""Keys, signatures, passwords and random values. No rule of Logto's or of OAuth belongs here."""
