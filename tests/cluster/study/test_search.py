"""Who searches in an agent's place, as studies and commands name it."""

from typing import Any

import pytest

from cluster.study.search import SCHEDULERS, SEARCHERS, Search
from cluster.study.study import Study, changed
from qsynth.config import parse
from qsynth.errors import QsynthError


@pytest.mark.parametrize("text", [*SEARCHERS, *SCHEDULERS, "tpe+asha", "cma-es+median", "gp+hyperband"])
def test_a_search_is_text_or_settings(tiny: dict[str, Any], text: str) -> None:
    made = changed(parse(Study, tiny, source="tiny"), {"search": text}).search
    assert made is not None
    assert made.name == text
    assert parse(Search, made.model_dump(mode="json"), source="again") == made
    made.check()


def test_a_scheduler_before_its_searcher_is_the_same(tiny: dict[str, Any]) -> None:
    study = parse(Study, tiny | {"search": "asha+tpe"}, source="tiny")
    assert study.search == Search(searcher="tpe", scheduler="asha")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("asho", r"must be a searcher \(random, tpe, gp, cma-es\), a scheduler \(asha, .*\), or both.*got 'asho'"),
        ("", "got ''"),
        ("tpe+gp", r"got 'tpe\+gp'"),
        ("asha+pbt", r"got 'asha\+pbt'"),
        ("tpe+pbt", r"must be pbt alone, which draws values itself; got tpe\+pbt"),
        ("x" * 5000, "must be a searcher"),
    ],
)
def test_what_is_no_search_is_refused_in_a_line(tiny: dict[str, Any], text: str, told: str) -> None:
    with pytest.raises(QsynthError, match=told) as refused:
        parse(Study, tiny | {"search": text}, source="tiny")
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_missing_library_is_told_before_any_work(tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.study.search.find_spec", lambda name: None)
    study = parse(Study, tiny | {"search": "tpe"}, source="tiny")
    with pytest.raises(QsynthError, match=r"search tpe needs optuna; install it with: pip install 'qsynth\[compare\]'"):
        study.check()
    parse(Study, tiny | {"search": "asha"}, source="tiny").check()
