"""JAX: one trial's iteration as a pure function, ``vmap`` over lanes, ``jit``; the state of all lanes is donated.

With the critic that peers have, or with the energy distance to all training rows in its place.
"""

import math
from typing import Any

import numpy as np

from tests.benchmarks.peers.problem import (
    BATCH,
    BETAS,
    LATENT,
    LAYERS,
    LEARNING_RATE,
    N_CRITIC,
    SLOPE,
    TRAINING_ROWS,
    WIDTH,
    Answer,
    Example,
    required,
)

DECAY, EPSILON = 0.98, 1e-12
UNITARY_QUBITS = 7  # the faster way on one core: up to here a unitary for the whole batch, beyond gate by gate


class JaxLoop:
    """See :class:`Peer`.

    Raises:
        Skip: JAX is not installed.
    """

    def __init__(self, n_qubits: int, n_lanes: int) -> None:
        self._jax: Any = required("jax")
        jax = self._jax
        self._n_qubits = n_qubits
        keys = jax.random.split(jax.random.key(0), n_lanes)
        self._state = jax.vmap(self._initial)(keys)
        self._step: Any = None

    def answer(self, example: Example) -> Answer:
        """See :class:`Peer`."""
        jax, jnp = self._jax, self._jax.numpy
        generator = {"linear": example.linear, "bias": example.bias, "weights": example.weights}
        critic = dict(zip(("w1", "b1", "w2", "b2", "w3"), example.critic, strict=True))
        fake = self._fake(jax.tree.map(jnp.asarray, generator), jnp.asarray(example.z))
        of_critic = jax.jit(jax.grad(self._critic_loss))(critic, example.real[:, 0], fake, example.mix)
        of_generator = jax.jit(jax.grad(self._generator_loss))(generator, critic, example.z)
        flat = (
            np.concatenate([np.ravel(tree[name]) for name in names])
            for tree, names in ((of_critic, ("w1", "b1", "w2", "b2", "w3")), (of_generator, generator))
        )
        return Answer(np.asarray(fake), *flat)

    def iterate(self, count: int) -> None:
        """See :class:`Peer`."""
        if self._step is None:
            step = self._jax.jit(self._jax.vmap(self._iteration), donate_argnums=0)
            self._step = step.lower(self._state).compile()
        for _ in range(count):
            self._state = self._step(self._state)
        self._jax.block_until_ready(self._state)

    def _initial(self, key: Any) -> tuple[Any, ...]:
        jax, jnp = self._jax, self._jax.numpy
        keys = jax.random.split(key, 5)
        generator = {
            "linear": jax.random.normal(keys[0], (self._n_qubits, LATENT)),
            "bias": jnp.full(self._n_qubits, math.pi / 2),
            "weights": 0.1 * jax.random.normal(keys[1], (LAYERS, 2 * self._n_qubits)),
        }
        critic = {
            "w1": jax.random.normal(keys[2], (WIDTH, 1)),
            "b1": jnp.zeros(WIDTH),
            "w2": jax.random.normal(keys[3], (WIDTH, WIDTH)) / math.sqrt(WIDTH),
            "b2": jnp.zeros(WIDTH),
            "w3": jax.random.normal(keys[4], (WIDTH,)) / math.sqrt(WIDTH),
        }
        return key, generator, critic, self._zeros(generator), self._zeros(critic)

    def _iteration(self, state: tuple[Any, ...]) -> tuple[Any, ...]:
        jax = self._jax
        key, generator, critic, of_generator, of_critic = state
        key, for_z, for_real, for_mix = jax.random.split(key, 4)
        z = jax.random.normal(for_z, (N_CRITIC + 1, BATCH, LATENT))
        # One circuit call draws the fakes of all critic updates.
        fakes = self._fake(generator, z[:N_CRITIC].reshape(-1, LATENT)).reshape(N_CRITIC, BATCH)
        reals = 0.2 * jax.random.normal(for_real, (N_CRITIC, BATCH))
        mixes = jax.random.uniform(for_mix, (N_CRITIC, BATCH))
        for real, fake, mix in zip(reals, fakes, mixes, strict=True):
            gradient = jax.grad(self._critic_loss)(critic, real, fake, mix)
            critic, of_critic = self._adam(critic, gradient, of_critic)
        gradient = jax.grad(self._generator_loss)(generator, critic, z[N_CRITIC])
        generator, of_generator = self._adam(generator, gradient, of_generator)
        return key, generator, critic, of_generator, of_critic

    def _score(self, critic: Any, x: Any) -> Any:
        """Batch, of batch."""
        leaky = self._jax.nn.leaky_relu
        hidden = leaky(x[:, None] @ critic["w1"].T + critic["b1"], SLOPE)
        return leaky(hidden @ critic["w2"].T + critic["b2"], SLOPE) @ critic["w3"]

    def _critic_loss(self, critic: Any, real: Any, fake: Any, mix: Any) -> Any:
        jax, jnp = self._jax, self._jax.numpy
        slope = jax.grad(lambda x: self._score(critic, x).sum())(mix * real + (1 - mix) * fake)
        penalty = jnp.square(jax.nn.relu(jnp.abs(slope) - 1)).mean()
        return self._score(critic, fake).mean() - self._score(critic, real).mean() + penalty

    def _generator_loss(self, generator: Any, critic: Any, z: Any) -> Any:
        return -self._score(critic, self._fake(generator, z)).mean()

    def _fake(self, generator: Any, z: Any) -> Any:
        """Batch, of noise (batch x latent)."""
        jnp, n = self._jax.numpy, self._n_qubits
        half = 0.5 * (z @ generator["linear"].T + generator["bias"])
        embedded = jnp.stack([jnp.cos(half), -1j * jnp.sin(half)], axis=-1)  # batch x qubits x 2, complex64
        start = embedded[:, 0]
        for wire in range(1, n):
            start = (start[:, :, None] * embedded[:, wire, None]).reshape(len(z), -1)
        gates = self._rotations(generator["weights"])
        final = start @ self._unitary(gates) if n <= UNITARY_QUBITS else self._layers(gates, start)
        probabilities = jnp.square(final.real) + jnp.square(final.imag)
        first, second = probabilities.reshape(len(z), 2, -1).sum(axis=2).T
        return first - second

    def _rotations(self, weights: Any) -> Any:
        """RX after RY of every wire: layers x qubits x 2 x 2."""
        jnp = self._jax.numpy
        half = 0.5 * weights.reshape(LAYERS, self._n_qubits, 2)
        (cy, cx), (sy, sx) = (jnp.moveaxis(part, -1, 0) for part in (jnp.cos(half), jnp.sin(half)))
        upper = [cx * cy - 1j * sx * sy, -cx * sy - 1j * sx * cy]
        lower = [-1j * sx * cy + cx * sy, 1j * sx * sy + cx * cy]
        return jnp.stack([jnp.stack(upper, axis=-1), jnp.stack(lower, axis=-1)], axis=-2)

    def _unitary(self, gates: Any) -> Any:
        """The transposed D x D unitary of all layers, so that it multiplies rows."""
        layers = gates[:, 0]
        for wire in range(1, self._n_qubits):
            size = 2 ** (wire + 1)
            product = layers[:, :, None, :, None] * gates[:, wire, None, :, None, :]
            layers = product.reshape(LAYERS, size, size)
        total = None
        for layer in layers[:, self._ring()].mT:
            total = layer if total is None else total @ layer
        return total

    def _layers(self, gates: Any, states: Any) -> Any:
        """All layers applied to states (batch x D), wire by wire."""
        jnp, batch = self._jax.numpy, len(states)
        for layer in range(LAYERS):
            for wire in range(self._n_qubits):
                parts = states.reshape(batch, 2**wire, 2, -1)
                states = jnp.einsum("ij,bljr->blir", gates[layer, wire], parts).reshape(batch, -1)
            states = states[:, self._ring()]
        return states

    def _ring(self) -> Any:
        """Old place of every amplitude under the ring of CNOTs."""
        n = self._n_qubits
        order = np.arange(2**n)
        for wire in range(n if n > 1 else 0):
            control, target = n - 1 - wire, n - 1 - (wire + 1) % n
            states = np.arange(2**n)
            order = order[states ^ (((states >> control) & 1) << target)]
        return order

    def _zeros(self, parameters: Any) -> tuple[Any, Any, Any]:
        zeros = self._jax.tree.map(self._jax.numpy.zeros_like, parameters)
        return zeros, zeros, self._jax.numpy.zeros(())

    def _adam(self, parameters: Any, gradient: Any, state: tuple[Any, Any, Any]) -> tuple[Any, tuple[Any, Any, Any]]:
        tree, jnp, (beta1, beta2) = self._jax.tree, self._jax.numpy, BETAS
        first, second, count = state
        count = count + 1
        first = tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, first, gradient)
        second = tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, second, gradient)
        scale = LEARNING_RATE / (1 - beta1**count)
        parameters = tree.map(
            lambda p, m, v: p - scale * m / (jnp.sqrt(v / (1 - beta2**count)) + 1e-8), parameters, first, second
        )
        return parameters, (first, second, count)


