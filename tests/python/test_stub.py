"""The stub of the compiled module names what the module has: classes, functions, parameters, in order."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType

import rfseg
from rfseg import _core

STUB = ast.parse(Path(rfseg.__file__).with_name("_core.pyi").read_text())
TYPING_ONLY = {"Columns", "Asked"}  # aliases of types


def stubbed(nodes: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = {}
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.setdefault(node.target.id, []).append(node)
    return found


def public(owner: type | ModuleType) -> set[str]:
    return {name for name in vars(owner) if not name.startswith("_")}


def split_at_commas(text: str) -> list[str]:
    """Without those inside brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[(") - (letter in "])")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def compiled_parameters(function: object) -> list[str]:
    """As pybind11's first line of documentation has them; "*" where names must be given; no types, no `self`."""
    first = (function.__doc__ or "").splitlines()[0]
    inside = re.fullmatch(r"\w+\((.*)\) -> .*", first)
    assert inside, first
    names = [part.split(":")[0].strip() for part in split_at_commas(inside.group(1))]
    return [name for name in names if name != "self"]


def stub_parameters(node: ast.FunctionDef) -> list[str]:
    given = node.args
    names = [one.arg for one in given.posonlyargs + given.args if one.arg != "self"]
    return names + ["*"] * bool(given.kwonlyargs) + [one.arg for one in given.kwonlyargs]


def compare_functions(owner: type | ModuleType, name: str, nodes: list[ast.stmt]) -> int:
    """A name that pybind11 was not given is argN there, and any name fits it."""
    compiled = compiled_parameters(getattr(owner, name))
    for node in nodes:
        assert isinstance(node, ast.FunctionDef)
        described = stub_parameters(node)
        assert len(described) == len(compiled), (name, described, compiled)
        for mine, theirs in zip(described, compiled, strict=True):
            assert mine == theirs or re.fullmatch(r"arg\d+", theirs), (name, mine, theirs)
    return len(compiled)


def test_the_stub_has_what_the_module_has() -> None:
    assert set(stubbed(STUB.body)) - TYPING_ONLY == public(_core) - TYPING_ONLY


def test_classes_have_what_the_stub_says() -> None:
    compared = 0
    for name, (node, *_rest) in stubbed(STUB.body).items():
        owner = getattr(_core, name, None)
        if not isinstance(node, ast.ClassDef) or not isinstance(owner, type):
            continue
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        assert not bases or [base.__name__ for base in owner.__bases__] == bases
        members = stubbed(node.body)
        assert {member for member in members if not member.startswith("_")} == public(owner), name
        for member, nodes in members.items():
            # Segmenter's constructor takes **kwargs, and refuses by name what it does not know.
            if member == "__init__" or isinstance(vars(owner)[member], property):
                continue
            compared += compare_functions(owner, member, nodes)
    assert compared > 30


def test_functions_have_what_the_stub_says() -> None:
    compared = 0
    for name, nodes in stubbed(STUB.body).items():
        if isinstance(nodes[0], ast.FunctionDef):
            compared += compare_functions(_core, name, nodes)
    assert compared >= 11
