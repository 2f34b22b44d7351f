"""Write a file all or nothing: it appears complete, or an older one stays as it was."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> Path:
    """Write beside the target, then rename over it. Gives back the path."""
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name[:80]}.{os.urandom(4).hex()}")
    try:
        with open(draft, "xb") as file:
            file.write(content)
        os.replace(draft, target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return path
