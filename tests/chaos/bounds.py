"""How much time and work faults may cost."""

RECOVERY_SECONDS = 30.0
REPEATED = 1.1  # work in all over work that counts
# What a time may be longer on a machine that does much else, as those of these tests do: with 8 processes that want
# each core, Ray alone takes half a minute to start. Work is not a matter of the machine, so it has no such factor.
BUSY = 4.0
