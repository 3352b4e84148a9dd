"""The search space of a trial that names none."""

from qsynth.population.trial import TrialConfig
from qsynth.space.search_space import Choice, Float, Int, SearchSpace

# What the presets tune, of that what means something to a trial and fits it.
USUAL: SearchSpace = {
    "lr_generator": Float(low=0.001, high=0.1, log=True),
    "lr_critic": Float(low=0.0003, high=0.1, log=True),
    "fidelity_weight": Float(low=0.3, high=300, log=True),
    "adversarial_weight": Float(low=0, high=1),
    "diversity_weight": Float(low=0, high=1),
    "shots": Float(low=4, high=64, log=True),
    "n_layers": Int(low=1, high=64),
}


def usual_space(trial: TrialConfig) -> SearchSpace:
    """What the presets tune, within the trial's limits, widened to hold what it starts at."""
    found: SearchSpace = {}
    for name, usual in USUAL.items():
        if name not in trial.tunable or isinstance(usual, Choice):
            continue
        (least, most), start = trial.limits(name), trial.default(name)
        low, high = min(max(usual.low, least), start), max(min(usual.high, most), start)
        if low < high and not (isinstance(usual, Float) and usual.log and low <= 0):
            found[name] = usual.replaced(low=low, high=high)
    return found
