"""How a user's own table becomes a model that makes rows like it."""
