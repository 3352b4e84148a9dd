"""The quantum neural network whose training data is synthesised."""
