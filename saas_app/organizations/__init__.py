"""The organizations somebody belongs to: the front page, the list, the switcher, the overview, my access."""
