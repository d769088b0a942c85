"""What an instructor's notebook has learners define, and what a check may therefore ask of it.

A check was written for the instructor's own solution. So what it asks an object of a learner's
class is something that the solution's class has, too: an operator that only the learner's class has
is asked for by nobody but who wants to answer in place of a number.

Only the syntax counts. A word of a message or of a comment says nothing, and neither does a name
that is a function's own.
"""

import ast
import builtins
import collections
import contextlib
import dataclasses
import functools
import importlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.sealed.statements import names_bound, names_stored, root_of, statements_of

# What a class gets from its decorator.
_ORDER = frozenset({"__lt__", "__le__", "__gt__", "__ge__"})
_DECORATORS: dict[str, frozenset[str]] = {
    "dataclass": frozenset({"__eq__"}),
    "final": frozenset(),
    "runtime_checkable": frozenset(),
    "total_ordering": _ORDER,
    "unique": frozenset(),
}
_ENUMERATION = frozenset({"__contains__", "__getitem__", "__iter__", "__len__"})
_FLAGS = _ENUMERATION | {"__and__", "__invert__", "__or__", "__xor__"}
# Bases without methods that a check would ask for, or whose objects cross as data.
_BASES: dict[str, frozenset[str]] = {
    **dict.fromkeys(("ABC", "Generic", "NamedTuple", "Protocol", "TypedDict"), frozenset()),
    **dict.fromkeys(("Enum", "IntEnum", "StrEnum"), _ENUMERATION),
    **dict.fromkeys(("Flag", "IntFlag"), _FLAGS),
    **dict.fromkeys(
        (
            kind.__name__
            for kind in (
                object, bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set,
                frozenset, collections.Counter, collections.OrderedDict, collections.defaultdict,
                collections.deque,
            )
        ),
        frozenset(),
    ),
}  # fmt: skip
# Where other bases of the standard library stand.
_MODULES = ("collections", "collections.abc", "contextlib", "json", "threading", "typing")
_CLASS_MAKERS = {
    **{name: _BASES[name] for name in ("Enum", "Flag", "IntEnum", "IntFlag", "StrEnum")},
    "make_dataclass": frozenset({"__eq__"}),
    "type": None,
}
_EXPECTS = frozenset({"assertRaises", "assertRaisesRegex", "raises", "suppress"})

Members = frozenset[str] | None


@dataclass(frozen=True)
class Asked:
    """What a check may ask of a submission.

    Attributes
    ----------
    classes : mapping of str to frozenset of str, or None
        The members of each class that the check has to do with. None for a class with members that
        the notebook does not show, as it derives from a class of a library.
    methods : frozenset of str
        Attributes that the definitions behind the check give to any object.
    named : frozenset of str
        The names that the check uses, and the definitions behind it.
    reads : frozenset of str
        The attributes that it or an instructor's function behind it reads, and its short texts,
        such as ``"dtype"`` and ``"float32"``.
    expects : frozenset of str
        The exceptions that it or an instructor's function behind it catches.
    guarded : frozenset of str
        Methods of classes that are given: objects of these are ours, and no other answers for them.
    """

    classes: Mapping[str, Members] = field(default_factory=dict)
    methods: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    expects: frozenset[str] = frozenset()
    guarded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Definition:
    """What the text of a definition, or of a whole cell, has in it.

    Attributes
    ----------
    uses : frozenset of str
        Names that are not its own.
    makes : frozenset of str
        Attributes that it gives to objects.
    reads, expects : frozenset of str
        As in `Asked`.
    """

    uses: frozenset[str] = frozenset()
    makes: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    expects: frozenset[str] = frozenset()

    def __or__(self, other: "Definition") -> "Definition":
        """Join two definitions of one name."""
        return Definition(
            self.uses | other.uses,
            self.makes | other.makes,
            self.reads | other.reads,
            self.expects | other.expects,
        )


