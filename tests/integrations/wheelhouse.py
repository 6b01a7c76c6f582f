"""A folder of wheels to install from without a network: what is installed here already, packed anew."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

NOT_PACKED = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}
"""What an installation adds to a distribution's own files."""


def fill(folder: Path, *names: str) -> None:
    """Put wheels of these distributions, and of all that they require, into a folder."""
    folder.mkdir()
    wanted, packed = list(names), set[str]()
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name in packed:
            continue
        packed.add(name)
        found = distribution(name)
        pack(found, folder)
        requirements = [Requirement(text) for text in found.requires or ()]
        wanted += [one.name for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]


def pack(found: Distribution, folder: Path) -> None:
    """One installed distribution as a wheel, its files uncompressed; its scripts come from its entry points again."""
    tag = re.search(r"^Tag: (\S+)", found.read_text("WHEEL") or "", re.MULTILINE)
    assert tag is not None
    stem = f"{found.name.replace('-', '_')}-{found.version}"
    rows = []
    with zipfile.ZipFile(folder / f"{stem}-{tag[1]}.whl", "w") as wheel:
        for file in found.files or ():
            inside = ".." not in file.parts and "__pycache__" not in file.parts
            if inside and not (file.name in NOT_PACKED and file.parent.name.endswith(".dist-info")):
                data = Path(file.locate()).read_bytes()
                wheel.writestr(str(file), data)
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                rows.append(f"{file},sha256={digest},{len(data)}")
        (record,) = {str(file) for file in found.files or () if str(file).endswith(".dist-info/RECORD")}
        wheel.writestr(record, "\n".join([*rows, f"{record},,", ""]))
