"""The generator, the critic, and one GAN iteration as pure functions of one trial."""
