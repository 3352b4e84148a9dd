"""Frozen, validated configuration: every study file and every component's settings."""

from collections import Counter
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from qsynth.errors import QsynthError, did_you_mean

MAX_STUDY_BYTES = 256 * 1024


class Config(BaseModel):
    """Base of all settings: frozen; unknown keys and numbers that are not finite are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    def replaced(self, **changes: Any) -> Self:
        """A validated copy with top-level fields changed (``model_copy(update=)`` does not validate)."""
        return parse(type(self), {**self.model_dump(), **changes}, source=type(self).__name__)


C = TypeVar("C", bound=BaseModel)


def parse(model: type[C], values: Any, *, source: str) -> C:
    """Validate ``values`` as ``model``.

    Raises:
        QsynthError: one line that names the first offending key by its dotted path in ``source``.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise QsynthError(_one_line(error, model, source)) from None


def _one_line(error: ValidationError, model: type[BaseModel], source: str) -> str:
    errors = error.errors(include_url=False)
    # A misspelt key comes before the required one that it leaves missing.
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    path = ".".join(str(part) for part in first["loc"]) or "(top level)"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        known = _keys_beside(model, first["loc"])
        return f"{source}: unknown key {path!r}.{did_you_mean(str(first['loc'][-1]), known)}{more}"
    if first["type"] == "missing":
        return f"{source}: {path} must be given{more}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"{source}: {message}{more}" if not first["loc"] else f"{source}: {path}: {message}{more}"
    return f"{source}: {path}: {message[0].lower()}{message[1:]}; got {first['input']!r}{more}"


def _keys_beside(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Names of the fields that the model at ``location``'s parent takes."""
    candidates = [model]
    for part in location[:-1]:
        inner = [
            m for c in candidates if part in c.model_fields for m in _models_in(c.model_fields[str(part)].annotation)
        ]
        tagged = [m for m in candidates if "kind" in m.model_fields and m.model_fields["kind"].default == part]
        candidates = inner or tagged or candidates
    return sorted({name for candidate in candidates for name in candidate.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for argument in getattr(annotation, "__args__", ()) for m in _models_in(argument)]


class _PlainLoader(yaml.SafeLoader):
    """Safe YAML without aliases, whose expansion could exhaust memory, and without keys that are given twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if repeated := [key for key, count in keys.items() if count > 1]:
            raise yaml.YAMLError(f"key {repeated[0]!r} is given twice, line {node.start_mark.line + 1} on")
        return node


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        QsynthError: unreadable, larger than 256 KiB, not valid YAML, with aliases, a key given twice, or not a mapping.
    """
    try:
        if path.stat().st_size > MAX_STUDY_BYTES:
            raise QsynthError(f"{path} must be at most {MAX_STUDY_BYTES // 1024} KiB; got {path.stat().st_size} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise QsynthError(f"{path} can't be read: {reason}") from None
    try:
        content = yaml.load(text, Loader=_PlainLoader)
    except RecursionError:
        raise QsynthError(f"{path} must be YAML: nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: e.g. a date with month 13
        raise QsynthError(f"{path} must be YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise QsynthError(f"{path} must hold a mapping of settings; got {type(content).__name__}")
    return content
