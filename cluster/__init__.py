"""Studies on Ray: the PPO agent, its rivals, tracking and the command line."""
