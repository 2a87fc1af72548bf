"""Authorization requests: what they may ask for, the pages they need, and the codes they get."""
