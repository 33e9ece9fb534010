"""Pure: conditions over parameters, such as `temp > 85 and vin < 4.5`. A grammar of our own, never Python's eval.

    condition  = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation   = "not" negation | comparison
    comparison = sum { ("==" | "!=" | "<=" | ">=" | "<" | ">") sum } | sum ["not"] "in" "[" value { "," value } "]"
    sum        = product { ("+" | "-") product }
    product    = factor { ("*" | "/") factor }
    factor     = "-" factor | number | 'text' | name | "(" condition ")"

Numbers may carry a SPICE scale factor (`10u`). A chain `a < b < c` means both. What is compared is of one kind: two
numbers, two texts, or two switches.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from simorc.core.errors import UsageError
from simorc.core.units import Value, parse_number, value_to_text
from simorc.core.wording import did_you_mean

Condition = Callable[[Mapping[str, Value]], bool]
_Node = Callable[[Mapping[str, Value]], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[A-Za-zµμ]*)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>'[^']*'|\"[^\"]*\")|(?P<op>==|!=|<=|>=|[<>()\[\],+*/-]))"
)
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
_KEYWORDS = ("and", "or", "not", "in", "true", "false")
_MAX_DEPTH = 50


class _Token(Struct, frozen=True):
    kind: str
    text: str
    position: int


def compile_condition(text: str) -> Condition:
    """A function from parameters to True or False.

    >>> compile_condition("temp > 85 and corner in ['ss', 'sf']")({"temp": 125, "corner": "ss"})
    True

    Raises
    ------
    UsageError: at once when the text is not of the grammar; when called, for a name that is not a parameter, or a
        comparison of text with a number, or of a switch with either
    """
    parser = _Parser(text)
    node = parser.condition(0)
    parser.expect_end()

    def test(values: Mapping[str, Value]) -> bool:
        result = _evaluate(node, values, text)
        if not isinstance(result, bool):
            raise UsageError(f"condition {text!r} gives {result!r}, not true or false")
        return result

    return test


def names_in(text: str) -> list[str]:
    """The parameter names that a condition uses, in order of appearance.

    Raises
    ------
    UsageError: the text is not of the grammar
    """
    compile_condition(text)
    tokens = _tokens(text)
    return list(dict.fromkeys(t.text for t in tokens if t.kind == "name" and t.text not in _KEYWORDS))


def _evaluate(node: _Node, values: Mapping[str, Value], text: str) -> Any:
    try:
        return node(values)
    except _KindError as error:
        hint = "numbers stand without quotes, texts in quotes; the values of a parameter in a condition are of one kind"
        raise UsageError(f"condition {text!r} compares {error}", hint=hint) from error
    except ZeroDivisionError as error:
        raise UsageError(f"condition {text!r} divides by zero") from error


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise _syntax(text, position, "a character that means nothing here")
        kind = match.lastgroup or "op"
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        position = match.end()
    return tokens


def _syntax(text: str, position: int, what: str) -> UsageError:
    return UsageError(
        f"condition {text!r}: {what} at column {position + 1}",
        hint="write for instance: temp > 85 and corner == 'ss'",
    )


class _Parser:
    """Recursive descent over the tokens; every method returns a function of the parameters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.index = 0

    def peek(self) -> str:
        return self.tokens[self.index].text if self.index < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        if self.peek() in wanted and self.tokens[self.index].kind in ("op", "name"):
            self.index += 1
            return self.tokens[self.index - 1].text
        return ""

    def fail(self, what: str) -> UsageError:
        at = self.tokens[self.index].position if self.index < len(self.tokens) else len(self.text)
        return _syntax(self.text, at, what)

    def require(self, wanted: str) -> None:
        if not self.take(wanted):
            raise self.fail(f"{wanted!r} expected")

    def expect_end(self) -> None:
        if self.index < len(self.tokens):
            raise self.fail(f"unexpected {self.peek()!r}")

    def condition(self, depth: int) -> _Node:
        if depth > _MAX_DEPTH:
            raise self.fail("nested too deeply")
        terms = [self.conjunction(depth)]
        while self.take("or"):
            terms.append(self.conjunction(depth))
        return terms[0] if len(terms) == 1 else lambda v: any(_truth(term(v)) for term in terms)

    def conjunction(self, depth: int) -> _Node:
        terms = [self.negation(depth)]
        while self.take("and"):
            terms.append(self.negation(depth))
        return terms[0] if len(terms) == 1 else lambda v: all(_truth(term(v)) for term in terms)

    def negation(self, depth: int) -> _Node:
        if self.take("not"):
            if depth > _MAX_DEPTH:
                raise self.fail("nested too deeply")
            inner = self.negation(depth + 1)
            return lambda v: not _truth(inner(v))
        return self.comparison(depth)

    def comparison(self, depth: int) -> _Node:
        left = self.sum(depth)
        negated = bool(self.take("not"))
        if self.take("in"):
            members = self.members(depth)
            return lambda v: _is_in(left(v), [member(v) for member in members]) is not negated
        if negated:
            raise self.fail("'in' expected")
        links: list[_Node] = []
        while sign := self.take(*_COMPARE):
            right = self.sum(depth)
            links.append(_link(_COMPARE[sign], left, right))
            left = right
        if not links:
            return left
        return links[0] if len(links) == 1 else lambda v: all(link(v) for link in links)

    def members(self, depth: int) -> list[_Node]:
        self.require("[")
        members = [self.sum(depth)]
        while self.take(","):
            members.append(self.sum(depth))
        self.require("]")
        return members

    def sum(self, depth: int) -> _Node:
        first, rest = self.product(depth), []
        while sign := self.take("+", "-"):
            rest.append((_ARITHMETIC[sign], self.product(depth)))
        return _computed(first, rest)

    def product(self, depth: int) -> _Node:
        first, rest = self.factor(depth), []
        while sign := self.take("*", "/"):
            rest.append((_ARITHMETIC[sign], self.factor(depth)))
        return _computed(first, rest)

    def factor(self, depth: int) -> _Node:
        if depth > _MAX_DEPTH:
            raise self.fail("nested too deeply")
        if self.take("-"):
            inner = self.factor(depth + 1)
            return lambda v: -_number(inner(v))
        if self.take("("):
            inner = self.condition(depth + 1)
            self.require(")")
            return inner
        if self.index >= len(self.tokens):
            raise self.fail("a value expected")
        token = self.tokens[self.index]
        node = self.atom(token)
        self.index += 1
        return node

    def atom(self, token: _Token) -> _Node:
        if token.kind == "number":
            number = parse_number(token.text)
            if number is None:
                raise self.fail(f"{token.text!r} is not a number")
            return lambda v: number
        if token.kind == "text":
            text = token.text[1:-1]
            return lambda v: text
        if token.text in ("true", "false"):
            return lambda v: token.text == "true"
        if token.kind == "name" and token.text not in _KEYWORDS:
            return lambda v: _look_up(token.text, v)
        raise self.fail(f"unexpected {token.text!r}")


