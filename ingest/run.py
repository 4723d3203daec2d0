"""The loop that brings one source up to date, reading ahead of the encoder and writing behind it.

Knows nothing about kinds of sources, formats, models or schedules.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from ingest import carrying
from ingest import plan as planning
from ingest.batches import Batches
from ingest.config import open_source
from ingest.embedder import Embedder, Encode
from ingest.entries import Entry, SourceConfig, SourceError
from ingest.plan import Plan, TooManyRemovals
from ingest.prepare import Outcome, Part, Prepared, Preparer, Refused, Same
from ingest.progress import Progress
from ingest.reader import Reader, Stuck
from ingest.sandbox import Parser
from ingest.splitting import chunks
from store.database import Database
from store.index import builds, codes, documents, drafts, embedders, runs
from store.index.builds import Build
from store.records import Run, Stored

CLEAN_DOCUMENTS = 100  # removed per transaction


@dataclass(frozen=True, slots=True)
class Context:
    """What every step of a run needs: where to write, which source, and the clock."""

    database: Database
    workspace: str
    config: SourceConfig
    now: Callable[[], datetime]
    audience_of: Callable[[str], tuple[str, ...]]


def ingest(
    config: SourceConfig,
    *,
    database: Database,
    workspace: str,
    embedder: Embedder,
    now: Callable[[], datetime],
    full: bool = False,
    allow_removal: bool = False,
    asked_by: str | None = None,
    on_progress: Callable[[Run], None] | None = None,
    audience_of: Callable[[str], tuple[str, ...]] | None = None,
) -> Run:
    """Bring a source up to date and give the ended run: `done`, or `failed` with its error.

    `audience_of` stands in for the configuration's, where that may change during the run.

    `full` reads and encodes everything again beside what is served. Raises runs.Busy when
    the source is being ingested already, StoreError when the database fails.
    """
    context = Context(database, workspace, config, now, audience_of or config.audience_of)
    with runs.only_one(database, workspace, config.name) as hold:
        with database.connection() as connection:
            number = embedders.ensure_embedder(connection, workspace, embedder.name, embedder.dims)
        progress = Progress(config, database, workspace, now, on_progress, hold.keep)
        progress.begin(full=full, asked_by=asked_by)
        parser = Parser()
        try:
            state = _state(context, progress.run, number)
            with closing(open_source(config)) as source:
                source.look, source.failed = parser.look, state.failed
                prepare = Preparer(
                    config,
                    source,
                    parser,
                    embedder.count,
                    embedder.window,
                    context.audience_of,
                    state.failed,
                )
                plan = _read(context, progress, state, prepare, embedder.encode, allow_removal)
            _finish(context, progress, state, plan, allow_removal)
        except (SourceError, Stuck, TooManyRemovals) as error:
            ended = progress.end(str(error))
            carrying.take_over(database, workspace, config.name, embedder.encode, now)
            return ended
        except BaseException as error:
            progress.end(f"{type(error).__name__}: {error}")
            raise
        finally:
            parser.close()
        clean(database, workspace, drafts.of(state.build.build_id))
        return progress.end(source.cut)


@dataclass(frozen=True, slots=True)
class _State:
    """What is there before a run: in the build it writes to, and in the one that is served."""

    build: Build
    stored: dict[str, Stored]
    served: dict[str, Stored]
    failed: dict[str, str]
    skips: frozenset[str]


def _state(context: Context, run: Run, embedder_id: int) -> _State:
    workspace, source = context.workspace, context.config.name
    with context.database.connection() as connection:
        build = builds.choose(
            connection,
            workspace,
            source,
            embedder_id,
            f"{chunks.CHUNKER} {codes.VERSION}",
            run.started_at,
            full=run.is_full,
        )
        live = builds.of(connection, workspace, source).get("live")
        stored = documents.stored(connection, workspace, build.build_id)
        served = documents.stored(connection, workspace, live.build_id) if live else {}
        known = runs.failures(connection, workspace, source)
    return _State(
        build,
        stored,
        served,
        {} if run.is_full else {failure.path: version for failure, version in known},
        frozenset(failure.path for failure, _ in known if failure.is_skip),
    )


def _read(
    context: Context,
    progress: Progress,
    state: _State,
    prepare: Preparer,
    encode: Encode,
    allow_removal: bool,
) -> Plan:
    """List, compare, and store what changed; give the plan, of which the removals are left."""
    with (
        ThreadPoolExecutor(1, thread_name_prefix="ingest-write") as writer,
        Reader(prepare.source, prepare.config) as reader,
    ):
        batches = Batches(
            context.database,
            context.workspace,
            state.build,
            encode,
            writer,
            progress,
            reuse=not progress.run.is_full,
        )
        listing = tuple(planning.told_apart(reader.listing(progress.beat)))
        plan = _plan(context, progress, state, listing, prepare.source.is_partial, allow_removal)
        reader.read(plan.read, lambda entry: prepare(entry, state.stored.get(entry.path)))
        for outcome in reader.outcomes(progress.beat):
            _count(progress, outcome, state.stored)
            batches.take(outcome)
        batches.flush()
        batches.settle()
    return plan


def _plan(
    context: Context,
    progress: Progress,
    state: _State,
    listing: Sequence[Entry],
    is_partial: bool,
    allow_removal: bool,
) -> Plan:
    plan = planning.plan(listing, state.stored, state.failed, context.audience_of)
    if is_partial:
        plan = replace(plan, remove=(), forget=())
    elif not allow_removal:
        listed = {entry.path for entry in listing}
        _check(context.config, state, sorted(state.served.keys() - listed))
    skipped = len(state.skips.intersection(plan.failing))
    progress.count(
        total=len(listing),
        seen=plan.unchanged + len(plan.failing),
        unchanged=plan.unchanged,
        failed=len(plan.failing) - skipped,
        skipped=skipped,
    )
    progress.beat()
    return plan


def _check(config: SourceConfig, state: _State, gone: Sequence[str]) -> None:
    planning.check_removals(
        gone,
        len(state.served),
        share=config.max_removed_share,
        count=config.max_removed,
        source=config.name,
    )


def _count(progress: Progress, outcome: Outcome, stored: dict[str, Stored]) -> None:
    if isinstance(outcome, Part) and not outcome.is_last:
        return
    skipped = outcome.path if isinstance(outcome, Refused) and outcome.is_skip else None
    progress.count(
        seen=1,
        unchanged=isinstance(outcome, Same),
        changed=isinstance(outcome, Prepared | Part),
        failed=isinstance(outcome, Refused) and skipped is None,
        skipped=skipped is not None,
        removed=skipped in stored,
    )


def _finish(
    context: Context, progress: Progress, state: _State, plan: Plan, allow_removal: bool
) -> None:
    """Remove what is gone, and serve a build that grew beside the old one."""
    database, workspace, config = context.database, context.workspace, context.config
    for start in range(0, len(plan.remove), CLEAN_DOCUMENTS):
        part = plan.remove[start : start + CLEAN_DOCUMENTS]
        with database.connection() as connection:
            documents.remove(connection, workspace, state.build.build_id, part)
        progress.count(removed=len(part))
        progress.beat()
    with database.connection() as connection:
        runs.forget_failures(connection, workspace, config.name, plan.forget)
        if state.build.state == "building" and not allow_removal:
            have = documents.stored(connection, workspace, state.build.build_id)
            _check(config, state, sorted(state.served.keys() - have.keys()))
        progress.keep()
        builds.complete(connection, workspace, state.build, context.now())


def clean(database: Database, workspace: str, *left: int) -> None:
    """Delete what retired builds, and those in `left`, still hold, bit by bit.

    Does nothing while another does it: the next run will.
    """
    try:
        with runs.only_one(database, workspace, ".clean"):
            with database.connection() as connection:
                retired = builds.retired(connection, workspace)
            for build_id in (*left, *map(drafts.of, retired), *retired):
                while _clean_some(database, workspace, build_id):
                    pass
    except runs.Busy:
        return


def _clean_some(database: Database, workspace: str, build_id: int) -> bool:
    with database.connection() as connection:
        paths = documents.some_paths(connection, workspace, build_id, CLEAN_DOCUMENTS)
        documents.remove(connection, workspace, build_id, paths)
        if not paths:
            builds.forget(connection, workspace, build_id)
    return bool(paths)