@dataclass(frozen=True)
class Definitions:
    """What cells of the instructor's define.

    Attributes
    ----------
    names : mapping of str to Definition
        What defines each name of the notebook.
    classes : mapping of str to frozenset of str, or None
        The members of each class, those of its bases included. Not of classes that are given and
        from which no solution derives one.
    guarded : frozenset of str
        Methods that only such given classes have.
    rebound : frozenset of str
        Names that solutions, or functions by ``global``, bind anew.
    solved : frozenset of str, or None
        All names that the solutions have to do with. Data that an instructor's cell binds to
        another name is the instructor's, whatever a submission does to it. None where a solution is
        not shown.
    """

    names: Mapping[str, Definition] = field(default_factory=dict)
    classes: Mapping[str, Members] = field(default_factory=dict)
    solved: frozenset[str] | None = frozenset()
    guarded: frozenset[str] = frozenset()
    rebound: frozenset[str] = frozenset()

    def asked_by(self, check: str) -> Asked:
        """Say what a check may ask.

        Parameters
        ----------
        check : str
            Its source. What it defines counts for itself.

        Returns
        -------
        Asked
        """
        own = definitions_of([check])
        whole = Definition()
        uses: set[str] = set()
        bound: set[str] = set()
        for statement in statements_of(check):
            whole |= _definition_of(statement)
            stored = {name for _, names in _bindings(statement) for name in names}
            # What the check has bound is its own, whatever else has that name.
            is_loop = isinstance(statement, ast.For | ast.With)
            uses |= _free_names(statement) - bound - (stored if is_loop else set())
            bound |= stored
        names = {**self.names, **own.names}
        names |= {
            name: self.names[name] | own.names[name]
            for name in uses & own.names.keys() & self.names.keys()
        }
        reached = _reached(uses | own.names.keys(), names)
        for name in reached & names.keys():
            whole |= names[name]
        shown = {**self.classes, **own.classes}
        classes = {name: shown[name] for name in reached & shown.keys()}
        methods = {item for members in classes.values() for item in members or ()}
        return Asked(
            classes,
            whole.makes | methods,
            reached | whole.uses,
            whole.reads,
            whole.expects,
            self.guarded,
        )

    def tree(self) -> list[Any]:
        """Write it as plain JSON."""
        return [
            {name: list(map(sorted, _sets_of(found))) for name, found in self.names.items()},
            {
                name: None if found is None else sorted(found)
                for name, found in self.classes.items()
            },
            None if self.solved is None else sorted(self.solved),
            sorted(self.guarded),
            sorted(self.rebound),
        ]

    @staticmethod
    def of_tree(tree: Sequence[Any]) -> "Definitions":
        """Read what `tree` wrote."""
        names, classes, solved, guarded, rebound = tree
        return Definitions(
            {name: Definition(*map(frozenset, found)) for name, found in names.items()},
            {name: None if found is None else frozenset(found) for name, found in classes.items()},
            None if solved is None else frozenset(solved),
            frozenset(guarded),
            frozenset(rebound),
        )


def definitions_of(given: Iterable[str], solutions: Iterable[str] = ()) -> Definitions:
    """Read what some cells define, without running them.

    Parameters
    ----------
    given : iterable of str
        The instructor's own cells, without the checks.
    solutions : iterable of str
        Those that show the solutions. What they read and catch is not the check's.

    Returns
    -------
    Definitions
    """
    return _read(tuple(given), tuple(solutions))


# The same notebook is behind every submission of a class.
@functools.lru_cache(maxsize=64)
def _read(given: tuple[str, ...], solutions: tuple[str, ...]) -> Definitions:
    names: dict[str, Definition] = {}
    classes: dict[str, list[ast.ClassDef | Members]] = {}
    made_by_solutions: set[str] = set()
    used: set[str] = set()
    rebound: set[str] = set()
    data: set[str] = set()
    touched: list[tuple[str, Definition]] = []
    cells = [(source, False) for source in given] + [(source, True) for source in solutions]
    for source, is_solution in cells:
        for statement in statements_of(source):
            rebound |= _declared(statement)
            for node, bound in _bindings(statement):
                found = _definition_of(node)
                if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    data |= bound
                if is_solution:
                    found = dataclasses.replace(found, reads=frozenset(), expects=frozenset())
                    used |= bound
                    rebound |= bound
                for name in bound:
                    names[name] = names.get(name, Definition()) | found
            if is_solution:
                used |= _free_names(statement)
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                # `out.extend(items)` may change what it is called on, and what it is given.
                call = statement.value
                roots = {root_of(part) for part in (call.func, *call.args)}
                touched += [(name, _definition_of(statement)) for name in roots]
            for node in ast.walk(statement):
                if isinstance(node, ast.ClassDef):
                    classes.setdefault(node.name, []).append(node)
                    made_by_solutions |= {node.name} if is_solution else set()
                elif isinstance(node, ast.Assign) and _makes_a_class(node.value):
                    members = _CLASS_MAKERS[_last_name(node.value)]
                    for target in node.targets:
                        if isinstance(target, ast.Name):
                            classes.setdefault(target.id, []).append(members)
                            made_by_solutions |= {target.id} if is_solution else set()
    for name, found in touched:
        if name in data:
            names[name] |= dataclasses.replace(found, reads=frozenset(), expects=frozenset())
    open_classes = _with_bases(made_by_solutions, classes) if solutions else set(classes)
    members_of = {name: _members(name, classes, names, ()) for name in classes}
    shown = {name: members for name, members in members_of.items() if name in open_classes}
    return Definitions(
        names,
        shown,
        _solved(used, names, data) if all(map(_shows_a_solution, solutions)) else None,
        _methods(set(classes) - open_classes, classes)
        - {item for members in shown.values() for item in members or ()},
        frozenset(rebound),
    )


