"""Changes of email domains, and of members who joined by one."""
