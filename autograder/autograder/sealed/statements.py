"""What a cell's text imports and defines, read without running it."""

import ast
import builtins
import functools
import textwrap
from collections.abc import Collection, Iterable

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


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
    parts = [
        textwrap.indent(ast.unparse(node), "    ")
        for source in sources
        for node in statements_of(source)
        if isinstance(node, _DEFINITIONS)
    ]
    return "\n".join(f"try:\n{part}\nexcept Exception:\n    pass" for part in parts)


def names_defined(sources: Iterable[str], programs: Collection[str] = ()) -> frozenset[str]:
    """Collect the names of the functions, classes and variables that some cells define.

    Parameters
    ----------
    sources : iterable of str
        The assignment's own solution cells.
    programs : collection of str
        Names of modules, functions and classes that are given: a solution that sets something of
        them, as in ``pd.options.display.width = 80``, does not define them.

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
                stored, changed = names_bound(node)
                names |= stored | {
                    name for name in changed if name not in programs and not hasattr(builtins, name)
                }
    return frozenset(names)


def names_bound(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> tuple[set[str], set[str]]:
    """Name what an assignment binds, and what it changes: `df` of ``df[a > 3] = 0``, and not `a`.

    Parameters
    ----------
    node : ast.Assign, ast.AnnAssign or ast.AugAssign
        The statement.

    Returns
    -------
    stored, changed : set of str
    """
    stored, changed = set(), set()
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        for part in ast.walk(target):
            if not isinstance(getattr(part, "ctx", None), ast.Store):
                continue
            if isinstance(part, ast.Name):
                stored.add(part.id)
            elif isinstance(part, ast.Attribute | ast.Subscript):
                changed |= {root_of(part)} - {""}
    return stored, changed


def root_of(node: ast.AST) -> str:
    """Name what an expression is taken from: `f` of ``f(3).x[0]``.

    Parameters
    ----------
    node : ast.AST
        The expression.

    Returns
    -------
    str
        Empty where it is worked out.
    """
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def names_of_programs(sources: Iterable[str]) -> frozenset[str]:
    """Collect the names of the modules, functions and classes that some cells import and define.

    Parameters
    ----------
    sources : iterable of str
        Cells.

    Returns
    -------
    frozenset of str
    """
    sources = list(sources)
    return imported_by(sources) | {
        node.name
        for source in sources
        for node in statements_of(source)
        if isinstance(node, _DEFINITIONS)
    }


def imported_by(sources: Iterable[str]) -> frozenset[str]:
    """Collect the names under which some cells import something.

    Parameters
    ----------
    sources : iterable of str
        Cells.

    Returns
    -------
    frozenset of str
    """
    return frozenset(
        (part.asname or part.name).partition(".")[0]
        for source in sources
        for node in statements_of(source)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for part in node.names
    )


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
    kinds = (ast.Import, ast.ImportFrom, *_DEFINITIONS)
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


def shows_an_answer(source: str, asked: Collection[str]) -> bool:
    """Tell whether a check ends in what a submission gives, shown and not counted.

    Parameters
    ----------
    source : str
        The check.
    asked : collection of str
        Names that the assignment has learners define.

    Returns
    -------
    bool
        True for ``f(3).x``, and not where the check itself has bound the name.
    """
    statements = statements_of(source)
    last = statements[-1] if statements else None
    root = root_of(last.value) if isinstance(last, ast.Expr) else ""
    return root in asked and root not in _stored_by(statements)


def counts_points(source: str) -> bool:
    """Tell whether a check ends in a number of points: in what it has worked out.

    Parameters
    ----------
    source : str
        The check.

    Returns
    -------
    bool
        True for ``4 * (f(3) == 9)``, ``sum(...)``, and for a name that the check has bound.
    """
    statements = statements_of(source)
    last = statements[-1] if statements else None
    if not isinstance(last, ast.Expr):
        return False
    if isinstance(last.value, ast.BinOp | ast.UnaryOp | ast.IfExp):
        return True
    root = root_of(last.value)
    return root in _COUNTING or root in _stored_by(statements)


_COUNTING = ("abs", "float", "int", "len", "max", "min", "round", "sum")


def _stored_by(statements: Iterable[ast.stmt]) -> set[str]:
    return set[str]().union(*map(names_stored, statements))


def names_stored(node: ast.AST) -> set[str]:
    """Collect the names that are bound anywhere within a piece of source.

    Parameters
    ----------
    node : ast.AST
        The piece.

    Returns
    -------
    set of str
    """
    return {
        item.id
        for item in ast.walk(node)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    }


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
