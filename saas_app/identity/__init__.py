"""Who is calling: sessions, tokens and sign-in. The only package that uses Logto's SDK."""
