"""How little one iteration of one trial can cost: its multiply-adds, and the memory that it must read and write.

With B = batch, C = critic updates, L = layers, n = qubits, D = 2^n, w = critic width, d = features, and a reverse pass
through a product costing two products (one where only one side's gradient is wanted):

- A circuit layer turns each of D/2 pairs of amplitudes by a 2 x 2 complex matrix on every wire (RX after RY): 16 real
  multiply-adds a pair, so 8 n D a state. CNOTs move amplitudes and multiply nothing.
- Gate by gate, the fakes of C critic updates are C B states forwards, the generator update B states forwards and
  twice that backwards: (C + 3) B states.
- By a unitary, all layers act on D basis states once forwards (the weights are the same in all of an iteration) and
  twice that backwards, 3 D states; then a row of D real amplitudes takes D * 2D for each of (C + 3) B rows.
- The circuit's floor is the cheaper of the two. Embeddings, read-outs and random numbers are left out.
- The critic's forward product of a row is P = d w + w^2 + w. A critic update: fake and real forwards and twice
  backwards, 6 B P; the penalty's rows forwards, their slope backwards, and backwards through the slope alone (LeakyReLU
  has no second derivative), 4 B P. The generator update: forwards and to the input, 2 B P.
- Memory: parameters and both of Adam's moments, read and written once an update, and the real rows. What else there
  is, states too, may stay in the processor's cache, if rows are worked on in small blocks.

``streamed_bytes`` is no floor but what a program moves that executes layer by layer on a whole batch which does not fit
in the cache: each state read and written once a layer and direction.
"""

from typing import NamedTuple

from tests.benchmarks.peers.problem import BATCH, LATENT, LAYERS, N_CRITIC, WIDTH

FEATURES, FLOAT = 1, 4


class Floor(NamedTuple):
    """Of one iteration of one trial."""

    circuit_multiply_adds: int
    critic_multiply_adds: int
    compulsory_bytes: int
    streamed_bytes: int

    def milliseconds(self, gflops: float, gbytes_per_s: float) -> float:
        """At a machine's best speeds; computing and moving overlap."""
        computing = 2 * (self.circuit_multiply_adds + self.critic_multiply_adds) / (gflops * 1e6)
        return max(computing, self.compulsory_bytes / (gbytes_per_s * 1e6))


def floor(n_qubits: int) -> Floor:
    """The least that the benchmark's GAN needs."""
    size, rows = 2**n_qubits, (N_CRITIC + 3) * BATCH
    of_state = LAYERS * 8 * n_qubits * size
    circuit = min(rows * of_state, 3 * size * of_state + rows * 2 * size * size)
    forward = FEATURES * WIDTH + WIDTH**2 + WIDTH
    critic = N_CRITIC * 10 * BATCH * forward + 2 * BATCH * forward
    generator_size = n_qubits * (LATENT + 1) + LAYERS * 2 * n_qubits
    critic_size = forward + 2 * WIDTH
    kept = 2 * 3 * FLOAT * (generator_size + N_CRITIC * critic_size)
    return Floor(
        circuit,
        critic,
        kept + FLOAT * N_CRITIC * BATCH * FEATURES,
        2 * LAYERS * rows * 2 * size * FLOAT,
    )
