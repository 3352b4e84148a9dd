"""MLflow: what is recorded, and how it gets there."""
