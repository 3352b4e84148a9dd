"""qsynth's own way: a population, with the critic that peers have or without one."""

import functools

from qsynth.data.gaussian import GaussianFamily
from qsynth.gan.kinds import LossName
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig
from tests.benchmarks.peers.problem import ANSATZ, BATCH, LATENT, LAYERS, N_CRITIC, WIDTH


class PopulationPeer:
    """Lanes of one population, compiled or not."""

    def __init__(self, compiled: bool, n_qubits: int, n_lanes: int, loss: LossName = "wasserstein") -> None:
        sizes = {
            "latent_dim": LATENT,
            "n_layers": LAYERS,
            "critic_width": WIDTH,
            "batch_size": BATCH,
            "n_critic": N_CRITIC,
        }
        unscored = {"diversity": 0, "balance": 0, "utility": 0}
        config = TrialConfig.model_validate(
            {
                "n_qubits": n_qubits,
                "ansatz": ANSATZ,
                "engine": {"name": "statevector"},
                "capacity": sizes,
                "defaults": sizes,
                "score": unscored,
                "loss": loss,
            }
        )
        self._population = Population(config, 1, 1, n_lanes, compiled)
        instance = GaussianFamily().instance(0, held_out=False)
        self._population.reset(range(n_lanes), [instance] * n_lanes, range(n_lanes))

    def iterate(self, count: int) -> None:
        """See :class:`Trainer`."""
        self._population.advance(count)


eager = functools.partial(PopulationPeer, False)
compiled = functools.partial(PopulationPeer, True)
critic_free = functools.partial(PopulationPeer, True, loss="energy")
