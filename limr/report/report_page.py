"""The report: all tables and figures of a run on one page, as report.md and as one self-contained report.html."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limr.errors import LimrError
from limr.files.atomic import write_text
from limr.files.markdown import markdown_code, markdown_rows, markdown_text
from limr.report.html_page import anchor, html_page

_FIRST, _LAST = ("table1.md", "table2.md", "table3.md", "outcomes.md"), ("audit.md", "wall_times.md")
_PAPERS_FIGURE = re.compile(r"figure(\d.*)")


@dataclass(frozen=True)
class _Section:
    """One page or figure: its file, its title, and its text without the title."""

    file: str
    title: str
    text: str


def write_report(pages: Sequence[Path], table2: Path, captions: Mapping[str, str], markdown: Path, html: Path) -> None:
    """Write report.md and report.html, which show ``pages`` of the folder that both are written to.

    - ``pages``: Markdown pages and PNG figures; files of other kinds are left out. The tables come first; times last.
    - ``table2``: table2.json, which names the configuration, its digest and the versions.
    - ``captions``: what to see in a page or figure, by the name of its file with or without the suffix. With the
      suffix comes first: a page and a figure may have the same name without it.

    Raises LimrError for a page without a title, and for a figure that is missing.
    """
    folder = html.parent
    shown = sorted((page for page in pages if page.suffix in (".md", ".png")), key=_place)
    run = json.loads(table2.read_text(encoding="utf-8"))
    sections = [
        _figure(page, folder, pages, _caption(page, captions), run)
        if page.suffix == ".png"
        else _section(page, folder, _caption(page, captions))
        for page in shown
    ]
    text = _document(sections, run)
    write_text(html, html_page(text, folder, "Report"))
    write_text(markdown, text)


def _place(page: Path) -> tuple[int, str]:
    """The order of the sections: tables, the paper's figures, the rest in the order of the targets, data and times."""
    if page.name in _FIRST:
        return _FIRST.index(page.name), ""
    if page.name in _LAST:
        return len(_FIRST) + 2 + _LAST.index(page.name), ""
    number = _PAPERS_FIGURE.match(page.stem)
    return (len(_FIRST), number[1]) if number else (len(_FIRST) + 1, "")


def _caption(page: Path, captions: Mapping[str, str]) -> str:
    return " ".join((captions.get(page.name) or captions.get(page.stem, "")).split())


def _figure(page: Path, folder: Path, pages: Sequence[Path], caption: str, table2: Mapping[str, Any]) -> _Section:
    """A figure with what it shows, the run, and the files of the same figure for print and with its numbers."""
    file = page.relative_to(folder).as_posix()
    number = _PAPERS_FIGURE.match(page.stem)
    title = f"Figure {number[1]}" if number else f"Figure: {page.stem.replace('_', ' ')}"
    others = [page.with_suffix(suffix) for suffix in (".svg", ".csv") if page.with_suffix(suffix) in pages]
    also = ", ".join(markdown_code(other.relative_to(folder).as_posix()) for other in others)
    below = [caption, _run_in_short(table2), f"Also: {also}." if also else ""]
    return _Section(file, title, "\n\n".join([f"![{title}]({file})", *_quoted(" ".join(filter(None, below)))]))


def _run_in_short(table2: Mapping[str, Any]) -> str:
    """One sentence for the caption of a figure, which may be shown without the rest of the page."""
    configuration = table2["configuration"]
    seeds, files = configuration["seeds"], ", ".join(map(markdown_code, table2["configuration_files"]))
    return (
        f"This run: {files}, digest {markdown_code(table2['configuration_digest'])},"
        f" {configuration['training']['steps']:,} steps, {'seed' if len(seeds) == 1 else 'seeds'}"
        f" {', '.join(map(str, seeds))}."
    )


def _section(page: Path, folder: Path, caption: str) -> _Section:
    file = page.relative_to(folder).as_posix()
    title, _, text = page.read_text(encoding="utf-8").partition("\n")
    if not title.startswith("# "):
        raise LimrError(where=page, found="no title in its first line", expected="`# ` and a title")
    lowered = re.sub(r"^(#{1,5}) ", r"#\1 ", text, flags=re.MULTILINE)  # a page is a section here
    return _Section(file, title.removeprefix("# "), "\n\n".join([*_quoted(caption), lowered.strip()]))


def _quoted(caption: str) -> list[str]:
    return [f"> {caption}"] if caption else []


def _document(sections: Sequence[_Section], table2: Mapping[str, Any]) -> str:
    parts = ["# Report", *_run(table2), "## Contents"]
    parts.append("\n".join(f"- [{section.title}](#{anchor(section.title)})" for section in sections))
    for section in sections:
        parts += [f"## {section.title}", section.text]
    text = "\n\n".join(parts) + "\n"
    for section in sections:  # a link to a page that is shown here leads to its section
        if section.file.endswith(".md"):
            text = text.replace(f"]({section.file})", f"](#{anchor(section.title)})")
    return text


def _run(table2: Mapping[str, Any]) -> list[str]:
    """What was run: the configuration, and the versions that made the numbers."""
    configuration = table2["configuration"]
    training, source = configuration["training"], configuration["data"]["source"]
    model = configuration["base_model"]
    facts = {
        "Configuration": ", ".join(map(markdown_code, table2["configuration_files"])),
        "Digest": markdown_code(table2["configuration_digest"]),
        "Problems": source,
        "Base model": markdown_text(str(model.get("path") or model.get("repository") or "pre-trained in this run")),
        "Training": f"{training['engine']}, {training['steps']:,} steps of {training['prompts_per_step']:,} prompts"
        f" with {training['samples_per_prompt']:,} samples",
        "Methods": ", ".join(map(markdown_code, configuration["methods"])),
        "Seeds": ", ".join(map(str, configuration["seeds"])),
        "Evaluation": configuration["evaluation"]["engine"],
        "Versions": ", ".join(f"{package} {number}" for package, number in table2["versions"].items()),
    }
    miniature = (
        ["**This is the miniature:** synthetic problems and a tiny model. Its numbers are not the paper's."]
        if "miniature" in (source, training["engine"])
        else []
    )
    return [*miniature, markdown_rows(["What was run", ""], [list(fact) for fact in facts.items()])]
