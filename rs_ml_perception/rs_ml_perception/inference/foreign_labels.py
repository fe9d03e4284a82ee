"""Class names of a foreign network: those in its file, or those that a user names."""

from __future__ import annotations

from pathlib import Path

from rs_ml_perception.core.errors import ConfigError, ModelError
from rs_ml_perception.core.files import read_regular_text
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.inference.contents import FileContents, plain
from rs_ml_perception.inference.foreign_yaml import MAX_BYTES
from rs_ml_perception.inference.labels_file import read_labels
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.shelf import find_model

_MAPPINGS = ('.yaml', '.yml', '.json')


def labels_of(contents: FileContents) -> LabelMap:
    """The labels in the metadata of Ultralytics, OpenVINO or TFLite; empty if there are none.

    Raises:
        ModelError: they are no names.
    """
    names = contents.metadata.get('names') or contents.metadata.get('labels')
    if isinstance(names, str):
        names = names.split()
    if not isinstance(names, list | dict):
        texts = [text for name, text in contents.files.items() if 'label' in name.lower()]
        names = [line.strip() for line in texts[0].splitlines()] if texts else []
    return read_labels(names, contents.path.parent, where=str(contents.path))


def given_labels(text: str) -> LabelMap:
    """The labels of a file, or of a known model.

    Args:
        text: file with one name a line, .pbtxt, .yaml or .json with a list or mapping (also under
            `names`), or name of a model.

    Raises:
        ConfigError: it is none of these.
        ModelError: the names are wrong.
    """
    path = Path(text).expanduser()
    if not path.is_file():
        try:
            return read_manifest(find_model(text)).labels
        except ModelError as error:
            raise ConfigError(f'--labels {text} is neither a file nor a model: {error}') from error
    if path.suffix not in _MAPPINGS:
        return read_labels(path.name, path.parent, where=text)
    content = plain(read_regular_text(path, max_bytes=MAX_BYTES))
    names = content.get('names', content) if isinstance(content, dict) else content
    if not isinstance(names, list | dict):
        raise ConfigError(f'--labels {text} holds no list of names')
    return read_labels(names, path.parent, where=text)