class JaxCriticFree(JaxLoop):
    """The same generator, which minimises the energy distance, without a critic; its parameters are averaged."""

    def answer(self, example: Example) -> Answer:
        """See :class:`Peer`; nothing is a critic's."""
        jax, jnp = self._jax, self._jax.numpy
        given = {"linear": example.linear, "bias": example.bias, "weights": example.weights}
        generator = jax.tree.map(jnp.asarray, given)
        gradient = jax.jit(jax.grad(self._distance))(generator, jnp.asarray(example.real[:, 0]), example.z)
        flat = np.concatenate([np.ravel(gradient[name]) for name in given])  # JAX sorts names
        return Answer(np.asarray(self._fake(generator, jnp.asarray(example.z))), np.zeros(0, np.float32), flat)

    def _initial(self, key: Any) -> tuple[Any, ...]:
        key, generator, _, state, _ = super()._initial(key)
        real = 0.2 * self._jax.random.normal(key, (TRAINING_ROWS,))
        # Memory that is given away must not be given twice.
        return key, generator, state, self._jax.tree.map(self._jax.numpy.array, generator), real

    def _iteration(self, state: tuple[Any, ...]) -> tuple[Any, ...]:
        jax = self._jax
        key, generator, of_generator, average, real = state
        key, for_z = jax.random.split(key)
        z = jax.random.normal(for_z, (BATCH, LATENT))
        gradient = jax.grad(self._distance)(generator, real, z)
        generator, of_generator = self._adam(generator, gradient, of_generator)
        average = jax.tree.map(lambda mean, now: DECAY * mean + (1 - DECAY) * now, average, generator)
        return key, generator, of_generator, average, real

    def _distance(self, generator: Any, real: Any, z: Any) -> Any:
        """2 E|X - Y| - E|X - X'| of generated rows X, X' (different ones) and real rows Y."""
        fake = self._fake(generator, z)
        across = self._distances(fake, real).mean()
        within = self._distances(fake, fake).sum() / (BATCH * (BATCH - 1))
        return 2 * across - within

    def _distances(self, x: Any, y: Any) -> Any:
        """Of all pairs, with a finite gradient at 0."""
        jnp = self._jax.numpy
        return jnp.sqrt(jnp.square(x[:, None] - y[None]) + EPSILON) - EPSILON**0.5
