"""Prove on this machine, by attack, that the seal holds.

Every property is tried from inside a real ward, which is opened as for a submission. What is found
is a table; `ensure` refuses to grade where a property does not hold.
"""

import contextlib
import hashlib
import json
import os
import secrets as random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from autograder.jail import JailError, JailProcess
from autograder.sealed.errors import NotSealed
from autograder.sealed.trials import CANARY_VARIABLE, LIMITS, Finding, Trial, make_all
from autograder.sealed.wards import WardError, WardHost, WardSettings, jail_spec


@dataclass(frozen=True)
class SelfTest:
    """All findings.

    Attributes
    ----------
    findings : tuple of Finding
        One for every property.
    backend : str
        How jails are built here: ``"namespaces"`` or ``"landlock"``.
    seconds : float
        How long it took.
    """

    findings: tuple[Finding, ...]
    backend: str
    seconds: float

    @property
    def held(self) -> bool:
        """Whether no property failed."""
        return all(finding.held != "no" for finding in self.findings)


def prove(settings: WardSettings, secrets: Sequence[Path] = ()) -> SelfTest:
    """Try to break out of a ward, in every way that we know of.

    Parameters
    ----------
    settings : WardSettings
        As for grading; its limits are replaced by small ones.
    secrets : sequence of Path, optional
        What must not exist in a ward: the gradebook, the source, submissions.

    Returns
    -------
    SelfTest
        Where not even a jail can be built, its only finding says why.
    """
    started = time.monotonic()
    settings = replace(settings, limits=LIMITS)
    canary = "canary" + random.token_hex(16)
    with _in_environment(canary), tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        host = WardHost(settings)
        try:
            with host:
                with host.open({}, {}):
                    pass
                backend = _backend_of(host)
                trial = Trial(
                    host, settings, backend, tuple(secrets), canary, Path(folder).resolve()
                )
                findings = make_all(trial)
        except (JailError, WardError) as error:
            findings = (Finding("a jail", "start the learner's Python in one", "no", _hint(error)),)
            backend = "none"
    return SelfTest(findings, backend, time.monotonic() - started)


def ensure(settings: WardSettings, secrets: Sequence[Path] = ()) -> SelfTest:
    """Refuse to go on where the seal does not hold on this machine.

    What was proved is remembered until the machine is started anew, for this user, these settings
    and this code.

    Parameters
    ----------
    settings : WardSettings
        As for grading.
    secrets : sequence of Path, optional
        What must not exist in a ward.

    Returns
    -------
    SelfTest
        What was found.

    Raises
    ------
    NotSealed
        Where a property does not hold.
    """
    memory = _cache_folder() / f"selftest-{_key(settings, secrets)}.json"
    known = _recall(memory)
    if known is not None:
        return known
    found = prove(settings, secrets)
    for finding in found.findings:
        if finding.held == "no":
            # Where namespaces are refused, allowing them is the way to what is missing.
            advice = _advice() if found.backend == "landlock" else ""
            raise NotSealed(finding.what, f"{finding.detail}. {advice}".rstrip(". "))
    _remember(memory, found)
    return found


def table(found: SelfTest) -> str:
    """Write the findings as a table.

    Parameters
    ----------
    found : SelfTest
        What was found.

    Returns
    -------
    str
        Lines of text.
    """
    rows = [("property", "tried from inside a ward", "held")]
    rows += [
        (
            finding.what,
            finding.tried,
            finding.held + (f": {finding.detail}" if finding.detail else ""),
        )
        for finding in found.findings
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}" for row in rows]
    lines.insert(1, "  ".join("-" * width for width in (*widths, 4)))
    counts = {
        held: sum(f.held == held for f in found.findings) for held in ("yes", "no", "cannot tell")
    }
    lines.append("")
    lines.append(
        f"{counts['yes']} of {len(found.findings)} properties hold, {counts['no']} do not, "
        f"{counts['cannot tell']} cannot be told. Backend: {found.backend}. {found.seconds:.1f} s."
    )
    return "\n".join(lines)


def _backend_of(host: WardHost) -> str:
    return host._process.backend if isinstance(host._process, JailProcess) else "none"


# What is remembered


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "autograder"


def _key(settings: WardSettings, secrets: Sequence[Path]) -> str:
    """Name everything that a proof depends on."""
    digest = hashlib.sha256()
    with contextlib.suppress(OSError):
        digest.update(Path("/proc/sys/kernel/random/boot_id").read_bytes())
    spec, _ = jail_spec(settings)
    interpreter = Path(spec.interpreter).resolve()
    state = interpreter.stat() if interpreter.exists() else None
    facts = (
        os.uname().release,
        os.geteuid(),
        os.getegid(),
        sys.version,
        str(spec.interpreter),
        state and (state.st_mtime_ns, state.st_size, state.st_ino),
        settings.backend,
        settings.mode,
        sorted(settings.course_packages.items()),
        settings.hidden_packages,
        sorted(map(str, secrets)),
    )
    digest.update(repr(facts).encode())
    here = Path(__file__).parent
    for folder in (here, here.parent / "jail", here.parent / "ward"):
        for file in sorted(folder.glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:32]


def _recall(memory: Path) -> SelfTest | None:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        state = memory.stat()
        if state.st_uid != os.geteuid() or state.st_mode & 0o022:
            return None
        told = json.loads(memory.read_text(encoding="utf-8"))
        findings = tuple(Finding(**finding) for finding in told["findings"])
        found = SelfTest(findings, told["backend"], told["seconds"])
        return found if findings and found.held else None
    return None


def _remember(memory: Path, found: SelfTest) -> None:
    with contextlib.suppress(OSError):  # without a place to remember it, it is proved again
        memory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = memory.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(asdict(found)), encoding="utf-8")
        part.chmod(0o600)
        part.replace(memory)


@contextlib.contextmanager
def _in_environment(canary: str) -> Iterator[None]:
    os.environ[CANARY_VARIABLE] = canary
    try:
        yield
    finally:
        os.environ.pop(CANARY_VARIABLE, None)


# What to do


def _hint(error: Exception) -> str:
    """Say what the machine refused, and what would change that."""
    return f"{error}. {_advice()}".rstrip(". ")


def _advice() -> str:
    """Say what would let this machine make namespaces, where that is known."""
    advice = ""
    if sys.platform != "linux":
        advice = "Marks are given on Linux alone"
    elif _sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
        advice = (
            "AppArmor forbids user namespaces; "
            "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` allows them"
        )
    elif _sysctl("kernel/unprivileged_userns_clone") == "0":
        advice = "`sudo sysctl -w kernel.unprivileged_userns_clone=1` allows user namespaces"
    elif _sysctl("user/max_user_namespaces") == "0":
        advice = "`sudo sysctl -w user.max_user_namespaces=10000` allows user namespaces"
    elif Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        advice = (
            "This is a container: grade outside of it, or start it with `--security-opt "
            "seccomp=unconfined --security-opt apparmor=unconfined --security-opt "
            "systempaths=unconfined`"
        )
    return advice


def _sysctl(path: str) -> str | None:
    with contextlib.suppress(OSError):
        return (Path("/proc/sys") / path).read_text(encoding="ascii").strip()
    return None
