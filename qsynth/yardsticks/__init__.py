"""Ways to make rows that train no GAN: what a GAN's rows are measured beside."""
