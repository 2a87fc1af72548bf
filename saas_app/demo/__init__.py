"""The demo: its people, organizations and projects as data, and the programs that set it up and run it.

Nothing the product does depends on what is here.
"""
