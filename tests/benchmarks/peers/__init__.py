"""Other ways to train the same GAN, one a file."""
