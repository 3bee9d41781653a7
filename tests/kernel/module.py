#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The helper module in QEMU, on each series of kernels that it is for: it builds without a word, does what it should, and leaves the
kernel as it was. The tests themselves (tests/kernel/*.c) run in the guest; their cases are ours.
"""
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import kmod  # noqa: E402
import qemu  # noqa: E402
from report import end, explain, pass_on, say  # noqa: E402

SERIES = os.environ.get('VMAD_SERIES', '6.1 6.12').split()
PROGRAMS = os.environ.get('VMAD_GUEST', 'ioctls vmas rmap files agree stress unload vmad').split()
ARGUMENTS = 'hugepages=24'
LIMIT = {False: 400, True: 1500}    # seconds; a kernel that watches itself takes its time
# An emulator copies a byte at a time where the kernel trusts the processor with it (rep movsb): no measure of anything.
CPU = 'max,-erms,-fsrm' if PROGRAMS == ['bench'] else 'max'


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


def run(kernel):
    """All cases of one kernel."""
    printed, module = kmod.build(kernel)
    said, untried = kmod.build(kernel, 'untried', 'vmadk-tried=')
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
    return end()


sys.exit(main())
