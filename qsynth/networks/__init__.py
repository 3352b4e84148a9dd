"""What GAN and QNN share."""
