"""Who is calling: sessions, tokens, sign-in. The only package that talks to Logto."""
