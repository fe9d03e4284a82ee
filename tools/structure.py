"""Modules, their imports, and rules about both; the tests of layers and `house.py` use it.

Tests do not count.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = {
    'rs_ml_perception': 'rs_ml_perception',
    'rs_ml_training': 'rs_ml_training/src',
    'benchmarks': '.',
}
"""Package -> the folder, relative to the checkout, that holds it."""

ANYWHERE = {'numpy', 'cv2', *sys.stdlib_module_names}
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 400, 60
SMALL_MODULE_LINES = 70
Graph = Mapping[str, set[str]]
"""Module -> the modules it imports."""


@dataclass(frozen=True)
class Module:
    """One file of a package.

    Attributes:
        name: dotted, 'package.folder.module'; that of a package for its `__init__`.
        path: of the file.
    """

    name: str
    path: Path

    @cached_property
    def source(self) -> str:
        """The text of the file."""
        return self.path.read_text('utf-8')

    @cached_property
    def tree(self) -> ast.Module:
        """The text parsed."""
        return ast.parse(self.source)

    @property
    def lines(self) -> int:
        """Lines of the file."""
        return self.source.count('\n')

    @property
    def folder(self) -> str:
        """Dotted name of the folder."""
        return self.name if self.path.name == '__init__.py' else self.name.rpartition('.')[0]


def modules_of(package: str, root: Path) -> list[Module]:
    """Modules of a package in the checkout `root`, tests left out."""
    base = root / PACKAGES[package]
    found = []
    for path in sorted((base / package).rglob('*.py')):
        parts = path.relative_to(base).with_suffix('').parts
        if 'tests' not in parts:
            name = '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)
            found.append(Module(name, path))
    return found


def imported_names(node: ast.AST) -> list[str]:
    """Full names of the modules a statement or import_module('...') imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = '.' * node.level + (node.module or '')
        return [f'{base}.{alias.name}' for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith('import_module'):
        return [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
    return []


def imports(tree: ast.AST, late: bool = False) -> list[tuple[str, bool]]:
    """All imports below the tree as (full name, whether only when a function runs)."""
    found = [(name, late) for name in imported_names(tree)]
    if isinstance(tree, ast.If) and ast.unparse(tree.test).endswith('TYPE_CHECKING'):
        late = True
    late = late or isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    return found + [pair for child in ast.iter_child_nodes(tree) for pair in imports(child, late)]


def import_graph(modules: Iterable[Module]) -> dict[str, set[str]]:
    """Which module imports which, late imports and those for type checkers included."""
    by_name = {module.name: module for module in modules}
    graph: dict[str, set[str]] = {}
    for name, module in by_name.items():
        found = set()
        for full_name, _ in imports(module.tree):
            target = full_name
            while target and target not in by_name:
                target = target.rpartition('.')[0]
            found.add(target)
        graph[name] = found - {name, ''}
    return graph


def circles(graph: Graph) -> list[list[str]]:
    """Sets of modules that import each other, directly or not (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in graph[name]:
            if target not in index:
                visit(target)
            if target in stack:
                low[name] = min(low[name], low[target])
        if low[name] == index[name]:
            position = stack.index(name)
            if len(stack) - position > 1:
                found.append(sorted(stack[position:]))
            del stack[position:]

    for name in graph:
        if name not in index:
            visit(name)
    return found


def folder_of(module: str, depth: int) -> str:
    """The folder of a module in the package, cut to so many levels; '' for top modules."""
    return '.'.join(module.split('.')[1:-1][:depth])


def mutual_folders(graph: Graph, depth: int = 1) -> list[tuple[str, str]]:
    """Pairs of folders that import each other; a folder and one inside of it do not count."""
    edges = {
        (folder_of(name, depth), folder_of(target, depth))
        for name, targets in graph.items()
        for target in targets
    }
    return sorted(
        (a, b)
        for a, b in edges
        if a < b and (b, a) in edges and not b.startswith(f'{a}.') and a != ''
    )


def users_of(graph: Graph) -> dict[str, set[str]]:
    """Module -> the modules that import it."""
    users: dict[str, set[str]] = {name: set() for name in graph}
    for name, targets in graph.items():
        for target in targets:
            users[target].add(name)
    return users


def lonely_modules(modules: Iterable[Module], graph: Graph) -> list[str]:
    """Small modules whose one user is in the same folder."""
    users, found = users_of(graph), []
    by_name = {module.name: module for module in modules}
    for name, module in by_name.items():
        is_small = module.path.name != '__init__.py' and module.lines < SMALL_MODULE_LINES
        if is_small and len(users[name]) == 1:
            (user,) = users[name]
            if by_name[user].folder == module.folder:
                found.append(name)
    return found


@dataclass(frozen=True)
class Layer:
    """Imports allowed in one folder besides the standard library, numpy and cv2.

    Attributes:
        folders: of the same package.
        at_once: other packages, or folders of them as 'package.folder', at module level; '_msgs'
            stands for all message packages.
        late: the same, inside functions only.
    """

    folders: frozenset[str]
    at_once: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()

    @classmethod
    def of(cls, folders: str, at_once: Iterable[str] = (), late: Iterable[str] = ()) -> Layer:
        """From the names of folders, separated by spaces."""
        return cls(frozenset(folders.split()), frozenset(at_once), frozenset(late))


def is_allowed(package: Path, name: str, late: bool, rules: Layer) -> bool:
    """Whether a module under the rules may import the full name.

    Args:
        package: folder of the package.
        name: full name of what is imported.
        late: whether only when a function runs.
        rules: of the layer.
    """
    root, *rest = name.split('.')
    if root == package.name:
        return not rest or rest[0] in rules.folders or not (package / rest[0]).is_dir()
    others = rules.at_once | rules.late if late else rules.at_once
    is_message = root.endswith(('_msgs', '_interfaces')) or root == 'std_srvs'
    allowed = {*ANYWHERE, *others}
    folder = '.'.join([root, *rest[:1]])
    return bool({root, folder} & allowed) or (is_message and '_msgs' in others)


def offences(package: Path, source: str, rules: Layer) -> list[str]:
    """Imports of a module against the rules."""
    found = imports(ast.parse(source))
    return [name for name, late in found if not is_allowed(package, name, late, rules)]


def flags_by_hand(modules: Iterable[Module]) -> list[str]:
    """'module: flag' of calls of add_argument for a flag; the generator makes its own."""
    return [
        f'{module.name}: {ast.unparse(node.args[0])}'
        for module in modules
        if 'add_argument(' in module.source
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == 'add_argument'
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and str(node.args[0].value).startswith('-')
    ]


def too_long(modules: Iterable[Module]) -> list[str]:
    """Modules and functions beyond the limits, with their lengths."""
    found = []
    for module in modules:
        if module.lines > MAX_MODULE_LINES:
            found.append(f'{module.name}: {module.lines} lines')
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    found.append(f'{module.name}.{node.name}: {lines} lines')
    return found
