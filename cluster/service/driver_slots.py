"""How many studies run at a time on a head: each has a driver there, whose memory populations can't have."""

import os

from cluster.service.service import Offer
from cluster.study.study import PROCESS_BYTES
from qsynth.circuits.statevector import human_bytes
from qsynth.errors import QsynthError

DRIVER_BYTES = 800 << 20  # of a driver while it trains: RLlib, its learner and MLflow's client; 0.6 to 0.8 GB were seen
PART_OF_DRIVERS = 0.25  # of the memory, unless one asks for more
PART_OF_RAY = 0.7  # of the memory that is free: Ray takes the rest for its object store


def offer_with_drivers(offer: Offer) -> Offer:
    """The offer with a number of drivers, and the memory that they leave to populations.

    By itself that is one for each CPU, if a quarter of the memory is enough for them.

    Raises:
        QsynthError: so many drivers do not fit.
    """
    import psutil

    memory = int(PART_OF_RAY * psutil.virtual_memory().available)
    most = (memory - PROCESS_BYTES) // DRIVER_BYTES
    cpus = os.cpu_count() or 1 if offer.cpus is None else offer.cpus
    usual = min(int(PART_OF_DRIVERS * memory / DRIVER_BYTES), cpus or most)
    drivers = offer.drivers or max(1, usual)
    if drivers > max(1, most):
        raise QsynthError(
            f"--drivers must be at most {most}, as each takes {human_bytes(DRIVER_BYTES)} of the {human_bytes(memory)} "
            f"that Ray has, and one population {human_bytes(PROCESS_BYTES)}; got {drivers}"
        )
    return offer._replace(drivers=drivers, memory=max(memory - drivers * DRIVER_BYTES, 0))
