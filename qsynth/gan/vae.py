"""The variational-autoencoder generator of the second source paper (section 2.1), trained adversarially."""

import math
from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from qsynth import rng
from qsynth.circuits.circuit import Circuit
from qsynth.gan.classical import ClassicalGenerator
from qsynth.gan.generator import Generator, GeneratorOptions, Rows
from qsynth.gan.quantum import Inputs, QuantumGenerator
from qsynth.networks.cholesky import cholesky
from qsynth.networks.layers import HiddenLayers
from qsynth.networks.parameters import ParameterLayout
from qsynth.space.controls import Controls
from qsynth.space.hyperparameters import SHOTS, Capacity

MOST_LOG_VARIANCE = 8.0


class VAEGeneratorConfig(GeneratorOptions):
    """A variational autoencoder whose decoder is the generator.

    Attributes:
        decoder: hidden layers as the encoder has, or a quantum generator.
        patches, inputs, output_scale: of the quantum decoder, as of the quantum generator.
        rows: which latents rows are made of: of the ``prior`` N(0, 1), as the source paper has it, or of the aggregated
            ``posterior`` (:class:`VAEGenerator`).
    """

    kind: Literal["vae"] = "vae"
    decoder: Literal["classical", "quantum"] = "classical"
    patches: int = Field(1, ge=1, le=1024)
    inputs: Inputs = "shift"
    output_scale: bool = False
    rows: Literal["prior", "posterior"] = "prior"

    n_passes: ClassVar[int] = 2  # rows that are made, and reconstructions

    @model_validator(mode="after")
    def _has_what_it_configures(self) -> Self:
        if self.decoder == "classical" and (self.patches > 1 or self.inputs != "shift" or self.output_scale):
            raise ValueError(
                "patches, inputs and output_scale must be left out with decoder classical: they are a circuit's"
            )
        return self

    @property
    def uses(self) -> frozenset[str]:
        """Its layers' sizes, and those of its decoder."""
        layers = {"n_layers", "pattern", SHOTS} if self.decoder == "quantum" else set()
        return frozenset({"latent_dim", "vae_layers", "vae_width", "kl_weight"} | layers)

    def most_features(self, n_qubits: int, n_outputs: int) -> float:
        """Those of its decoder."""
        return n_outputs * self.patches if self.decoder == "quantum" else math.inf

    def circuit_rows(self, n_rows: int, n_classes: int) -> int:
        """Those of its decoder."""
        return n_rows * self.patches if self.decoder == "quantum" else 0

    def build(self, circuit: Circuit, n_features: int, n_classes: int, capacity: Capacity) -> "VAEGenerator":
        """The generator."""
        latent, width, n_layers = capacity.latent_dim, capacity.vae_width, capacity.vae_layers
        decoder: QuantumGenerator | Decoder
        if self.decoder == "quantum":
            sizes = n_features, latent, n_classes, self.patches
            decoder = QuantumGenerator(circuit, *sizes, self.output_scale, capacity.n_layers, self.inputs)
        else:
            decoder = Decoder(n_features, latent, n_classes, width, n_layers)
        return VAEGenerator(decoder, n_classes, width, n_layers, posterior=self.rows == "posterior")


class Decoder(ClassicalGenerator):
    """The classical generator with the VAE's hidden layers."""

    def _masks(self, controls: Controls) -> tuple[Tensor, Tensor]:
        return controls.vae_unit_mask, controls.vae_layer_mask


