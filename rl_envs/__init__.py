"""The GAN population as Gymnasium environments, and the agents that act in them."""
