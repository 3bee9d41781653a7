/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/tls.h"
#include "opener/wire.h"

static void use(struct tls *tls)
{
	tls_use(tls);
	fprintf(stderr, "vmad: the certificate is read again\n");
}

static void complain(const char *path, const char *what)
{
	fprintf(stderr, "vmad: %s: %s (the certificate stays as it was)\n", path, what);
}

void reload_tls(const struct options *options)
{
	const char *path, *what;
	struct tls *tls;

	if (!options->tls_cert)
		return;
	if (tls_read(options->tls_cert, options->tls_key, &tls, &path, &what) == 0)
		use(tls);
	else
		complain(path, what);
}

void reload_send(const struct options *options, int socket_fd)
{
	const char *const paths[] = { options->tls_cert, options->tls_key };
	const struct wire_request nothing = { 0 };
	struct wire_fds files = { 0 };

	if (!options->tls_cert)
		return;
	for (int i = 0; i < 2; i++) {
		int fd = tls_open(paths[i]);

		if (fd >= 0)
			files.fd[files.count++] = fd;
		else
			complain(paths[i], strerror(-fd));
		if (fd < 0)
			break;
	}
	if (files.count == 2 && wire_send(socket_fd, &nothing, sizeof(nothing), NULL, &files) < 0)
		complain(options->tls_cert, "the worker does not take it");
	wire_close(&files);
}

void reload_receive(const struct options *options, int socket_fd)
{
	struct wire_payload payload = { 0 };
	struct wire_request nothing;
	struct wire_fds files;
	const char *what;
	struct tls *tls;
	bool is_key;

	if (wire_receive(socket_fd, &nothing, sizeof(nothing), 0, &payload, &files) < 0)
		return;
	if (files.count == 2) {
		if (tls_read_open(files.fd[0], files.fd[1], &tls, &is_key, &what) == 0)
			use(tls);
		else
			complain(is_key ? options->tls_key : options->tls_cert, what);
	}
	wire_close(&files);
	wire_free(&payload);
}
