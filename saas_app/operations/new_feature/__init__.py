"""The skeleton of a new feature: what ``saas-app new feature`` writes, and what is left to do by hand."""
