"""The page of the data audit."""

from limr.data.data_audit import as_markdown


def test_the_page_has_the_counts_and_escapes_vertical_bars_in_tables():
    audit = {
        "sources": [{"title": "MATH | train", "problems": 7500, "from": "file", "digest": "0" * 64}],
        "prompts": "level3plus",
        "steps": [
            {"step": "all", "problems": 12500, "distinct": 12498},
            {"step": "less", "problems": 12000, "distinct": 11998},
        ],
        "development": {"step": "easy", "problems": 2, "distinct": 2},
        "levels": {"unknown": 2, "3": 10},
        "duplicates": [],
        "benchmarks": {},
        "overlap": [],
        "golds": {"train": {"graded": 10, "gradable": 9}},
        "ungradable": [{"set": "train", "prompt_id": "abc", "gold": "", "reason": "no answer: ''"}],
        "ungradable_rule": "keep",
        "corrected": [],
    }
    text = as_markdown(audit)
    assert "| less | 12,000 | 11,998 | 500 |" in text
    assert r"MATH \| train" in text
    assert "`ungradable: keep`" in text
    assert "| train | `abc` | no answer: '' |" in text
    assert "No problem occurs twice." in text
