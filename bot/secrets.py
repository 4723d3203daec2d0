"""What is never shown, by value: the settings' secrets and those of the sources' file.

Knows nothing about where text leaves.
"""

import os
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values

from bot.settings import Settings
from ingest import config


def of(settings: Settings) -> tuple[str, ...]:
    """Give them, the longest first; none of a file that cannot be read."""
    found = {*settings.secrets, *_passwords(settings)}
    if settings.sources is not None:
        found.update(config.secrets(settings.sources, environ()))
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def environ() -> dict[str, str]:
    """Give what `${NAME}` in the sources' file stands for: `.env`, and above it the environment."""
    return {k: v for k, v in dotenv_values(".env").items() if v is not None} | dict(os.environ)


def _passwords(settings: Settings) -> list[str]:
    """Give the passwords within the databases' addresses: libraries name them alone."""
    found = []
    for address in filter(None, (settings.database_url, settings.database_replica_url)):
        try:
            password = urlsplit(address).password or ""
        except ValueError:
            continue
        found += [password, unquote(password)]
    return found
