"""What looks wrong in a table, said before work starts."""

import pandas as pd

from qsynth.tables.remark import Remark
from qsynth.tables.schema import Schema


def suspicions(frame: pd.DataFrame, schema: Schema) -> tuple[Remark, ...]:
    """Remarks on what is likely to be a mistake."""
    return ()
