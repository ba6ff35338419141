"""A Sphinx extension: the defaults of attrs classes, in signatures and in the descriptions of fields.

autodoc reads the ``__init__`` that attrs writes, where a default is ``attr_dict['attempts'].default``. What a reader
needs is the default as the class's source has it: ``6``, ``4 * 2**20``, ``Timeouts()``.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import textwrap
from typing import Any

import attrs

_WRITTEN_BY_ATTRS = re.compile(r"attr_dict\['(\w+)'\]\.default|\b(\w+)(: [^:=]*)? = NOTHING\b")
_FIELD = re.compile(r"\.\. attribute:: (\w+)$")


def _default(value: ast.expr, source: str) -> str | None:
    """Return the default that the right-hand side of a field gives, as it is written; None for a required field."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "attrs.field":
        given = {keyword.arg: ast.get_source_segment(source, keyword.value) for keyword in value.keywords}
        return f"{given['factory']}()" if "factory" in given else given.get("default")
    return ast.get_source_segment(source, value)


@functools.cache
def defaults(cls: type) -> dict[str, str]:
    """Return the defaults of an attrs class's fields, inherited ones included, as its source has them."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not attrs.has(base):
            continue
        source = textwrap.dedent(inspect.getsource(base))
        (definition,) = ast.parse(source).body
        assert isinstance(definition, ast.ClassDef)
        for node in definition.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                default = _default(node.value, source)
                if default is not None:
                    found[node.target.id] = default
    return found


def with_defaults(cls: type, signature: str) -> str:
    """Return a signature of an attrs class with its real defaults."""

    def replaced(match: re.Match[str]) -> str:
        name, of_factory, annotation = match.groups()
        if name:
            return defaults(cls)[name]
        return f"{of_factory}{annotation or ''} = {defaults(cls)[of_factory]}"

    return _WRITTEN_BY_ATTRS.sub(replaced, signature)


def _signature(
    _app: object, what: str, _name: str, obj: Any, _options: object, signature: str | None, returns: str | None
) -> tuple[str, str | None] | None:
    if what == "class" and signature and attrs.has(obj):
        return with_defaults(obj, signature), returns
    return None


def _fields(_app: object, what: str, _name: str, obj: Any, _options: object, lines: list[str]) -> None:
    """Give each field that napoleon has found its default."""
    if what != "class" or not attrs.has(obj):
        return
    for number in range(len(lines) - 1, -1, -1):
        field = _FIELD.fullmatch(lines[number].strip())
        if field and field[1] in defaults(obj):
            indent = lines[number][: lines[number].index("..")]
            lines.insert(number + 1, f"{indent}   :value: {defaults(obj)[field[1]]}")


def setup(app: Any) -> dict[str, bool]:
    """Connect both; the descriptions after napoleon has read them."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _fields, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
