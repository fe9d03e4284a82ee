"""Digests of files and folders, against coreutils."""

import subprocess

from rs_ml_perception.inference.checksum import file_sha256, sha256_of, tree_sha256

EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
RECIPE = "find -type f | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum | sha256sum"


def test_empty_file_and_empty_folder(tmp_path):
    (tmp_path / 'f').touch()
    (tmp_path / 'd').mkdir()
    assert file_sha256(tmp_path / 'f') == sha256_of(tmp_path / 'd') == EMPTY


def test_folder_is_digested_as_documented(tmp_path):
    for name in ('saved_model.pb', 'variables/variables.index', 'A', 'variables-2'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    shell = subprocess.run(RECIPE, shell=True, cwd=tmp_path, capture_output=True, check=True)
    assert tree_sha256(tmp_path) == shell.stdout.decode().split()[0]


def test_a_moved_file_changes_the_digest(tmp_path):
    (tmp_path / 'a').write_text('x')
    before = tree_sha256(tmp_path)
    (tmp_path / 'a').rename(tmp_path / 'b')
    assert tree_sha256(tmp_path) != before
