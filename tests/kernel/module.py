#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The helper module in QEMU, on each series of kernels that it is for: it builds without a word, does what it should, and leaves the
kernel as it was. The tests themselves (tests/kernel/*.c) run in the guest; their cases are ours.
"""
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import qemu  # noqa: E402

SERIES = os.environ.get('VMAD_SERIES', '6.1 6.12').split()
PROGRAMS = os.environ.get('VMAD_GUEST', 'ioctls vmas rmap files agree stress unload vmad').split()
ARGUMENTS = 'hugepages=24'
LIMIT = {False: 400, True: 1500}    # seconds; a kernel that watches itself takes its time
# An emulator copies a byte at a time where the kernel trusts the processor with it (rep movsb): no measure of anything.
CPU = 'max,-erms,-fsrm' if PROGRAMS == ['bench'] else 'max'

number = failed = 0


def say(verdict, text, reason=''):
    """One case."""
    global number, failed
    number += 1
    failed += not verdict
    skip = f' # SKIP {reason}' if reason and verdict else ''
    print(f'{"" if verdict else "not "}ok {number} - {text}{skip}', flush=True)
    if reason and not verdict:
        explain(reason)


def explain(text):
    for line in text.rstrip().split('\n'):
        print(f'# {line}', flush=True)


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


def guest_files(kernel, module, untried):
    files = {'bin/guest': (qemu.TOP_BUILDDIR / 'tests/kernel/guest').read_bytes(), 'modules/vmad.ko': module.read_bytes(),
             'untried/vmad.ko': untried.read_bytes()}
    for name in ('brd', 'overlay'):
        data = kernel.module(name)
        if data:
            files[f'modules/{name}.ko'] = data
    if {'vmad', 'bench'} & set(PROGRAMS):
        files |= {'etc/passwd': b'root:x:0:0::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n'}
        for name, path in (('usr/sbin/vmad', 'daemon/vmad'), ('usr/bin/vmactl', 'client/vmactl')):
            program = qemu.TOP_BUILDDIR / path
            files |= {name: program.read_bytes(), **qemu.needed(program)}
    return files


def pass_on(series, program, text, status):
    """The cases of one program in the guest, as ours."""
    planned = int((re.search(r'^1\.\.(\d+)$', text, re.M) or [0, 0])[1])
    cases = re.findall(r'^(not )?ok \d+ - (.*?)(?: # SKIP (.*))?$', text, re.M)
    comments = re.findall(r'^# .*$', text, re.M)
    for line in comments:
        print(line)
    for bad, sentence, reason in cases:
        say(not bad, f'{series}: {program}: {sentence}', reason)
    if len(cases) != planned or not planned:
        say(False, f'{series}: {program} runs what it planned', f'{len(cases)} of {planned} cases, status {status}\n{text[-2000:]}')


def run(kernel):
    """All cases of one kernel."""
    printed, module = build(kernel)
    said, untried = build(kernel, 'untried', 'vmadk-tried=')
    good = module and untried and not printed and not said
    say(good, f'{kernel.series}: the module builds without a warning', '' if good else printed + said or 'no vmad.ko')
    if not module or not untried:
        return
    files = guest_files(kernel, module, untried)
    commands = [f'module /{path}' for path in files if path.startswith('modules/')] + [f'/bin/guest {name}' for name in PROGRAMS]
    began = time.monotonic()
    booted = qemu.boot(kernel, files, commands, limit=LIMIT[kernel.series.endswith('-debug')], arguments=ARGUMENTS, cpu=CPU)
    explain(f'{kernel.release}: {time.monotonic() - began:.0f} s in QEMU')
    for command, text, status in booted.commands:
        if command.startswith('/bin/guest'):
            pass_on(kernel.series, command.split()[1], text, status)
        else:
            say(status == 0, f'{kernel.series}: {os.path.basename(command)} is loaded', '' if status == 0 else text)
    wrong = booted.complaints()
    say(not wrong, f'{kernel.series}: the kernel complains of nothing', booted.console[-6000:] if wrong else '')
    say(booted.done, f'{kernel.series}: the guest ends by itself', '' if booted.done else f'{booted.ended}; it was at {booted.unended}\n'
        + booted.console[-3000:])


def main():
    for series in SERIES:
        kernel = qemu.Kernel(series)
        reason = kernel.why_not()
        if reason:
            say(True, f'{series}: the helper module in QEMU', reason)
        else:
            run(kernel)
    print(f'1..{number}')
    return failed > 0


sys.exit(main())
