"""What a cell's text imports and defines, read without running it."""

import ast
import functools
import textwrap
from collections.abc import Iterable


def imports_of(sources: Iterable[str]) -> str:
    """Collect the import statements of some cells.

    Parameters
    ----------
    sources : iterable of str
        Cells of the assignment as the instructor wrote it.

    Returns
    -------
    str
        Source that imports the same, one statement a line; a missing package is passed over.
    """
    lines: list[str] = []
    for source in sources:
        for node in statements_of(source):
            if isinstance(node, ast.Import | ast.ImportFrom):
                line = ast.unparse(node)
                if line not in lines and "__future__" not in line:
                    lines.append(line)
    return "\n".join(f"try:\n    {line}\nexcept ImportError:\n    pass" for line in lines)


def definitions_in(sources: Iterable[str]) -> str:
    """Collect the functions and classes that some cells define.

    Parameters
    ----------
    sources : iterable of str
        Cells of the assignment as the instructor wrote it.

    Returns
    -------
    str
        Source that defines the same; what cannot be defined is passed over.
    """
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    parts = [
        textwrap.indent(ast.unparse(node), "    ")
        for source in sources
        for node in statements_of(source)
        if isinstance(node, kinds)
    ]
    return "\n".join(f"try:\n{part}\nexcept Exception:\n    pass" for part in parts)


def names_defined(sources: Iterable[str]) -> frozenset[str]:
    """Collect the names of the functions, classes and variables that some cells define.

    Parameters
    ----------
    sources : iterable of str
        The assignment's own solution cells.

    Returns
    -------
    frozenset of str
    """
    names: set[str] = set()
    for source in sources:
        for node in statements_of(source):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names |= {
                    name.id
                    for target in targets
                    for name in ast.walk(target)
                    if isinstance(name, ast.Name)
                }
    return frozenset(names)


def programs_of(source: str) -> list[str]:
    """List a cell's imports and definitions of functions and classes, each as source.

    Parameters
    ----------
    source : str
        A cell.

    Returns
    -------
    list of str
    """
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [ast.unparse(node) for node in statements_of(source) if isinstance(node, kinds)]


def names_in(source: str) -> frozenset[str]:
    """Collect all names that a cell uses or binds.

    Parameters
    ----------
    source : str
        A cell.

    Returns
    -------
    frozenset of str
    """
    return frozenset(
        node.id
        for statement in statements_of(source)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
    )


def last_root_of(source: str) -> str:
    """Name what a cell's last expression is taken from.

    Parameters
    ----------
    source : str
        A cell.

    Returns
    -------
    str
        ``"f"`` for ``f(3).x[0]``; empty where it is worked out, and where there is none.
    """
    statements = statements_of(source)
    last = statements[-1] if statements else None
    node: ast.AST | None = last.value if isinstance(last, ast.Expr) else None
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


@functools.lru_cache(maxsize=256)
def statements_of(source: str) -> tuple[ast.stmt, ...]:
    """Parse a cell, magics included. An instructor's cell is asked for often, and kept.

    Parameters
    ----------
    source : str
        A cell.

    Returns
    -------
    tuple of ast.stmt
        Nothing for what is no Python.
    """
    try:
        return tuple(ast.parse(source).body)
    except (SyntaxError, ValueError, RecursionError):
        pass
    # Magics are IPython's, which takes a while to import.
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return tuple(ast.parse(TransformerManager().transform_cell(source)).body)
    except (SyntaxError, ValueError, RecursionError):
        return ()
