"""How the installation is: versions, queue, broken jobs, disk, what admins did, and the doctor.

Knows nothing about repairing anything.
"""

import platform
import shutil
from importlib.metadata import PackageNotFoundError, version

from flask import Blueprint, render_template

from bot.screen.parts import Parts
from store import audit, database, queue

ALIVE_SECONDS = 10.0
BROKEN = 30
DEEDS = 50
PACKAGES = ("threadwise", "slack-bolt", "slack-sdk", "psycopg", "procrastinate", "flask")


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the page, and run the doctor when asked to."""

    @pages.get("/system")
    def system() -> str:
        with parts.connection() as connection:
            return render_template(
                "system.html",
                title="System",
                server=database.server(connection),
                depths=queue.depths(connection),
                workers=queue.workers(connection, ALIVE_SECONDS),
                broken=queue.failed(connection, BROKEN),
                deeds=audit.last(connection, parts.workspace, DEEDS),
                versions=_versions(),
                disk=_disk(parts),
                home=parts.settings.home,
            )

    @pages.post("/system/doctor")
    def doctor() -> str:
        return render_template(
            "doctor.html", title="What the doctor found", findings=list(parts.findings())
        )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "–"
    return found


def _disk(parts: Parts) -> tuple[int, int] | None:
    """Give how many bytes are free and how many there are where the home folder lies."""
    place = parts.settings.home
    while not place.exists():
        place = place.parent
    found = shutil.disk_usage(place)
    return found.free, found.total
