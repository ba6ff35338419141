"""What users may call, as one text: ``python -m tests.kits.surface --write`` puts it into tests/api_surface.txt.

A line for each class, function, method, property, field and alias of the public modules, with annotations and defaults
as the source has them. Nothing in it depends on the version of Python or of a dependency. A line that changes is a
change for somebody: it needs an entry in CHANGELOG.md.
"""

from __future__ import annotations

import ast
import difflib
import functools
import importlib
import inspect
import re
import sys
import textwrap
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from docs.constructors import defaults
from gh_artifacts_async.errors import ArtifactsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent.parent
PINNED = ROOT / "tests/api_surface.txt"
PACKAGE = "gh_artifacts_async"
MODULES = (
    PACKAGE,
    f"{PACKAGE}.api",
    f"{PACKAGE}.archive",
    f"{PACKAGE}.budgets",
    f"{PACKAGE}.fleet",
    f"{PACKAGE}.fs",
    f"{PACKAGE}.stores",
    f"{PACKAGE}.testing",
)
RETURNED = (f"{PACKAGE}.models", f"{PACKAGE}.models.neighbours")
"""Modules whose names are public as far as the reference has them: what some coroutines of ``api`` return."""
INTERNAL = {"Clock.begin", "Fault.fits", "Faults.meet"}
"""What only the fake itself calls."""
MADE_FOR_USERS = {
    "ArtifactFile",
    "ArtifactStream",
    "ArtifactWatch",
    "AsyncArtifactFile",
    "MemberTable",
    "RemoteArchive",
}
"""What the package makes and a user receives: what their constructors take is nobody's business."""
SPOKEN = {  # what Python calls for a user: blocks, loops, look-ups
    *("__aenter__", "__aexit__", "__aiter__", "__anext__", "__call__", "__contains__", "__enter__", "__exit__"),
    *("__getitem__", "__iter__", "__len__", "__next__"),
}

_DIRECTIVE = re.compile(r"^\s*\.\. ([a-z:]+):: ([\w.]+)")


def reference() -> set[str]:
    """Return the full names of what the directives in docs/reference describe, members left out."""
    found: set[str] = set()
    for page in sorted((ROOT / "docs/reference").glob("*.md")):
        module = ""
        for line in page.read_text(encoding="utf-8").splitlines():
            match = _DIRECTIVE.match(line)
            if match is None or line.startswith(" "):
                continue
            directive, name = match.groups()
            if directive in {"module", "currentmodule", "automodule"}:
                module = name
            if directive == "automodule":
                found |= {f"{module}.{it}" for it in importlib.import_module(module).__all__}
            elif directive.startswith("auto") or directive in {"data", "function", "class"}:
                found.add(f"{module}.{name}")
    return found


def names() -> dict[str, list[str]]:
    """Return the public names of each public module."""
    found = {module: list(importlib.import_module(module).__all__) for module in MODULES}
    described = [name.rpartition(".") for name in reference()]
    return {**found, **{it: sorted(name for module, _, name in described if module == it) for it in RETURNED}}


def annotated(value: object) -> str:
    """Return an annotation without the modules that names come from."""
    if isinstance(value, typing.ForwardRef):
        value = value.__forward_arg__
    if not isinstance(value, str):
        value = value.__name__ if isinstance(value, type) and not typing.get_args(value) else str(value)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", value)


def default(value: object) -> str:
    """Return a default as somebody would write it."""
    if inspect.isclass(value) or inspect.isfunction(value):
        return value.__name__
    if attrs.has(type(value)):
        given = [
            f"{field.name}={default(getattr(value, field.name))}"
            for field in attrs.fields(type(value))
            if getattr(value, field.name) != getattr(type(value)(), field.name)
        ]
        return f"{type(value).__name__}({', '.join(given)})"
    return repr(value)


