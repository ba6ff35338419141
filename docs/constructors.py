"""A Sphinx extension: what a class's constructor takes, with defaults.

autodoc reads the ``__init__`` that attrs writes, where a default is ``attr_dict['attempts'].default``. What a reader
needs is the default as the class's source has it: ``6``, ``4 * 2**20``, ``Timeouts()``. Other classes describe the
arguments where they take them, in the docstring of ``__init__``, which autodoc leaves out.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
import textwrap
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_WRITTEN_BY_ATTRS = re.compile(r"attr_dict\['(\w+)'\]\.default|\b(\w+)(: [^:=]*)? = NOTHING\b")
_CONSTANT = re.compile(r"(?<= = )(_?[A-Z][A-Z_]+)\b")
_FIELD = re.compile(r"\.\. attribute:: (\w+)")
_TYPE = re.compile(r" +:type: (.+)")
_PRIVATE = re.compile(r"(?<= = )_(?=[a-z]+\.[A-Z])")  # of a module that is imported under another name
_EMPTY = {"list": "[]", "dict": "{}"}
_MODULE = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])")


def _default(value: ast.expr | None, source: str) -> str | None:
    """Return the default that the right-hand side of a field gives, as it is written; None for a required field."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "attrs.field":
        given = {keyword.arg: ast.get_source_segment(source, keyword.value) for keyword in value.keywords}
        factory = given.get("factory")
        return _EMPTY.get(factory, f"{factory}()") if factory else given.get("default")
    return ast.get_source_segment(source, value) if value else None


@functools.cache
def defaults(cls: type) -> dict[str, str]:
    """Return the defaults of an attrs class's fields, inherited ones included, as its source has them."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not attrs.has(base):
            continue
        source = textwrap.dedent(inspect.getsource(base))
        classes = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
        for node in (it for class_ in classes for it in class_.body if isinstance(it, ast.AnnAssign)):
            default = _default(node.value, source)
            if default is not None:
                found[ast.unparse(node.target)] = default
    return found


def with_defaults(cls: type, signature: str) -> str:
    """Return a signature of an attrs class with its real defaults."""

    def replaced(match: re.Match[str]) -> str:
        name, of_factory, annotation = match.groups()
        if name:
            return defaults(cls)[name]
        return f"{of_factory}{annotation or ''} = {defaults(cls)[of_factory]}"

    return _WRITTEN_BY_ATTRS.sub(replaced, signature)


def _shown(value: object) -> str:
    """Return how a constant is written; settings that are all at their defaults as a call without arguments."""
    cls = type(value)
    return f"{cls.__name__}()" if attrs.has(cls) and value == cls() else repr(value)


def with_values(obj: object, signature: str) -> str:
    """Return a signature with the values of its module's constants in the place of their names."""
    names = vars(sys.modules[obj.__module__])
    signature = _CONSTANT.sub(lambda match: _shown(names[match[1]]) if match[1] in names else match[0], signature)
    return _PRIVATE.sub("", signature)


def _signature(
    _app: Sphinx, what: str, _name: str, obj: object, _options: object, signature: str | None, returns: str | None
) -> tuple[str, str | None] | None:
    if not signature:
        return None
    if what == "class" and getattr(obj, "_is_protocol", False):  # nobody calls it
        return "", None
    if isinstance(obj, type) and attrs.has(obj):
        signature = with_defaults(obj, signature)
    return with_values(obj, signature), returns


def arguments(cls: type) -> list[str]:
    """Return what the docstring of a class's constructor says of its arguments, and of the errors it raises."""
    if attrs.has(cls):
        return []
    lines = (inspect.getdoc(inspect.getattr_static(cls, "__init__")) or "").splitlines()
    return ["", *lines[lines.index("Args:") :], ""] if "Args:" in lines else []


def _constructor(_app: object, what: str, _name: str, obj: object, _options: object, lines: list[str]) -> None:
    if isinstance(obj, type) and what == "class" and "Args:" not in lines:
        at = lines.index("Attributes:") if "Attributes:" in lines else len(lines)
        lines[at:at] = arguments(obj)


def described(lines: list[str], found: dict[str, str]) -> list[str]:
    """Return a class's docstring, as napoleon leaves it, with each field's type and default in the field's own line."""
    result: list[str] = []
    options = 0  # where the options of the field at hand belong
    for line in lines:
        field, kind = _FIELD.fullmatch(line), _TYPE.fullmatch(line)
        if kind and options:
            result.insert(options, f"   :type: {_MODULE.sub('', kind[1])}")
            continue
        if line and not line.startswith(" "):
            options = 0
        result.append(line)
        if field:
            options = len(result)
            if field[1] in found:
                result.append(f"   :value: {found[field[1]]}")
    return result


def _fields(_app: object, what: str, _name: str, obj: object, _options: object, lines: list[str]) -> None:
    if isinstance(obj, type) and what in {"class", "exception"}:
        lines[:] = described(lines, defaults(obj) if attrs.has(obj) else {})


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect them: what napoleon is to read before it does, what it has written afterwards."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _constructor, priority=300)
    app.connect("autodoc-process-docstring", _fields, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
