#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd understands the units, and vmad and they agree on the sockets."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP_SRCDIR = os.environ.get('TOP_SRCDIR', os.path.realpath(os.path.join(os.path.dirname(__file__), '../..')))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP_SRCDIR, 'tests/lib'))
import tap  # noqa: E402

UNITS = os.path.join(TOP_SRCDIR, 'contrib/systemd')
# Each would hide from vmad what it is asked about.
FORBIDDEN = ['ProtectProc', 'ProcSubset', 'PrivateUsers', 'PrivatePIDs']


def read(name):
    """A unit's text."""
    with open(os.path.join(UNITS, name), encoding='utf-8') as file:
        return file.read()


def settings(name):
    """[(key, value)] of a unit."""
    return re.findall(r'^([A-Za-z0-9]+)=(.*)$', read(name), re.M)


def verify(service):
    """What systemd-analyze says of the units with this text of vmad.service: (status, text)."""
    if not shutil.which('systemd-analyze'):
        raise tap.Skip('systemd-analyze is not installed')
    with tempfile.TemporaryDirectory() as directory:
        for name in os.listdir(UNITS):
            if name.endswith('.socket'):
                shutil.copyfile(os.path.join(UNITS, name), os.path.join(directory, name))
        path = os.path.join(directory, 'vmad.service')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(service.replace('@sbindir@/vmad', '/bin/true'))
        done = subprocess.run(['systemd-analyze', 'verify', '--man=no', path], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if 'vmad' in line]
    return done.returncode, '\n'.join(ours)


def systemd_takes_them():
    """systemd-analyze verify has nothing to say"""
    tap.equal(verify(read('vmad.service.in')), (0, ''), 'status and complaints')


def systemd_refuses_nonsense():
    """systemd-analyze verify would say it"""
    _, text = verify(read('vmad.service.in').replace('CPUWeight=20', 'CPUWeight=heavy'))
    tap.truth('CPU weight' in text, f'said {text!r}')


def nothing_hides_processes():
    """no setting hides processes from vmad"""
    keys = {key for key, _ in settings('vmad.service.in')}
    tap.truth('CapabilityBoundingSet' in keys, f'settings {sorted(keys)}')
    tap.equal(sorted(keys & set(FORBIDDEN)), [], 'forbidden settings')


def each_socket_has_a_name():
    """each socket is handed over under the name that vmad knows, with the access that it is to have"""
    expected = {
        'vmad.socket': ('vmad-unix', ['/run/vmad/vmad.sock'], ('root', 'vmad', '0660')),
        'vmad-root.socket': ('vmad-root', ['/run/vmad/root.sock'], ('root', 'root', '0600')),
        'vmad-tcp.socket': ('vmad-tcp', ['127.0.0.1:8623', '[::1]:8623'], (None, None, None)),
    }
    tap.equal(sorted(name for name in os.listdir(UNITS) if name.endswith('.socket')), sorted(expected), 'socket units')
    for name, row in expected.items():
        pairs = settings(name)
        values = dict(pairs)
        access = tuple(values.get(key) for key in ('SocketUser', 'SocketGroup', 'SocketMode'))
        listen = [value for key, value in pairs if key == 'ListenStream']
        tap.equal((values['FileDescriptorName'], listen, access), row, name)


tap.run([systemd_takes_them, systemd_refuses_nonsense, nothing_hides_processes, each_socket_has_a_name])
