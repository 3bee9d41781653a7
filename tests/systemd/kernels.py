#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmad as systemd runs it on Debian's own kernels, in QEMU: what a container cannot show, for its kernel and its control groups are
the host's. The cases run in the guest (guest.py, cases.py); here its disk is made, and it is booted.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'kernel'), str(HERE.parent / 'lib')]
import cases  # noqa: E402
import kmod  # noqa: E402
import qemu  # noqa: E402
from image import Image  # noqa: E402
from report import end, explain, pass_on, say  # noqa: E402
from vmad import is_sanitized  # noqa: E402

SERIES = os.environ.get('VMAD_UNITS_SERIES', '6.12').split()
LIMIT_SECONDS = 900     # on a busy host
MEGABYTES = 256
DROP_IN = '[Unit]\nStartLimitBurst=100\n'
PROGRAMS = ('sh', 'cat', 'mkdir', 'kill', 'id', 'mount', 'getent', 'setpriv', 'ip', 'openssl', 'curl', 'modprobe', 'rmmod', 'systemctl',
            'systemd-tmpfiles', 'journalctl')
# What is started at boot; all other units are there, too, and are not wanted by anybody.
WANTED = {
    'sysinit': ('systemd-journald.service', 'systemd-tmpfiles-setup.service'),
    'sockets': ('systemd-journald.socket', 'systemd-journald-dev-log.socket'),
}
NOT_WANTED = ('*.wants', '*generators', 'user', 'portable', 'catalog', 'network')
FILES = {
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    '/etc/group': 'root:x:0:\nnogroup:x:65534:\n',
    '/etc/nsswitch.conf': 'passwd: files\ngroup: files\n',
    '/etc/hostname': 'guest\n',
    '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    # Once all is started; what it prints is for the second serial line.
    '/etc/systemd/system/test.service': '[Unit]\nAfter=multi-user.target\n[Service]\nType=exec\n'
                                        'ExecStart=/usr/bin/python3 -B /tests/systemd/guest.py\nExecStopPost=/bin/systemctl poweroff -ff\n'
                                        'StandardOutput=file:/dev/ttyS1\nStandardError=inherit\n',
    '/etc/systemd/system/test.target': '[Unit]\nRequires=multi-user.target\nWants=test.service\n',
}
ARGUMENTS = 'init=/usr/lib/systemd/systemd systemd.unit=test.target systemd.show_status=0'


def why_not():
    """Why no disk can be made here; or None."""
    if os.geteuid() != 0:
        return 'needs root, whose files are on the disk'
    if is_sanitized():
        return 'the units bound memory to what a vmad without sanitizers needs'
    return next((f'{name} is not installed' for name in (*PROGRAMS, 'mke2fs', 'depmod', '/lib/systemd/systemd') if not shutil.which(name)), None)


def put_systemd(image):
    """systemd, as this host has it, with little to do."""
    image.tree('/usr/lib/systemd', NOT_WANTED)
    for target, units in WANTED.items():
        directory = image.path(f'/usr/lib/systemd/system/{target}.target.wants')
        os.mkdir(directory)
        for unit in units:
            os.symlink(f'../{unit}', os.path.join(directory, unit))


def put_module(image, kernel, module):
    """The helper module as DKMS installs it."""
    below = f'/usr/lib/modules/{kernel.release}'
    for name in ('modules.order', 'modules.builtin', 'modules.builtin.modinfo'):
        image.copy(f'{below}/{name}', kernel.directory / 'modules' / kernel.release / name)
    image.copy(f'{below}/updates/dkms/vmad.ko', module)
    subprocess.run(['depmod', '-b', image.root, kernel.release], check=True)


def put_tests(image):
    """What runs there."""
    for name in ('systemd/guest.py', 'systemd/cases.py', 'lib/container.py', 'lib/root.py', 'lib/tap.py', 'lib/wire.py',
                 'lib/workdir.py'):
        image.copy(f'/tests/{name}', HERE.parent / name)


def make_disk(kernel, module, path):
    """A system with vmad as make install leaves it."""
    with Image() as image:
        cases.box = image
        for name, text in FILES.items():
            image.write(name, text)
        put_systemd(image)
        cases.install(DROP_IN)
        put_module(image, kernel, module)
        put_tests(image)
        image.programs(*PROGRAMS)
        image.python()
        image.copy('/usr/lib/ssl/openssl.cnf')
        image.with_libraries()
        image.pack(path, MEGABYTES)


def run(kernel):
    """All cases on one kernel."""
    printed, module = kmod.build(kernel)
    if not module:
        say(False, f'{kernel.series}: the module builds', printed)
        return
    with tempfile.TemporaryDirectory() as directory:
        disk, began = os.path.join(directory, 'disk'), time.monotonic()
        make_disk(kernel, module, disk)
        made = time.monotonic()
        booted = qemu.boot_from(kernel, disk, ARGUMENTS, LIMIT_SECONDS)
        explain(f'{kernel.release}: a disk within {made - began:.0f} s, {time.monotonic() - made:.0f} s in QEMU')
    pass_on(kernel.series, 'units', booted.lines, booted.ended)
    wrong = booted.complaints()
    say(not wrong, f'{kernel.series}: the kernel complains of nothing', booted.console[-6000:] if wrong else '')


def main():
    for series in SERIES:
        kernel = qemu.Kernel(series)
        reason = kernel.why_not() or why_not()
        if reason:
            say(True, f'{series}: systemd and its units in QEMU', reason)
        else:
            run(kernel)
    return end()


sys.exit(main())
