"""``qsynth tune``, end to end."""