class _KindError(Exception):
    """Two values that cannot be compared; the message names both."""


def _equal(left: Any, right: Any) -> bool:
    _check_kinds(left, right)
    return bool(left == right)


def _unequal(left: Any, right: Any) -> bool:
    return not _equal(left, right)


def _is_in(value: Any, members: Sequence[Any]) -> bool:
    """Whether one of the members is the value; each is compared, so that one of another kind is always told."""
    return True in [_equal(value, member) for member in members]


def _ordered(function: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        _check_kinds(left, right)
        return function(left, right)

    return compare


_COMPARE = {
    "==": _equal,
    "!=": _unequal,
    "<=": _ordered(operator.le),
    ">=": _ordered(operator.ge),
    "<": _ordered(operator.lt),
    ">": _ordered(operator.gt),
}


def _check_kinds(left: Any, right: Any) -> None:
    if _kind(left) != _kind(right):
        raise _KindError(f"the {_kind(left)} {_written(left)} with the {_kind(right)} {_written(right)}")


def _kind(value: Any) -> str:
    return "switch" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def _written(value: Any) -> str:
    if type(value) is float:
        return f"{value:.12g}"
    return repr(value) if isinstance(value, str) else value_to_text(value)


def _link(function: Callable[[Any, Any], bool], left: _Node, right: _Node) -> _Node:
    return lambda v: function(left(v), right(v))


def _computed(first: _Node, rest: Sequence[tuple[Callable[[Any, Any], Any], _Node]]) -> _Node:
    """A sum or product, from left to right; a loop, so that its length is no matter."""
    if not rest:
        return first

    def compute(values: Mapping[str, Value]) -> float:
        total = _number(first(values))
        for function, node in rest:
            total = function(total, _number(node(values)))
        return total

    return compute


def _number(value: Any) -> float:
    if isinstance(value, (bool, str)):
        raise UsageError(f"{value!r} is not a number", hint="texts and switches can only be compared")
    return float(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{value!r} is neither true nor false", hint="compare it, for instance: temp > 85")
    return value


def _look_up(name: str, values: Mapping[str, Value]) -> Value:
    if name in values:
        return values[name]
    hint = did_you_mean(name, values) or f"texts stand in quotes: '{name}'"
    raise UsageError(f"{name!r} is not a parameter", hint=hint)
