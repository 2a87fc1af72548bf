"""Notifications: people are told what others changed about their memberships."""
