/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * site: files that are part of the daemon and never change while it runs: the page's. They hold no data of anybody's, so
 * they need no token.
 */
#ifndef HTTP_SITE_H
#define HTTP_SITE_H

#include <stddef.h>

struct site_file {
	const char *path;		/* "/", "/web/main.js" */
	const char *type;		/* Content-Type */
	const char *etag, *packed_etag;	/* with their quotes: other bytes are another entity */
	const unsigned char *bytes, *packed;	/* as it is, and by gzip */
	size_t len, packed_len;
};

/* The file at a path in a table that ends with an empty row, or NULL. files may be NULL. */
const struct site_file *site_find(const struct site_file *files, const char *path);

#endif
