"""The connectors of Logto 1.42 that this provider knows: they send messages and bring back social identities.

``factories`` lists them with the shape of their configuration, ``registry`` reads the configured ones, and
``sending`` delivers a message through one. The sign-in pages handle signing in through a social connector.
"""
