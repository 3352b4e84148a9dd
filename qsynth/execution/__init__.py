"""How pure functions run: compiled, captured, placed."""
