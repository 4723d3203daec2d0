"""Models run by ONNX Runtime: like torch's, under another name, made once, made again when damaged."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("onnx", reason="the extra [onnx] is not installed")

from bot import indexing
from bot.answering import classifier
from bot.answering.request import Request
from bot.services import Services
from bot.settings import ROOT, Settings
from ingest.entries import SourceConfig
from ingest.run import ingest
from models import bert, embedder
from models.embedder import Embedder
from models.files import sha256
from models.intents import classifier as intent
from models.intents.baseline import Baseline
from models.intents.calibration import Calibration
from models.onnx import load
from models.reader import files, reader
from models.reader.codec import Page
from models.shelf import Shelf
from store.database import Database
from store.index import builds, embedders
from store.records import EVERYONE, Viewer
from tests import tiny_bert
from tests.fakes import HashEmbedder

READER = Viewer((EVERYONE,))
TEXTS = ["pay day", "when is my salary", "book leave " * 20, "holiday", "reset my password wifi"]


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return load.load(root=tmp_path_factory.mktemp("onnx"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert.write(tmp_path_factory.mktemp("model") / "tiny")


def test_vectors_are_nearly_those_of_torch(minilm: Embedder) -> None:
    texts = [
        "The weather is lovely today.",
        "How do I report a sick day?",
        "Expenses are paid with the salary of the month after. " * 12,
        "vpn",
    ]
    cosines = (embedder.load().encode(texts) * minilm.encode(texts)).sum(axis=1)
    assert cosines.min() > 0.98


def test_they_are_another_encoders_than_torchs(minilm: Embedder) -> None:
    torch = embedder.load()
    assert minilm.name == "all-MiniLM-L6-v2@53aa5117+int8" != torch.name
    assert (minilm.dims, minilm.window, minilm.folder) == (torch.dims, torch.window, torch.folder)
    assert minilm.count(TEXTS) == torch.count(TEXTS)


def test_vectors_keep_the_order_and_have_length_one(minilm: Embedder) -> None:
    texts = [f"{text} {number}" * (1 + number % 9) for number in range(20) for text in TEXTS]
    together = minilm.encode(texts)
    alone = np.concatenate([minilm.encode([text]) for text in texts])
    assert (together * alone).sum(axis=1).min() > 0.98
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-4)


def test_any_text_is_encoded(minilm: Embedder) -> None:
    odd = ["", "\x00", "\ud800", "👩‍💻🔥", "休暇の申請", "word " * 40_000]
    vectors = minilm.encode(odd)
    assert vectors.shape == (len(odd), 384)
    assert np.isfinite(vectors).all()
    assert minilm.encode([]).shape == (0, 384)


def test_threads_get_the_same_vectors(minilm: Embedder) -> None:
    expected = [minilm.encode([text]) for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: minilm.encode([text]), TEXTS * 8))
    assert all(np.array_equal(row, expected[n % len(TEXTS)]) for n, row in enumerate(found))


def test_several_at_once_make_one_export(tiny: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        loaded = list(pool.map(lambda _: load.load(str(tiny), root=tmp_path), range(3)))
    assert len({one.encode(TEXTS).tobytes() for one in loaded}) == 1
    assert [file.name for file in tmp_path.iterdir() if not file.name.startswith(".")] == [
        loaded[0].name
    ]


def test_a_damaged_export_is_made_again(tiny: Path, tmp_path: Path) -> None:
    first = load.load(str(tiny), root=tmp_path)
    file = tmp_path / first.name / load.FILE
    whole = sha256(file)
    file.write_bytes(file.read_bytes()[:1000])
    again = load.load(str(tiny), root=tmp_path)
    assert sha256(file) == whole
    assert np.array_equal(again.encode(TEXTS), first.encode(TEXTS))


def test_without_the_package_one_line_says_the_cure(tiny: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "from pathlib import Path; from models import embedder; from models.onnx import load\n"
        "try: load.load(sys.argv[1], root=Path(sys.argv[2]))\n"
        "except embedder.ModelError as error: print(error)"
    )
    line = _run(code, str(tiny), str(tmp_path))
    assert line.count("\n") == 1
    assert "onnx is missing" in line and "pip install" in line


def test_what_is_exported_already_needs_neither_the_package_nor_torch(
    tiny: Path, tmp_path: Path
) -> None:
    load.load(str(tiny), root=tmp_path)
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "from pathlib import Path; from models.onnx import load\n"
        "one = load.load(sys.argv[1], root=Path(sys.argv[2]))\n"
        "print(one.encode(['pay day']).shape, 'torch' in sys.modules)"
    )
    assert _run(code, str(tiny), str(tmp_path)) == "(1, 32) False\n"


def _run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def trained(folder: Path, tiny: Path) -> Path:
    """Write a classifier as training does, with random weights, onto a shelf."""
    random = np.random.default_rng(3)
    linear = Baseline(random.normal(size=(4, 32)).astype(np.float32), np.zeros(4, np.float32))
    model = bert.from_encoder(tiny, 4)
    model.set_head(linear.weights, linear.bias)
    kept = intent.Settings(list("abcd"), "bert", sha256(tiny / bert.WEIGHTS), *[Calibration()] * 2)
    (folder / "new").mkdir()
    intent.write(folder / "new", tiny, model, linear, kept)
    return Shelf(folder / "shelf").put("v1", folder / "new").folder


@pytest.mark.parametrize("kind", intent.KINDS)
def test_a_classifier_predicts_nearly_what_it_predicts_in_torch(
    tiny: Path, tmp_path: Path, kind: str
) -> None:
    folder = trained(tmp_path, tiny)
    expected = intent.load(folder, encoder=tiny, kind=kind).predict(TEXTS)
    found = intent.load(folder, encoder=tiny, kind=kind, onnx_threads=2).predict(TEXTS)
    assert [p.intent for p in found] == [p.intent for p in expected]
    apart = [abs(a.confidence - b.confidence) for a, b in zip(found, expected, strict=True)]
    assert max(apart) < 0.05


def test_a_classifier_that_cannot_be_exported_is_run_by_torch(
    tiny: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = trained(tmp_path, tiny)
    (folder / "onnx").write_text("a file where a folder must be")
    settings = Settings(_env_file=None, runtime="onnx")
    classify = classifier.load(folder, HashedFolder(tiny), settings)  # type: ignore[arg-type]
    expected = intent.load(folder, encoder=tiny).predict(["pay day"])[0]
    assert classify("pay day", lambda: np.zeros(32, np.float32)) == expected
    assert caplog.text.count("intents_by_torch") == 1


class HashedFolder(HashEmbedder):
    """A stand-in encoder with a model's folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder


