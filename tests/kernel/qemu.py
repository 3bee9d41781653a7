# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine for one test: a Debian kernel in QEMU, without KVM, with an initramfs of our own and nothing else.

The kernels are what contrib/ci/kernels has unpacked below KERNELS/SERIES: vmlinuz, modules, build (headers), release.
"""
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

TOP_SRCDIR = pathlib.Path(os.environ.get('TOP_SRCDIR', pathlib.Path(__file__).resolve().parents[2]))
TOP_BUILDDIR = pathlib.Path(os.environ.get('TOP_BUILDDIR', TOP_SRCDIR))
KERNELS = pathlib.Path(os.environ.get('VMAD_KERNELS', TOP_SRCDIR / 'build/kernels'))
QEMU = 'qemu-system-x86_64'

# What a kernel says only when something is wrong with it.
WRONG = re.compile(r'BUG|WARNING|Oops|Call Trace|general protection|possible (circular|recursive|irq|deadlock)|inconsistent lock'
                   r'|suspicious RCU|soft lockup|hard LOCKUP|blocked for more than|rcu.*(stall|detected)|refcount_t|Bad page'
                   r'|bad: scheduling|sleeping function|Kernel panic|KASAN|UBSAN|list_(add|del) corruption|leaked')


class Kernel:
    """One of the kernels: its release, the image, the headers."""

    def __init__(self, series):
        self.series = series
        self.directory = KERNELS / series

    def why_not(self):
        """The reason why it cannot be booted here, or None."""
        if not shutil.which(QEMU):
            return f'{QEMU} is not installed'
        if not (self.directory / 'release').exists():
            return f'no kernel in {self.directory}: contrib/ci/kernels fetches it'
        return None

    def compilers_root(self):
        """The root that modules are built in, where the host's own compiler is too old for the headers; or None."""
        return self.directory if (self.directory / 'usr/bin/make').exists() else None

    @property
    def release(self):
        return (self.directory / 'release').read_text().strip()

    def module(self, name):
        """The bytes of one of the kernel's own modules; None: it has none of that name."""
        for path in sorted((self.directory / 'modules').rglob(f'{name}.ko*')):
            data = path.read_bytes()
            return lzma.decompress(data) if path.suffix == '.xz' else data
        return None


def cpio(files):
    """An initramfs (newc) of {path: bytes}; all are executable, and their directories are made."""
    out, directories = [], {'dev', 'proc', 'sys', 'tmp', 'run'}

    def entry(name, mode, data, number):
        name = name.encode() + b'\0'
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
        out.append((b'070701' + b''.join(b'%08X' % field for field in fields) + name).ljust((110 + len(name) + 3) // 4 * 4, b'\0'))
        out.append(data + b'\0' * (-len(data) % 4))

    for path in files:
        directories |= {str(parent) for parent in pathlib.PurePath(path).parents} - {'.'}
    number = 0
    for number, path in enumerate(sorted(directories), 1):
        entry(path, 0o040755, b'', number)
    for number, (path, data) in enumerate(files.items(), number + 1):
        entry(path, 0o100755, data, number)
    entry('TRAILER!!!', 0, b'', 0)
    return b''.join(out)


def needed(program):
    """What a program needs to be run in the guest: {path there: bytes}, itself left out; nothing for a static one."""
    listed = subprocess.run(['ldd', program], capture_output=True, text=True, check=False).stdout
    paths = re.findall(r'(/\S+) \(0x', listed)
    return {path.lstrip('/'): pathlib.Path(path).read_bytes() for path in paths}


class Run:
    """What a boot has left: the kernel's console, what each command said, and how it ended."""

    def __init__(self, console, lines, ended):
        self.console, self.lines, self.ended = console, lines, ended
        self.commands = [(name, text, int(status)) for name, text, status in
                         re.findall(r'^=== begin (.*?)\n(.*?)^=== end (\d+)$', lines, re.M | re.S)]
        tail = re.search(r'^=== begin ((?:(?!^=== end).)*)\Z', lines, re.M | re.S)
        self.unended = tail.group(1) if tail else None
        self.done = re.search(r'^=== done$', lines, re.M) is not None

    def complaints(self):
        """Lines of the console in which the kernel says that something is wrong."""
        return [line for line in self.console.split('\n') if WRONG.search(line)]


def _run(kernel, lines, limit, memory, cpu, arguments, *devices):
    """A machine from its start to its end: (the kernel's console, how it ended). Its second serial line is written to a file."""
    command = [QEMU, '-accel', 'tcg,thread=multi', '-cpu', cpu, '-smp', '2', '-m', memory, '-nodefaults', '-no-user-config',
               '-display', 'none', '-no-reboot', '-serial', 'stdio', '-serial', f'file:{lines}', '-kernel', kernel.directory / 'vmlinuz',
               '-append', f'console=ttyS0 panic=-1 oops=panic {arguments}', *devices]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        console, _ = process.communicate(timeout=limit)
        ended = f'QEMU ended with status {process.returncode}'
    except subprocess.TimeoutExpired:
        process.kill()
        console, _ = process.communicate()
        ended = f'the guest did not end within {limit} s'
    return console.decode(errors='replace'), ended


def boot(kernel, files, commands, limit=300, memory='1G', arguments='', cpu='max'):
    """Boots with these files ({path: bytes}; bin/init is process 1) and runs the commands."""
    files = {'init': (TOP_BUILDDIR / 'tests/kernel/init').read_bytes(), 'commands': '\n'.join(commands).encode() + b'\n', **files}
    with tempfile.TemporaryDirectory() as directory:
        initrd, lines = pathlib.Path(directory, 'initrd'), pathlib.Path(directory, 'lines')
        initrd.write_bytes(cpio(files))
        console, ended = _run(kernel, lines, limit, memory, cpu, f'loglevel=5 {arguments}', '-initrd', initrd,
                              '-device', 'isa-debug-exit,iobase=0xf4,iosize=4')
        text = lines.read_text(errors='replace') if lines.exists() else ''
    return Run(console, text, ended)


def boot_from(kernel, image, arguments, limit, memory='1G'):
    """Boots from an ext4 file system in a file; it turns itself off. Debian's kernels have the drivers for that built in."""
    with tempfile.TemporaryDirectory() as directory:
        lines = pathlib.Path(directory, 'lines')
        console, ended = _run(kernel, lines, limit, memory, 'max', f'loglevel=4 root=/dev/nvme0n1 rootfstype=ext4 rw {arguments}', '-drive',
                              f'file={image},if=none,id=root,format=raw,cache=unsafe', '-device', 'nvme,serial=root,drive=root')
        text = lines.read_text(errors='replace') if lines.exists() else ''
    return Run(console, text, ended)
