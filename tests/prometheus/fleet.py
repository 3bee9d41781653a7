#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's prometheus with our configurations: one vmad on its own host; three hosts with TLS and a token. An alert fires."""
import contextlib
import ctypes
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from metrics import program, scrape, wait_for  # noqa: E402
from prometheus import CONTRIB, Prometheus, dashboard_expressions, metrics_of  # noqa: E402
from vmad import Vmad, free_port  # noqa: E402

TOKEN = 'a token for a fleet'
CLONE_NEWNET = 0x40000000
QUICK = ['--sample-interval', '1']


def need_prometheus():
    if not program('prometheus'):
        raise tap.Skip('prometheus is not here')


def need_namespaces():
    if os.geteuid() != 0 or not shutil.which('unshare') or not shutil.which('ip'):
        raise tap.Skip('network namespaces want root, unshare and ip')
    if subprocess.run(['unshare', '-n', 'ip', 'link', 'set', 'lo', 'up'], stderr=subprocess.DEVNULL, check=False).returncode:
        raise tap.Skip('network namespaces cannot be had here')


def one_host():
    """host.yml: prometheus on the same host needs neither a token nor anything else"""
    need_prometheus()
    port = free_port()
    with Vmad(listen=[f'tcp:127.0.0.1:{port}'], arguments=QUICK) as vmad:
        with Prometheus('host.yml', {'127.0.0.1:8623': f'127.0.0.1:{port}'}) as prometheus:
            up = prometheus.wait_for('up', lambda: prometheus.query('up{job="vmad"} == 1'))
            tap.equal([labels['instance'] for labels, _ in up], [f'127.0.0.1:{port}'], 'instances')
            prometheus.wait_for('groups', lambda: prometheus.query('count(vmad_processes) > 0'))
        wait_for(vmad, lambda found: found.get('vmad_http_requests_total', route='metrics', code='200'))


def make_files(directory):
    """A key, a certificate of its own, and a token file."""
    cert, key, tokens = (os.path.join(directory, name) for name in ('cert.pem', 'key.pem', 'tokens'))
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(tokens, 'w', encoding='ascii') as file:
        file.write(f'sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()} uid=65534 gid=65534 name=prometheus\n')
    return cert, key, tokens


def pump(source, sink):
    """One direction of a connection."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Relay:
    """From a port of this host's loopback to port 8623 of the loopback of the network namespace that a process lives in."""

    def __init__(self, pid):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.namespace = os.open(f'/proc/{pid}/ns/net', os.O_RDONLY)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        """Sockets that this thread makes are in that namespace; the listener is not."""
        if ctypes.CDLL(None, use_errno=True).setns(self.namespace, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), 'setns')
        with contextlib.suppress(OSError):
            while True:
                near = self.listener.accept()[0]
                try:
                    far = socket.create_connection(('127.0.0.1', 8623), 5)
                except OSError:
                    near.close()
                    continue
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.close(self.namespace)


def in_a_namespace(files):
    """A vmad that has loopback for itself, and listens there as on any address."""
    cert, key, tokens = files
    return Vmad(listen=['tcp:0.0.0.0:8623'], prefix=['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'],
                arguments=[*QUICK, '--sample-usage', '64M', '--tls-cert', cert, '--tls-key', key, '--token-file', tokens])


def expressions():
    """Of the rules and of the dashboard."""
    for name in ('recording.yml', 'alerts.yml'):
        with open(os.path.join(CONTRIB, name), encoding='utf-8') as file:
            yield from ((name, expression) for expression in re.findall(r'expr: (?!>-)(.*)', file.read()))
    yield from dashboard_expressions()


def everything_is_there(prometheus, vmad):
    """Each expression of ours is one that this prometheus answers, of metrics that a scrape has told it of."""
    told = set(re.findall(r'^# TYPE (\S+)', scrape(vmad).text, re.M)) | set(prometheus.ask('label/__name__/values'))
    for where, expression in expressions():
        tap.equal(sorted(metrics_of(expression) - told), [], f'{where}: {expression}')
        prometheus.query(expression)


def fleet():
    """fleet.yml: three hosts by file_sd, over TLS and with a token; every expression of ours has its metrics; one host dies, and an alert fires"""
    need_prometheus()
    need_namespaces()
    with contextlib.ExitStack() as stack:
        files = make_files(stack.enter_context(tempfile.TemporaryDirectory()))
        vmads = [stack.enter_context(in_a_namespace(files)) for _ in range(3)]
        relays = [Relay(vmad.pid) for vmad in vmads]
        for relay in relays:
            stack.callback(relay.close)
        instances = [f'127.0.0.1:{relay.port}' for relay in relays]
        targets = f'- targets: {instances}\n'.replace("'", '"')
        with open(files[0], encoding='ascii') as file:
            given = {'ca.pem': file.read(), 'token': TOKEN, 'targets/test.yml': targets}
        prometheus = stack.enter_context(Prometheus('fleet.yml', {}, given))
        prometheus.wait_for('three hosts', lambda: len(prometheus.query('up{job="vmad"} == 1')) == 3)
        prometheus.wait_for('usage', lambda: len(prometheus.query('count by (instance) (vmad_usage_age_seconds)')) == 3)
        prometheus.wait_for('what is recorded', lambda: prometheus.query('class:vmad_http_request_duration_seconds:p99'))
        everything_is_there(prometheus, vmads[0])
        firing = 'ALERTS{alertname="VmadDown",alertstate="firing"}'

        def alerts():
            return [(labels['instance'], labels['severity']) for labels, _ in prometheus.query(firing)]

        # None of them waits: on a loaded machine one fires for a moment where a scrape took more than its second.
        prometheus.wait_for('no alert', lambda: not alerts())
        vmads[2].stop()
        prometheus.wait_for('the one alert', lambda: alerts() == [(instances[2], 'page')])


def without_a_token():
    """beyond this host nothing is told without a token, metrics neither"""
    need_namespaces()
    with contextlib.ExitStack() as stack:
        files = make_files(stack.enter_context(tempfile.TemporaryDirectory()))
        vmad = stack.enter_context(in_a_namespace(files))
        address = ['ip', 'addr', 'add', '10.99.0.1/32', 'dev', 'lo']
        inside = ['nsenter', '-t', str(vmad.pid), '-n']
        subprocess.run([*inside, *address], check=True)
        curl = [*inside, 'curl', '-sS', '-k', '-o', '/dev/null', '-w', '%{http_code}']
        said = []
        for interface in ('10.99.0.1', '127.0.0.1'):
            for more in ([], ['-H', f'Authorization: Bearer {TOKEN}']):
                said.append(subprocess.run([*curl, '--interface', interface, *more, 'https://10.99.0.1:8623/metrics'], check=True,
                                           capture_output=True, text=True).stdout)
        tap.equal(said, ['401', '200', '200', '200'], 'statuses: from another address without and with a token, from loopback')


tap.run([one_host, fleet, without_a_token])
