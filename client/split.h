/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splits a JSON document, as it streams in, into the elements of its list (the first array of objects at top level) and
 * what stands around them. So a list of any length needs the memory of one element.
 */
#ifndef CLIENT_SPLIT_H
#define CLIENT_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* Called with one element, NUL-terminated. Not 0: stop, and return that. */
typedef int split_element(void *arg, const char *element, size_t len);

struct split {
	struct text around;	/* the document without the list's elements; whole once done is set */
	struct text element;
	unsigned int depth;
	bool in_string, in_escape, in_list;
	bool array_opened;	/* an array at top level began: its first character says whether it is a list */
	bool done;
};

/* 0, -EINVAL: something stands behind the document, -EMSGSIZE: this is no answer of vmad, -ENOMEM, or what fn returned. */
int split_feed(struct split *split, const char *p, size_t len, split_element *fn, void *arg);
void split_free(struct split *split);

#endif
