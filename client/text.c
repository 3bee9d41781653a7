/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int text_append(struct text *text, const char *p, size_t len)
{
	if (text->room - text->len <= len) {
		size_t room = 2 * text->room + len + 64;
		char *grown = realloc(text->p, room);

		if (!grown)
			return -ENOMEM;
		text->p = grown;
		text->room = room;
	}
	memcpy(text->p + text->len, p, len);
	text->len += len;
	text->p[text->len] = '\0';
	return 0;
}

int text_printf(struct text *text, const char *format, ...)
{
	char *p;
	int len, r;
	va_list ap;

	va_start(ap, format);
	len = vasprintf(&p, format, ap);
	va_end(ap);
	if (len < 0)
		return -ENOMEM;
	r = text_append(text, p, len);
	free(p);
	return r;
}

void text_clear(struct text *text)
{
	text->len = 0;
	if (text->p)
		text->p[0] = '\0';
}

void text_free(struct text *text)
{
	free(text->p);
	*text = (struct text){ 0 };
}
