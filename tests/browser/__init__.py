"""What people see and do, in a real browser. ``conftest.py`` says how to aim this at a running site."""
