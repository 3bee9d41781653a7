# SPDX-License-Identifier: GPL-2.0-or-later
"""The page at / as bytes: every file as it stands in the tree, to everybody, with what a browser is told to allow it."""
import gzip
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ['TOP_SRCDIR'], 'tests/lib'))
import tap  # noqa: E402
from vmad import Vmad  # noqa: E402
from wire import Wire  # noqa: E402

WEB = os.path.join(os.environ['TOP_SRCDIR'], 'daemon/web')
MADE = os.path.join(os.environ['TOP_BUILDDIR'], 'daemon/web')
TYPES = {'html': 'text/html', 'css': 'text/css', 'js': 'text/javascript', 'svg': 'image/svg+xml'}


def names():
    """The page's files, by their paths: those of the tree, and the one that the build makes of the tables."""
    found = sorted(name for name in os.listdir(WEB) if name.rpartition('.')[2] in TYPES)
    tap.truth('index.html' in found and len(found) > 5, f'the files are {found}')
    return {('/' if name == 'index.html' else f'/web/{name}'): os.path.join(WEB, name) for name in found} | {
        '/web/tables.js': os.path.join(MADE, 'tables.js')}


def text(path):
    with open(path, 'rb') as file:
        return file.read()


def tcp(target, *fields, method='GET'):
    with Wire(address) as wire:
        wire.send('\r\n'.join([f'{method} {target} HTTP/1.1', 'Host: localhost', *fields, '', '']).encode())
        return wire.reply(head=method == 'HEAD')


def every_file():
    """every file is served as it is, over the Unix socket and over TCP without a token"""
    for target, path in names().items():
        reply = vmad.get(target)
        tap.equal((reply.status, reply.body), (200, text(path)), target)
        tap.equal(reply.headers['Content-Type'].split(';')[0], TYPES[path.rpartition('.')[2]], target)
        other = tcp(target)
        tap.equal((other.status, other.body), (200, text(path)), f'{target} over TCP')


def packed():
    """the same by gzip to those who take it, as another entity"""
    for target, path in names().items():
        plain, reply = vmad.get(target), vmad.get(target, {'Accept-Encoding': 'gzip'})
        tap.equal((reply.status, reply.text(), reply.headers['Vary']), (200, text(path), 'Accept-Encoding'), target)
        if reply.headers['Content-Encoding'] == 'gzip':
            tap.truth(reply.headers['ETag'] != plain.headers['ETag'], f'{target}: one tag for two entities')
            tap.truth(len(reply.body) < len(plain.body), f'{target}: packed, and no smaller')
            tap.equal(gzip.decompress(reply.body), plain.body, target)
    tap.equal(vmad.get('/web/main.js', {'Accept-Encoding': 'gzip'}).headers['Content-Encoding'], 'gzip', 'a script')


def known_already():
    """a file that the client has is not sent again"""
    for encoding in ('identity', 'gzip'):
        tag = vmad.get('/', {'Accept-Encoding': encoding}).headers['ETag']
        same = vmad.get('/', {'Accept-Encoding': encoding, 'If-None-Match': f'"x", {tag}'})
        tap.equal((same.status, same.body, same.headers['ETag']), (304, b'', tag), encoding)
        tap.equal(vmad.get('/', {'Accept-Encoding': encoding, 'If-None-Match': '"x"'}).status, 200, 'another tag')
    tags = [vmad.get(target).headers['ETag'] for target in names()]
    tap.equal(len(set(tags)), len(tags), 'different tags')


def what_it_may_do():
    """the page may use its own files and its own daemon, and nothing else"""
    for target in names():
        headers = vmad.get(target).headers
        policy = dict(part.strip().partition(' ')[::2] for part in headers['Content-Security-Policy'].split(';'))
        tap.equal(policy['default-src'], "'none'", target)
        tap.equal({name: policy[name] for name in policy if name.endswith('-src') and name != 'default-src'},
                  {name: "'self'" for name in ('script-src', 'style-src', 'img-src', 'connect-src')}, target)
        tap.equal([policy[name] for name in ('base-uri', 'form-action', 'frame-ancestors')], ["'none'"] * 3, target)
        tap.equal([headers[name] for name in ('X-Content-Type-Options', 'X-Frame-Options', 'Referrer-Policy', 'Cache-Control')],
                  ['nosniff', 'DENY', 'no-referrer', 'no-cache'], target)


def nothing_inline():
    """no script, style or handler stands inside the HTML, nothing is loaded from elsewhere, and no text becomes markup"""
    html = text(os.path.join(WEB, 'index.html')).decode()
    tap.equal(re.findall(r'<style|style=|<script(?![^>]*src=)|\bon[a-z]+=|https?:', html), [], 'index.html')
    for target, path in names().items():
        if path.endswith('.js'):
            tap.equal(re.findall(r'innerHTML\s*=|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://(?!www\.w3\.org/2000/svg)',
                                 text(path).decode()), [], target)


def only_reading():
    """HEAD has the head alone; other methods are 405; a body is refused"""
    head = tcp('/', method='HEAD')
    tap.equal((head.status, int(head.headers['content-length'])), (200, len(text(names()['/']))), 'HEAD')
    for method in ('POST', 'PUT', 'DELETE', 'OPTIONS'):
        reply = vmad.get('/web/main.js', method=method)
        tap.equal((reply.status, reply.headers['Allow']), (405, 'GET, HEAD'), method)
    with Wire(vmad.socket) as wire:
        wire.send(b'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx')
        tap.equal(wire.reply().status, 413, 'a body')


def nothing_beside():
    """there is no other file, and no data without a token"""
    for target in ('/web/', '/web/embed', '/web/index.html', '/web/../main.c', '/web/%2e%2e/main.c', '/web/main.js/x', '/main.js'):
        tap.equal(vmad.get(target).status, 404, target)
    tap.equal(tcp('/v1/processes').status, 401, 'processes')
    tap.equal(tcp('/', 'Authorization: Bearer nobody').status, 401, 'a wrong token is told')
    tap.equal(tcp('/', 'Origin: http://elsewhere').status, 403, 'another site')


with Vmad(listen=['tcp:127.0.0.1:0']) as vmad:
    address = next(('127.0.0.1', int(name.rpartition(':')[2])) for name in vmad.log if 'tcp:' in name)
    tap.run([every_file, packed, known_already, what_it_may_do, nothing_inline, only_reading, nothing_beside])
