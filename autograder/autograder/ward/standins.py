"""Modules that are not there while grading, and import all the same.

An instructor's cell may import more of the course than a ward holds. What it imports then does
nothing, without an error: attributes and results of calls are such nothings, too.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

SENTENCE = "not available while grading"

# Asked for by numpy, copy, IPython and others to learn what an object can do: it can nothing.
_QUESTIONS = ("__", "_repr_", "_ipython_", "_mimebundle")
_EXCEPTIONS = ("Error", "Exception", "Warning")


class Inert:
    """Stands in for anything, and does nothing."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith(_QUESTIONS):
            raise AttributeError(name)
        return _nothing(name)

    def __setattr__(self, name: str, value: object) -> None:
        pass

    def __delattr__(self, name: str) -> None:
        pass

    def __call__(self, *args: object, **_: object) -> Any:
        """Return nothing in particular."""
        # As a decorator it leaves the learner's function as it is.
        if len(args) == 1 and type(args[0]) in (type(_nothing), type):
            return args[0]
        return Inert()

    def __repr__(self) -> str:
        return SENTENCE

    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __contains__(self, item: object) -> bool:
        return False

    def __getitem__(self, key: object) -> Any:
        return Inert()

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __delitem__(self, key: object) -> None:
        pass

    def __enter__(self) -> "Inert":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __instancecheck__(self, instance: object) -> bool:
        return False

    def __subclasscheck__(self, subclass: type) -> bool:
        return False

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        return (Inert,)

    def __int__(self) -> int:
        return 0

    def __index__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0

    def _other(self, *_: object) -> "Inert":
        return Inert()

    def _false(self, other: object) -> bool:
        return False

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _other
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _other
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __neg__ = __pos__ = __abs__ = _other
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = _other
    __lt__ = __le__ = __gt__ = __ge__ = _false


def _nothing(name: str) -> Any:
    """Return what stands in for an attribute: something that `except` takes, for an exception."""
    if name.endswith(_EXCEPTIONS):
        return type(name, (Exception,), {"__module__": __name__})
    return Inert()


class StandIn(ModuleType):
    """A module that is not there."""

    __all__: Sequence[str] = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _nothing(name)
        # The same each time, so that an exception's class is itself.
        self.__dict__[name] = made
        return made

    def __repr__(self) -> str:
        return f"<module {self.__name__!r}: {SENTENCE}>"


class StandIns(MetaPathFinder, Loader):
    """Finds stand-ins for the modules that a ward must not have.

    Parameters
    ----------
    packages : mapping of str to sequence of str
        Top-level packages, and the modules of each that are real, with all below them.
    """

    def __init__(self, packages: Mapping[str, Sequence[str]]) -> None:
        self._packages = {name: tuple(allowed) for name, allowed in packages.items()}

    def stands_in(self, name: str) -> bool:
        """Tell whether a module is replaced.

        Parameters
        ----------
        name : str
            Its full name.

        Returns
        -------
        bool
        """
        top = name.partition(".")[0]
        if top not in self._packages:
            return False
        return not any(
            name == real or name.startswith(real + ".") or real.startswith(name + ".")
            for real in self._packages[top]
        )

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a stand-in, as the import system asks."""
        if not self.stands_in(fullname):
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make a stand-in, as the import system asks."""
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: a stand-in holds nothing."""

    def install(self) -> None:
        """Be asked first for every import of this process."""
        sys.meta_path.insert(0, self)
