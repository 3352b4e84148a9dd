"""qsynth: training data for quantum neural networks, from quantum GANs that an RL agent tunes while they train."""