def parameters(function: Callable[..., Any]) -> str:
    """Return the parameters and the result of a function, without ``self``."""
    written = []
    signature = inspect.signature(function)
    kinds = inspect.Parameter
    separated = False
    by_place = [it.name for it in signature.parameters.values() if it.kind is kinds.POSITIONAL_ONLY]
    for number, parameter in enumerate(signature.parameters.values()):
        if number == 0 and parameter.name in {"self", "cls"}:
            continue
        if parameter.kind is kinds.KEYWORD_ONLY and not separated:
            written.append("*")
        separated |= parameter.kind in {kinds.KEYWORD_ONLY, kinds.VAR_POSITIONAL}
        stars = {kinds.VAR_POSITIONAL: "*", kinds.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        text = stars + parameter.name
        if parameter.annotation is not kinds.empty:
            text += f": {annotated(parameter.annotation)}"
        if parameter.default is not kinds.empty:
            text += f" = {default(parameter.default)}"
        written.append(text)
        if by_place and parameter.name == by_place[-1]:
            written.append("/")
    result = signature.return_annotation
    arrow = "" if result is inspect.Signature.empty else f" -> {annotated(result)}"
    return f"({', '.join(written)}){arrow}"


def function_lines(name: str, function: Callable[..., Any]) -> Iterator[str]:
    """Yield a line for a function; for one with overloads, a line for each of them."""
    kind = "async def" if inspect.iscoroutinefunction(function) else "def"
    for one in typing.get_overloads(function) or [function]:
        yield f"{kind} {name}{parameters(one)}"


@functools.cache
def public_classes() -> frozenset[type]:
    """Return every public class."""
    found = (getattr(importlib.import_module(module), name) for module, all_ in names().items() for name in all_)
    return frozenset(it for it in found if inspect.isclass(it))


def is_ours(cls: type) -> bool:
    """Return whether a class is defined in the package."""
    return cls.__module__.partition(".")[0] == PACKAGE


def bases(cls: type) -> list[str]:
    """Return what a user may rely on that a class is: its public bases, and those of Python itself."""
    found: list[str] = []
    for base in cls.__bases__:
        if base in public_classes() or (base.__module__ == "builtins" and base is not object):
            found.append(base.__name__)
        elif is_ours(base):
            found += bases(base)
    return list(dict.fromkeys(found))


def documented_attributes(cls: type) -> list[str]:
    """Return what a class's docstring lists below "Attributes:"."""
    text = inspect.cleandoc(cls.__doc__ or "").partition("\nAttributes:\n")[2]
    section = re.split(r"\n\n|\n(?=\S)", text)[0]
    return re.findall(r"^    (\w+): ", section, re.MULTILINE)


@functools.cache
def attribute_types(cls: type) -> dict[str, str]:
    """Return the types of what a class's ``__init__`` keeps: as annotated there, or of the argument that is kept."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    found: dict[str, str] = {}
    given: dict[str, str] = {}
    for node in ast.walk(body):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            given = {it.arg: ast.unparse(it.annotation) for it in arguments if it.annotation}
    for node in ast.walk(body):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
            if isinstance(node, ast.AnnAssign):
                found[target.attr] = ast.unparse(node.annotation)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in given:
                found.setdefault(target.attr, given[node.value.id])
    return found


def member_lines(name: str, cls: type) -> Iterator[str]:
    """Yield the fields, attributes, properties and methods of a class, except those that public bases have."""
    own = [cls, *(base for base in cls.__mro__[1:] if is_ours(base) and base not in public_classes())]
    found: dict[str, Any] = {}
    for base in reversed(own):
        found.update(vars(base))
    told: set[str] = set()
    if attrs.has(cls):
        for field in attrs.fields(cls):
            if not field.name.startswith("_"):
                told.add(field.name)
                value = f" = {defaults(cls)[field.name]}" if field.name in defaults(cls) else ""
                value = " = (computed)" if value.startswith(" = lambda") else value
                form = "" if field.init else ", not an argument"
                form += ", by keyword" if field.kw_only and field.init else ""
                form += f", given as {field.alias}" if field.init and field.alias != field.name else ""
                yield f"{name}.{field.name}: {annotated(field.type)}{value}{form}"
    elif typing.is_typeddict(cls):
        for key, kind in cls.__annotations__.items():
            yield f"{name}[{key!r}]: {annotated(kind)}"
    elif inspect.isfunction(found.get("__init__")) and not (
        getattr(cls, "_is_protocol", False) or name in MADE_FOR_USERS
    ):
        yield f"{name}{parameters(found['__init__'])}".removesuffix(" -> None")
    elif hasattr(cls, "_fields") and issubclass(cls, tuple):
        given = {it: f" = {default(value)}" for it, value in cls._field_defaults.items()}
        fields = (f"{it}: {annotated(cls.__annotations__[it])}{given.get(it, '')}" for it in cls._fields)
        yield f"{name}({', '.join(fields)})"
        told.update(cls._fields)
    typed = {key: kind for base in reversed(own) for key, kind in attribute_types(base).items()}
    for key in sorted({*found, *(it for base in own for it in documented_attributes(base))} - told):
        yield from one_member(name, key, found.get(key, ...), typed.get(key))


def one_member(name: str, key: str, value: Any, kind: str | None) -> Iterator[str]:
    """Yield the lines of one attribute, property or method."""
    if (key.startswith("_") and key not in SPOKEN) or f"{name}.{key}" in INTERNAL:
        return
    if isinstance(value, classmethod | staticmethod):
        yield from (f"{type(value).__name__} {line}" for line in function_lines(f"{name}.{key}", value.__func__))
    elif isinstance(value, property):
        settable = ", settable" if value.fset else ""
        yield f"{name}.{key}: {annotated(value.fget.__annotations__['return'])}, a property{settable}"
    elif inspect.isfunction(value):
        yield from function_lines(f"{name}.{key}", value)
    else:
        yield f"{name}.{key}" + (f": {annotated(kind)}" if kind else "")


@functools.cache
def aliases(module: str) -> dict[str, str]:
    """Return the assignments of a module, each as it is written."""
    source = Path(importlib.import_module(module).__file__ or "").read_text(encoding="utf-8")
    found = {}
    for node in ast.parse(source).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            found[target.id] = ast.unparse(node.value)
    return found


def alias(module: str, name: str) -> str:
    """Return what a name stands for that is neither a class nor a function."""
    places = [
        module,
        *(f"{PACKAGE}.{it}" for it in ("events", "protocol.responses", "results", "settings", "archive.rules")),
    ]
    text = next((aliases(place)[name] for place in places if name in aliases(place)), None)
    short = text is not None and not text.startswith("{")
    return f"{name} = {text}" if short else f"{name}: {type(getattr(importlib.import_module(module), name)).__name__}"


def lines_of(module: str, name: str) -> Iterator[str]:
    """Yield the lines of one public name."""
    value = getattr(importlib.import_module(module), name)
    if inspect.isclass(value):
        of = bases(value)
        yield f"class {name}{'(' + ', '.join(of) + ')' if of else ''}"
        yield from member_lines(name, value)
    elif inspect.isfunction(value):
        yield from function_lines(name, value)
    else:
        yield alias(module, name)


def text() -> str:
    """Return the whole, one section a module."""
    sections = []
    for module, all_ in names().items():
        lines = [line for name in sorted(all_) for line in lines_of(module, name)]
        sections.append("\n".join([f"[{module}]", *lines]))
    return "\n\n".join(sections) + "\n"


def difference() -> str:
    """Return how the pinned text differs from what is there, as a diff; empty where it does not."""
    old = PINNED.read_text(encoding="utf-8").splitlines() if PINNED.exists() else []
    new = text().splitlines()
    return "\n".join(difflib.unified_diff(old, new, "tests/api_surface.txt", "the package", n=0, lineterm=""))


# --- the tree of errors


_BRANCH = re.compile(r"^(?P<lines>[│├└ ]*)(?P<name>\w+Error)(?:\((?P<second>\w+)\))?")


def drawn(lines: list[str]) -> dict[str, tuple[str | None, str | None]]:
    """Return the parent and the second base of each error in a drawing of the tree."""
    found: dict[str, tuple[str | None, str | None]] = {}
    path: list[str] = []
    for line in lines:
        match = _BRANCH.match(line)
        if match:
            depth = len(match["lines"]) // 2
            path[depth:] = [match["name"]]
            found[match["name"]] = (path[depth - 1] if depth else None, match["second"])
    return found


def drawing(page: str) -> list[str]:
    """Return the lines of the drawing in a text: from the root of the tree to the empty line after it."""
    lines = page.splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == "ArtifactsError")
    indent = len(lines[start]) - len(lines[start].lstrip())
    end = next(number for number in range(start, len(lines)) if not lines[number].strip(" `"))
    return [line[indent:] for line in lines[start:end]]


def error_tree(cls: type[ArtifactsError] = ArtifactsError) -> dict[str, tuple[str | None, str | None]]:
    """Return the parent and the second base of each class of errors."""
    parent, *second = cls.__bases__
    ours = parent.__name__ if is_ours(parent) else None
    found = {cls.__name__: (ours, second[0].__name__ if second else None)}
    for sub in cls.__subclasses__():
        if sub.__module__ == f"{PACKAGE}.errors":  # not what a test or an extra adds
            found |= error_tree(sub)
    return found


def main(arguments: list[str]) -> int:
    """Write the text, or show how it differs; the exit code is 1 if it does."""
    if "--write" in arguments:
        PINNED.write_text(text(), encoding="utf-8", newline="\n")
        return 0
    sys.stdout.write(difference())
    return 1 if difference() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
