"""What comes of bad files of every kind that the product reads.

    python -m tests.benchmarks.bad_files --files 10000

Each file is made of a good one by a seed: cut, flipped, packed, in another encoding, with JSON of other types, numbers
and names, headers that say something else, or no file at all. It is read as the product reads it, and used. It may be
refused in one line, or be good enough; a traceback, a hang (20 s of the processor, or two minutes), a message that is
no line, and anything written outside its folder are faults, and are listed with their seeds.
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

import torch

from tests.bad_files.kinds import KINDS
from tests.bad_files.trial import Watch, try_file
from tests.benchmarks.report import table


def main() -> int:
    """Print the table and the faults; 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000, help="of all kinds together")
    parser.add_argument("--kind", help="only this one")
    parser.add_argument("--show", action="store_true", help="every outcome, not only faults")
    parser.add_argument("--first", type=int, default=0, help="seed to begin with")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kinds = [kind for kind in KINDS if options.kind in (None, kind.name)]
    watch, rows, faults = Watch(), list[list[str]](), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            counts: Counter[str] = Counter()
            began = time.monotonic()
            each = -(-options.files // len(kinds))
            if (control := try_file(kind, None, Path(folder), watch)).what != "read":
                faults.append(f"{kind.name}, undamaged: {control.what}: {control.detail}")
            for seed in range(options.first, options.first + each):
                outcome = try_file(kind, seed, Path(folder), watch)
                counts[outcome.what] += 1
                if options.show or not outcome.good:
                    print(f"{kind.name} {seed}: {outcome.what}: {outcome.detail}", flush=True)
                if not outcome.good:
                    faults.append(f"{kind.name} {seed}: {outcome.what}: {outcome.detail}")
            bad = each - counts["refused"] - counts["read"]
            seconds = f"{time.monotonic() - began:.0f}"
            rows.append([kind.name, str(each), str(counts["refused"]), str(counts["read"]), str(bad), seconds])
            print(kind.name, dict(counts), seconds, "s", flush=True)
    print(table(["kind", "files", "refused", "read", "faults", "s"], rows))
    for fault in faults:
        print(fault)
    return bool(faults)


if __name__ == "__main__":
    raise SystemExit(main())
