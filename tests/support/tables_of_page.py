"""The tables of a page in Markdown."""


def tables(text: str) -> list[dict[str, list[str]]]:
    """Each table of a page: the first cell of a row -> its other cells."""
    found: list[dict[str, list[str]]] = [{}]
    for line in text.splitlines():
        if line.startswith("|"):
            first, *others = [cell.strip() for cell in line.strip("|").split("|")]
            found[-1][first] = others
        elif found[-1]:
            found.append({})
    return [table for table in found if table]
