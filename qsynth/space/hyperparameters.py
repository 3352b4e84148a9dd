"""The hyperparameters of a trial and the capacity they act in."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Self

import numpy as np
import torch
from pydantic import Field, model_validator

from qsynth.config import Config
from qsynth.errors import StudyError, did_you_mean
from qsynth.space.controls import OFF, Controls
from qsynth.space.search_space import SearchSpace


class Capacity(Config):
    """The fixed maximum sizes that a study compiles for."""

    latent_dim: int = Field(4, ge=1, le=64)
    n_layers: int = Field(3, ge=1, le=64)
    critic_width: int = Field(32, ge=2, le=1024)
    batch_size: int = Field(32, ge=2, le=4096)
    n_critic: int = Field(5, ge=1, le=20)
    critic_layers: int = Field(2, ge=1, le=16)
    filter_size: int = Field(3, ge=1, le=15)
    vae_layers: int = Field(2, ge=1, le=16)
    vae_width: int = Field(32, ge=2, le=1024)


class Hyperparameters(Config):
    """A trial's hyperparameters, with values that work on most data sets.

    Attributes:
        critic_width: units of a hidden layer of the critic, or channels of a convolution; critic_layers: how many.
        filter_size: taps of a convolution along each axis.
        vae_layers: hidden layers of the VAE's encoder, and of its classical decoder; vae_width: units of each.
        kl_weight: of the VAE's divergence from the prior.
        weight_average: decay of the average of the generator's parameters that evaluations, samples and models use; at
            0 they use the parameters themselves.
        label_smoothing: how far below 1 real rows' target is, for losses that classify.
        instance_noise: sd of the noise on what the critic sees, in units of the scaled space.
        fidelity_weight, diversity_weight: of what the generator minimises beside its adversarial loss
            (:mod:`qsynth.gan.score_terms`); adversarial_weight: of that loss.
        critic_start: iterations before the adversarial loss acts on the generator; the critic trains from the first on.
        pattern: which of the circuit's entangling patterns its layers have: 0 is the ansatz's own.
        utility_weight: of the loss, on real rows, of a QNN that learned the rows made (:mod:`qsynth.qnn.lesson`).
        balance_weight: of the distance between shares of the classes' values.
        shots: that a circuit takes of the engine's, rounded; left out: all. A classical generator has their noise.
    """

    lr_generator: float = Field(3e-3, ge=0, le=1)
    lr_critic: float = Field(3e-3, ge=0, le=1)
    gp_weight: float = Field(1.0, ge=0, le=1000)
    beta1: float = Field(0.5, ge=0, le=0.999)
    n_critic: int = Field(3, ge=1)
    batch_size: int = Field(32, ge=2)
    latent_dim: int = Field(2, ge=1)
    n_layers: int = Field(3, ge=1)
    critic_width: int = Field(32, ge=2)
    critic_layers: int = Field(2, ge=1)
    filter_size: int = Field(3, ge=1)
    vae_layers: int = Field(1, ge=1)
    vae_width: int = Field(32, ge=2)
    kl_weight: float = Field(0.1, ge=0, le=1000)
    weight_average: float = Field(0.0, ge=0, le=0.9999)
    label_smoothing: float = Field(0.0, ge=0, le=0.5)
    instance_noise: float = Field(0.0, ge=0, le=10)
    fidelity_weight: float = Field(0.0, ge=0, le=1000)
    diversity_weight: float = Field(0.0, ge=0, le=1000)
    shots: float | None = Field(None, ge=1)
    adversarial_weight: float = Field(1.0, ge=0, le=1000)
    critic_start: int = Field(0, ge=0, le=1_000_000)
    pattern: int = Field(0, ge=0)
    utility_weight: float = Field(0.0, ge=0, le=1000)
    balance_weight: float = Field(0.0, ge=0, le=1000)

    @model_validator(mode="before")
    @classmethod
    def _without_a_share_of_shots(cls, given: Any) -> Any:
        """Files from before may hold the share of shots that training took, where it was all of them."""
        if not isinstance(given, Mapping) or OLD_SHARE not in given:
            return given
        if given[OLD_SHARE] != 1:
            raise ValueError(_OF_SHARE.format(say="e.g. defaults: {shots: 16}"))
        return {name: value for name, value in given.items() if name != OLD_SHARE}


SHOTS = "shots"
SCORE_WEIGHTS = ("diversity_weight", "utility_weight", "balance_weight")  # of what any generator may minimise too
OLD_SHARE = "shot_share"
_OF_SHARE = "shot_share must be replaced by shots, how many of engine.shots a circuit takes; write {say}"
NAMES = tuple(Hyperparameters.model_fields)
SIZES = tuple(Capacity.model_fields)
WHOLE = (*SIZES, "pattern", "critic_start")
# What training is spared where a study neither sets nor changes it: name -> the value that does nothing, None for the
# most. A trial uses them if the search space names them or its default is another.
SPARED = {
    "critic_layers": None,
    "weight_average": 0.0,
    "label_smoothing": 0.0,
    "instance_noise": 0.0,
    "fidelity_weight": 0.0,
    "diversity_weight": 0.0,
    SHOTS: None,
    "adversarial_weight": 1.0,
    "critic_start": 0.0,
    "pattern": 0.0,
    "utility_weight": 0.0,
    "balance_weight": 0.0,
}


def bounds(name: str, capacity: Capacity) -> tuple[float, float]:
    """Smallest and largest value of a hyperparameter, as its field declares them and as ``capacity`` allows."""
    declared = Hyperparameters.model_fields[name].metadata
    low = next(limit.ge for limit in declared if hasattr(limit, "ge"))
    high = next((limit.le for limit in declared if hasattr(limit, "le")), np.inf)
    return float(low), float(min(high, getattr(capacity, name, np.inf)))


def checked(
    changes: Mapping[str, np.ndarray | float], n_lanes: int, config: "Tunables", used: Collection[str]
) -> dict[str, np.ndarray]:
    """Values (name -> a number, or lanes) as arrays over lanes.

    Raises:
        QsynthError: an unknown name, one that is not ``used``, or a value that is not within ``config.limits``.
    """
    accepted = {}
    for name, given in changes.items():
        if name not in NAMES:
            raise StudyError(f"{name!r} must be a hyperparameter.{did_you_mean(name, NAMES)}")
        if name not in used:
            hint = "; name it in search_space, or give it another default" if name in SPARED else ""
            raise StudyError(f"{name} must be a hyperparameter that the trial was built with{hint}")
        low, high = config.limits(name)
        values = np.broadcast_to(np.asarray(given, dtype=float), (n_lanes,))
        fits = values.min() >= low and values.max() <= high
        if not fits or (name in WHOLE and (values % 1).any()):
            kind = "whole and " if name in WHOLE else ""
            raise StudyError(f"{name} must be {kind}within {low:g}..{high:g}; got {values.min():g}..{values.max():g}")
        accepted[name] = values.copy()
    return accepted


class Tunables(Config):
    """Starting values, the capacity they must fit in, and what may change while a trial runs."""

    capacity: Capacity = Capacity()
    defaults: Hyperparameters = Hyperparameters()
    search_space: SearchSpace = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _unwritten_defaults_follow(cls, given: Any) -> Any:
        """A starting value that nobody wrote is as near to the usual one as capacity and search space allow."""
        if not isinstance(given, Mapping):
            return given
        written, capacity = given.get("defaults", {}), given.get("capacity", {})
        if isinstance(written, Hyperparameters):
            written = {name: getattr(written, name) for name in written.model_fields_set}
        if isinstance(capacity, Capacity):
            capacity = capacity.model_dump()
        space = given.get("search_space", {})
        if not all(isinstance(each, Mapping) for each in (written, capacity, space)):
            return given
        nearest = {}
        for name in {*SIZES, *space} - {*written, SHOTS}:
            usual = Hyperparameters.model_fields[name].default if name in NAMES else None
            ends = _ends(space.get(name))
            most = capacity.get(name)
            if usual is not None and isinstance(most, int):
                nearest[name] = min(usual, most)
            if usual is not None and ends is not None:
                nearest[name] = min(max(nearest.get(name, usual), ends[0]), ends[1])
        return {**given, "defaults": {**written, **nearest}} if nearest else given

    @model_validator(mode="after")
    def _fits(self) -> Self:
        conflicts = {str(each): each for each in self.conflicts()}
        if len(conflicts) == 1:
            raise next(iter(conflicts.values()))
        if conflicts:
            raise ValueError("; ".join(conflicts))
        return self

    def conflicts(self) -> Iterator[ValueError]:
        """All that does not fit together."""
        for name in SIZES:
            value, limit = getattr(self.defaults, name), getattr(self.capacity, name)
            if value > limit:
                yield ValueError(f"defaults.{name} must be at most capacity.{name} = {limit}; got {value}")
        for name in self.search_space:
            try:
                self._check_dimension(name)
            except ValueError as error:
                yield error

    def _check_dimension(self, name: str) -> None:
        """Refuse what can't be searched.

        Raises:
            ValueError: such a dimension.
        """
        dimension = self.search_space[name]
        if name == OLD_SHARE:
            raise ValueError(
                _OF_SHARE.format(say="e.g. search_space: {shots: {kind: float, low: 8, high: 64, log: true}}")
            )
        if name not in NAMES:
            raise ValueError(f"search_space.{name} is no hyperparameter.{did_you_mean(name, NAMES)}")
        if name in WHOLE and dimension.kind == "float":
            raise ValueError(f"search_space.{name} must be an int or a choice; got float")
        if name in WHOLE and dimension.kind == "choice" and any(value % 1 for value in dimension.values):
            raise ValueError(f"search_space.{name} must hold whole numbers; got {list(dimension.values)}")
        low, high = self.limits(name)
        if dimension.low < low or dimension.high > high:
            raise ValueError(
                f"search_space.{name} must stay within {low:g}..{high:g}; got {dimension.low:g}..{dimension.high:g}"
            )
        start = self.default(name)
        has_none = name == SHOTS and not start  # where the engine is exact, which refuses to have them tuned
        if not has_none and not dimension.low <= start <= dimension.high:
            raise ValueError(
                f"defaults.{name} must lie in its search space {dimension.low:g}..{dimension.high:g}; got {start:g}"
            )

    def limits(self, name: str) -> tuple[float, float]:
        """Smallest and largest value of a hyperparameter here."""
        return bounds(name, self.capacity)

    def default(self, name: str) -> float:
        """What a hyperparameter starts at."""
        return float(getattr(self.defaults, name))


def _ends(dimension: Any) -> tuple[float, float] | None:
    """The smallest and the largest value of a dimension, whether it is validated already or not."""
    values = dimension if isinstance(dimension, Mapping) else getattr(dimension, "__dict__", {})
    numbers = values.get("values") or (values.get("low"), values.get("high"))
    if not isinstance(numbers, list | tuple) or not all(isinstance(each, int | float) for each in numbers):
        return None
    return min(numbers), max(numbers)


def controls(values: Mapping[str, np.ndarray], capacity: Capacity) -> Controls:
    """The tensors (leading axis: lanes) through which hyperparameter values (name -> lanes) act.

    What ``values`` lack is OFF.
    """

    def number(name: str) -> torch.Tensor:
        return torch.as_tensor(values[name], dtype=torch.float32) if name in values else OFF

    def mask(name: str) -> torch.Tensor:
        if name not in values:
            return OFF
        size = getattr(capacity, name)
        return (torch.arange(size)[None, :] < number(name)[:, None]).to(torch.float32)

    return Controls(
        lr_generator=number("lr_generator"),
        lr_critic=number("lr_critic"),
        gp_weight=number("gp_weight"),
        beta1=number("beta1"),
        n_critic=number("n_critic"),
        sample_weights=mask("batch_size") / number("batch_size")[:, None],
        latent_mask=mask("latent_dim"),
        layer_mask=mask("n_layers"),
        unit_mask=mask("critic_width"),
        critic_layer_mask=mask("critic_layers"),
        filter_mask=mask("filter_size"),
        vae_layer_mask=mask("vae_layers"),
        vae_unit_mask=mask("vae_width"),
        kl_weight=number("kl_weight"),
        weight_average=number("weight_average"),
        label_smoothing=number("label_smoothing"),
        instance_noise=number("instance_noise"),
        fidelity_weight=number("fidelity_weight"),
        diversity_weight=number("diversity_weight"),
        shots=number("shots"),
        adversarial_weight=number("adversarial_weight"),
        critic_start=number("critic_start"),
        pattern=number("pattern"),
        utility_weight=number("utility_weight"),
        balance_weight=number("balance_weight"),
    )
