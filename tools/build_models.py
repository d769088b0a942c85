"""Make SBML from the Antimony file of every model, and check both against the parameters.

Usage: python tools/build_models.py [--check]

With ``--check`` nothing is written; the exit status says whether what is there is fresh.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import antimony
import libsbml

from crs.models.parameters import load_model, model_ids

MODELS = Path(__file__).resolve().parent.parent / "course" / "crs" / "models"


class ModelError(Exception):
    """A model that cannot be built; the message says which, and why."""


def to_sbml(model: str) -> str:
    """Translate one model.

    Parameters
    ----------
    model : str
        Its id: the name of its Antimony file.

    Returns
    -------
    str
        SBML without the line that names the versions of the tools.

    Raises
    ------
    ModelError
        If Antimony cannot read it, or libSBML finds an error in what comes out.
    """
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyFile(str(MODELS / "antimony" / f"{model}.ant")) < 0:
        raise ModelError(f"{model}: {antimony.getLastError()}")
    text = str(antimony.getSBMLString(model))
    # The comment names versions: the same model would differ from machine to machine.
    text = re.sub(r"<!-- Created by libAntimony.*?-->\n", "", text)
    document = libsbml.readSBMLFromString(text)
    document.checkConsistency()
    for at in range(document.getNumErrors()):
        error = document.getError(at)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            raise ModelError(f"{model}, line {error.getLine()}: {error.getMessage()}")
    values = {item.getId(): item.getValue() for item in document.getModel().getListOfParameters()}
    values |= {item.getId(): item.getSize() for item in document.getModel().getListOfCompartments()}
    for name, parameter in load_model(model).parameters.items():
        if values.get(name) != parameter.value:
            raise ModelError(
                f"{model}: {name} is {values.get(name)} in the Antimony file and "
                f"{parameter.value} in values/{model}.yaml"
            )
    return text


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Make SBML from Antimony.")
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    stale = []
    for model in model_ids():
        try:
            text = to_sbml(model)
        except ModelError as error:
            print(error, file=sys.stderr)
            return 1
        path = MODELS / "sbml" / f"{model}.xml"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(model)
            if not check:
                path.write_text(text, encoding="utf-8")
    if stale and check:
        print(f"Not fresh: {', '.join(stale)}. Run make models.", file=sys.stderr)
        return 1
    print(f"{len(model_ids())} models, {len(stale)} rewritten")
    return 0


if __name__ == "__main__":
    sys.exit(main())
