"""What an instructor's notebook has learners define, and what a check may therefore ask of it.

A check was written for the instructor's own solution. So what it asks an object of a learner's
class is something that the solution's class has, too: an operator that only the learner's class has
is asked for by nobody but who wants to answer in place of a number.
"""

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.sealed.statements import statements_of

# What a class gets from its decorator.
_ORDER = frozenset({"__lt__", "__le__", "__gt__", "__ge__"})
_DECORATORS: dict[str, frozenset[str]] = {
    "dataclass": frozenset({"__eq__"}),
    "final": frozenset(),
    "runtime_checkable": frozenset(),
    "total_ordering": _ORDER,
}
# Bases without methods that a check would ask for.
_BARE_BASES = frozenset({"ABC", "Generic", "Protocol", "object"})
_CLASS_MAKERS = frozenset({"Enum", "Flag", "IntEnum", "StrEnum", "make_dataclass", "type"})

Members = frozenset[str] | None


@dataclass(frozen=True)
class Asked:
    """What a check may ask of objects of learners' classes.

    Attributes
    ----------
    classes : mapping of str to frozenset of str, or None
        The members of each class that the check has to do with. None for a class with members that
        the notebook does not show, as it derives from a class of a library.
    methods : frozenset of str
        Attributes that the definitions behind the check give to any object.
    """

    classes: Mapping[str, Members] = field(default_factory=dict)
    methods: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Definitions:
    """What cells of the instructor's define.

    Attributes
    ----------
    uses : mapping of str to frozenset of str
        The names that the definition of a name uses.
    makes : mapping of str to frozenset of str
        The attributes that it gives to objects.
    classes : mapping of str to frozenset of str, or None
        The members of each class, those of its bases included.
    """

    uses: Mapping[str, frozenset[str]]
    makes: Mapping[str, frozenset[str]]
    classes: Mapping[str, Members]

    def asked_by(self, words: Iterable[str]) -> Asked:
        """Say what a check may ask that uses these words.

        Parameters
        ----------
        words : iterable of str
            All words of its text.

        Returns
        -------
        Asked
        """
        reached: set[str] = set()
        todo = set(words)
        while todo:
            reached |= todo
            todo = {name for word in todo for name in self.uses.get(word, ())} - reached
        classes = {name: self.classes[name] for name in reached & self.classes.keys()}
        methods = {item for name in reached for item in self.makes.get(name, ())}
        methods |= {item for members in classes.values() for item in members or ()}
        return Asked(classes, frozenset(methods))

    def tree(self) -> list[Any]:
        """Write it as plain JSON."""
        return [
            {name: sorted(found) for name, found in self.uses.items()},
            {name: sorted(found) for name, found in self.makes.items()},
            {
                name: None if found is None else sorted(found)
                for name, found in self.classes.items()
            },
        ]

    @staticmethod
    def of_tree(tree: Sequence[Mapping[str, Collection[str] | None]]) -> "Definitions":
        """Read what `tree` wrote."""
        uses, makes, classes = tree
        return Definitions(
            {name: frozenset(found or ()) for name, found in uses.items()},
            {name: frozenset(found or ()) for name, found in makes.items()},
            {name: None if found is None else frozenset(found) for name, found in classes.items()},
        )


def definitions_of(sources: Iterable[str]) -> Definitions:
    """Read what some cells define, without running them.

    Parameters
    ----------
    sources : iterable of str
        Cells of the instructor's, solutions and checks included.

    Returns
    -------
    Definitions
    """
    uses: dict[str, set[str]] = {}
    makes: dict[str, set[str]] = {}
    classes: dict[str, list[ast.ClassDef | None]] = {}
    for source in sources:
        for statement in statements_of(source):
            for node, names in _bindings(statement):
                for name in names:
                    uses.setdefault(name, set()).update(_names_used(node))
                    makes.setdefault(name, set()).update(_attributes_made(node))
            for node in ast.walk(statement):
                if isinstance(node, ast.ClassDef):
                    classes.setdefault(node.name, []).append(node)
                elif isinstance(node, ast.Assign) and _makes_a_class(node.value):
                    for target in node.targets:
                        if isinstance(target, ast.Name):
                            classes.setdefault(target.id, []).append(None)
    return Definitions(
        {name: frozenset(found) for name, found in uses.items()},
        {name: frozenset(found) for name, found in makes.items()},
        {name: _members(name, classes, makes, ()) for name in classes},
    )


def _bindings(statement: ast.stmt) -> Iterator[tuple[ast.AST, set[str]]]:
    """List the parts of a statement that bind names, and these."""
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node, {node.name}
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            # Of `Vector.__add__ = add`, too, as it is part of what `Vector` is.
            yield (
                node,
                {
                    name.id
                    for target in targets
                    for name in ast.walk(target)
                    if isinstance(name, ast.Name)
                },
            )
        elif isinstance(node, ast.For | ast.With | ast.AsyncFor | ast.AsyncWith):
            yield (
                node,
                {
                    name.id
                    for name in ast.walk(node)
                    if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
                },
            )


def _names_used(node: ast.AST) -> set[str]:
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}


def _attributes_made(node: ast.AST) -> set[str]:
    """Find the attributes that a definition gives to an object, as far as its text tells."""
    made: set[str] = set()
    for item in ast.walk(node):
        if isinstance(item, ast.Attribute) and isinstance(item.ctx, ast.Store):
            made.add(item.attr)
        elif isinstance(item, ast.keyword) and item.arg is not None:
            made.add(item.arg)
        elif isinstance(item, ast.ClassDef):
            made |= _body_names(item)
    return made


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
    classes: Mapping[str, Sequence[ast.ClassDef | None]],
    makes: Mapping[str, set[str]],
    below: tuple[str, ...],
) -> Members:
    """Collect the members of a class and of its bases; None where a base is not shown."""
    members = set(makes.get(name, ()))
    for node in classes[name]:
        if node is None:
            return None
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
                    else _members(base_name, classes, makes, (name, *below))
                )
                if inherited is None:
                    return None
                members |= inherited
            elif base_name not in _BARE_BASES and not _is_exception(base_name):
                return None
    return frozenset(members)


def _last_name(node: ast.expr) -> str:
    """Name what a base or a decorator is: of `abc.ABC`, `Generic[T]` and `dataclass()`."""
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_exception(name: str) -> bool:
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


def _makes_a_class(value: ast.expr) -> bool:
    # `type(x)` asks; `type(name, bases, members)` makes.
    return (
        isinstance(value, ast.Call) and _last_name(value) in _CLASS_MAKERS and len(value.args) > 1
    )
