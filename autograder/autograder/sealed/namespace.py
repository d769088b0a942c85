"""The names that a check cell finds: what is trusted first, then what the submission has bound.

Trusted are modules, functions and classes that instructor cells bind, and all that check cells
bind. Data that an instructor cell binds is the submission's as soon as it differs there. Every
other name is asked for in the ward.
"""

import builtins
import contextlib
import copy
import importlib
import importlib.util
import keyword
import re
import sys
import types
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from autograder.sealed.changes import become
from autograder.sealed.conversation import Conversation
from autograder.sealed.proxies import Gone, Refused, is_remote
from autograder.ward.serve import digest
from autograder.ward.values import CannotCross, encode

# What everybody means by these names, whatever a submission binds to them.
ALIASES = {
    "np": "numpy",
    "pd": "pandas",
    "plt": "matplotlib.pyplot",
    "sns": "seaborn",
    "sp": "scipy",
    "px": "plotly.express",
    "go": "plotly.graph_objects",
    "nx": "networkx",
    "sm": "statsmodels.api",
}
_IMMUTABLE = (type(None), bool, int, float, complex, str, bytes, frozenset, tuple)
# What IPython keeps among the names.
_IPYTHON = re.compile(r"_{1,3}|_i{1,3}|_i?\d+|_oh|_dh|_ih|_sh|In|Out|get_ipython|exit|quit|open")
_PROGRAM = (
    types.ModuleType,
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
)


@dataclass
class _Fetched:
    """What a name of the ward held when it was last asked for.

    Attributes
    ----------
    value : object
        As the check has it.
    epoch : int
        The conversation's, then.
    tree : object
        How the value was written.
    digest : str or None
        Of the tree, once it is needed.
    is_fixed : bool
        Whether it is not asked for again: a module, a function or a class.
    """

    value: Any
    epoch: int = 0
    tree: Any = None
    digest: str | None = None
    is_fixed: bool = False


