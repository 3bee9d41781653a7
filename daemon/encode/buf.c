/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "encode/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

char *buf_grow(struct buf *buf, size_t room)
{
	size_t capacity = buf->capacity ? buf->capacity : 1024;
	char *p;

	if (buf->failed)
		return NULL;
	while (capacity - buf->len < room)
		capacity *= 2;
	p = realloc(buf->p, capacity);
	if (!p) {
		buf->failed = true;
		return NULL;
	}
	buf->p = p;
	buf->capacity = capacity;
	return p + buf->len;
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_put(buf, text, strlen(text));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	char *to;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	to = buf_reserve(buf, (size_t)len + 1);
	if (!to)
		return;
	va_start(args, format);
	vsnprintf(to, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

void buf_drop(struct buf *buf, char last)
{
	if (buf->len && buf->p[buf->len - 1] == last)
		buf->len--;
}

void buf_free(struct buf *buf)
{
	free(buf->p);
	*buf = (struct buf){ 0 };
}
