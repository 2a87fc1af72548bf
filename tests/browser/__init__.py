"""Tests in a real browser. ``conftest.py`` says how to run them against a running site."""