class VAEGenerator(Generator):
    """Encoder ``(x, onehot(y)) -> mean, log variance`` of a latent normal distribution, and a decoder, which is the
    generator: its rows for training, evaluation and samples come from the prior N(0, 1).

    With ``posterior`` they come from each class's aggregated posterior [Makhzani et al. 2016, section 2], the mixture
    of the distributions that the encoder gives its training rows, or rather from the normal distribution of the same
    mean and covariance (the means' covariance and the mean variance). These follow from encoder and rows after each
    update, and the adversarial loss does not move them.

    It minimises the adversarial loss + |x - x'|^2 / 2 + kl_weight KL(N(mean, variance) || N(0, 1)), means over real
    rows x and their reconstructions x' [Kingma & Welling 2014, Eq. 10 and appendix B, with a decoder of unit variance;
    the weight of Higgins et al. 2017; the sum as in Larsen et al. 2016, whose reconstruction is judged by the critic's
    features instead].
    """

    def __init__(
        self,
        decoder: QuantumGenerator | Decoder,
        n_classes: int,
        width: int,
        n_layers: int,
        *,
        posterior: bool = False,
    ) -> None:
        self.decoder = decoder
        self.n_features, self.n_noise = decoder.n_features, decoder.n_noise
        self._layers = HiddenLayers(self.n_features + n_classes, width, n_layers)
        self.row_size = self._layers.row_size + VAEGeneratorConfig.n_passes * decoder.row_size
        latent = decoder.n_latent
        heads = {"mean_w": (latent, width), "mean_b": (latent,), "spread_w": (latent, width), "spread_b": (latent,)}
        self.encoder = ParameterLayout(self._layers.shapes | heads)
        self._bounds = self.encoder.bounds(self._layers.fan_in | dict.fromkeys(heads, width))
        self._posterior = None
        if posterior:
            self.refresh_size = self._layers.row_size + n_classes * latent
            self._posterior = ParameterLayout({"mean": (n_classes, latent), "factor": (n_classes, latent, latent)})
        parts = [("encoder", self.encoder), ("decoder", decoder.layout)]
        parts += [("posterior", self._posterior)] if self._posterior else []
        self.layout = ParameterLayout(
            {f"{owner}.{name}": shape for owner, layout in parts for name, shape in layout.shapes.items()}
        )

    def initial(self, seed: Tensor, stream: int) -> Tensor:
        """Starting parameters of one trial: torch's ``nn.Linear`` rule for the encoder, the decoder's own for it."""
        counter = torch.full((), 2, dtype=torch.int64)  # decoders use 0 and 1
        encoder = self._bounds * (2 * rng.uniform(seed, stream, counter, self.encoder.size) - 1)
        start = [encoder, self.decoder.initial(seed, stream)]
        if self._posterior:
            mean, factor = self._posterior.shapes["mean"], torch.eye(self.decoder.n_latent)
            start += [torch.zeros(mean).flatten(), factor.expand(mean[0], -1, -1).flatten()]
        return torch.cat(start)

    def refreshed(self, flat: Tensor, x: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """``flat`` with mean and Cholesky factor of each class's aggregated posterior; that of a class without rows is
        the prior."""
        if not self._posterior:
            return flat
        mean, log_variance = self.encode(flat, x, onehot, controls)
        counts = onehot.sum(dim=0)
        shares = (onehot / counts.clamp(min=1)).T  # classes x rows
        centre, variance = shares @ mean, shares @ torch.exp(log_variance)
        deviation = mean - onehot @ centre
        spread = (shares[:, None, :] * deviation.T) @ deviation  # classes x latent x latent
        spread = spread + torch.diag_embed(variance + (counts == 0)[:, None])
        return torch.cat([flat[: -self._posterior.size], centre.flatten(), cholesky(spread).flatten()])

    def sample(self, flat: Tensor, noise: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """Rows (batch x n_features), of the prior or of the aggregated posterior."""
        return self._decoded(flat, self._placed(flat, noise, onehot), onehot, controls)

    def _placed(self, flat: Tensor, noise: Tensor, onehot: Tensor) -> Tensor:
        """``noise`` with latents of the aggregated posterior in place of those of the prior, if rows are made of it."""
        if not self._posterior:
            return noise
        p, n_latent = self._posterior.split(flat[-self._posterior.size :].detach()), self.decoder.n_latent
        factor = (onehot @ p["factor"].flatten(1)).unflatten(1, (n_latent, n_latent))
        latent = onehot @ p["mean"] + (factor * noise[:, None, :n_latent]).sum(dim=2)
        return torch.cat([latent, noise[:, n_latent:]], dim=1)

    def _of_decoder(self, flat: Tensor) -> Tensor:
        """The decoder's parameters."""
        return flat[self.encoder.size :][: self.decoder.layout.size]

    def _decoded(self, flat: Tensor, latent: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        return self.decoder.sample(self._of_decoder(flat), latent, onehot, controls)

    def encode(self, flat: Tensor, x: Tensor, onehot: Tensor, controls: Controls) -> tuple[Tensor, Tensor]:
        """Mean and log variance (both batch x latent_dim) of rows (batch x n_features) and labels."""
        p = self.encoder.split(flat[: self.encoder.size])
        inputs = torch.cat([x, onehot], dim=1)
        active = self._layers(p, inputs, controls.vae_unit_mask, controls.vae_layer_mask).active
        mean, log_variance = (active @ p[f"{name}_w"].T + p[f"{name}_b"] for name in ("mean", "spread"))
        return mean, MOST_LOG_VARIANCE * torch.tanh(log_variance / MOST_LOG_VARIANCE)

    def regularised(self, loss: Tensor, flat: Tensor, noise: Tensor, real: Rows, controls: Controls) -> Tensor:
        """``loss`` + reconstruction + kl_weight KL.

        The noise of the adversarial loss serves the reparametrisation too: each term is a mean of its own.
        """
        mean, log_variance = self.encode(flat, real.x, real.onehot, controls)
        n_latent = self.decoder.n_latent
        latent = mean + torch.exp(log_variance / 2) * noise[:, :n_latent]
        again = self._decoded(flat, torch.cat([latent, noise[:, n_latent:]], dim=1), real.onehot, controls)
        missed = torch.square(again - real.x).sum(dim=1) / 2
        of_latent = (torch.square(mean) + torch.exp(log_variance) - log_variance - 1) / 2
        divergence = (of_latent * controls.latent_mask).sum(dim=1)
        return loss + ((missed + controls.kl_weight * divergence) * real.weights).sum()

    def angles(self, flat: Tensor, noise: Tensor, onehot: Tensor, controls: Controls) -> tuple[Tensor, Tensor]:
        """The decoder's."""
        return self.decoder.angles(self._of_decoder(flat), self._placed(flat, noise, onehot), onehot, controls)
