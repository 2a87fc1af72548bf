"""Twins: the smallest applications that do a part of Workroom's work, each on another framework.

They use the same libraries as Workroom, written for speed.
They have no sign-in, no audit page, no CSRF protection and no limits: what Workroom costs beyond them is the
price of what it does beyond them. :mod:`bench.twins.database` has the statements, which all of them share.
"""
