"""The original files of Fashion-MNIST: from a directory, and over HTTP."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import threading

import numpy as np
import pytest

from nnfs_xp.data import fashion_mnist, load_dataset, load_examples
from nnfs_xp.data.fashion_mnist import FILES, SourceFile, cache_directory
from nnfs_xp.errors import DownloadError, FileFormatError, InputError


class Server:
    """An HTTP server on this machine that counts what it is asked for."""

    def __init__(self):
        self.content = {}
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append(self.path)
                body = outer.content.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self):
        """Free the port."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch):
    """Serve from this machine, whatever proxy the environment names."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def published(server, encode_idx, monkeypatch, tmp_path):
    """Publish four small files at two addresses, and give their contents."""
    images = np.arange(6 * 4, dtype=np.uint8).reshape(6, 2, 2)
    labels = np.arange(6, dtype=np.uint8)
    arrays = {
        "x_train": images,
        "y_train": labels,
        "x_test": images[::-1],
        "y_test": labels[::-1],
    }
    files, contents = {}, {}
    for key, array in arrays.items():
        name = FILES[key].name
        content = encode_idx(array)
        body = gzip.compress(content, mtime=0)
        server.content[f"/main/{name}.gz"] = body
        server.content[f"/fallback/{name}.gz"] = body
        contents[name] = content
        files[key] = SourceFile(
            name,
            hashlib.md5(body).hexdigest(),
            hashlib.sha256(content).hexdigest(),
        )
    monkeypatch.setattr(fashion_mnist, "FILES", files)
    urls = (f"{server.url}/main/", f"{server.url}/fallback/")
    monkeypatch.setattr(fashion_mnist, "URLS", urls)
    monkeypatch.setenv("NNFS_XP_DATA_DIR", str(tmp_path / "cache"))
    return contents


def check(dataset):
    """Compare with what was published."""
    assert dataset.name == "fashion-mnist"
    assert dataset.image_shape == (2, 2)
    assert dataset.x_train[1].tolist() == [4, 5, 6, 7]
    assert dataset.x_test[5].tolist() == [0, 1, 2, 3]
    assert dataset.y_train.tolist() == [0, 1, 2, 3, 4, 5]
    assert dataset.y_test.tolist() == [5, 4, 3, 2, 1, 0]
    assert dataset.n_classes == 10


def test_each_file_is_downloaded_once(server, published, tmp_path):
    check(load_dataset("fashion-mnist"))
    assert server.requests == [f"/main/{name}.gz" for name in published]
    check(load_dataset("fashion-mnist"))
    assert load_examples("fashion-mnist").y.tolist() == [5, 4, 3, 2, 1, 0]
    assert len(server.requests) == 4
    directory = tmp_path / "cache" / "fashion-mnist"
    assert sorted(path.name for path in directory.iterdir()) == sorted(
        f"{name}.gz" for name in published
    )


def test_fallback_address(server, published):
    for name in published:
        del server.content[f"/main/{name}.gz"]
    check(load_dataset("fashion-mnist"))
    assert len(server.requests) == 8


def test_wrong_content_at_first_address(server, published):
    server.content["/main/t10k-images-idx3-ubyte.gz"] = b"<html>not found</html>"
    check(load_dataset("fashion-mnist"))
    assert server.requests.count("/fallback/t10k-images-idx3-ubyte.gz") == 1
    assert len(server.requests) == 5


def test_corrupted_download_is_rejected(server, published, tmp_path):
    for place in ("main", "fallback"):
        path = f"/{place}/train-labels-idx1-ubyte.gz"
        server.content[path] = server.content[path][:-1] + b"\1"
    with pytest.raises(DownloadError, match="--data-dir") as caught:
        load_dataset("fashion-mnist")
    message = str(caught.value)
    assert f"{server.url}/main/train-labels-idx1-ubyte.gz: MD5 hash" in message
    assert f"{server.url}/fallback/train-labels-idx1-ubyte.gz: MD5 hash" in message
    kept = [path.name for path in (tmp_path / "cache" / "fashion-mnist").iterdir()]
    assert kept == ["train-images-idx3-ubyte.gz"]

    for name in published:
        server.content[f"/main/{name}.gz"] = gzip.compress(published[name], mtime=0)
    check(load_dataset("fashion-mnist"))
    assert server.requests.count("/main/train-images-idx3-ubyte.gz") == 1


def test_no_network(server, published):
    server.content.clear()
    with pytest.raises(DownloadError, match="data_dir=.*") as caught:
        load_dataset("fashion-mnist")
    assert "404" in str(caught.value)


def test_nothing_answers(published, monkeypatch):
    # Port 9 is the discard service, which nobody runs.
    monkeypatch.setattr(fashion_mnist, "URLS", ("http://127.0.0.1:9/",))
    with pytest.raises(DownloadError, match="http://127.0.0.1:9/train-images"):
        load_dataset("fashion-mnist")


def test_cache_that_cannot_be_written(published, tmp_path, monkeypatch):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("NNFS_XP_DATA_DIR", str(blocked))
    with pytest.raises(DownloadError, match="a file"):
        load_dataset("fashion-mnist")


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_damaged_file_in_the_cache_is_fetched_again(
    server, published, tmp_path, name, suffix
):
    directory = tmp_path / "cache" / "fashion-mnist"
    directory.mkdir(parents=True)
    (directory / f"{name}{suffix}").write_bytes(published[name][:-1] + b"\xff")
    check(load_dataset("fashion-mnist"))
    check(load_dataset("fashion-mnist"))
    assert len(server.requests) == 4


def test_recompressed_files_in_the_cache_are_good(server, published, tmp_path):
    directory = tmp_path / "cache" / "fashion-mnist"
    directory.mkdir(parents=True)
    for name, content in published.items():
        (directory / f"{name}.gz").write_bytes(gzip.compress(content, 1))
    check(load_dataset("fashion-mnist"))
    assert server.requests == []


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_directory(server, published, tmp_path, compress):
    for name, content in published.items():
        suffix = ".gz" if compress is gzip.compress else ""
        (tmp_path / f"{name}{suffix}").write_bytes(compress(content))
    check(load_dataset("fashion-mnist", data_dir=tmp_path))
    check(load_dataset("fashion-mnist", data_dir=str(tmp_path)))
    assert server.requests == []


def test_directory_lacks_files(published, tmp_path):
    name = "train-images-idx3-ubyte"
    (tmp_path / name).write_bytes(published[name])
    with pytest.raises(FileFormatError) as caught:
        load_dataset("fashion-mnist", data_dir=tmp_path)
    message = str(caught.value)
    assert str(tmp_path) in message and name not in message
    for missing in (
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ):
        assert missing in message


def test_absent_directory(tmp_path):
    with pytest.raises(FileFormatError, match="absent: holds no train-images"):
        load_dataset("fashion-mnist", data_dir=tmp_path / "absent")


@pytest.mark.parametrize("damage", [b"", b"other"])
def test_damaged_file_in_directory(published, tmp_path, damage):
    for name, content in published.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(damage)
    with pytest.raises(FileFormatError, match="t10k-images-idx3-ubyte"):
        load_dataset("fashion-mnist", data_dir=tmp_path)


def test_other_data_set_in_directory(published, tmp_path, encode_idx):
    for name, content in published.items():
        (tmp_path / name).write_bytes(content)
    mnist = encode_idx(np.zeros((6, 2, 2), dtype=np.uint8))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(mnist)
    with pytest.raises(FileFormatError, match="train-images.*not the expected content"):
        load_dataset("fashion-mnist", data_dir=tmp_path)


def test_default_cache_is_the_users(monkeypatch):
    monkeypatch.delenv("NNFS_XP_DATA_DIR", raising=False)
    assert cache_directory().name == "fashion-mnist"
    assert "nnfs_xp" in str(cache_directory())


def test_the_original_files(original_files):
    dataset = load_dataset("fashion-mnist", data_dir=original_files)
    assert dataset.x_train.shape == (60000, 784)
    assert dataset.x_test.shape == (10000, 784)
    assert dataset.x_train.dtype == dataset.y_train.dtype == np.uint8
    assert np.bincount(dataset.y_train).tolist() == [6000] * 10
    assert np.bincount(dataset.y_test).tolist() == [1000] * 10


@pytest.mark.parametrize("data_dir", [5, [1], ""])
def test_a_directory_of_data_is_a_path(data_dir):
    with pytest.raises(InputError, match="data_dir must be a path"):
        load_dataset("fashion-mnist", data_dir=data_dir)
