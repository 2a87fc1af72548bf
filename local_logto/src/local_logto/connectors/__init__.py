"""What carries messages to people and identities back: the connectors of Logto 1.42 that this provider knows.

``factories`` says which there are and what their configuration must look like, ``registry`` reads the ones
that were made, ``sending`` delivers a message through the one that is configured. Signing in through a social
connector is the sign-in pages' part.
"""
