"""What the guides say holds: examples run, links lead somewhere, commands and files exist, numbers are those measured.

A block of code may have an HTML comment above it: ``<!-- slow -->`` for minutes, ``<!-- server: why -->`` for one that
can't be run alone.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import typer.main
import yaml

from cluster.cli.app import app
from cluster.study.curriculum import Curriculum
from cluster.study.hardware import HardwareConfig
from cluster.study.study import Study
from qsynth.circuits.engine import EngineConfig
from qsynth.config import parse

ROOT = Path(__file__).parents[1]
FIRST_PAGE = ROOT / "README.md"
RESULTS = ROOT / "tests/benchmarks/results"
GUIDES = [
    *(ROOT / folder / "README.md" for folder in ("qsynth", "rl_envs", "cluster", "tests/benchmarks")),
    ROOT / ".github/CONTRIBUTING.md",
]
FOLDERS = (".github", "qsynth", "rl_envs", "cluster", "docker", "tests")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
MAX_LINES, MAX_WORDS = 150, 1_000
MAX_PICTURE_BYTES = 200_000
EXAMPLE_SECONDS = 280
USERS_FILES = {"report.md", "docker/.env"}  # what runs and users make

FENCE = re.compile(r"^```(\w*)\s*$")
COMMENT = re.compile(r"^<!-- (slow|server)(?:: (.*))? -->$")
TARGET = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
MODULE = re.compile(r"python -m (tests\.[\w.]*\w)")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of a page.

    Attributes:
        language: what stands behind the fence.
        line: number of its first line.
        mark: ``slow``, ``server`` or nothing.
        reason: why it is marked.
    """

    language: str
    line: int
    text: str
    mark: str
    reason: str


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    found = []
    lines = page.read_text(encoding="utf-8").splitlines()
    start, language, above = None, "", ""
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if fence and start is None:
            start, language, above = number + 1, fence[1], lines[number - 1]
        elif line == "```" and start is not None:
            comment = COMMENT.match(above)
            mark, reason = (comment[1], comment[2] or "") if comment else ("", "")
            text = "\n".join(lines[start:number])
            found.append(Block(language=language, line=start + 1, text=text, mark=mark, reason=reason))
            start = None
    assert start is None, f"{page} has a block without an end"
    return tuple(found)


def prose(page: Path) -> str:
    """The page without its blocks."""
    return re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))


def headings(page: Path) -> list[tuple[int, str]]:
    """Depth and text."""
    return [(len(depth), text) for depth, text in re.findall(r"(?m)^(#+) (.+)$", prose(page))]


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def examples() -> Iterator[Any]:
    """Every page's Python blocks: those that are fast together, then each marked one."""
    for page in PAGES:
        written = [block for block in blocks(page) if block.language == "python"]
        fast = tuple(block for block in written if not block.mark)
        if fast:
            yield pytest.param(page, fast, id=name_of(page))
        for index, block in enumerate(written):
            name = f"{name_of(page)}:{block.line}"
            if block.mark == "slow":
                before = tuple(each for each in written[: index + 1] if each.mark != "server")
                yield pytest.param(page, before, id=name, marks=pytest.mark.slow)
            elif block.mark == "server":
                yield pytest.param(page, (block,), id=name, marks=pytest.mark.skip(reason=block.reason))


@pytest.mark.parametrize(("page", "code"), list(examples()))
def test_python_examples_run(page: Path, code: tuple[Block, ...], tmp_path: Path) -> None:
    # At the lines where the page has them, so that a traceback tells where; in a process of its own, as examples
    # register components.
    script: list[str] = []
    for block in code:
        script += [""] * (block.line - 1 - len(script)) + block.text.splitlines()
    (tmp_path / page.name).write_text("\n".join(script), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, page.name]
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=EXAMPLE_SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    if page == FIRST_PAGE:
        [shown, *_] = [block.text.splitlines() for block in blocks(page) if block.language == "text"]
        printed = ran.stdout.splitlines()
        assert printed[0].split() == shown[0].split()
        assert [row.split()[-1] for row in printed] == [row.split()[-1] for row in shown]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in TARGET.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, wanted = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        if not there.exists() or ROOT not in (there, *there.parents):
            broken.append(target)
        elif wanted and wanted not in [anchor(text) for _, text in headings(there)]:
            broken.append(f"{target}: no such heading")
    assert not broken


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_guides_begin_with_their_contents(page: Path) -> None:
    sections = [anchor(text) for depth, text in headings(page) if depth == 2]
    contents = re.findall(r"(?m)^- \[[^\]]+\]\(#([^)]+)\)$", prose(page))
    assert contents == sections
    assert len({anchor(text) for _, text in headings(page)}) == len(headings(page)), "two headings of one anchor"


