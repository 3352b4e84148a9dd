"""What may change while a trial runs."""
