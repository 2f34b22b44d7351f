"""Write a file all or nothing: it appears complete, or an older one stays as it was."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> Path:
    """Write beside the target, then rename over it. Gives back the path.

    A link is followed, and an older file's permissions are kept. An OSError names the target.
    """
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name[:40]}.{os.urandom(4).hex()}")
    try:
        with open(draft, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # else a crash soon after the renaming may leave an empty file
        if target.exists():
            shutil.copymode(target, draft)
        os.replace(draft, target)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename:
            error.filename, error.filename2 = os.fspath(path), None
        raise
    return path
