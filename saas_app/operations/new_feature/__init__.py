"""The skeleton that ``saas-app new feature`` writes, and the steps that remain."""
