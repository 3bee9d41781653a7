#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the linker was told: a program that runs as root lies anywhere, and nothing of it is writable and executable."""
import os
import subprocess
import sys

TOP_SRCDIR = os.environ.get('TOP_SRCDIR', os.path.realpath(os.path.join(os.path.dirname(__file__), '../..')))
TOP_BUILDDIR = os.environ.get('TOP_BUILDDIR', '.')
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP_SRCDIR, 'tests/lib'))
import tap  # noqa: E402

PROGRAMS = ['daemon/vmad', 'client/vmactl']


def readelf(option, program):
    command = ['readelf', '--wide', option, os.path.join(TOP_BUILDDIR, program)]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def segment(program, name):
    """Its flags."""
    lines = [line.split() for line in readelf('--program-headers', program).split('\n')]
    found = [line for line in lines if line and line[0] == name]
    tap.equal(len(found), 1, f'{program}: segments {name}')
    return ''.join(found[0][6:-1])


def anywhere():
    """both are position-independent"""
    for program in PROGRAMS:
        header = readelf('--file-header', program)
        tap.truth('DYN (Position-Independent' in header, f'{program}: {header}')


def no_symbol_is_looked_up_later():
    """both have all symbols from the start, and where they are is read only"""
    for program in PROGRAMS:
        dynamic = readelf('--dynamic', program)
        tap.truth('BIND_NOW' in dynamic or 'Flags: NOW' in dynamic, f'{program}: {dynamic}')
        tap.equal(segment(program, 'GNU_RELRO'), 'R', program)


def no_code_on_the_stack():
    """both have a stack that is not executable"""
    for program in PROGRAMS:
        tap.equal(segment(program, 'GNU_STACK'), 'RW', program)


tap.run([anywhere, no_symbol_is_looked_up_later, no_code_on_the_stack])
