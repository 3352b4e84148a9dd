"""Settings that are gone, in what earlier versions wrote."""

from typing import Any


def without_retired(values: Any, name: str, off: object, what: str) -> Any:
    """Plain values of a config less the setting ``name``, which does nothing where it is ``off``.

    Raises:
        ValueError: it is on.
    """
    if not isinstance(values, dict) or name not in values:
        return values
    if values[name] != off:
        raise ValueError(f"{name} must be left out, as {what} are no longer supported; got {values[name]}")
    return {key: value for key, value in values.items() if key != name}
