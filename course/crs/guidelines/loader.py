"""Read guideline files; name the file and the line when one is wrong."""

from functools import cache
from importlib import resources
from pathlib import Path

from crs.checked_yaml import file_of, ids_in, read_checked
from crs.guidelines.schema import Guideline


def guideline_folder() -> Path:
    """Return the folder that holds the guideline files."""
    return Path(str(resources.files("crs.guidelines")))


@cache
def guideline_ids() -> tuple[str, ...]:
    """List the ids of all guidelines, which are the file names without their ending."""
    return ids_in(guideline_folder())


@cache
def guideline(guideline_id: str) -> Guideline:
    """Load one guideline by its id.

    Parameters
    ----------
    guideline_id : str
        For example ``"astct-2019"``; `guideline_ids` lists them.

    Returns
    -------
    Guideline

    Raises
    ------
    InvalidInput
        If there is no guideline of that id.
    InvalidFile
        If the file does not follow the schema.
    """
    return read_guideline(file_of(guideline_folder(), "guideline_id", guideline_id))


def read_guideline(path: Path) -> Guideline:
    """Read and check one guideline file.

    Parameters
    ----------
    path : Path
        A YAML file.

    Returns
    -------
    Guideline

    Raises
    ------
    InvalidFile
        Names the file, the line, what is wrong and what would be right.
    """
    return read_checked(path, Guideline)
