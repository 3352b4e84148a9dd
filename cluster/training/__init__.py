"""The agent's training by RLlib."""
