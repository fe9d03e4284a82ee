"""What the build installs: complete file lists, one version, both kinds of colcon build, pip."""

import ast
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'rs_ml_perception'
NAME = 'rs_ml_perception'
EXECUTABLES = (
    'detection_node',
    'height_node',
    'denoise_node',
    'mono_depth_node',
    'segmentation_node',
    'perception_graph',
    'replay_node',
    'record_node',
    'rs-ml',
    'rs-ml-plane-rms',
)


def setup_arguments(monkeypatch) -> dict:
    """The keywords that setup.py hands to setuptools."""
    seen = {}
    monkeypatch.chdir(PACKAGE)
    monkeypatch.setattr('setuptools.setup', lambda **keywords: seen.update(keywords))
    path = PACKAGE / 'setup.py'
    exec(compile(path.read_text(), path, 'exec'), {'__file__': str(path), '__name__': 'setup'})
    return seen


def shared_files() -> dict[str, Path]:
    """Every file that has to be installed beside the modules, by its place."""
    sources = [
        (PACKAGE, 'launch', '*.launch.py'),
        (PACKAGE, 'config', '**/*'),
        (PACKAGE, 'models', '**/*'),
        (PACKAGE, 'recordings', '**/*'),
    ]
    found = {}
    for base, folder, pattern in sources:
        for path in (base / folder).glob(pattern):
            if path.is_file():
                found[str(path.relative_to(base))] = path
    return found


def xml_texts(package: str, tag: str) -> list[str]:
    root = ElementTree.parse(ROOT / package / 'package.xml').getroot()
    return [element.text for element in root.iter(tag)]


def test_setup_lists_every_shared_file(monkeypatch):
    listed = {
        f'{target}/{Path(file).name}': (PACKAGE / file).resolve()
        for target, files in setup_arguments(monkeypatch)['data_files']
        for file in files
    }
    expected = {f'share/{NAME}/{place}': path for place, path in shared_files().items()}
    assert expected
    assert expected.items() <= listed.items()


def test_an_incomplete_folder_is_named(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / NAME, ignore=shutil.ignore_patterns('test', 'launch'))
    run = subprocess.run(
        [sys.executable, 'setup.py', '--version'],
        cwd=tmp_path / NAME,
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert 'no *.launch.py in' in run.stderr


def modules_behind(executables: Path) -> dict[str, Path]:
    """Name of each function in executables.py -> the module it runs."""
    found = {}
    for statement in ast.parse(executables.read_text()).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            module = statement.value.args[0].value
            folder = 'nodes/' if statement.value.func.id == '_node' else ''
            path = executables.parent / f'{folder}{module.replace(".", "/")}.py'
            found[statement.targets[0].id] = path
    return found


def test_every_executable_has_its_module(monkeypatch):
    scripts = setup_arguments(monkeypatch)['entry_points']['console_scripts']
    targets = dict(script.split(' = ') for script in scripts)
    assert tuple(targets) == EXECUTABLES
    modules = modules_behind(PACKAGE / NAME / 'executables.py')
    for target in targets.values():
        module, function = target.split(':')
        assert module == f'{NAME}.executables'
        body = ast.parse(modules[function].read_text()).body
        assert 'main' in {node.name for node in body if hasattr(node, 'name')}, target


def test_versions_and_licences_are_equal(monkeypatch):
    arguments = setup_arguments(monkeypatch)
    init = (PACKAGE / NAME / '__init__.py').read_text()
    versions = {
        'setup.py': arguments['version'],
        '__init__.py': re.search(r"__version__ = '(.+)'", init)[1],
        'package.xml': xml_texts(NAME, 'version')[0],
        'rs_ml_msgs': xml_texts('rs_ml_msgs', 'version')[0],
    }
    assert len(set(versions.values())) == 1, versions
    licences = {arguments['license'], *xml_texts(NAME, 'license')}
    assert licences == {'Apache-2.0'} == {*xml_texts('rs_ml_msgs', 'license')}


ROS_NAMES = re.compile(
    r'^(rclpy|launch|launch_ros|cv_bridge|message_filters|ament_index_python|\w+_(msgs|srvs|interfaces))$'
)


def imported_ros_packages() -> set[str]:
    """The ROS packages that any source or launch file of this package imports."""
    found = set()
    for path in [*(PACKAGE / NAME).rglob('*.py'), *(ROOT / 'launch').glob('*.py')]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split('.')[0])
    return {name for name in found if ROS_NAMES.match(name)}


def test_package_xml_names_every_imported_ros_package():
    imported = imported_ros_packages()
    assert 'rclpy' in imported
    assert imported <= set(xml_texts(NAME, 'exec_depend'))


@pytest.mark.parametrize('package', [NAME, 'rs_ml_msgs'])
def test_package_xml_is_accepted(package):
    catkin_pkg = pytest.importorskip('catkin_pkg.package')
    parsed = catkin_pkg.parse_package(ROOT / package)
    warnings = []
    parsed.validate(warnings=warnings)
    assert not warnings


def run_checked(command, **options):
    run = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return run


def assert_installed(prefix: Path, scripts: str):
    """Marker, package.xml, scripts and all shared files lie under the prefix."""
    share = prefix / 'share'
    assert (share / 'ament_index/resource_index/packages' / NAME).exists()
    assert (share / NAME / 'package.xml').exists()
    for place, source in shared_files().items():
        assert (share / NAME / place).read_bytes() == source.read_bytes()
    for executable in EXECUTABLES:
        assert os.access(prefix / scripts / executable, os.X_OK), executable


@pytest.mark.slow
@pytest.mark.parametrize('options', [[], ['--symlink-install']], ids=['plain', 'symlink'])
def test_colcon_build(tmp_path, options):
    pytest.importorskip('colcon_core')
    command = [sys.executable, '-m', 'colcon', '--log-base', tmp_path / 'log', 'build']
    command += ['--base-paths', PACKAGE, '--build-base', tmp_path / 'build']
    run_checked([*command, '--install-base', tmp_path / 'install', *options], cwd=tmp_path)
    prefix = tmp_path / 'install' / NAME
    assert_installed(prefix, f'lib/{NAME}')
    installed = prefix / 'share' / NAME / 'config' / 'fastdds.xml'
    assert installed.is_symlink() == bool(options)
    run_checked([prefix / 'lib' / NAME / 'rs-ml', '--help'], env=overlay(tmp_path))


def overlay(base: Path) -> dict[str, str]:
    """The variables of the build in base, as its local_setup.bash gives them."""
    script = f'source {base}/install/local_setup.bash && env -0'
    env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    run = run_checked(['bash', '-c', script], env=env)
    return dict(line.split('=', 1) for line in run.stdout.split('\0') if '=' in line)


@pytest.mark.slow
def test_pip_install(tmp_path):
    """A wheel from the package folder holds the shared files, and its scripts land in bin/."""
    work = tmp_path / 'checkout'
    shutil.copytree(PACKAGE, work / NAME, ignore=shutil.ignore_patterns('test'))
    options = ['--no-deps', '--no-build-isolation', '--disable-pip-version-check', '-q']
    target = tmp_path / 'prefix'
    pip = [sys.executable, '-m', 'pip', 'install', '-I', '--prefix', target, *options]
    run_checked([*pip, work / NAME], cwd=tmp_path)
    assert_installed(target, 'bin')
    (package,) = target.glob(f'lib*/python*/site-packages/{NAME}')
    assert (package / 'py.typed').exists()
