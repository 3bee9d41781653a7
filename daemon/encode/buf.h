/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buf: bytes that grow. All zero is an empty one. Running out of memory sticks: what does not fit is left out, and
 * whoever sends the bytes looks at `failed` once.
 */
#ifndef ENCODE_BUF_H
#define ENCODE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct buf {
	char *p;
	size_t len, capacity;
	bool failed;
};

/* Makes room for `room` more bytes; NULL when there is no memory. The caller writes there and adds to len. */
char *buf_grow(struct buf *buf, size_t room);

static inline char *buf_reserve(struct buf *buf, size_t room)
{
	return buf->capacity - buf->len >= room ? buf->p + buf->len : buf_grow(buf, room);
}

static inline void buf_put(struct buf *buf, const char *bytes, size_t len)
{
	char *to = buf_reserve(buf, len);

	if (to && len) {
		memcpy(to, bytes, len);
		buf->len += len;
	}
}

#define BUF_PUT_LITERAL(buf, literal) buf_put(buf, literal, sizeof(literal) - 1)

void buf_puts(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the last byte, if it is that one: the comma behind the last member. */
void buf_drop(struct buf *buf, char last);

/* Frees the bytes; buf is empty and may be used again. */
void buf_free(struct buf *buf);

#endif
