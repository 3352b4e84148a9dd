"""All rivals by the names that commands give them."""

from cluster.comparison.rivals.agent_run import agent_rival
from cluster.comparison.rivals.asha import ASHA
from cluster.comparison.rivals.bandit import BANDIT
from cluster.comparison.rivals.optuna_samplers import CMA_ES, GAUSSIAN_PROCESS
from cluster.comparison.rivals.pb2 import PB2
from cluster.comparison.rivals.pbt import PBT
from cluster.comparison.rivals.ppo import PPO
from cluster.comparison.rivals.random_search import RANDOM_SEARCH
from cluster.comparison.rivals.rival import Rival
from cluster.comparison.rivals.rules import RULES
from cluster.comparison.rivals.tpe import TPE, TPE_HYPERBAND, TPE_MEDIAN
from qsynth.registry import Registry
from rl_envs.agents import Hold
from rl_envs.schedule_search import Family

# Those that need no preparation, in the order in which they are played: long chains of trials that wait for one another
# come first, as they take longest.
RIVALS: Registry[Rival] = Registry("rival")
RIVALS.register("tpe")(TPE)
RIVALS.register("tpe-median")(TPE_MEDIAN)
RIVALS.register("tpe-hyperband")(TPE_HYPERBAND)
RIVALS.register("cma-es")(CMA_ES)
RIVALS.register("gp")(GAUSSIAN_PROCESS)
RIVALS.register("asha")(ASHA)
RIVALS.register("bandit")(BANDIT)
RIVALS.register("ppo")(PPO)
RIVALS.register("pb2")(PB2)
RIVALS.register("pbt")(PBT)
RIVALS.register("rules")(RULES)
RIVALS.register("random")(RANDOM_SEARCH)
RIVALS.register("prodigy")(
    agent_rival(
        "Prodigy", Hold(), "the given values, but for learning rates that the optimiser finds", optimizer="prodigy"
    )
)
RIVALS.register("defaults")(agent_rival("defaults", Hold(), "the given values, unchanged"))

OF_OPTUNA = ("tpe", "tpe-median", "tpe-hyperband", "cma-es", "gp")

# Those that are tuned on training instances first.
TUNED: tuple[Family, ...] = ("constants", "exponential", "cosine", "ttur")

FINE_TUNED = "fine-tuned"  # the first agent, which learns on


def rival_names() -> tuple[str, ...]:
    """What commands call everybody: those that need no preparation, the fine-tuned agent, and those that are tuned."""
    return (*RIVALS, FINE_TUNED, *TUNED)
