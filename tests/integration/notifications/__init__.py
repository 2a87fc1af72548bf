"""Tests of notifications: what people are told about their memberships."""
