/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls_files: TLS's certificate and key as they were when vmad began, for the worker and for those that take its place. They are copied
 * without being read: what has once taken a key apart keeps pieces of it in memory that it gave back, and whoever is started by it has
 * them too. So the worker alone does.
 */
#ifndef TLS_FILES_H
#define TLS_FILES_H

#include <stdbool.h>

#include "options.h"

struct tls;

struct tls_files {
	int cert, key;		/* files in memory; -1: there are none */
};

/* Proves them first, in a process that ends with that. False: they are no pair, or cannot be had; a line was printed about that. */
bool tls_files_take(const struct options *options, struct tls_files *ret_files);

/* For the worker, which reads them, and closes its copies. Without files: true, and NULL. */
bool tls_files_read(const struct options *options, struct tls_files *files, struct tls **ret_tls);

void tls_files_close(struct tls_files *files);

#endif
