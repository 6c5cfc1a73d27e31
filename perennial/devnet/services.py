"""Where a devnet's prices are: beside its manifest, which says where its contracts and its relay are."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from perennial.manifest import ManifestError, locate

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Services:
    """Address of the HTTP service of prices, and the keeper's account."""

    prices: str
    keeper: str


def services_path(manifest: Path) -> Path:
    """The file beside a manifest. Its name is none of a manifest's."""
    return manifest.with_suffix(".services")


def save(manifest: Path, services: Services) -> Path:
    """Writes the file; returns its path."""
    path = services_path(manifest)
    path.write_text(json.dumps(asdict(services)))
    return path


def services_of(network: str) -> Services:
    """The services of a devnet that is up. Raises ManifestError."""
    path = services_path(locate(network))
    try:
        return Services(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ManifestError(f"{network} is no devnet that is up") from error
