r"""The normal form of a LaTeX answer: the same mathematics, written one way.

Only notation changes, never the mathematics. Spacing, sizes and fonts are removed, all names of one sign become
one, arguments get braces (``\frac12`` becomes ``\frac{1}{2}``), and characters become LaTeX (``½``, ``π``, full-width
digits). Unknown notation stays as it is. Nothing recurses; the time is linear in the text.

A normal form has no white space, except one space between a command and a letter (``\pi r``), between two numbers
(``1 1/2``) and between words. Words are in ``\text{}``, in lower case. Two numbers that a comma would turn into one
number with a thousands separator are separated by a semicolon.
"""

import re

from limr.grading.characters import plain_characters
from limr.grading.units import SHORT_UNITS, UNIT_LETTERS

LONGEST_PRODUCT = 3
"""A run of more letters than this is a word, not a product of variables."""

_ARGUMENTS = {"\\frac": 2, "\\binom": 2, "\\sqrt": 1, "\\overline": 1, "\\vec": 1, "\\mathbb": 1, "^": 1, "_": 1}
_TEXT = {
    *("\\text", "\\textbf", "\\textrm", "\\textit", "\\textnormal", "\\textsf", "\\texttt", "\\textup", "\\textsc"),
    *("\\mbox", "\\hbox", "\\mathrm", "\\operatorname", "\\operatorname*", "\\emph"),
}
_FONTS = {
    *("\\mathbf", "\\mathsf", "\\mathit", "\\mathtt", "\\mathnormal", "\\boldsymbol", "\\bm", "\\pmb", "\\underline"),
    *("\\boxed", "\\fbox", "\\ensuremath"),
}
_PHANTOMS = {"\\phantom", "\\hphantom", "\\vphantom", "\\hspace", "\\vspace"}
_DROPPED = {
    *("\\bigl", "\\bigr", "\\big", "\\Big", "\\Bigl", "\\Bigr", "\\bigg", "\\biggl", "\\biggr", "\\Bigg", "\\Biggl"),
    *("\\Biggr", "\\middle", "\\displaystyle", "\\textstyle", "\\scriptstyle", "\\limits", "\\nolimits"),
    *("\\rm", "\\bf", "\\it", "\\large", "\\Large", "\\strut", "\\mathstrut", "\\hfill", "\\noindent"),
    *("\\!", "\\(", "\\)", "\\[", "\\]", "\\/", "$", '"', "\\", "\\left", "\\right", "\\mleft", "\\mright"),
}
_SPACES = {"\\,", "\\;", "\\:", "\\>", "\\ ", "\\\n", "\\\t", "~", "\\quad", "\\qquad"}
_RENAMED = {
    **dict.fromkeys(("\\dfrac", "\\tfrac", "\\cfrac", "\\sfrac"), "\\frac"),
    **dict.fromkeys(("\\tbinom", "\\dbinom"), "\\binom"),
    **dict.fromkeys(("\\leq", "\\leqslant", "\\leqq"), "\\le"),
    **dict.fromkeys(("\\geq", "\\geqslant", "\\geqq"), "\\ge"),
    **dict.fromkeys(("\\times", "\\ast", "*"), "\\cdot"),
    **dict.fromkeys(("\\approxeq", "\\simeq", "\\thickapprox"), "\\approx"),
    **dict.fromkeys(("\\lvert", "\\rvert", "\\vert", "\\mid"), "|"),
    **dict.fromkeys(("\\percent", "\\%"), "%"),
    **dict.fromkeys(("\\dollar", "\\textdollar"), "\\$"),
    **dict.fromkeys(("\\setminus", "\\backslash", "\\smallsetminus"), "\\setminus"),
    **dict.fromkeys(("\\degree", "\\textdegree"), "^{\\circ}"),
    **dict.fromkeys(("\\dots", "\\cdots"), "\\ldots"),
    **dict.fromkeys(("\\begin{bmatrix}", "\\begin{Bmatrix}", "\\begin{matrix}"), "\\begin{pmatrix}"),
    **dict.fromkeys(("\\end{bmatrix}", "\\end{Bmatrix}", "\\end{matrix}"), "\\end{pmatrix}"),
    **{
        "\\lt": "<",
        "\\gt": ">",
        "\\neq": "\\ne",
        "\\bigcup": "\\cup",
        "\\bigcap": "\\cap",
        "\\colon": ":",
        "\\imath": "i",
        "\\varnothing": "\\emptyset",
    },
    **{"\\lbrace": "\\{", "\\rbrace": "\\}", "\\lbrack": "[", "\\rbrack": "]", "\\overrightarrow": "\\vec"},
}
_SEPARATORS = {",", ";", "\\lor", "\\vee"}
_CONNECTORS = {"and", "or"}
_PERCENT = {"percent", "percentage", "pct"}
_NAMES = {
    **{name: f"\\{name}" for name in ("sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "exp", "sqrt")},
    **{name: f"\\{name}" for name in ("arcsin", "arccos", "arctan", "frac", "pi", "infty")},
    **dict.fromkeys(("infinity", "inf", "oo"), "\\infty"),
}
_COMMAND = re.compile(r"\\[A-Za-z]+\Z")
_TOKEN = re.compile(r"\\(?:begin|end)\{[A-Za-z]+\*?\}|\\[A-Za-z]+\*?|\\[\s\S]|[A-Za-z]+|[0-9]+|\s+|[\s\S]")
_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|\{,\\!\}|\\text\{,\}|,[ ]?\\!|\\!,|\\,|,\\,)[ ]?(?=\d{3}(?!\d))")
_SPACED_THOUSANDS = re.compile(r"(?<![\d.] )(?<![\d.])[1-9]\d{0,2}(?: \d{3})+(?![\d/]| \d)")
_UNARY_PLUS = re.compile(r"(?:^|(?<=[(\[{,;=<>]))\+(?=[\\0-9A-Za-z.])")
_AMBIGUOUS = re.compile(r"(?<=\d), (?=\d{3}(?!\d))")
_DOUBLED_BACKSLASH = re.compile(r"\\\\(?=[A-Za-z])")
_OPENING_ARRAY = re.compile(r"(?:\\left)?[\[(]\s?\\begin\{(?:array\}\{[clr|]*\}|(?:small)?matrix\})")
_CLOSING_ARRAY = re.compile(r"\\end\{(?:array|(?:small)?matrix)\}\s?(?:\\right)?[\])]")
_OVER = re.compile(r"\{([^{}]*)\\over(?![A-Za-z])([^{}]*)\}")
_HALF_OF_DAY = re.compile(r"\b([AaPp])\. ?[Mm](?:\.|\b)")


def normal_form(text: str) -> str:
    r"""The normal form of the LaTeX answer ``text``. Never raises.

    >>> normal_form(r" $\dfrac 12\,\pi r^2$. ")
    '\\frac{1}{2}\\pi r^{2}'
    >>> normal_form(r"1,\!296,\!540 \textbf{ Square units}")
    '1296540\\text{square units}'
    >>> normal_form("\uff13 or \t\u22124")
    '3,-4'
    """
    text = _HALF_OF_DAY.sub(r"\1m ", _THOUSANDS.sub("", plain_characters(text)))
    if "\\begin" not in text:
        text = _DOUBLED_BACKSLASH.sub(r"\\", text)
    else:
        text = _OPENING_ARRAY.sub(r"\\begin{pmatrix}", _CLOSING_ARRAY.sub(r"\\end{pmatrix}", text))
    if "\\over" in text:
        text = _OVER.sub(r"\\frac{\1}{\2}", text)
    if "**" in text:
        text = text.replace("**", "^") if not text.strip().startswith("**") else text.replace("**", "")
    writer = _Writer(_TOKEN.findall(text))
    text = _UNARY_PLUS.sub("", writer.write())
    text = _SPACED_THOUSANDS.sub(lambda number: number.group().replace(" ", ""), text)
    return _AMBIGUOUS.sub(";", text).replace(", ", ",").replace("\\{\\}", "\\emptyset").rstrip(".,;: \\")


class _Writer:
    """Writes tokens in normal form; open groups are on a stack, so that nothing recurses.

    ``wanted`` is how many arguments the last command still takes. An entry of ``stack`` belongs to an open group. It
    holds the token that closes the group (``}``, ``)``, ``]``), the text to write then, and how many arguments are
    wanted after it. An entry closed by "" is an argument without braces; it closes when nothing is wanted inside it.
    """

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.position = tokens, 0
        self.out: list[str] = []
        self.stack: list[tuple[str, str, int]] = []
        self.texts: list[int] = []  # for each open \text{}: the height of the stack below it
        self.rounds = 0  # round brackets open inside one that is used in place of braces, this one included
        self.wanted, self.spaced = 0, False
        self.command = ""  # the command that still takes arguments

    def write(self) -> str:
        while self.position < len(self.tokens):
            token = self.tokens[self.position]
            self.position += 1
            if token.isspace() or token in _SPACES:
                self.spaced = True
            else:
                self.token(_RENAMED.get(token, token))
                self.spaced = False
        while self.stack and self.stack[-1][0] == "":
            self._put(self.stack.pop()[1])
        return "".join(self.out)

    def token(self, token: str) -> None:
        if token == "{" or (token in ("(", "[") and self._opens(token)):
            self._open(token)
        elif self.stack and token in ("}", ")", "]") and self._closes(token):
            self._close()
        elif token in _TEXT or token in _FONTS:
            self._styled(token in _TEXT)
        elif token in _PHANTOMS:
            self._skip_argument()
        elif token in _DROPPED:
            if token in ("\\left", "\\right") and self._next() == ".":
                self.position += 1
        elif token == "." and self.out and self.out[-1].startswith("\\text{") and not self._next().isdigit():
            pass  # an abbreviation: sq. ft.
        elif token in _SEPARATORS:
            self._separator(spaced=token != "," or self._next(spaces=True).isspace())
        elif token.isalpha() and token.isascii():
            self._letters(token)
        elif token[0].isdigit() and self.wanted and self.command[0] not in "^_":
            self._argument(token[0])
            if token[1:]:
                self.tokens[self.position - 1] = token[1:]
                self.position -= 1
        elif self.wanted:
            self._argument(token)
        else:
            self._put(token)
            self._expect(token)

    def _next(self, spaces: bool = False) -> str:
        """The next token, "" at the end. White space is skipped unless ``spaces``."""
        position = self.position
        while not spaces and position < len(self.tokens) and self.tokens[position].isspace():
            position += 1
        return self.tokens[position] if position < len(self.tokens) else ""

    def _put(self, token: str) -> None:
        if self.out:
            last = self.out[-1]
            if (token[0].isalpha() and _COMMAND.match(last)) or (
                self.spaced and token[0].isdigit() and last[-1].isdigit()
            ):
                self.out.append(" ")
        self.out.append(token)

    def _expect(self, token: str) -> None:
        self.wanted, self.command = _ARGUMENTS.get(token, 0), token

    def _opens(self, token: str) -> bool:
        """Whether a round bracket is used as the braces of an argument, ``2^(1/2)``, or a square one holds a degree."""
        if self.wanted:
            return self.command == "\\sqrt" or (self.command == "^" and token == "(")
        return self.rounds > 0 and token == "("

    def _open(self, token: str) -> None:
        self.rounds += token == "("
        if self.wanted and token == "[":  # the degree of a root: the radicand is still wanted
            self.stack.append(("]", "]", self.wanted))
            self._put("[")
        elif self.wanted:
            self.stack.append(("}" if token == "{" else ")", "}", self.wanted - 1))
            self._put("{")
        elif token == "(":
            self.stack.append((")", ")", 0))
            self._put("(")
        else:
            self.stack.append(("}", "", 0))  # these braces only group, and are not written
        self.wanted = 0

    def _closes(self, token: str) -> bool:
        """Whether ``token`` closes the innermost group. Arguments without braces inside it close with it."""
        depth = len(self.stack) - 1
        while depth > 0 and self.stack[depth][0] == "":
            depth -= 1
        return self.stack[depth][0] == token

    def _close(self) -> None:
        while self.stack[-1][0] == "":
            self._put(self.stack.pop()[1])
        token, written, self.wanted = self.stack.pop()
        self.rounds -= token == ")"
        if written:
            self._put(written)
        if self.texts and self.texts[-1] == len(self.stack):
            self.texts.pop()
        self.command = "\\sqrt" if written == "]" else "\\frac"
        self._argument_written()

    def _argument(self, token: str) -> None:
        """Write ``token``, which is an argument without braces."""
        if token in ("^", "_", "&", "\\\\", "|"):  # not an argument: the command gets none
            self.wanted = 0
            self._put(token)
            self._expect(token)
        elif token in _ARGUMENTS or (token in "+-" and self.command == "^"):
            self.stack.append(("", "}", self.wanted - 1))
            self._put("{")
            self._put(token)
            self.wanted, self.command = _ARGUMENTS.get(token, 1), token if token in _ARGUMENTS else "^sign"
        else:
            bare = self.command == "^sign"
            self._put(token if bare else f"{{{token}}}")
            self.wanted -= 1
            self._argument_written()

    def _argument_written(self) -> None:
        while not self.wanted and self.stack and self.stack[-1][0] == "":
            _, written, self.wanted = self.stack.pop()
            self.command = "\\frac"
            self._put(written)

    def _styled(self, text: bool) -> None:
        r"""``\text{``, ``\mathbf{``: the braces are removed, unless they hold an argument."""
        if self._next() != "{":
            return
        while self.tokens[self.position] != "{":
            self.position += 1
        self.position += 1
        if text:
            self.texts.append(len(self.stack))
        if self.wanted:
            self._open("{")
        else:
            self.stack.append(("}", "", 0))

    def _skip_argument(self) -> None:
        depth = 0
        while self.position < len(self.tokens):
            token = self.tokens[self.position]
            self.position += 1
            depth += {"{": 1, "}": -1}.get(token, 0)
            if depth <= 0 and not token.isspace():
                break

    def _separator(self, spaced: bool) -> None:
        if self.out and self.out[-1] in (",", ", "):
            self.out[-1] = ", " if spaced else self.out[-1]
        else:
            self.out.append(", " if spaced else ",")
        self.wanted = 0

    def _letters(self, letters: str) -> None:
        """Write a run of letters: a function's name, a connector, a unit, a word, or a product of variables."""
        word = letters.lower()
        in_text = bool(self.texts)
        after_number = bool(self.out) and (self.out[-1][-1].isdigit() or self.out[-1][-1] in "})%")
        if letters in _NAMES:
            self.token(_NAMES[letters])
        elif word in _CONNECTORS:
            self._separator(spaced=True)
        elif word == "to" and after_number and self._next().isdigit():
            self._put(":")
        elif word == "the" or (word in ("a", "an") and self._is_article(in_text)):
            pass
        elif word in _PERCENT:
            self._put("%")
        elif self.wanted and not in_text:
            self._argument(letters[0])
            if letters[1:]:
                self.tokens[self.position - 1] = letters[1:]
                self.position -= 1
        elif (
            len(letters) > LONGEST_PRODUCT
            or (in_text and len(letters) > 1)
            or (after_number and word in SHORT_UNITS)
            or (in_text and letters in UNIT_LETTERS and (after_number or self._in_unit()))
        ):
            self._word(word)
        else:
            for letter in letters:
                self._put(letter)

    def _is_article(self, in_text: bool) -> bool:
        following = self._next()
        is_word = following.isalpha() and following.lower() not in _CONNECTORS and len(following) > 1
        return is_word and (in_text or len(following) > LONGEST_PRODUCT) and self._next(spaces=True).isspace()

    def _in_unit(self) -> bool:
        """Whether a word and a slash were written last: m/s is one unit."""
        return len(self.out) > 1 and self.out[-1] == "/" and self.out[-2].startswith("\\text{")

    def _word(self, word: str) -> None:
        if self.out and self.out[-1].startswith("\\text{"):
            self.out[-1] = f"{self.out[-1][:-1]} {word}}}"
        elif self._in_unit():
            self.out.pop()
            self.out[-1] = f"{self.out[-1][:-1]}/{word}}}"
        else:
            self._put(f"\\text{{{word}}}")
