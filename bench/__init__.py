"""Measurements. Never part of the tests: numbers differ from machine to machine."""
