# SPDX-License-Identifier: GPL-2.0-or-later
"""A root file system for a machine: programs of this host with the libraries that they need, and what else is put there.

    with Image() as image:
        image.programs('sh', 'curl')
        image.write('/etc/hostname', 'guest\\n')
        image.pack(path)        # ext4
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from root import Root

PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'
# As Debian 12 has them.
LINKS = {'bin': 'usr/bin', 'sbin': 'usr/sbin', 'lib': 'usr/lib', 'lib64': 'usr/lib64', 'var/run': '/run'}
DIRECTORIES = ('dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'var/log', 'var/tmp')
PYTHON_LEFT_OUT = ('config-*', 'test', 'lib2to3', 'idlelib', 'pydoc_data', 'ensurepip', '__pycache__', '*.a')


def libraries(programs):
    """The libraries of programs, and who loads them: paths as the programs name them."""
    listed = subprocess.run(['ldd', *programs], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r'(/\S+) \(0x', listed))


def is_elf(path):
    """Is it a program or a library?"""
    with open(path, 'rb') as file:
        return file.read(4) == b'\x7fELF'


class Image(Root):
    """See above."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory(prefix='vmad-image-')
        super().__init__(self._directory.name)
        for name in DIRECTORIES:
            os.makedirs(self.path(name))
        for name, target in LINKS.items():
            os.symlink(target, self.path(name))
        os.chmod(self.root, 0o755)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._directory.cleanup()

    def copy(self, name, source=None):
        """One file of this host; by a link, what the link leads to."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        shutil.copy2(source or name, self.path(name))

    def tree(self, name, ignore=()):
        """A directory of this host."""
        shutil.copytree(name, self.path(name), symlinks=True, ignore=shutil.ignore_patterns(*ignore), dirs_exist_ok=True)

    def programs(self, *names):
        """Programs by their names in PATH; by a link, what the link leads to."""
        for name in names:
            found = shutil.which(name, path=PATH)
            if not found:
                raise FileNotFoundError(f'{name} is not installed')
            self.copy(found)

    def python(self):
        """Python with its own library."""
        program = os.path.realpath('/usr/bin/python3')
        self.copy(program)
        os.symlink(os.path.basename(program), self.path('/usr/bin/python3'))
        self.tree(f'/usr/lib/{os.path.basename(program)}', PYTHON_LEFT_OUT)

    def with_libraries(self):
        """What the programs that are in it by now are linked with."""
        files = [path for path in pathlib.Path(self.root).rglob('*') if path.is_file() and not path.is_symlink()]
        found = [path for path in files if is_elf(path)]
        for library in libraries(found):
            if not os.path.exists(self.path(library)):
                self.copy(library)

    def pack(self, path, megabytes):
        """Makes it an ext4 file system in a file. All is root's."""
        subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-E', 'root_owner=0:0', '-d', self.root, path, f'{megabytes}M'],
                       check=True, stdout=subprocess.DEVNULL, env={**os.environ, 'PATH': PATH})