def _with_bases(
    start: Collection[str], classes: Mapping[str, Sequence[ast.ClassDef | Members]]
) -> set[str]:
    found: set[str] = set()
    todo = set(start)
    while todo:
        found |= todo
        todo = {
            _last_name(base)
            for name in todo
            for node in classes.get(name, ())
            if isinstance(node, ast.ClassDef)
            for base in node.bases
        } - found
    return found & classes.keys()


def _methods(
    names: Collection[str], classes: Mapping[str, Sequence[ast.ClassDef | Members]]
) -> frozenset[str]:
    """Name the methods of classes, but for those of Python's own protocols."""
    found: set[str] = set()
    for node in (node for name in names for node in classes[name]):
        for part in node.body if isinstance(node, ast.ClassDef) else ():
            for inner in _outside_functions(part):
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.add(inner.name)
                elif isinstance(inner, ast.Assign) and isinstance(
                    inner.value, ast.Lambda | ast.Name
                ):
                    found |= names_stored(inner)
    return frozenset(name for name in found if not name.startswith("__"))


_UNSEEN = frozenset({"eval", "exec", "globals", "locals", "setattr", "vars"})


def _shows_a_solution(source: str) -> bool:
    """Whether a cell tells what a solution does with the notebook's data."""
    if any(line.lstrip().startswith(("%", "!")) for line in source.splitlines()):
        return False
    statements = statements_of(source)
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and node.id in _UNSEEN:
                return False
            # Where random numbers are seeded, other cells draw other ones.
            if isinstance(node, ast.Attribute) and node.attr == "seed":
                return False
    return not all(map(_is_stub, statements))


def _is_stub(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return all(map(_is_stub, statement.body))
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, ast.Pass | ast.Raise)


def _declared(node: ast.AST) -> set[str]:
    return {name for item in ast.walk(node) if isinstance(item, ast.Global) for name in item.names}


def _free_names(node: ast.AST) -> set[str]:
    """Collect the names that are read, but for those of functions' and comprehensions' own."""
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Store) else {node.id}
    found = set[str]().union(*map(_free_names, ast.iter_child_nodes(node)))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        arguments = {item.arg for item in ast.walk(node.args) if isinstance(item, ast.arg)}
        declared = _declared(node)
        found = found - ((names_stored(node) | arguments) - declared) | declared
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        found -= names_stored(node)
    return found


def _solved(
    used: Collection[str], names: Mapping[str, Definition], data: Collection[str]
) -> frozenset[str]:
    """Find what solutions have to do with, and the data that is made of it or holds it."""
    solved = _reached(used, names)
    held = {name: _reached(names[name].uses, names).intersection(data) for name in data}
    while more := {name for name in data if held[name] & solved} - solved:
        solved |= _reached(more, names)
    return solved


def _sets_of(found: Definition) -> tuple[frozenset[str], ...]:
    return found.uses, found.makes, found.reads, found.expects


def _reached(start: Collection[str], names: Mapping[str, Definition]) -> frozenset[str]:
    """Follow the names that definitions use."""
    reached: set[str] = set()
    todo = set(start)
    while todo:
        reached |= todo
        todo = {use for name in todo if name in names for use in names[name].uses} - reached
    return frozenset(reached)