def command_lines(page: Path) -> Iterator[list[str]]:
    """What is given to ``qsynth`` in shell blocks, fenced or indented."""
    shell = [block.text for block in blocks(page) if block.language in ("bash", "sh", "shell")]
    shell.append("\n".join(re.findall(r"(?m)^    (.*)$", prose(page))))
    for line in "\n".join(shell).replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|;|\|", re.sub(r"(^|\s)#.*", "", line)):
            if "qsynth " not in part:
                continue
            words = shlex.split(part)
            for index, word in enumerate(words[:-1]):
                first = index == 0 or words[index - 1] == "--"
                if first and (word == "qsynth" or word.endswith("bin/qsynth")):
                    yield words[index + 1 :]


@cache
def commands() -> dict[str, Any]:
    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_command_lines_parse(page: Path) -> None:
    for name, *arguments in command_lines(page):
        assert name in commands(), f"qsynth {name}"
        commands()[name].make_context(name, list(arguments))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_prose_exist(page: Path) -> None:
    for code in CODE.findall(prose(page)):
        if not code.startswith("qsynth ") or code.startswith("qsynth --"):
            continue
        name, *words = re.sub(r"[\[\]]", " ", code).split()[1:]
        options = {option for each in commands()[name].params for option in (*each.opts, *each.secondary_opts)}
        options.add("--help")
        unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in options]
        assert not unknown, code


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_and_modules_exist(page: Path) -> None:
    missing = []
    text = page.read_text(encoding="utf-8")
    for code in CODE.findall(prose(page)):
        is_path = re.fullmatch(r"[\w./-]+", code) and code not in USERS_FILES
        is_ours = code.startswith(tuple(f"{each}/" for each in FOLDERS)) or code.endswith((".py", ".md"))
        if is_path and is_ours and not ((page.parent / code).exists() or (ROOT / code).exists()):
            missing.append(code)
    missing += [module for module in MODULE.findall(text) if find_spec(module) is None]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_studies_and_their_parts_are_valid(page: Path) -> None:
    for block in blocks(page):
        if block.language != "yaml":
            continue
        where = f"{name_of(page)}:{block.line}"
        if block.text.startswith("engine:"):
            for line in block.text.splitlines():
                parse(EngineConfig, yaml.safe_load(line)["engine"], source=where)
            continue
        values = yaml.safe_load(block.text)
        if "tasks" in values:
            parse(Curriculum, values, source=where).check()
        elif "hardware" in values:
            parse(HardwareConfig, values["hardware"], source=where)
        else:
            parse(Study, values, source=where)


def test_the_first_page_is_short() -> None:
    text = FIRST_PAGE.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert len(text.split()) <= MAX_WORDS


def test_the_first_pages_picture_is_small() -> None:
    [picture] = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", FIRST_PAGE.read_text(encoding="utf-8"))
    assert (ROOT / picture).stat().st_size < MAX_PICTURE_BYTES


def over_families(name: str, what: str) -> float:
    """Mean of somebody's rows over the families of the benchmark of rows."""
    families = json.loads((RESULTS / "rows.json").read_text(encoding="utf-8"))["families"]
    return fmean(fmean(found[name][what]) for found in families.values())


def section(title: str) -> str:
    text = FIRST_PAGE.read_text(encoding="utf-8")
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def gain_of(arm: str, regime: str) -> float:
    """Over the best that a QNN does with real rows alone, as in the table of experiments."""
    regimes = json.loads((RESULTS / "experiment_rows.json").read_text(encoding="utf-8"))["regimes"]
    arms = next(each["arms"] for each in regimes if each["regime"] == regime)
    return float(next(each["over_bar"]["value"] for each in arms if each["name"] == arm))


def test_the_first_pages_three_numbers_are_those_measured() -> None:
    rows = json.loads((RESULTS / "speed.json").read_text(encoding="utf-8"))["rows"]
    ms = {(row["method"], row["n_lanes"]): row["ms"] for row in rows if row["n_qubits"] == 4}
    times = ms["default.qubit", 1] / ms["qsynth compiled", 64]
    scores = [f"{over_families(name, 'score'):.3f}" for name in ("defaults", "the recipe before")]
    gains = [f"{100 * gain_of('qsynth table, soft labels', regime):+.1f}" for regime in ("20 rows", "1:10")]
    claimed = re.findall(r"\*\*([+\d.]+)\*\*", section("Three numbers"))
    assert claimed == [*scores, *gains, f"{times:.0f}"]


def test_what_the_first_page_does_not_beat_is_as_measured() -> None:
    names = ("tied Gaussian", "classical twin", "defaults", "agent")
    better = [f"{over_families(name, 'score'):.3f}" for name in names]
    assert re.findall(r"0\.\d{3}", section("Not beaten")) == better
