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
# What each would hide from vmad, or take away from it, is told in the units.
FORBIDDEN = {
    'vmad.service.in': ['ProtectProc', 'ProcSubset', 'PrivateUsers', 'PrivatePIDs'],
    'vmad-opener.service.in': ['ProtectProc', 'ProcSubset', 'PrivateUsers', 'PrivatePIDs', 'PrivateTmp', 'PrivateDevices',
                               'ProtectKernelModules', 'RestrictSUIDSGID'],
}
# systemd-analyze security: at most so exposed
EXPOSURE = {'vmad.service': 1.5, 'vmad-opener.service': 3.0}


def read(name):
    """A unit's text."""
    with open(os.path.join(UNITS, name), encoding='utf-8') as file:
        return file.read()


def settings(name):
    """[(key, value)] of a unit."""
    return re.findall(r'^([A-Za-z0-9]+)=(.*)$', read(name), re.M)


def systemd_analyze(directory, *arguments):
    """Its status and what it says of vmad."""
    if not shutil.which('systemd-analyze'):
        raise tap.Skip('systemd-analyze is not installed')
    done = subprocess.run(['systemd-analyze', *arguments], cwd=directory, capture_output=True, text=True, check=False)
    return done.returncode, '\n'.join(line for line in (done.stdout + done.stderr).splitlines() if 'vmad' in line)


def unpack(directory, edit=lambda text: text):
    """All units, as they are installed, but for the program; with each service's text edited. The services' names."""
    for name in os.listdir(UNITS):
        if name.endswith('.socket'):
            shutil.copyfile(os.path.join(UNITS, name), os.path.join(directory, name))
    services = [name for name in FORBIDDEN if os.path.exists(os.path.join(UNITS, name))]
    for name in services:
        with open(os.path.join(directory, name[:-len('.in')]), 'w', encoding='utf-8') as file:
            file.write(edit(read(name)).replace('@sbindir@/vmad', '/bin/true'))
    return [os.path.join(directory, name[:-len('.in')]) for name in services]


def verify(edit=lambda text: text):
    """What systemd-analyze says of the units: (status, text)."""
    with tempfile.TemporaryDirectory() as directory:
        return systemd_analyze(directory, 'verify', '--man=no', *unpack(directory, edit))


def systemd_takes_them():
    """systemd-analyze verify has nothing to say"""
    tap.equal(verify(), (0, ''), 'status and complaints')


def systemd_refuses_nonsense():
    """systemd-analyze verify would say it"""
    _, text = verify(lambda service: service.replace('CPUWeight=20', 'CPUWeight=heavy'))
    tap.truth('CPU weight' in text, f'said {text!r}')


def exposure(edit=lambda text: text):
    """{unit: what systemd-analyze security says, as it was asked to judge by the threshold}"""
    with tempfile.TemporaryDirectory() as directory:
        return {os.path.basename(path): systemd_analyze(directory, 'security', '--offline=true', '--no-pager',
                                                        f'--threshold={EXPOSURE[os.path.basename(path)] * 10:.0f}', path)
                for path in unpack(directory, edit)}


def little_is_exposed():
    """systemd-analyze security: vmad.service at most 1.5, vmad-opener.service at most 3.0; without NoNewPrivileges and a filter more"""
    for unit, (status, said) in exposure().items():
        print(f'# {said.splitlines()[-1].strip()}', flush=True)
        tap.equal(status, 0, said)
    bare = exposure(lambda text: re.sub(r'^(Protect|Private|Restrict|System).*\n', '', text, flags=re.M))
    tap.truth(all(status for status, _ in bare.values()), f'bare units pass, too: {bare}')


def nothing_is_hidden():
    """no setting hides from vmad what it is asked about, or takes away how it looks"""
    for unit, forbidden in FORBIDDEN.items():
        keys = {key for key, _ in settings(unit)}
        tap.truth({'CapabilityBoundingSet', 'NoNewPrivileges'} <= keys, f'{unit} read as {sorted(keys)}')
        tap.equal(sorted(keys & set(forbidden)), [], unit)
        # ProtectKernelTunables= and ProtectControlGroups= have systemd mount a /proc of its own, without the host's hidepid=.
        tap.truth(('BindReadOnlyPaths', '/proc') in settings(unit), f'{unit}: the host\'s /proc')


def each_socket_has_a_name():
    """each socket is handed over under the name that vmad knows, with the access that it is to have"""
    expected = {
        'vmad.socket': ('vmad-unix', ['/run/vmad/vmad.sock'], ('root', 'vmad', '0660')),
        'vmad-root.socket': ('vmad-root', ['/run/vmad/root.sock'], ('root', 'root', '0600')),
        'vmad-worker.socket': ('vmad-worker', ['/run/vmad/worker.sock'], ('root', 'root', '0600')),
        'vmad-tcp.socket': ('vmad-tcp', ['127.0.0.1:8623', '[::1]:8623'], (None, None, None)),
    }
    tap.equal(sorted(name for name in os.listdir(UNITS) if name.endswith('.socket')), sorted(expected), 'socket units')
    for name, row in expected.items():
        pairs = settings(name)
        values = dict(pairs)
        access = tuple(values.get(key) for key in ('SocketUser', 'SocketGroup', 'SocketMode'))
        listen = [value for key, value in pairs if key in ('ListenStream', 'ListenSequentialPacket')]
        tap.equal((values['FileDescriptorName'], listen, access), row, name)


tap.run([systemd_takes_them, systemd_refuses_nonsense, little_is_exposed, nothing_is_hidden, each_socket_has_a_name])
