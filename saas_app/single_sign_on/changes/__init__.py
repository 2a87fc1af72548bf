"""Changes of an organization's single sign-on.

Every change by an admin can be repeated. Where Logto's answer may get lost, the row is written in the order
that lets nobody in by mistake and sends nobody to a provider that would not let them back.
"""
