"""Enterprise single sign-on: connectors, and sign-ins through a company's own provider."""
