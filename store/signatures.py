"""Signatures of Slack's deliveries that were accepted lately: none is accepted twice.

Knows nothing about how a signature is checked.
"""

from store.database import Connection

KEPT = "10 minutes"
"""A signature is refused as stale after five; clocks may differ a little."""


def accept(connection: Connection, signature: str) -> bool:
    """Note a signature; False when it was accepted before."""
    connection.execute(
        "DELETE FROM accepted_signatures WHERE accepted_at < now() - %s::interval", (KEPT,)
    )
    noted = connection.execute(
        "INSERT INTO accepted_signatures (signature) VALUES (%s) ON CONFLICT DO NOTHING",
        (signature,),
    )
    return noted.rowcount > 0


def forget(connection: Connection, signature: str) -> None:
    """Let a delivery that could not be acknowledged come again."""
    connection.execute("DELETE FROM accepted_signatures WHERE signature = %s", (signature,))
