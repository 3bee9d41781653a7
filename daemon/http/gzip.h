/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gzip: replies compressed for those who ask for it (RFC 9110 Accept-Encoding), as they stream. */
#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

#include <stdbool.h>

#include "encode/buf.h"

struct gzip;

/* NULL without memory: the reply then goes as it is. */
struct gzip *gzip_new(void);
void gzip_free(struct gzip *gzip);

/* Compresses len bytes and appends what comes out; `last` ends the stream. */
void gzip_put(struct gzip *gzip, const char *bytes, size_t len, bool last, struct buf *to);

#endif
