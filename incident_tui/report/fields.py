"""What a template can print, from the structures that it gets and what their docstrings say."""

from __future__ import annotations

import ast
import inspect
import sys
import types
import typing
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from incident_tui.report.escape import Shown
from incident_tui.report.sections import Section
from incident_tui.report.source import Facts

HEAD = """\
# What a report's template can print

Templates are Jinja2 (https://jinja.palletsprojects.com), in a sandbox: they print what is below, escaped for Markdown
without their doing, and reach nothing else. NAME.md.j2 in [report] directory is the template NAME.

`{% call machine("NAME") %}` … `{% endcall %}` around what the program writes: the next export into the same file renews
that and leaves all else to people. `{% include "section/times.md.j2" %}` takes a part of the shipped templates.

Variables: `facts` (Facts), `sections` (a list of Section), `answered` (names of the sections that people answered).
"""


def fields() -> str:
    """Markdown: the variables, each structure with its fields, the filters."""
    return HEAD + "\n" + _filters() + "".join(_structure(one) for one in structures())


def structures() -> list[Any]:
    """Facts, Section, and every structure that can be reached from them, in that order."""
    found: list[Any] = [Facts, Section]
    for one in found:
        for kind in _types(one).values():
            found += [inner for inner in _inside(kind) if inner not in found]
    return found


def _types(structure: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(structure)
    return {name: kind for name, kind in hints.items() if not name.startswith("_")}


def _inside(kind: Any) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__.startswith("incident_tui"):
        yield kind
    for part in typing.get_args(kind):
        yield from _inside(part)


def _structure(structure: Any) -> str:
    lines = [f"\n## {structure.__name__}\n\n{_said(structure.__doc__)}\n\n"]
    said = _docs(structure)
    for name, kind in _types(structure).items():
        lines.append(f"- `{name}`: {_name(kind)}{'. ' + said[name] if name in said else ''}\n")
    for name, member in inspect.getmembers(structure, lambda one: isinstance(one, property)):
        lines.append(
            f"- `{name}`: {_name(typing.get_type_hints(member.fget).get('return'))}. {_said(member.__doc__)}\n"
        )
    return "".join(lines)


def _said(doc: str | None) -> str:
    return " ".join((doc or "").split())


def _name(kind: Any) -> str:
    if kind is types.NoneType or kind is None:
        return "none"
    args = typing.get_args(kind)
    if not args:
        return str(getattr(kind, "__name__", kind))
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_name(one) for one in args)
    if origin is typing.Literal:
        return " or ".join(f'"{one}"' for one in args)
    if origin is dict:
        return f"{_name(args[1])} by {_name(args[0])}"
    if origin in (tuple, list) or (isinstance(origin, type) and issubclass(origin, typing.Iterable)):
        many = args[:1] if args[-1:] == (Ellipsis,) or len(args) == 1 else args
        return ("list of " if len(many) == 1 else "pair of ") + " and ".join(_name(one) for one in many)
    return str(getattr(origin, "__name__", kind))


def _docs(structure: Any) -> dict[str, str]:
    """The texts that stand below fields."""
    for node in _module(structure.__module__).body:
        if isinstance(node, ast.ClassDef) and node.name == structure.__name__:
            return {
                field.target.id: _said(str(below.value.value))
                for field, below in zip(node.body, node.body[1:], strict=False)
                if isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            }
    return {}


@lru_cache
def _module(name: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[name]))


def _filters() -> str:
    lines = ["\n## Filters, besides those of Jinja2\n\n"]
    for name, function in Shown(str).filters.items():
        lines.append(f"- `{name}`: {_said(function.__doc__)}\n")
    return "".join(lines)
