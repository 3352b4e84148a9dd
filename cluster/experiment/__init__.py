"""``qsynth experiment``: cells on Ray, results in MLflow."""
