"""Scopes: who may see what is stored, brought in line with the settings without reading a document again.

Knows nothing about settings: who may see a path is asked of the caller.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from store.database import Connection
from store.index import chunks
from store.records import Viewer

Audience = tuple[str, ...]
AudienceOf = Callable[[str], Audience]
"""Tells who may see the document at a path, sorted."""

FETCHED = 5000
"""Rows in memory at a time."""

_LOCKED = """
SELECT s.scope_id, s.build_id, s.audience, s.document_id
FROM scopes s JOIN builds b ON b.workspace_id = s.workspace_id AND b.build_id = abs(s.build_id)
WHERE s.workspace_id = %s AND b.source = %s AND b.state IN ('live', 'building')
ORDER BY s.scope_id FOR UPDATE OF s
"""


_HIDDEN = """
SELECT EXISTS (
    SELECT FROM unnest(%(sources)s::text[], %(paths)s::text[]) AS cited(source, path)
    LEFT JOIN builds b ON b.workspace_id = %(workspace)s AND b.source = cited.source
                      AND b.state = 'live'
    LEFT JOIN documents d ON d.workspace_id = %(workspace)s AND d.build_id = b.build_id
                         AND d.path = cited.path
    LEFT JOIN scopes s ON s.workspace_id = %(workspace)s AND s.scope_id = d.scope_id
    WHERE CASE WHEN s.scope_id IS NULL THEN %(strict)s ELSE NOT s.audience && %(principals)s::text[] END
)
"""


@dataclass(frozen=True, slots=True)
class _Scope:
    scope_id: int
    build_id: int
    audience: Audience
    document_id: int

    @property
    def is_shared(self) -> bool:
        """Whether any number of documents may be in it; a large one has a scope of its own."""
        return self.document_id == 0


def restrict(connection: Connection, workspace: str, source: str, audience_of: AudienceOf) -> int:
    """Let each stored document of a source be seen by whom `audience_of` its path names, and by nobody
    else, all in this transaction; give how many documents that changed.

    A scope whose documents all change alike is only renamed; documents that part from the others of
    theirs are moved to another one.
    """
    rows = connection.execute(_LOCKED, (workspace, source)).fetchall()
    scopes = {row[0]: _Scope(row[0], row[1], tuple(row[2]), row[3]) for row in rows}
    counts = _counts(connection, workspace, scopes, audience_of)
    changed = sum(
        number
        for scope_id, found in counts.items()
        for audience, number in found.items()
        if audience != scopes[scope_id].audience
    )
    if not changed:
        return 0
    # What most of a scope's documents want, the scope becomes.
    wanted = {scope_id: found.most_common(1)[0][0] for scope_id, found in counts.items()}
    homes = _rename(connection, workspace, scopes, wanted)
    _move(connection, workspace, scopes, homes, audience_of)
    return changed


def hides(
    connection: Connection,
    workspace: str,
    viewer: Viewer,
    cited: Sequence[tuple[str, str]],
    *,
    strict: bool,
) -> bool:
    """Whether a viewer may not see one of these documents, given as (source, path), as things are now.

    One that is there no more counts as hidden where `strict`.
    """
    row = connection.execute(
        _HIDDEN,
        {
            "workspace": workspace,
            "sources": [source for source, _ in cited],
            "paths": [path for _, path in cited],
            "principals": list(viewer.principals),
            "strict": strict,
        },
    ).fetchone()
    return row != (False,)


def _counts(
    connection: Connection, workspace: str, scopes: Mapping[int, _Scope], audience_of: AudienceOf
) -> dict[int, Counter[Audience]]:
    """Count the documents by scope and by the audience that they should have."""
    found: dict[int, Counter[Audience]] = defaultdict(Counter)
    with connection.cursor(name="scoped_documents") as cursor:
        cursor.itersize = FETCHED
        cursor.execute(
            "SELECT scope_id, path FROM documents WHERE workspace_id = %s AND scope_id = ANY (%s)",
            (workspace, list(scopes)),
        )
        for scope_id, path in cursor:
            found[scope_id][audience_of(path)] += 1
    return found


def _rename(
    connection: Connection,
    workspace: str,
    scopes: Mapping[int, _Scope],
    wanted: Mapping[int, Audience],
) -> dict[tuple[int, Audience], int]:
    """Give each scope the audience it should have; give the shared scope of each build and audience.

    Of several that come to be alike, one stays: the documents of the others are moved into it.
    """
    homes: dict[tuple[int, Audience], int] = {}
    named: dict[int, Audience] = {}
    for scope in sorted(scopes.values(), key=lambda scope: scope.scope_id not in wanted):
        audience = wanted.get(scope.scope_id, scope.audience)
        if not scope.is_shared:
            named[scope.scope_id] = audience
        elif (scope.build_id, audience) not in homes:
            homes[scope.build_id, audience] = scope.scope_id
            named[scope.scope_id] = audience
        else:  # nobody's until it is empty and deleted
            named[scope.scope_id] = (f"-{scope.scope_id}",)
    changed = {i: audience for i, audience in named.items() if audience != scopes[i].audience}
    # Twice, since two that change places would for a moment be alike, which the schema forbids.
    for step in ({scope_id: (f"-{scope_id}",) for scope_id in changed}, changed):
        for scope_id, audience in step.items():
            connection.execute(
                "UPDATE scopes SET audience = %s WHERE workspace_id = %s AND scope_id = %s",
                (list(audience), workspace, scope_id),
            )
    return homes


def _move(
    connection: Connection,
    workspace: str,
    scopes: Mapping[int, _Scope],
    homes: dict[tuple[int, Audience], int],
    audience_of: AudienceOf,
) -> None:
    """Move the documents that are not where they should be, and delete the scopes left without any."""
    shared = [scope.scope_id for scope in scopes.values() if scope.is_shared]
    rows = connection.execute(
        "SELECT document_id, scope_id, path, title FROM documents"
        " WHERE workspace_id = %s AND scope_id = ANY (%s)",
        (workspace, shared),
    ).fetchall()
    moves: dict[int, dict[int, str]] = defaultdict(dict)
    for document_id, scope_id, path, title in rows:
        home = scopes[scope_id].build_id, audience_of(path)
        if home not in homes:
            homes[home] = _new(connection, workspace, *home)
        if homes[home] != scope_id:
            moves[homes[home]][document_id] = title
    for scope_id, titles in moves.items():
        connection.execute(
            "UPDATE documents SET scope_id = %s WHERE workspace_id = %s AND document_id = ANY (%s)",
            (scope_id, workspace, list(titles)),
        )
        chunks.move(connection, workspace, titles, scope_id)
    left = [scope_id for scope_id in shared if scope_id not in homes.values()]
    connection.execute(
        "DELETE FROM scopes WHERE workspace_id = %s AND scope_id = ANY (%s)", (workspace, left)
    )


def _new(connection: Connection, workspace: str, build_id: int, audience: Audience) -> int:
    scope_id = secrets.randbits(31)
    connection.execute(
        "INSERT INTO scopes (workspace_id, scope_id, build_id, audience) VALUES (%s, %s, %s, %s)",
        (workspace, scope_id, build_id, list(audience)),
    )
    return scope_id
