"""Changes of the lab: grounds are made and removed, predictions are stored, lessons are played."""
