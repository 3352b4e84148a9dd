"""All yardsticks by their names."""

from qsynth.registry import Registry
from qsynth.yardsticks.duplication import Duplication
from qsynth.yardsticks.gaussian_mixture import GaussianMixture
from qsynth.yardsticks.jittered import Jittered
from qsynth.yardsticks.kernel_density import KernelDensity
from qsynth.yardsticks.real_sample import RealSample
from qsynth.yardsticks.smote import Smote
from qsynth.yardsticks.tied_gaussian import TiedGaussian
from qsynth.yardsticks.yardstick import Yardstick

YARDSTICKS: Registry[Yardstick] = Registry("yardstick", own_name=lambda yardstick: yardstick.name)
_LAWS: tuple[Yardstick, ...] = (GaussianMixture(), TiedGaussian(), KernelDensity())
_OTHERS: tuple[Yardstick, ...] = (Smote(), Duplication(), RealSample())
for _each in (*_LAWS, *map(Jittered, _LAWS), *_OTHERS):
    YARDSTICKS.register(_each.name)(_each)
