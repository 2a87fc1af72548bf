"""The demo: its people, organizations and projects as data, and the programs that set it up and run it.

The product does not depend on this package.
"""
