"""Settings in YAML files that people write: bounded in size, depth and numbers, without aliases."""

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from qsynth.errors import FileError
from qsynth.files.content import read_text
from qsynth.files.json_text import LARGEST, too_deep

MAX_STUDY_BYTES = 256 * 1024


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

    def construct_yaml_int(self, node: Any) -> int:
        number = super().construct_yaml_int(node)
        if abs(number) > LARGEST:
            raise yaml.YAMLError(f"whole numbers must be within +-2^64, line {node.start_mark.line + 1}")
        return int(number)


_PlainLoader.add_constructor("tag:yaml.org,2002:int", _PlainLoader.construct_yaml_int)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        FileError: unreadable, no file, larger than 256 KiB, not valid YAML, with aliases, a key given twice or a whole
            number beyond 2^64, or not a mapping.
    """
    text = read_text(path, MAX_STUDY_BYTES)
    try:
        content = yaml.load(text, Loader=_PlainLoader)
    except RecursionError:
        raise FileError(f"{path} must be YAML: nested too deeply") from None
    # ValueError: e.g. a date with month 13. What yaml raises for a tag that does not fit its value is any of the rest.
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise FileError(f"{path} must be YAML: {' '.join(str(error).split())}") from None
    if too_deep(content):
        raise FileError(f"{path} must be YAML: nested too deeply")
    if not isinstance(content, dict):
        raise FileError(f"{path} must hold a mapping of settings; got {type(content).__name__}")
    return content
