"""Frozen, validated configuration: every study file and every component's settings."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from qsynth.errors import QsynthError, StudyError, did_you_mean, shown
from qsynth.registry import Registry

MOST_ERRORS = 5  # that one message names


class Config(BaseModel):
    """Base of all settings: frozen; unknown keys and numbers that are not finite are errors.

    Raises:
        StudyError: one line that names the offending settings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    def __init__(self, /, *unnamed: Any, **values: Any) -> None:
        if unnamed:
            needed = (name for name, field in type(self).model_fields.items() if field.is_required())
            first = next(needed, next(iter(type(self).model_fields), "name"))
            raise StudyError(
                f"{type(self).__name__} must be given its settings by name, as in {first}=...; got {shown(unnamed[0])}"
            )
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _in_one_line(error, type(self), values, type(self).__name__) from None

    # So pydantic makes settings inside others as it does without the above, and their errors keep their paths.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            super().__setattr__(name, value)
        except ValidationError:
            message = f"{type(self).__name__} must not be changed; make another with replaced({name}={shown(value)})"
            raise StudyError(message) from None

    def replaced(self, **changes: Any) -> Self:
        """A validated copy with top-level fields changed (``model_copy(update=)`` does not validate)."""
        return parse(type(self), {**self.model_dump(), **changes}, source=type(self).__name__)

    @classmethod
    def setting_names(cls) -> Iterable[str]:
        """Names of all settings that it takes."""
        return cls.model_fields


C = TypeVar("C", bound=Config)


class Kinds(Registry[type[C]]):
    """An open set of settings of different kinds, each under what its field ``kind`` says.

    ``Annotated[Base, KINDS]`` is the type of a field that takes any of them, ``Base`` the class that all of them have.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind, own_name=lambda member: str(member.model_fields["kind"].default))

    def __get_pydantic_core_schema__(self, source: type[C], _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda values: values if isinstance(values, source) else self._parsed(values)
        )

    def _parsed(self, values: Any) -> C:
        if not isinstance(values, Mapping):
            raise PydanticCustomError("kind_type", "Input should be settings of a {what}", {"what": self.kind})
        if "kind" not in values:
            raise _error_at("missing", "kind", values)
        if not isinstance(values["kind"], str):
            raise _error_at("string_type", "kind", values["kind"])
        try:
            member = self[values["kind"]]
        except StudyError as error:
            raise _error_at("value_error", "kind", values["kind"], error=error) from None
        return member.model_validate(values)


def parse(model: type[C], values: Any, *, source: str) -> C:
    """Validate ``values`` as ``model``.

    Raises:
        StudyError: one line that names the offending keys by their dotted paths in ``source``; of another class below
            :class:`QsynthError` where what is wrong has one.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _in_one_line(error, model, values, source) from None


def unknown_key(name: str, value: Any) -> ValidationError:
    """What a validator of settings raises for a key that they do not take."""
    return _error_at("extra_forbidden", name, value)


def _error_at(what: str, key: str, value: Any, **context: Any) -> ValidationError:
    """An error of one of pydantic's types at one key."""
    detail: InitErrorDetails = {"type": what, "loc": (key,), "input": value}
    if context:
        detail["ctx"] = context
    return ValidationError.from_exception_data("Config", [detail])


def _in_one_line(error: ValidationError, model: type[Config], values: Any, source: str) -> QsynthError:
    # A misspelt key comes before the required one that it leaves missing.
    errors = sorted(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
    found = [_message(each, model, values) for each in errors]
    said = list(dict.fromkeys(message for _, message in found))
    more = f" (and {len(said) - MOST_ERRORS} more)" if len(said) > MOST_ERRORS else ""
    return found[0][0](f"{source}: {'; '.join(said[:MOST_ERRORS])}{more}")


def _message(first: Any, model: type[Config], values: Any) -> tuple[type[QsynthError], str]:
    """What is wrong at one place, and the class of errors that it is of."""
    path = ".".join(str(part) for part in _without_kinds(first["loc"], values)) or "(top level)"
    if first["type"] == "extra_forbidden":
        known = _keys_beside(model, first["loc"], values)
        return StudyError, f"unknown key {path!r}.{did_you_mean(str(first['loc'][-1]), known)}"
    if first["type"] == "missing":
        return StudyError, f"{path} must be given"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        cause = first["ctx"]["error"]
        kind = type(cause) if isinstance(cause, QsynthError) else StudyError
        return kind, message if not first["loc"] else f"{path}: {message}"
    return StudyError, f"{path}: {message[0].lower()}{message[1:]}; got {shown(first['input'])}"


def _without_kinds(location: tuple[int | str, ...], values: Any) -> list[int | str]:
    """``location`` in ``values`` as a study file has it: without the kinds that pydantic puts into it."""
    path: list[int | str] = []
    for part in location:
        if isinstance(values, Mapping) and part not in values and values.get("kind") == part:
            continue
        path.append(part)
        with suppress(KeyError, IndexError, TypeError):
            values = values[part]
    return path


def _keys_beside(model: type[Config], location: tuple[int | str, ...], values: Any) -> list[str]:
    """Names of the settings that the model at ``location``'s parent in ``values`` takes."""
    candidates = [model]
    for part in location[:-1]:
        with suppress(KeyError, IndexError, TypeError):  # of a part that only says which kind it is
            values = values[part]
        fields = [c.model_fields[str(part)] for c in candidates if part in c.model_fields]
        inner = [m for field in fields for m in _models_of(field, values)]
        tagged = [m for m in candidates if "kind" in m.model_fields and m.model_fields["kind"].default == part]
        candidates = inner or tagged or candidates
    return sorted({name for candidate in candidates for name in candidate.setting_names()})


def _models_of(field: FieldInfo, value: Any) -> list[type[Config]]:
    """The settings that may be meant by ``value`` of a field."""
    kinds = next((each for each in field.metadata if isinstance(each, Kinds)), None)
    if kinds is None:
        return _models_in(field.annotation)
    return [kinds[value["kind"]]]


def _models_in(annotation: Any) -> list[type[Config]]:
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return [annotation]
    return [m for argument in getattr(annotation, "__args__", ()) for m in _models_in(argument)]
