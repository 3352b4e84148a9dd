"""Where models that earlier versions registered in MLflow look for their loader."""

from cluster.results.generator_model import _load_pyfunc as _load_pyfunc
