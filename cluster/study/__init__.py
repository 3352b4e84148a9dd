"""A study as data, and what it asks of a machine."""
