"""The TFDS builder `full_semantic`: your images and class ids in TFRecord shards."""

from __future__ import annotations

import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.image_files import read_labels, read_rgb
from rs_ml_training.data.output_folder import new_folder
from rs_ml_training.data.pairing import paired_by_stem

ZIP_NAME = 'full_semantic.zip'


class FullSemantic(tfds.core.GeneratorBasedBuilder):
    """Features `rgb` (H, W, 3) and `gt` (H, W, 1), one split `train`."""

    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES = {'1.0.0': 'rgb and gt, one split.'}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f'Put {ZIP_NAME}, with rgb/*.png and gt/*.png of the same names, into the manual folder.'
    )

    # Nothing is downloaded, so there are no checksums to look for.
    url_infos: Mapping[str, Any] = {}

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            'rgb': tfds.features.Image(shape=(None, None, 3), encoding_format='png'),
            'gt': tfds.features.Image(shape=(None, None, 1), encoding_format='png'),
        }
        return self.dataset_info_from_configs(
            description='Pictures and the class of each of their pixels.',
            features=tfds.features.FeaturesDict(features),
            supervised_keys=('rgb', 'gt'),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        archive = Path(dl_manager.manual_dir) / ZIP_NAME
        return {'train': self._generate_examples(Path(dl_manager.extract(archive)))}

    def _generate_examples(self, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        for stem, (rgb, gt) in paired_by_stem(folder / 'rgb', folder / 'gt').items():
            labels = read_labels(gt)
            yield stem, {'rgb': read_rgb(rgb), 'gt': labels[..., None]}


def prepare(source: Path, out: Path) -> Path:
    """Build the data set.

    Args:
        source: a zip with rgb/ and gt/, or a folder with both.
        out: a new folder, a TFDS data directory afterwards.

    Returns:
        The folder of the prepared version.

    Raises:
        InputError: there is no such source, or it is no such zip.
    """
    with tempfile.TemporaryDirectory() as manual, new_folder(out) as data:
        _place_zip(Path(source), Path(manual) / ZIP_NAME)
        tfds.display_progress_bar(enable=sys.stderr.isatty())
        builder = FullSemantic(data_dir=data, file_format='tfrecord')
        config = tfds.download.DownloadConfig(
            manual_dir=manual, extract_dir=Path(manual) / 'extracted'
        )
        builder.download_and_prepare(download_dir=Path(manual) / 'cache', download_config=config)
        prepared = Path(builder.data_dir).relative_to(data)
    return out / prepared


def _place_zip(source: Path, target: Path) -> None:
    if source.is_dir():
        pairs = paired_by_stem(source / 'rgb', source / 'gt')
        with zipfile.ZipFile(target, 'w') as archive:
            for pair in pairs.values():
                for path in pair:
                    archive.write(path, f'{path.parent.name}/{path.name}')
    elif zipfile.is_zipfile(source):
        shutil.copyfile(source, target)
    else:
        raise InputError(f'{source} is neither a zip nor a folder with rgb/ and gt/')
