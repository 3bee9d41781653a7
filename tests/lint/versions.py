#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The release has one version, wherever it is written; the module is for the same kernels, wherever they are named."""
import os
import re
import sys

TOP_SRCDIR = os.environ.get('TOP_SRCDIR', os.path.realpath(os.path.join(os.path.dirname(__file__), '../..')))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP_SRCDIR, 'tests/lib'))
import tap  # noqa: E402


def found(path, pattern):
    """The first group of the pattern's only match in a file."""
    with open(os.path.join(TOP_SRCDIR, path), encoding='utf-8') as file:
        matches = re.findall(pattern, file.read(), re.M)
    tap.equal(len(matches), 1, f'{path}: matches of {pattern}')
    return matches[0]


def one_version():
    """configure.ac, dkms.conf and the module name one version"""
    version = found('configure.ac', r'^AC_INIT\(\[vmad\], \[([^]]*)\]')
    tap.equal(found('contrib/kmod/dkms.conf', r'^PACKAGE_VERSION="(.*)"$'), version, 'dkms.conf')
    tap.equal(found('contrib/kmod/version.h', r'^#define VMADK_MODULE_VERSION "(.*)"$'), version, 'version.h')


def same_kernels():
    """Kbuild, dkms.conf and the tests name the same series of kernels"""
    series = found('contrib/kmod/Kbuild', r'^vmadk-tried := \$\(filter ([0-9. ]*),').split()
    pattern = found('contrib/kmod/dkms.conf', r'^BUILD_EXCLUSIVE_KERNEL="(.*)"$')
    tested = found('tests/kernel/local.mk', r'^VMAD_SERIES = (.*)$').split()
    fetched = found('contrib/ci/kernels', r'^for series in ([0-9. ]*); do$').split()
    newer = found('contrib/ci/newer-kernel', r'^series=\$\{1:-([0-9.]*)\}$').split()
    tap.equal(tested + newer, series, 'tests/kernel/local.mk')
    tap.equal(fetched + newer, series, 'contrib/ci/kernels')
    for one in series:
        tap.truth(re.match(pattern, f'{one}.0-1-cloud-amd64'), f'dkms.conf leaves {one} out')
    for other in ('6.2.0', '6.11.4', '6.13.1', '6.18.0', '7.1.3', '7.3.4', '6.2.1', '7.20.1', '5.10.0'):
        tap.truth(not re.match(pattern, other), f'dkms.conf takes {other}')


tap.run([one_version, same_kernels])
