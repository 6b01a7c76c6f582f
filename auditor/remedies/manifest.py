"""What an installation wrote, so that exactly that can be taken away again: a JSON file on the installed host."""

from __future__ import annotations

import hashlib
import re

import msgspec

from auditor.errors import Unreadable

FOLDER = "var/lib/queue-auditor"
"""Where manifests lie, below the root."""
FORMAT = 1
"""Version of the file's shape."""


class WrittenFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file that was written."""

    path: str
    """Its path below the root."""
    sha256: str
    """The digest of what was written."""
    backup: str | None = None
    """The path of the copy of what it held before; None where it was not there."""
    backup_sha256: str | None = None
    """The digest of that copy."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that was written for one app."""

    app: str
    """The app's root folder."""
    profile: str
    """The profile it followed."""
    files: tuple[WrittenFile, ...] = ()
    """The files, by path."""
    conf: str = ""
    """The main file of the supervisord that runs its programs."""
    groups: tuple[str, ...] = ()
    """The groups of those programs."""
    format: int = FORMAT
    """Version of this shape."""

    def file(self, path: str) -> WrittenFile | None:
        """What is known of one file."""
        return next((one for one in self.files if one.path == path), None)


def manifest_path(app: str) -> str:
    """Where the manifest of an app lies; two apps never share one."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", app).strip("-") or "app"
    return f"{FOLDER}/{name[-60:]}-{hashlib.sha256(app.encode()).hexdigest()[:8]}.json"


def digest(data: bytes) -> str:
    """As the manifest holds it."""
    return hashlib.sha256(data).hexdigest()


def written(manifest: Manifest) -> bytes:
    """The file's content."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def read_manifest(data: bytes, path: str) -> Manifest:
    """What a manifest says; raises Unreadable where it is none of ours."""
    try:
        found = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise Unreadable(path, f"it is not a manifest of ours: {problem}") from None
    if found.format != FORMAT:
        raise Unreadable(path, f"it has the form {found.format}, and this queue-auditor knows {FORMAT}")
    for name in (name for one in found.files for name in (one.path, one.backup)):
        if name is not None and (name.startswith("/") or ".." in name.split("/")):
            raise Unreadable(path, f"it names “{name}”, which does not lie below the root")
    return found
