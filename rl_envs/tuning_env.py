"""One trial as a Gymnasium environment."""

from typing import Any

import gymnasium
import numpy as np

from rl_envs.config import InstancePool, environment_config, make_tuner
from rl_envs.observation import observation_space
from rl_envs.spaces import action_space, moved
from rl_envs.vector_env import MAX_SEED


class QGANTuningEnv(gymnasium.Env[np.ndarray, dict[str, Any]]):
    """The training of one quantum GAN; a step is a decision about its hyperparameters.

    ## Description
    An episode is a trial: one GAN that learns one small data set within a fixed budget, of ``episode.n_decisions``
    stretches of ``episode.iterations_per_decision`` iterations. Before each stretch the agent may change what
    ``trial.search_space`` names; weights carry over. The aim is a generator whose rows score well: the composite score
    of fidelity, diversity, balance, utility and novelty, against validation rows. It is not negative; a second real
    sample's is 1 on average, and chance may take one above.

    >>> import gymnasium, rl_envs
    >>> env = gymnasium.make("QGANTuning-v0", config=config)  # doctest: +SKIP

    ## Action space
    A ``Dict`` with an entry for each hyperparameter of ``trial.search_space``, in sorted order of the names, and one
    more, ``recover``, where ``episode.recovery`` is on. What changes nothing is called "stay".

    | kind    | space                       | what it does                                      | stay |
    |---------|-----------------------------|---------------------------------------------------|------|
    | float   | `Box(-1, 1, (1,), float32)` | moves by action x `episode.max_step` of its scale | 0    |
    | int     | `Discrete(3)`               | 0: one less, 2: one more                          | 1    |
    | choice  | `Discrete(1 + n values)`    | i: takes the i-th of its values, counted from 1   | 0    |
    | recover | `Discrete(4)`               | 1: reinitialise, 2: shrink, 3: restart_critic     | 0    |

    A float's scale is logarithmic where the search space says so. Moves stop at the ends of the search space. Actions
    beyond their space are clipped to it; those that are not finite stay. Recoveries are described in
    :mod:`qsynth.population.recovery`.

    ## Observation space
    A ``Box(-2, 2, (n,), float32)``, in this order; ``env.unwrapped.tuner.features`` holds the names. A row with
    ``<metric>`` stands for each metric that ``trial.score`` weighs above 0, its three entries side by side; one with
    ``<hyperparameter>`` for each in the search space, in sorted order. ``problem`` stays as it is throughout a trial
    (:mod:`rl_envs.problem`). ``loss``, ``critic``, ``gradient`` and ``fake``
    are means over the last stretch, and 0 before the first. What lies outside is clipped; all is finite, whatever
    happens in a trial. Where the untrained start's evaluation alone takes more shots than there are,
    ``budget.remaining`` is below -1.

    | name                               | meaning                                        | scale        | range   |
    |------------------------------------|------------------------------------------------|--------------|---------|
    | `budget.remaining`                 | share of decisions, or of shots, that is left  | 2 x - 1      | [-1, 1] |
    | `loss.generator`                   | the generator's loss                           | tanh(x)      | [-1, 1] |
    | `loss.critic`                      | the critic's loss, with its penalty            | tanh(x)      | [-1, 1] |
    | `critic.gap`                       | the critic's score of real less of fake rows   | tanh(3 x)    | [-1, 1] |
    | `critic.penalty`                   | the gradient penalty, not weighted             | tanh(x)      | [0, 1]  |
    | `gradient.generator`               | norm of the generator's gradient               | log10(x) / 2 | [-2, 2] |
    | `gradient.critic`                  | norm of the critic's gradient                  | log10(x) / 2 | [-2, 2] |
    | `fake.spread`                      | mean sd of a feature, of fake over real rows   | log2(x) / 2  | [-2, 2] |
    | `fake.saturation`                  | share of fake values at the ends of the space  | 2 x - 1      | [-1, 1] |
    | `score.now`                        | composite score                                | 2 x - 1      | [-1, 2] |
    | `score.best`                       | best composite score of the trial so far       | 2 x - 1      | [-1, 2] |
    | `utility.<metric>`                 | the metric as a utility: more is better        | 2 x - 1      | [-1, 2] |
    | `change.<metric>`                  | change of the utility over the last stretch    | tanh(5 x)    | [-1, 1] |
    | `raw.<metric>`                     | the metric as a loss: 0 is best                | 1 + log10(x) | [-2, 2] |
    | `hyperparameters.<hyperparameter>` | place of its value on its own scale, in [0, 1] | 2 x - 1      | [-1, 1] |
    | `ailment.saturation`               | fake values stick to the ends of the space     | 0 or 1       | [0, 1]  |
    | `ailment.collapse`                 | fake rows hardly spread                        | 0 or 1       | [0, 1]  |
    | `ailment.vanishing_gradient`       | the generator's gradient is next to nothing    | 0 or 1       | [0, 1]  |
    | `ailment.exploding_critic`         | the critic's gradient is huge                  | 0 or 1       | [0, 1]  |
    | `ailment.dead_parameters`          | at least half of the circuit's have no effect  | 0 or 1       | [0, 1]  |
    | `diverged`                         | the trial has diverged                         | 0 or 1       | [0, 1]  |
    | `problem.rows`                     | training rows                                  | log10(x) - 2 | [-2, 2] |
    | `problem.features`                 | features                                       | log2(x)/2-1  | [-1, 2] |
    | `problem.classes`                  | classes                                        | log2(x)/2-1  | [-1, 2] |
    | `problem.rarest`                   | share of the rarest class, over an equal one   | 2 x - 1      | [-1, 1] |
    | `problem.mixing`                   | share of rows nearest to one of another class  | 2 x - 1      | [-1, 1] |
    | `problem.nearest`                  | median distance of nearest rows of one class   | 1 + log10(x) | [-2, 2] |
    | `problem.thinness`                 | the same, over that of as many normal rows     | log2(x)      | [-2, 2] |
    | `problem.tails`                    | kurtosis of a column within a class, over 3    | log2(x) / 2  | [-2, 2] |
    | `problem.qubits`                   | qubits of the generator                        | log2(x)/2-1  | [-1, 2] |
    | `problem.iterations`               | GAN iterations of the whole trial              | log10(x) - 2 | [-2, 2] |
    | `problem.critic`                   | whether there is a critic                      | 2 x - 1      | [-1, 1] |
    | `problem.shot_noise`               | 1 over the root of the engine's shots; exact 0 | 2 x - 1      | [-1, 1] |

    ## Rewards
    Let s and s' be the composite score before and after a stretch, b the best one before it (the untrained start's
    counts), each at most 1, and c = 1 + slack. The score is the mean of the utilities at the reference weights of
    ``trial.score``, 1 each by default, which no action changes: an agent cannot pay itself. ``episode.reward`` selects:

    | kind             | reward                                        | what an undiscounted return pays for   |
    |------------------|-----------------------------------------------|----------------------------------------|
    | `shortfall_gain` | log(c - s) - log(c - s')                      | the trial's end; this is the default   |
    | `best_gain`      | log(c - b) - log(c - max(b, s'))              | the trial's best decision              |
    | `literal`        | w1 qnn + w2 diversity - w3 imbalance + w4 gan | worse rows; a paper's, to compare with |

    A stretch in which the trial fails has s' = 0 and costs ``failure_penalty`` more. Defaults are a slack of 0.1 and a
    penalty of 0.2, so rewards lie in [-log(11) - 0.2, log(11)]. The literal one is clipped to [-10, 10].

    ## Starting state
    An untrained GAN on a training instance (data set, split, seed) drawn from ``n_instances``, with a seed of its own,
    both from the environment's random numbers: ``reset(seed=...)`` fixes them. Hyperparameters are ``trial.defaults``;
    for a share ``episode.random_start`` of the episodes, random points of the search space.

    ## Episode end
    Termination, with the reason in the info:

    - ``budget``: all decisions are made;
    - ``shots``: ``episode.shot_budget`` does not pay for another iteration;
    - ``diverged``: weights are not finite, or huge;
    - ``timeout``: a stretch took longer than ``episode.step_timeout_s``;
    - ``error: ...``: a device, a library or memory failed. It ends the episode, never the process.

    The last three are failures. Episodes are never truncated: the budget is part of the problem and is observed, so
    nothing is worth anything after it.

    ## Arguments
    ``config``: a :class:`rl_envs.config.EnvironmentConfig` or its plain-data form.

    | key           | meaning                                                    | default                       |
    |---------------|------------------------------------------------------------|-------------------------------|
    | `data`        | what is learned, as in a study                             | required                      |
    | `trial`       | circuit, networks, search space, score, as in a study      | required                      |
    | `episode`     | an :class:`rl_envs.tuner.EpisodeConfig`: decisions, reward | 20 decisions of 25 iterations |
    | `n_instances` | training instances that episodes draw from                 | 64                            |
    | `compiled`    | whether updates are compiled: slow at first, fast later    | false                         |
    | `place`       | where to compute: `cpu` or `cuda`                          | `cpu`                         |

    ## Information
    ``reset`` and ``step`` return ``score``, the present composite score (0 where the trial failed), and ``reason``, why
    the episode ended ("" while it goes on).

    ## Version history
    - v0: initial version
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, config: Any) -> None:
        self.config = environment_config(config)
        self.tuner = make_tuner(self.config, 1)
        self._pool = InstancePool(self.config)
        self.observation_space = observation_space(self.tuner.search_space, self.tuner.metrics)
        self.action_space = action_space(self.tuner.actions)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start a trial on a random training instance."""
        super().reset(seed=seed)
        instance = self._pool[int(self.np_random.integers(len(self._pool)))]
        seeds = [int(self.np_random.integers(MAX_SEED))]
        observation = self.tuner.begin([0], [instance], seeds, values=self.config.starts(self.np_random, 1))
        return observation[0], {"score": float(self.tuner.score[0]), "reason": ""}

    def step(self, action: dict[str, Any]) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Change hyperparameters, train up to the next decision."""
        batched = {name: np.asarray(value).reshape(1, -1) for name, value in action.items()}
        changes = moved(self.tuner.actions, self.tuner.values, batched, self.config.episode.max_step)
        step = self.tuner.step(changes)
        return (
            step.observation[0],
            float(step.reward[0]),
            bool(step.failed[0] or step.finished[0]),
            False,
            {"score": float(step.score[0]), "reason": step.reason[0]},
        )
