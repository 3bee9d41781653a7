/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream: a list reply that libmicrohttpd pulls a piece at a time, so that memory does not grow with the list. It holds
 * the right to walk while it produces, lets it rest while the client reads, and ends with an honest verdict when its
 * time is up.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <microhttpd.h>

#include "http/connection.h"
#include "http/flight.h"
#include "http/gzip.h"
#include "http/list.h"
#include "http/walks.h"
#include "meter/meter.h"

struct stream;

/*
 * writer, begun (what was produced already), permit, flight and gzip are taken over; any but writer may be NULL.
 * budget_us: time that may be spent on producing, 0: any. class: where its bytes are counted. NULL without memory; then nothing was taken over.
 */
struct stream *stream_new(struct list_writer *writer, struct buf *begun, struct walk_permit *permit,
			  struct flight *flight, struct gzip *gzip, uint64_t budget_us, struct connection *connection,
			  enum meter_class class);
void stream_free(void *stream);

/* MHD_ContentReaderCallback */
ssize_t stream_read(void *stream, uint64_t position, char *to, size_t room);

#endif
