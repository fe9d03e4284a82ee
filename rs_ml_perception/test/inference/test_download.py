"""Downloads from a server of our own."""

import functools
import http.server
import tarfile
import threading

import pytest
import yaml
from rs_ml_perception.core.errors import ConfigError, InputError, ModelError
from rs_ml_perception.core.files import file_sha256
from rs_ml_perception.inference.download import download
from rs_ml_perception.inference.manifest_file import read_manifest


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / 'site'
    folder.mkdir()
    (folder / 'net.onnx').write_bytes(b'weights')
    with tarfile.open(folder / 'net.tar.gz', 'w:gz') as tar:
        tar.add(folder / 'net.onnx', 'inner/net.onnx')
    handler = functools.partial(QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    thread.join()
    server.server_close()


def make_manifest(tmp_path, **artifact):
    folder = tmp_path / 'm'
    folder.mkdir()
    values = {
        'name': 'm',
        'task': 'detection',
        'decoder': 'yolo_head',
        'artifacts': [{'format': 'onnx', 'path': 'net.onnx', **artifact}],
        'input': {'name': 'x'},
        'license': 'none',
    }
    (folder / 'manifest.yaml').write_text(yaml.safe_dump(values))
    return read_manifest(folder)


def test_a_file_with_a_recorded_checksum(tmp_path, site, private_cache):
    folder, url = site
    digest = file_sha256(folder / 'net.onnx')
    manifest = make_manifest(tmp_path, url=f'{url}/net.onnx', sha256=digest)
    assert download(manifest) == [private_cache / 'models' / 'm' / 'net.onnx']
    (folder / 'net.onnx').unlink()
    assert download(manifest)[0].read_bytes() == b'weights'  # it is there, nothing is fetched


def test_a_member_of_an_archive(tmp_path, site):
    folder, url = site
    manifest = make_manifest(
        tmp_path,
        url=f'{url}/net.tar.gz',
        url_sha256=file_sha256(folder / 'net.tar.gz'),
        member='inner/net.onnx',
    )
    assert download(manifest)[0].read_bytes() == b'weights'


def test_without_a_recorded_checksum_it_must_be_given(tmp_path, site):
    folder, url = site
    manifest = make_manifest(tmp_path, url=f'{url}/net.onnx')
    with pytest.raises(ConfigError, match='pass it with --sha256'):
        download(manifest)
    assert download(manifest, sha256=file_sha256(folder / 'net.onnx'))[0].is_file()


@pytest.mark.parametrize(
    ('artifact', 'error', 'said'),
    [
        ({'url': '/net.onnx', 'sha256': 'b' * 64}, ModelError, 'expected b+: nothing was kept'),
        ({'url': '/none.onnx', 'sha256': 'b' * 64}, InputError, 'none.onnx cannot be fetched'),
        ({'sha256': 'b' * 64}, ModelError, 'the manifest names no url'),
    ],
)
def test_failures_leave_nothing(tmp_path, site, private_cache, artifact, error, said):
    if 'url' in artifact:
        artifact = artifact | {'url': site[1] + artifact['url']}
    with pytest.raises(error, match=said):
        download(make_manifest(tmp_path, **artifact))
    assert not [p for p in private_cache.rglob('*') if p.is_file()]


def test_a_wrong_member(tmp_path, site):
    folder, url = site
    digest = file_sha256(folder / 'net.tar.gz')
    manifest = make_manifest(
        tmp_path, url=f'{url}/net.tar.gz', url_sha256=digest, member='inner/no'
    )
    with pytest.raises(ModelError, match='inner/no cannot be read from the archive'):
        download(manifest)


@pytest.mark.parametrize('url', ['file:///etc/hostname', 'ftp://host/net.onnx', 'data:,weights'])
def test_only_the_web_is_asked(tmp_path, url):
    manifest = make_manifest(tmp_path, url=url, sha256='b' * 64)
    with pytest.raises(ModelError, match='a url must begin with https://'):
        download(manifest)


@pytest.mark.parametrize('archive', [False, True])
def test_sizes_are_bounded(tmp_path, site, private_cache, monkeypatch, archive):
    folder, url = site
    (folder / 'net.onnx').write_bytes(bytes(10_000))
    with tarfile.open(folder / 'net.tar.xz', 'w:xz') as tar:
        tar.add(folder / 'net.onnx', 'net.onnx')
    assert (folder / 'net.tar.xz').stat().st_size < 300
    monkeypatch.setattr('rs_ml_perception.inference.download.MAX_FILE_BYTES', 300)
    name = 'net.tar.xz' if archive else 'net.onnx'
    source = {'url': f'{url}/{name}', 'url_sha256': file_sha256(folder / name)}
    manifest = make_manifest(tmp_path, **source, **({'member': 'net.onnx'} if archive else {}))
    with pytest.raises(ModelError, match='is larger than 300 bytes: nothing was kept'):
        download(manifest)
    assert not [p for p in private_cache.rglob('*') if p.is_file()]