@pytest.fixture
def docs(tmp_path: Path) -> SourceConfig:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "pay.md").write_text("# Pay day\n\nMy salary is there when it is pay day.")
    (tmp_path / "docs" / "leave.md").write_text("# Leave\n\nI book leave and a holiday in May.")
    return SourceConfig("docs", "folder", str(tmp_path / "docs"))


def services(database: Database, tiny: Path, home: Path, runtime: str) -> Services:
    (home / "intents.toml").touch()  # no intents: every message is searched for
    settings = Settings(
        _env_file=None,
        home=home,
        intents=home / "intents.toml",
        embedder=str(tiny),
        runtime=runtime,
    )
    return Services(settings, database, None)


def asked_by(opened: Services) -> str:
    """Ask a question and give the encoder that it was searched with."""
    answer = opened.answer(Request("when is pay day", READER))
    assert all(passage.vector is not None for passage in answer.passages[:1])
    assert answer.passages[0].path == "pay.md"
    return answer.versions["encoder"]


def test_after_a_switch_questions_go_the_old_way_until_the_new_index_is_swapped_in(
    database: Database, tiny: Path, tmp_path: Path, docs: SourceConfig
) -> None:
    before = services(database, tiny, tmp_path, "torch")
    indexing.run(before, docs)
    after = services(database, tiny, tmp_path, "onnx")
    assert after.embedder.name == load.named(before.embedder.name)
    assert asked_by(before) == asked_by(after) == before.embedder.name
    indexing.run(after, docs)
    assert asked_by(before) == asked_by(after) == after.embedder.name
    with database.connection() as connection:
        live = builds.of(connection, "local", "docs")["live"]
    assert live.embedder_id == embedders.embedder_id(after.embedder.name)


def test_an_index_by_an_unknown_encoder_is_searched_by_words_alone(
    database: Database,
    tiny: Path,
    tmp_path: Path,
    docs: SourceConfig,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone = HashEmbedder("gone@1")
    ingest(
        docs,
        database=database,
        workspace="local",
        embedder=gone,
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )
    opened = services(database, tiny, tmp_path, "torch")
    found = [opened.answer(Request("when is pay day", READER)).passages[0] for _ in range(2)]
    assert [(passage.path, passage.vector) for passage in found] == [("pay.md", None)] * 2
    assert caplog.text.count("embedder_unknown name=gone@1") == 1


def test_a_reader_says_nearly_what_torchs_says(tmp_path: Path) -> None:
    network, _ = files.fresh(embedder.packaged_folder(), seed=1)
    folder = tmp_path / "reader"
    origin = files.Origin(embedder.PACKAGED_SHA256["model.safetensors"])
    network.encoder.requires_grad_(False)
    files.save(network, origin, folder)
    pages = [Page("Badges", "A lost badge costs 12 euros."), Page("", "Tell reception. " * 30)]
    exact, found = (
        reader.load(folder, exports=exports).read("what does a badge cost?", pages)
        for exports in (None, tmp_path / "onnx")
    )
    for one, other in zip(exact, found, strict=True):
        assert one.relevance == pytest.approx(other.relevance, abs=0.1)
        assert one.starts @ other.starts > 0.9 * (one.starts @ one.starts)


def test_a_reader_that_eight_bits_do_not_hold_is_run_exactly(tmp_path: Path) -> None:
    base = tiny_bert.write(tmp_path / "base")
    network, _ = files.fresh(base, seed=1)
    with torch.no_grad():
        for layer in network.encoder.modules():
            if isinstance(layer, torch.nn.Linear):
                layer.weight[:, 0] = 40.0  # beside it the others are less than a step of 1/128
    network.encoder.requires_grad_(False)
    files.save(network, files.Origin(sha256(base / "model.safetensors")), tmp_path / "reader")
    exact, found = (
        reader.load(tmp_path / "reader", base=base, exports=exports).read(
            "when is pay day", [Page("leave", "my salary is a holiday"), Page("", "wifi")]
        )
        for exports in (None, tmp_path / "onnx")
    )
    for one, other in zip(exact, found, strict=True):
        assert one.relevance == pytest.approx(other.relevance, abs=1e-4)
        assert one.starts == pytest.approx(other.starts, abs=1e-4)
