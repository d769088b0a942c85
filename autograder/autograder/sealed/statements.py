"""What a cell's text imports and defines, read without running it."""

import ast
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


def statements_of(source: str) -> list[ast.stmt]:
    """Parse a cell, magics included.

    Parameters
    ----------
    source : str
        A cell.

    Returns
    -------
    list of ast.stmt
        Nothing for what is no Python.
    """
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        pass
    # Magics are IPython's, which takes a while to import.
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return ast.parse(TransformerManager().transform_cell(source)).body
    except (SyntaxError, ValueError, RecursionError):
        return []
