"""Changes of an organization's single sign-on."""
