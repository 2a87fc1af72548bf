"""What every page and every API route shares: guards, errors, headers, templates. No feature lives here."""
