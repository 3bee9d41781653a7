/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "split.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* An element is some KiB at most: a path of 4096 bytes, each of them written as \u00xx. */
#define PART_MAX (16u << 20)

enum { DEPTH_MEMBERS = 1, DEPTH_LIST = 2 };	/* open brackets inside the document, and inside its list */

static void track_string(struct split *s, char c)
{
	if (s->in_escape)
		s->in_escape = false;
	else if (c == '\\')
		s->in_escape = true;
	else if (c == '"')
		s->in_string = false;
}

static void track_brackets(struct split *s, char c)
{
	if (c == '"')
		s->in_string = true;
	else if (c == '{' || c == '[')
		s->depth++;
	else if ((c == '}' || c == ']') && s->depth)
		s->depth--;
}

static int keep(struct text *part, char c)
{
	if (part->len >= PART_MAX)
		return -EMSGSIZE;
	return text_append(part, &c, 1);
}

/* A character inside the list, before it was tracked: of an element, or between two. */
static int list_char(struct split *s, char c, split_element *fn, void *arg)
{
	int r;

	if (s->depth == DEPTH_LIST && c == ']') {
		s->in_list = false;
		track_brackets(s, c);
		return keep(&s->around, c);
	}
	if (s->depth == DEPTH_LIST && (c == ',' || isspace((unsigned char)c)))
		return 0;
	track_brackets(s, c);
	r = keep(&s->element, c);
	if (r == 0 && s->depth == DEPTH_LIST && !s->in_string) {
		r = fn ? fn(arg, s->element.p, s->element.len) : 0;
		text_clear(&s->element);
	}
	return r;
}

static int document_char(struct split *s, char c)
{
	if (s->done)
		return isspace((unsigned char)c) ? 0 : -EINVAL;
	track_brackets(s, c);
	s->array_opened |= s->depth == DEPTH_LIST && c == '[';
	s->done = s->depth == 0 && (c == '}' || c == ']');
	return keep(&s->around, c);
}

static int feed_char(struct split *s, char c, split_element *fn, void *arg)
{
	if (s->in_string) {
		track_string(s, c);
		return keep(s->in_list ? &s->element : &s->around, c);
	}
	if (s->array_opened && !isspace((unsigned char)c)) {
		s->array_opened = false;
		s->in_list = c == '{';
	}
	return s->in_list ? list_char(s, c, fn, arg) : document_char(s, c);
}

int split_feed(struct split *s, const char *p, size_t len, split_element *fn, void *arg)
{
	int r = 0;

	for (size_t i = 0; i < len && r == 0; i++)
		r = feed_char(s, p[i], fn, arg);
	return r;
}

void split_free(struct split *s)
{
	text_free(&s->around);
	text_free(&s->element);
}
