/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list: a reply that is a list, put together a piece at a time. As one JSON document it ends with its verdict, so that
 * a reply that was cut is not valid JSON; as NDJSON the verdict is the last line.
 */
#ifndef HTTP_LIST_H
#define HTTP_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "encode/buf.h"
#include "vmad/error.h"
#include "vmad/records.h"

/* What an endpoint's list can do. All append members, each with its comma (encode/record.h). */
struct list_ops {
	const char *record;		/* what a row is called in NDJSON: "vma" */
	void (*head)(void *list, struct buf *to);
	/* 1: the members of one row; 0: the end; negative errno: it failed on the way, err says how. */
	int (*next)(void *list, struct buf *to, struct vmad_error *err);
	/*
	 * Members that stand before the verdict; and the verdict itself but for its count. Not called for a list that
	 * failed.
	 */
	void (*tail)(void *list, struct buf *to, struct vmad_verdict *verdict);
	void (*free)(void *list);
	/* Time that the kernel took, in microseconds; may be NULL. */
	uint64_t (*kernel_us)(void *list);
};

struct list_writer {
	const struct list_ops *ops;
	void *list;
	const char *name;		/* of the array */
	const char *route;		/* for the meter */
	bool ndjson;
	bool begun, ended;
	uint64_t count;
	const char *stop_reason;	/* end early, with this reason; set by list_stop */
	bool failed;			/* the list ended with an error */
	bool complete;			/* after the end: what the verdict said */
	const char *reason;
};

/* Takes the list over. */
void list_writer_init(struct list_writer *writer, const struct list_ops *ops, void *list, const char *name,
		      bool ndjson);
void list_writer_free(struct list_writer *writer);

/* Appends until `to` holds at least `enough` bytes, or the list is over (writer->ended). */
void list_write(struct list_writer *writer, struct buf *to, size_t enough);

/* The list ends before its next row, incomplete for this reason ("deadline", "busy"); static storage. */
void list_stop(struct list_writer *writer, const char *reason);

#endif
