"""Ways to make rows for a QNN."""
