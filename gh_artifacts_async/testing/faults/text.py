"""Faults as text: ``cut=2,artifact=1,at=1000`` of the command line, or objects of a JSON file."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs

from gh_artifacts_async.testing.faults.script import Faults

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async.testing.faults.fault import Fault


def _methods() -> dict[str, inspect.Signature]:
    found = {name: inspect.signature(method) for name, method in inspect.getmembers(Faults, inspect.isfunction)}
    return {
        name: signature
        for name, signature in found.items()
        if signature.return_annotation == "Fault" and not name.startswith("_") and name != "add"
    }


METHODS = _methods()
"""The methods of ``Faults`` that script a fault, by name."""


@attrs.frozen
class FaultText:
    """A fault that was read, and can be scripted once the artifacts are there.

    Attributes:
        name: the method of ``Faults``.
        arguments: its arguments but ``artifact``.
        artifact: an artifact's place (1 for the first), id or name; None: any.
    """

    name: str
    arguments: Mapping[str, Any]
    artifact: int | str | None = None

    def script(self, faults: Faults, find: Callable[[int | str], int]) -> Fault:
        """Script it; ``find`` returns the id of an artifact's place, id or name.

        Raises:
            LookupError: there is no such artifact.
            ValueError: it could never happen.
        """
        given = {} if self.artifact is None else {"artifact": find(self.artifact)}
        return cast("Fault", getattr(faults, self.name)(**given, **self.arguments))


def read(text: str) -> FaultText:
    """Read ``NAME``, ``NAME=TIMES`` or either with ``,KEY=VALUE`` as often as needed.

    Raises:
        ValueError: there is no such fault, it has no such argument, or a value is of another kind.
    """
    first, *rest = text.split(",")
    name, _, times = first.partition("=")
    given: dict[str, object] = {"times": times} if times else {}
    for part in rest:
        key, equals, value = part.partition("=")
        if not equals:
            msg = f"{part!r} in {text!r} is not KEY=VALUE"
            raise ValueError(msg)
        given[key] = value
    return _checked(name, given)


def read_file(path: Path) -> list[FaultText]:
    """Read a JSON file: a list of objects such as ``{"fault": "cut", "artifact": 1, "at": 1000, "times": 2}``.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is something else, or as in ``read``.
    """
    document = json.loads(path.read_bytes())
    if not isinstance(document, list):
        msg = f"{path} holds no JSON list"
        raise ValueError(msg)  # noqa: TRY004 - of the file, not of an argument
    found: list[FaultText] = []
    for item in cast("list[object]", document):
        if not isinstance(item, dict) or "fault" not in item:
            msg = f'{json.dumps(item)} in {path} is no object with a name, such as {{"fault": "cut"}}'
            raise ValueError(msg)
        given = cast("dict[str, object]", item)
        found.append(_checked(str(given["fault"]), {key: it for key, it in given.items() if key != "fault"}))
    return found


def overview() -> str:
    """Return a text that names every fault with its arguments and what it does."""
    lines: list[str] = []
    for name, signature in METHODS.items():
        shown = [_shown(parameter) for key, parameter in signature.parameters.items() if key != "self"]
        what = (inspect.getdoc(getattr(Faults, name)) or "").partition("\n")[0].replace("``", "")
        lines += [f"{name}: {what}", f"    {'  '.join(shown)}"]
    return "\n".join(lines) + "\n"


def _shown(parameter: inspect.Parameter) -> str:
    default = parameter.default
    if default in {None, "", inspect.Parameter.empty} or parameter.name == "times" or isinstance(default, bytes):
        return parameter.name
    return f"{parameter.name}={json.dumps(default)}".replace('"', "")


def _checked(name: str, given: dict[str, object]) -> FaultText:
    if name not in METHODS:
        msg = f"{name!r} is not a fault; there are {', '.join(METHODS)}"
        raise ValueError(msg)
    known = {key: parameter for key, parameter in METHODS[name].parameters.items() if key != "self"}
    for key in given:
        if key not in known:
            msg = f"{name} has no {key!r}; it has {', '.join(known)}"
            raise ValueError(msg)
    missing = [key for key, parameter in known.items() if parameter.default is parameter.empty and key not in given]
    if missing:
        msg = f"{name} needs {' and '.join(missing)}"
        raise ValueError(msg)
    artifact = given.pop("artifact", None)
    arguments = {key: _value(name, known[key], value) for key, value in given.items()}
    if artifact is None:
        return FaultText(name, arguments)
    text = str(artifact)
    return FaultText(name, arguments, int(text) if text.isdecimal() else text)


def _value(name: str, parameter: inspect.Parameter, given: object) -> object:
    """Return an argument as its annotation has it: as the first kind there that ``given`` can be read as."""
    annotation = str(parameter.annotation)
    kinds = (
        ["Mapping"] if annotation.startswith("Mapping") else [it.partition("[")[0] for it in annotation.split(" | ")]
    )
    for kind, read_it in _READERS.items():
        if kind in kinds:
            with contextlib.suppress(ValueError):
                return read_it(given)
    expected = "a number, or always" if parameter.name == "times" else _EXPECTED.get(kinds[0], annotation)
    msg = f"{name}: {parameter.name}={given!r} is not {expected}"
    raise ValueError(msg)


def _one_of(*texts: str) -> Callable[[object], str]:
    def read_it(given: object) -> str:
        if given not in texts:
            raise ValueError
        return str(given)

    return read_it


def _none(given: object) -> None:
    if given not in {None, "always"}:
        raise ValueError


def _bool(given: object) -> bool:
    if given not in {True, False, "true", "false"}:
        raise ValueError
    return given in {True, "true"}


def _int(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, (int, str)):
        raise ValueError  # noqa: TRY004 - it may be of another kind
    return int(given)


def _float(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise ValueError  # noqa: TRY004 - it may be of another kind
    # A whole number stays one: a header such as Retry-After takes no fraction.
    return int(given) if str(given).isdecimal() else float(given)


def _mapping(given: object) -> dict[str, object]:
    document = json.loads(given) if isinstance(given, str) else given
    if not isinstance(document, dict):
        raise ValueError  # noqa: TRY004 - of a text
    return cast("dict[str, object]", document)


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise ValueError  # noqa: TRY004 - it may be of another kind
    return given


_READERS: dict[str, Callable[[object], object]] = {
    "None": _none,
    "bool": _bool,
    "int": _int,
    "float": _float,
    "Host": _one_of("api", "storage"),
    "Framing": _one_of("length", "chunked", "close"),
    "Literal": _one_of("chunked", "close"),
    "Mapping": _mapping,
    "str": _text,
    "bytes": lambda given: _text(given).encode(),
}
"""The kinds of arguments, in the order in which they are tried."""

_EXPECTED = {
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "Host": "api or storage",
    "Framing": "length, chunked or close",
    "Literal": "chunked or close",
    "Mapping": "a JSON object",
}
