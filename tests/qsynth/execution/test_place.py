"""A population on another device: everything it computes with is there. Without a GPU, on torch's device for shapes."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from qsynth.data.dataset import Instance
from qsynth.data.tabular import TableData
from qsynth.errors import QsynthError
from qsynth.execution.place import brought, check_place
from qsynth.metrics.score import Scorecard
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig

SIZES = {"n_layers": 2, "batch_size": 4, "n_critic": 2, "critic_width": 8, "latent_dim": 2}
TOUCHED = {"weight_average": 0.9, "instance_noise": 0.1, "critic_layers": 1}
TOUCHED |= {"fidelity_weight": 1, "diversity_weight": 1}
MOVES = ("aten._to_copy", "aten.copy_")


class OnePlace(TorchDispatchMode):
    """Refuses operations on tensors of two devices, which torch does not always."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [each for each in tree_leaves((args, kwargs or {})) if isinstance(each, torch.Tensor) and each.ndim]
        places = {each.device.type for each in tensors}
        assert len(places) < 2 or str(func).startswith(MOVES), f"{func} of tensors on {places}"
        return func(*args, **kwargs or {})


def config(**changes: Any) -> TrialConfig:
    settings: dict[str, Any] = {
        "n_qubits": 3,
        "capacity": SIZES,
        "defaults": SIZES,
        "score": {"n_rows": 32},
    }
    settings["qnn"] = {"n_layers": 1, "n_starts": 1, "n_steps": 1}
    return TrialConfig.model_validate({**settings, **changes})


def instance() -> Instance:
    return TableData(kind="table", name="iris", n_features=2, n_train=24).instance(0, held_out=True)


CHANGES: list[dict[str, Any]] = [
    {},
    {"readout": "zx", "ansatz": "iqp"},
    {"engine": {"shots": 5}, "ansatz": "strongly_entangling"},
    {"n_qubits": 8, "ansatz": "data_reuploading"},
    {"n_qubits": 1, "generator": {"kind": "quantum", "patches": 2, "output_scale": True}, "loss": "hinge"},
    {"generator": {"kind": "classical"}, "critic": {"kind": "conv", "spectral_norm": True}, "penalty": "none"},
    {"generator": {"kind": "vae"}, "critic": {"kind": "mlp", "conditioning": "auxiliary"}, "defaults": SIZES | TOUCHED},
    {"generator": {"kind": "born"}, "critic": {"kind": "conv", "conditioning": "projection"}, "loss": "standard"},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_all_that_a_population_computes_with_is_in_its_place(change: dict[str, Any]) -> None:
    one = instance()
    with torch.device("meta"):
        made = Population(config(**change), one.n_features, one.n_classes, 3)
    assert made.place.type == "meta"
    with OnePlace():
        made.reset(range(3), [one] * 3, range(3))
        for leave in (lambda: made.advance(1), made.evaluate):
            with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):  # the very end
                leave()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
def test_a_gpu_computes_what_the_cpu_does() -> None:
    one, populations = instance(), []
    for place in ("cpu", "cuda"):
        with torch.device(place):
            made = Population(config(), one.n_features, one.n_classes, 3)
        made.reset(range(3), [one] * 3, range(3))
        made.advance(5)
        populations.append(made)
    cpu, gpu = (made.evaluate().score for made in populations)
    torch.testing.assert_close(gpu, cpu, rtol=0, atol=1e-3)
    for name, tensor in populations[0].snapshot(1).tensors.items():
        torch.testing.assert_close(populations[1].snapshot(1).tensors[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch sees a GPU")
def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(QsynthError, match="place must be cpu here"):
        check_place("cuda")
    check_place("cpu")


def test_what_is_brought_keeps_its_structure() -> None:
    card = Scorecard(torch.ones(2), {"fidelity": torch.zeros(2)}, {})
    assert isinstance(brought(card), Scorecard)
    assert brought(card).utilities["fidelity"].tolist() == [0.0, 0.0]
