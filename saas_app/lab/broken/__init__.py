"""The practice service: a small API with one deliberate flaw at a time. NOT part of the product.

It runs as a process of its own, listens on this machine only and has databases of its own. The product talks
to it over HTTP and never imports it; an import contract and a test make sure of that.

Read ``flaws/guessed_id.py`` first: a flaw is a module with variants of one function.
"""
