"""Files on any filesystem that fsspec knows: zip, s3, gs, azure, sftp, github and more, by URL.

Knows nothing about any one of them: each is an extra package of fsspec's family.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from ingest.entries import Content, Entry, Source, SourceConfig, SourceError, Unreadable
from ingest.sources.folder import link_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

VERSION_KEYS = ("ETag", "etag", "md5", "md5Hash", "sha", "CRC", "mtime", "LastModified", "modified")


class Files(Source):
    """`address` is a URL that fsspec opens, or a .zip file; `storage` is handed to it.

    When a file was stored says nothing about its text: it has no date but its own.
    """

    OPTIONS: ClassVar[Mapping[str, type]] = {"storage": dict}

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self.filesystem, self.root = _open(config)

    def entries(self) -> Iterator[Entry]:
        """Give every file below the address, but hidden ones."""
        try:
            if self.root and not self.filesystem.exists(self.root):
                raise SourceError(f"There is no {self.config.address}. Correct the address.")
            found = self.filesystem.find(self.root, detail=True)
        except SourceError:
            raise
        # Each filesystem has errors of its own; all of them mean that nothing is known for sure.
        except Exception as error:
            raise SourceError(f"{self.config.address} cannot be listed: {error}.") from error
        for ref, info in sorted(found.items()):
            path = ref.removeprefix(self.root).lstrip("/") or ref.rsplit("/", 1)[-1]
            if any(part.startswith(".") for part in path.split("/")) or not self.config.wants(path):
                continue
            yield Entry(
                path=path,
                version=_version(info),
                ref=ref,
                url=link_of(self.config, path),
                size=info.get("size"),
            )

    def read(self, entry: Entry, known: str | None) -> Content:
        try:
            with self.filesystem.open(entry.ref, "rb") as stream:
                return Content(stream.read(self.config.max_bytes + 1), entry.path)
        except FileNotFoundError as error:
            raise Unreadable("It was deleted while the source was read.", is_skip=True) from error
        except Exception as error:
            raise Unreadable(f"It cannot be fetched: {error}.", is_passing=True) from error


def _open(config: SourceConfig) -> "tuple[AbstractFileSystem, str]":
    import fsspec

    storage = config.options.get("storage", {})
    address = config.address
    if address.lower().endswith(".zip") and not address.startswith("zip:"):
        address = f"zip://::{address}"
    try:
        filesystem, root = fsspec.core.url_to_fs(
            address, **(storage if isinstance(storage, dict) else {})
        )
    except ImportError as error:
        raise SourceError(
            f"{config.address} needs a package that is not installed: {error}."
        ) from error
    except Exception as error:
        raise SourceError(f"{config.address} cannot be opened: {error}.") from error
    return filesystem, str(root).rstrip("/")


def _version(info: Mapping[str, object]) -> str | None:
    marks = [str(info[key]) for key in VERSION_KEYS if info.get(key) is not None]
    return f"{marks[0]}-{info.get('size')}" if marks else None
