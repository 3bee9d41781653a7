# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the helper module for a kernel."""
import os
import re
import subprocess

import qemu


def build(kernel, name='module', *variables):
    """Makes vmad.ko for a kernel, with all warnings on. Returns what was printed, and the module's path or None."""
    where = qemu.TOP_BUILDDIR / 'tests/kernel' / f'{name}-{kernel.series}'
    root = kernel.compilers_root()
    prefix = [qemu.TOP_SRCDIR / 'contrib/ci/in-root', root, qemu.TOP_SRCDIR, qemu.TOP_BUILDDIR, '--'] if root else []
    options = ['C=1'] if has_sparse() and not root else []
    made = subprocess.run([*prefix, 'make', '-s', '--no-print-directory', '-C', qemu.TOP_SRCDIR / 'contrib/kmod', f'MO={where}',
                           f'KDIR={"" if root else kernel.directory}/build', 'W=1', *variables, *options], capture_output=True, text=True, check=False,
                          env={name: value for name, value in os.environ.items() if name not in ('MAKEFLAGS', 'MAKELEVEL', 'MFLAGS')})
    module = where / 'vmad.ko'
    words = [line for line in (made.stdout + made.stderr).split('\n') if line and not line.startswith('Skipping BTF')]
    # What sparse finds in the kernel's own headers is not ours.
    ours = [line for line in words if not re.search(r'/linux-(headers|source)-', line)]
    return '\n'.join(ours), module if made.returncode == 0 and module.exists() else None


def has_sparse():
    return subprocess.run(['which', 'sparse'], capture_output=True, check=False).returncode == 0