def _bindings(statement: ast.stmt) -> Iterator[tuple[ast.AST, set[str]]]:
    """List the parts of a statement that bind names of the notebook, and these."""
    for node in _outside_functions(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node, {node.name}
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            # Of `Vector.__add__ = add`, too, as it is part of what `Vector` is.
            stored, changed = names_bound(node)
            yield node, stored | changed
        elif isinstance(node, ast.NamedExpr):
            yield node, names_stored(node.target)
        elif isinstance(node, ast.For | ast.With | ast.AsyncFor | ast.AsyncWith):
            yield node, names_stored(node)


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a statement without what is inside its functions and classes."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _outside_functions(child)


def _definition_of(node: ast.AST) -> Definition:
    # Of a class within a function, or within another class, too.
    inner = {item.name for item in ast.walk(node) if isinstance(item, ast.ClassDef)}
    return Definition(
        frozenset(_free_names(node) | inner),
        frozenset(_attributes_made(node)),
        frozenset(_attributes_read(node)),
        frozenset(_exceptions_expected(node)),
    )


def _attributes_made(node: ast.AST) -> set[str]:
    """Find the attributes that a definition gives to an object, as far as its text tells."""
    made: set[str] = set()
    for item in ast.walk(node):
        if isinstance(item, ast.Attribute) and isinstance(item.ctx, ast.Store):
            made.add(item.attr)
        elif isinstance(item, ast.Call) and _last_name(item.func) == "SimpleNamespace":
            made |= {keyword.arg for keyword in item.keywords if keyword.arg is not None}
        elif isinstance(item, ast.ClassDef):
            made |= _body_names(item)
    return made


def _attributes_read(node: ast.AST) -> set[str]:
    read: set[str] = set()
    for item in ast.walk(node):
        if isinstance(item, ast.Attribute) and isinstance(item.ctx, ast.Load):
            read.add(item.attr)
        elif isinstance(item, ast.Name):
            read.add(item.id)
        elif isinstance(item, ast.Constant) and type(item.value) is str:
            read |= {item.value} if item.value.isidentifier() and len(item.value) <= 20 else set()
    return read


def _exceptions_expected(node: ast.AST) -> set[str]:
    kinds: list[ast.expr] = []
    for item in ast.walk(node):
        if isinstance(item, ast.ExceptHandler) and item.type is not None:
            kinds.append(item.type)
        elif isinstance(item, ast.Call) and _last_name(item.func) in _EXPECTS:
            kinds += item.args
    names = {_last_name(part) for kind in kinds for part in ast.walk(kind) if _is_named(part)}
    return names - {""}


def _is_named(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)


def _body_names(node: ast.ClassDef) -> set[str]:
    names: set[str] = set()
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(part.name)
        elif isinstance(part, ast.Assign | ast.AnnAssign):
            targets = part.targets if isinstance(part, ast.Assign) else [part.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def _members(
    name: str,
    classes: Mapping[str, Sequence[ast.ClassDef | Members]],
    names: Mapping[str, Definition],
    below: tuple[str, ...],
) -> Members:
    """Collect the members of a class and of its bases; None where a base is not shown."""
    members = set(names[name].makes) if name in names else set()
    for node in classes[name]:
        if node is None:
            return None
        if isinstance(node, frozenset):
            members |= node
            continue
        members |= _attributes_made(node)
        for decorator in node.decorator_list:
            given = _DECORATORS.get(_last_name(decorator))
            if given is None:
                return None
            members |= given
            keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
            if any(keyword.arg == "order" for keyword in keywords):
                members |= _ORDER
        for base in node.bases:
            base_name = _last_name(base)
            if base_name in classes:
                inherited = (
                    frozenset[str]()
                    if base_name in (name, *below)
                    else _members(base_name, classes, names, (name, *below))
                )
            else:
                inherited = _members_of_library(base_name)
            if inherited is None:
                return None
            members |= inherited
    return frozenset(members)


def _members_of_library(name: str) -> Members:
    """Find the members of a base that Python itself has; None for a library's."""
    if name in _BASES:
        return _BASES[name]
    found = getattr(builtins, name, None)
    if isinstance(found, type) and issubclass(found, BaseException):
        return frozenset()
    for module in _MODULES:
        with contextlib.suppress(ImportError):
            found = getattr(importlib.import_module(module), name, None)
            if isinstance(found, type):
                return frozenset(dir(found)) - frozenset(dir(object))
    return None


def _last_name(node: ast.AST) -> str:
    """Name what a base or a decorator is: of `abc.ABC`, `Generic[T]` and `dataclass()`."""
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _makes_a_class(value: ast.expr) -> bool:
    # `type(x)` asks; `type(name, bases, members)` makes.
    return (
        isinstance(value, ast.Call) and _last_name(value) in _CLASS_MAKERS and len(value.args) > 1
    )
