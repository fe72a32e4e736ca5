"""A strict reader of HTML: every tag is closed in its order."""

from html.parser import HTMLParser

VOID = {"meta", "img", "br", "hr"}
PNG = b"\x89PNG\r\n\x1a\n"  # enough for a figure that is only embedded


class Page(HTMLParser):
    """Collects the tags of a page, and refuses tags that are not closed in their order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.attributes = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def values(self, wanted):
        return [value for _, name, value in self.attributes if name == wanted]
