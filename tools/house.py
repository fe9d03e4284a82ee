#!/usr/bin/env python3
"""Figures of the code's structure: `tools/run python tools/house.py [--root CHECKOUT]`.

It counts the packages and the benchmarks, not their tests.
"""

from __future__ import annotations

import ast
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import Options, option
from structure import (
    PACKAGES,
    Graph,
    Module,
    circles,
    import_graph,
    lonely_modules,
    modules_of,
    mutual_folders,
    users_of,
)

OPTIONS = ('range_min_m', 'classes', 'confidence_threshold')
_TASK = r"""['"](?:depth|mono_depth|segmentation|detection|denoise)['"]"""
_TASK_SWITCH = re.compile(
    rf'(?:==|!=) {_TASK}|\bin \(?\{{?{_TASK}, |\[(?:\w+\.)?task\]'
    r'|isinstance\(.*\b(?:Depth|Segmentation|Detection|Denoise)Options\b'
)


@dataclass(frozen=True)
class Function:
    """One function or method.

    Attributes:
        name: 'module.qualified name'.
        lines: of the whole.
        body_lines: without signature and docstring.
        is_annotated: whether every argument and the result have types.
    """

    name: str
    lines: int
    body_lines: int
    is_annotated: bool


def functions_of(module: Module) -> Iterator[Function]:
    """All functions of a module, nested ones included."""
    for name, node in _definitions(module.tree, module.name):
        if isinstance(node, ast.ClassDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        end = node.end_lineno or node.lineno
        length = end - body[0].lineno + 1 if body else 0
        yield Function(name, end - node.lineno + 1, length, _is_annotated(node))


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _definitions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, Definition]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Definition):
            name = f'{prefix}.{node.name}'
            yield name, node
            yield from _definitions(node, name)
        else:
            yield from _definitions(node, prefix)


def _is_annotated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    more = [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    needed = [a for a in named + more if a.arg not in ('self', 'cls')]
    return node.returns is not None and all(a.annotation is not None for a in needed)


def public_docstrings(module: Module) -> tuple[int, int]:
    """Of the public classes, functions and methods: how many have a docstring, and all."""
    public = [
        node
        for name, node in _definitions(module.tree, '')
        if not any(part.startswith('_') for part in name.split('.')[1:])
    ]
    return sum(ast.get_docstring(node) is not None for node in public), len(public)


def declares(module: Module, option: str) -> bool:
    """Whether a class of the module has a field of this name, or a command a flag."""
    flag = f'--{option.removesuffix("_m").replace("_", "-")}'
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            fields = (f.target for f in node.body if isinstance(f, ast.AnnAssign))
            if any(isinstance(f, ast.Name) and f.id == option for f in fields):
                return True
        if isinstance(node, ast.Call) and any(
            isinstance(a, ast.Constant) and a.value == flag for a in node.args
        ):
            return True
    return False


def repeated_classes(modules: Iterable[Module]) -> dict[str, list[str]]:
    """Public names that several classes at module level have -> their modules."""
    places = defaultdict(list)
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
                places[node.name].append(module.name)
    return {name: found for name, found in sorted(places.items()) if len(found) > 1}


def task_switches(modules: Iterable[Module]) -> list[str]:
    """Lines that decide by the name or the options of a task, as 'file:line'."""
    return [
        f'{module.name}:{number}'
        for module in modules
        for number, line in enumerate(module.source.splitlines(), 1)
        if _TASK_SWITCH.search(line)
    ]


def report_package(package: str, modules: list[Module]) -> list[str]:
    """Lines on the modules and functions of one package."""
    counted = [module for module in modules if module.lines]
    functions = [function for module in modules for function in functions_of(module)]
    bodies = sorted(function.body_lines for function in functions)
    documented, public = map(sum, zip(*map(public_docstrings, modules), strict=True))
    annotated = sum(function.is_annotated for function in functions)
    graph = import_graph(modules)
    longest = sorted(counted, key=lambda module: -module.lines)[:5]
    largest = sorted(functions, key=lambda function: -function.body_lines)[:5]
    return [
        f'{package}: {len(counted)} modules that are not empty, '
        f'{sum(module.lines for module in modules)} lines, '
        f'median module {statistics.median(module.lines for module in counted):.0f}',
        f'  bodies of {len(functions)} functions: median {statistics.median(bodies):.0f}, '
        f'p90 {bodies[int(0.9 * len(bodies))]}, most {bodies[-1]} lines',
        f'  docstrings on {documented / public:.0%} of what is public, '
        f'types on {annotated / len(functions):.0%} of the functions',
        f'  longest modules: {", ".join(f"{m.name} {m.lines}" for m in longest)}',
        f'  longest bodies: {", ".join(f"{f.name} {f.body_lines}" for f in largest)}',
        *_report_imports(modules, graph),
    ]


def _report_imports(modules: list[Module], graph: Graph) -> list[str]:
    lonely = lonely_modules(modules, graph)
    loops = [' <-> '.join(circle) for circle in circles(graph)]
    pairs = [f'{a} <-> {b}' for a, b in mutual_folders(graph)]
    by_size = Counter(min(module.lines // 20, 3) for module in modules if module.lines)
    return [
        f'  modules under 20, 40, 60 lines: {by_size[0]}, {by_size[0] + by_size[1]}, '
        f'{by_size[0] + by_size[1] + by_size[2]}',
        f'  small modules with one user, in their folder: {len(lonely)} {" ".join(lonely)}',
        f'  circles of imports: {len(loops)} {"; ".join(loops)}',
        f'  folders that import each other: {len(pairs)} {"; ".join(pairs)}',
    ]


def report(root: Path) -> list[str]:
    """Lines on the structure of a checkout."""
    packages = {name: modules_of(name, root) for name in PACKAGES}
    packages = {name: modules for name, modules in packages.items() if modules}
    lines = [line for item in packages.items() for line in report_package(*item)]
    everything = [module for modules in packages.values() for module in modules]
    users = users_of(import_graph(everything))
    alone = [name for name, found in users.items() if len(found) == 1]
    lines.append(f'modules with one user: {len(alone)} of {len(everything)}')
    for name in OPTIONS:
        found = [module.name for module in everything if declares(module, name)]
        lines.append(f'{name} is declared in {len(found)} files: {" ".join(found)}')
    switches = task_switches(packages.get('rs_ml_training', []))
    files = {place.partition(':')[0] for place in switches}
    lines.append(f'lines of training that switch on a task: {len(switches)} in {len(files)} files')
    repeated = repeated_classes(everything)
    lines.append(f'public class names that exist twice: {len(repeated)} {" ".join(repeated)}')
    return lines


@dataclass(frozen=True)
class HouseOptions(Options):
    """Flags of the command."""

    root: Path | None = option(None, 'checkout', none_doc='this one')


def main() -> None:
    """Print the figures of a checkout, and of a live image where ROS is installed."""
    parser = FlagParser(description=(__doc__ or '').splitlines()[0])
    add_flags(parser, HouseOptions)
    options = from_flags(HouseOptions, parser.parse_args())
    print('\n'.join(report((options.root or Path(__file__).parents[1]).resolve())))
    try:
        from live_image import trace_live_image

        way = trace_live_image()
    except ImportError as error:
        print(f'a live image: not traced, {error}')
    else:
        print(
            f'a live image: {len(way.files)} files, {len(way.functions)} functions, '
            f'{way.calls} calls: {" ".join(way.files)}'
        )


if __name__ == '__main__':
    main()
