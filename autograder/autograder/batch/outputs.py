"""What an executed notebook's outputs keep, by nbgrader's own options."""

from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode

# What nbgrader does with outputs between running and scoring; these are its options.
_TRAITS: dict[str, dict[str, Any]] = {
    "IgnorePattern": {"enabled": False, "pattern": ""},
    "LimitOutput": {"enabled": True, "max_lines": 1000, "max_traceback": 100},
    "ClearMetadataPreprocessor": {"enabled": False},
}
_CLEAR = {"ClearOutput": {"enabled": True}}


def output_options(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Read nbgrader's options for outputs from a course's configuration.

    Parameters
    ----------
    config : mapping
        All of nbgrader's configuration.

    Returns
    -------
    dict
        Options by the name of nbgrader's preprocessor.
    """
    found = {}
    for name, defaults in {**_TRAITS, **_CLEAR}.items():
        given = dict(config.get(name, {}))
        for general in ("NbGraderPreprocessor",) if name != "ClearMetadataPreprocessor" else ():
            given = {**config.get(general, {}), **given}
        found[name] = {**defaults, **given}
    return found


def tidy(nb: NotebookNode, options: Mapping[str, Mapping[str, Any]]) -> NotebookNode:
    """Do with outputs what nbgrader does between running and scoring.

    nbgrader's own preprocessors are imported only where they would change something: that costs
    seconds.

    Parameters
    ----------
    nb : NotebookNode
        May be changed in place.
    options : mapping
        See `output_options`.

    Returns
    -------
    NotebookNode
    """
    for name in _TRAITS:
        own = options[name]
        if not own.get("enabled") or not _NEEDED[name](nb, own):
            continue
        from traitlets.config import Config

        nb, _ = _preprocessor(name)(config=Config({name: dict(own)})).preprocess(nb, {})
    return nb


def _preprocessor(name: str) -> Any:
    if name == "ClearMetadataPreprocessor":
        from nbconvert.preprocessors import ClearMetadataPreprocessor

        return ClearMetadataPreprocessor
    from nbgrader import preprocessors

    return getattr(preprocessors, name)


def _has_stderr(nb: NotebookNode, options: Mapping[str, Any]) -> bool:
    return bool(options["pattern"]) and any(
        output.output_type == "stream" and output.name == "stderr" for output in _outputs(nb)
    )


def _has_long_output(nb: NotebookNode, options: Mapping[str, Any]) -> bool:
    lines, most = options["max_lines"], options["max_traceback"]
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        streams = [out.text for out in cell.outputs if out.output_type == "stream"]
        if lines != -1 and sum(text.count("\n") + 1 for text in streams) > lines:
            return True
        errors = [out for out in cell.outputs if out.output_type == "error"]
        if most != -1 and any(len(out.traceback) > most for out in errors):
            return True
    return False


def _always(nb: NotebookNode, options: Mapping[str, Any]) -> bool:
    return True


_NEEDED = {
    "IgnorePattern": _has_stderr,
    "LimitOutput": _has_long_output,
    "ClearMetadataPreprocessor": _always,
}


def _outputs(nb: NotebookNode) -> list[Any]:
    return [out for cell in nb.cells if cell.cell_type == "code" for out in cell.outputs]
