/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A text that grows. Zero it to begin; a failed append leaves it as it was. */
#ifndef CLIENT_TEXT_H
#define CLIENT_TEXT_H

#include <stddef.h>

struct text {
	char *p;	/* NUL-terminated, or NULL while it is empty */
	size_t len, room;
};

/* 0, or -ENOMEM. */
int text_append(struct text *text, const char *p, size_t len);
int text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_clear(struct text *text);	/* keeps the memory */
void text_free(struct text *text);

#endif
