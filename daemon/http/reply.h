/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reply: what an endpoint answered, before it becomes bytes for a client. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "http/request.h"
#include "http/site.h"

enum reply_kind { REPLY_NONE, REPLY_DOCUMENT, REPLY_LIST, REPLY_STATIC, REPLY_SITE, REPLY_EMPTY, REPLY_TEXT, REPLY_PROBLEM };

struct reply {
	enum reply_kind kind;
	struct buf members;			/* DOCUMENT */
	const struct list_ops *ops;		/* LIST */
	void *list;
	const char *content_type, *text, *etag;	/* STATIC; TEXT has a type only */
	size_t text_len;
	struct text *shared;			/* TEXT */
	const struct site_file *file;		/* SITE */
	struct problem problem;			/* PROBLEM */
};

/* Frees what was not sent. */
void reply_free(struct reply *reply);

#endif
