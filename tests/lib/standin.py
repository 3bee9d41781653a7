# SPDX-License-Identifier: GPL-2.0-or-later
"""A vmad with a stand-in for the helper module (standin_vmad.c): the lines of standin.h say what the module answers.

    with StandIn() as vmad:
        vmad.answer('vma 4242 0x1000 0x2000 0x75 0 - - - 0')
"""
import os
import tempfile

from vmad import TOP_BUILDDIR, Vmad

BINARY = os.path.join(TOP_BUILDDIR, 'tests/api/vmad-standin')
SIZE = 1 << 20
INFO = 'info 1 0x7f'


class StandIn(Vmad):
    """Vmad with answer(): what the module says from now on."""

    def __init__(self, **options):
        self._generation = 0
        self._file = tempfile.NamedTemporaryFile(prefix='vmad-standin-')
        self._file.truncate(SIZE)
        os.chmod(self._file.name, 0o644)
        self.answer()
        super().__init__(environment={'VMAD_STANDIN': self._file.name}, binary=BINARY, **options)

    def answer(self, *lines, info=INFO):
        """These lines, after INFO's; info=None: the device is missing."""
        self._generation += 1
        text = '\n'.join(['absent' if info is None else f'generation {self._generation}', info or '', *lines, '']).encode()
        os.pwrite(self._file.fileno(), text.ljust(SIZE, b'\0'), 0)

    def stop(self):
        try:
            return super().stop()
        finally:
            self._file.close()