class Namespace(dict[str, Any]):
    """A dict of the trusted names, which asks the ward for others.

    Parameters
    ----------
    asked : collection of str
        Names that the assignment asks learners to define. They come from the ward even where an
        instructor's cell or Python itself has something of that name.
    """

    def __init__(self, asked: Collection[str] = ()) -> None:
        super().__init__()
        self.asked = frozenset(asked)
        # Names that the solutions have to do with, if they are known. Data of an instructor's cell
        # that has another name is the instructor's, whatever a submission does to its own.
        self.solved: frozenset[str] | None = None
        # Names whose constants the assignment itself has changed.
        self.rebound: frozenset[str] = frozenset()
        self._talk: Conversation | None = None
        # What instructor cells bound, where it is data: the submission may have changed it.
        self._shared: dict[str, Any] = {}
        self._digests: dict[str, str] = {}
        # What came from the ward in this cell.
        self._fetched: dict[str, _Fetched] = {}
        self._own: dict[int, str] = {}
        self._instructor_files: frozenset[str] = frozenset()

    # Cells

    @contextlib.contextmanager
    def instructor_cell(self, files: dict[str, Any]) -> Iterator[None]:
        """Run an instructor's cell inside; afterwards its data is the submission's to change.

        Parameters
        ----------
        files : dict
            Keys are the file names of all cells so far; the new ones are the instructor's.
        """
        before, known = dict(self), set(files)
        try:
            yield
        finally:
            self._instructor_files |= set(files) - known
            for name, value in list(super().items()):
                if before.get(name, self) is not value and not _IPYTHON.fullmatch(name):
                    self._settle(name, value)

    def _settle(self, name: str, value: object) -> None:
        """Decide to whom a name belongs that an instructor's cell has bound."""
        self._shared.pop(name, None)
        self._digests.pop(name, None)
        if name in self.asked:
            super().__delitem__(name)
        elif isinstance(value, _PROGRAM):
            self._own[id(value)] = name
        elif not callable(value):
            if self.solved is not None and name not in self.solved:
                return
            try:
                tree = encode(value)
            except CannotCross:
                if self.solved is None and not _is_record(value):
                    return
            else:
                self._digests[name] = digest(tree)
            self._shared[name] = value
            super().__delitem__(name)

    def give_up(self, names: Collection[str]) -> None:
        """Leave to the submission the data that a cell has to do with which failed on this side."""
        if self.solved is not None:
            self.solved |= set(names)
        for name in names:
            if super().__contains__(name):
                self._settle(name, super().__getitem__(name))

    @contextlib.contextmanager
    def check_cell(self, talk: Conversation) -> Iterator[None]:
        """Run a check inside, and ask this fork of the ward."""
        self._talk = talk
        try:
            yield
        finally:
            self._talk = None
            self._fetched.clear()
            # A name that stands for itself in the ward is asked for anew in the next fork.
            for name, value in list(super().items()):
                if is_remote(value) and talk.name_of(value) == name:
                    super().__delitem__(name)

    def answered(self, names: Collection[str]) -> None:
        """Note that an answer follows which the assignment has define these names.

        What an earlier check has bound to them gives way to the submission's.
        """
        for name in names:
            if super().__contains__(name):
                super().__delitem__(name)

    def own_name(self, value: object) -> str | None:
        """Give the name of a function or class that an instructor's cell has bound."""
        name = self._own.get(id(value))
        return name if name is not None and super().get(name) is value else None

    def own_class(self, name: str) -> type | None:
        """Give the class that an instructor's cell defines under a name.

        Not one that it imports: what a library's class does with attributes that a submission has
        chosen, such as the indices of a sparse matrix, nobody knows.
        """
        value = super().get(name)
        is_own = isinstance(value, type) and self._own.get(id(value)) == name
        return value if is_own and value.__module__ == "__main__" else None

    # The dict that Python sees

    def __missing__(self, name: str) -> Any:
        if name in self._fetched:
            return self._present(name, self._fetched[name])
        if name in self._shared and (
            self._talk is None or self._is_constant_of_ours(name, sys._getframe(1))
        ):
            return self._shared[name]
        if self._talk is None or not self._is_asked_of_ward(name):
            raise KeyError(name)
        fetched = self._fetched[name] = self._ask(self._talk, name)
        return fetched.value

    def _present(self, name: str, fetched: "_Fetched") -> Any:
        """Give what a name holds now: a call in between may have changed it."""
        talk = self._talk
        if talk is None or talk.epoch == fetched.epoch or fetched.is_fixed:
            return fetched.value
        if fetched.digest is None:
            fetched.digest = digest(fetched.tree)
        fetched.epoch = talk.epoch
        found = talk.get(name, fetched.digest)
        if found.kind == "missing":
            del self._fetched[name]
            raise KeyError(name)
        if found.kind == "value" and found.value is not fetched.value:
            # The same list, so that the check's other names for it see the change, too.
            mine = fetched.value
            if type(mine) is type(found.value) and type(mine) in (list, dict, set):
                become(mine, found.value)
            else:
                fetched.value = found.value
            fetched.tree, fetched.digest = found.tree, None
        return fetched.value

    def _is_constant_of_ours(self, name: str, frame: types.FrameType) -> bool:
        """Whether a function of an instructor's cell reads a constant that stands beside it."""
        return (
            type(self._shared[name]) in _IMMUTABLE
            and name not in self.rebound
            and frame.f_code.co_filename in self._instructor_files
            and frame.f_code.co_name != "<module>"
        )

    def _is_asked_of_ward(self, name: object) -> bool:
        if type(name) is not str or not name.isidentifier() or keyword.iskeyword(name):
            return False
        if name.startswith("__") or _IPYTHON.fullmatch(name):
            return False
        return name in self.asked or not hasattr(builtins, name)

    def _ask(self, talk: Conversation, name: str) -> "_Fetched":
        if name in ALIASES and name not in self.asked:
            with contextlib.suppress(ImportError):
                return _Fetched(importlib.import_module(ALIASES[name]), is_fixed=True)
        found = talk.get(name, self._digests.get(name))
        value = found.value
        if found.kind == "missing":
            raise KeyError(name)
        if found.kind == "same":
            mine = copy.deepcopy(self._shared[name])
            return _Fetched(mine, talk.epoch, digest=self._digests[name])
        if found.kind == "module":
            ours = None if name in self.asked else _module(name, found.module)
            return _Fetched(value if ours is None else ours, is_fixed=True)
        if name in self._shared and name not in self._digests:
            mine = self._shared[name]
            if _same_record(mine, value):
                return _Fetched(copy.deepcopy(mine), is_fixed=True)
        is_program = is_remote(value) and (isinstance(value, type) or callable(value))
        return _Fetched(value, talk.epoch, found.tree, is_fixed=is_program)

    def _in_ward(self, name: object) -> bool:
        if name in self._fetched:
            return True
        if self._talk is None or not self._is_asked_of_ward(name):
            return name in self._shared and self._talk is None
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or self._in_ward(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Look a name up."""
        try:
            return self[name]
        except (KeyError, Gone):  # IPython looks words up before the cell runs
            return default

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        if self._talk is not None and is_remote(value):
            self._talk.bind(name, value)

    def __delitem__(self, name: str) -> None:
        mine = super().__contains__(name)
        if self._talk is not None and self._in_ward(name):
            self._talk.delete(name)
            self._fetched.pop(name, None)
        elif not mine and self._shared.pop(name, self) is self:
            raise KeyError(name)
        if mine:
            super().__delitem__(name)

    def pop(self, name: str, *default: Any) -> Any:
        """Take a name out."""
        if default and name not in self:
            return default[0]
        value = self[name]
        del self[name]
        return value

    def keys(self) -> Any:
        """List all names, the submission's included."""
        names = dict.fromkeys(super().keys())
        names |= dict.fromkeys(self._shared)
        if self._talk is not None:
            names |= dict.fromkeys(name for name in self._talk.names() if name not in ALIASES)
        return names.keys()

    def __copy__(self) -> dict[str, Any]:
        return dict(super().items())

    copy = __copy__


def _module(name: str, claimed: str) -> types.ModuleType | None:
    """Find the module of this side that a name of the check means, where it is one of that name.

    Any other stays the submission's: where a check says ``stock.remove("a")``, and the submission
    has bound `os` to that name, it is not ours that removes a file.
    """
    # The standard library's names mean the standard library.
    wanted = name if name in sys.stdlib_module_names else claimed
    parts = wanted.split(".")
    if parts[-1] != name or parts[0] == "autograder" or name.startswith("__"):
        return None
    if wanted in sys.modules:
        return sys.modules[wanted]
    if wanted == name and name not in ("antigravity", "this"):
        with contextlib.suppress(Exception, SystemExit):
            if importlib.util.find_spec(name) is not None:
                return importlib.import_module(name)
    return None


def _is_record(value: object) -> bool:
    """Whether it is an instance of a class that the notebook defines."""
    return type(value).__module__ == "__main__" and hasattr(value, "__dict__")


def _same_record(mine: object, theirs: object) -> bool:
    """Whether an object of the ward holds what ours holds."""
    if not is_remote(theirs):
        return False
    try:
        held = theirs.__dict__
        return digest(encode(vars(mine))) == digest(encode(held))
    except (CannotCross, AttributeError, Refused, TypeError):
        return False
