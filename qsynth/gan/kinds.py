"""The kinds of generators, critics and losses that a trial can have."""

from typing import Annotated, Literal

from pydantic import Field

from qsynth.gan.born import BornGeneratorConfig
from qsynth.gan.classical import ClassicalGeneratorConfig
from qsynth.gan.conv_critic import ConvCriticConfig
from qsynth.gan.distances import DistanceName
from qsynth.gan.losses import AdversarialName
from qsynth.gan.mlp_critic import MLPCriticConfig
from qsynth.gan.quantum import QuantumGeneratorConfig
from qsynth.gan.vae import VAEGeneratorConfig

GeneratorConfig = Annotated[
    QuantumGeneratorConfig | ClassicalGeneratorConfig | VAEGeneratorConfig | BornGeneratorConfig,
    Field(discriminator="kind"),
]
CriticConfig = Annotated[MLPCriticConfig | ConvCriticConfig, Field(discriminator="kind")]
LossName = Literal[AdversarialName, DistanceName]
