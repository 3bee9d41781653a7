/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock/clock.h"

/* Produced at a time: enough for a good send(), little enough to let a deadline be seen. */
#define PIECE_BYTES (64 * 1024)

struct stream {
	struct list_writer writer;
	struct buf plain;		/* produced and not yet compressed or sent */
	struct buf packed;		/* compressed and not yet sent */
	size_t sent;			/* of plain, or of packed with gzip */
	struct walk_permit *permit;
	struct flight *flight;
	struct gzip *gzip;
	bool packed_all;
	uint64_t budget_us, spent_us;
	struct connection *connection;
	enum meter_class class;
};

struct stream *stream_new(struct list_writer *writer, struct buf *begun, struct walk_permit *permit,
			  struct flight *flight, struct gzip *gzip, uint64_t budget_us, struct connection *connection,
			  enum meter_class class)
{
	struct stream *stream = malloc(sizeof(*stream));

	if (!stream)
		return NULL;
	*stream = (struct stream){ .writer = *writer, .plain = *begun, .permit = permit, .flight = flight, .gzip = gzip,
				   .budget_us = budget_us, .connection = connection, .class = class };
	writer->list = NULL;
	*begun = (struct buf){ 0 };
	return stream;
}

void stream_free(void *arg)
{
	struct stream *stream = arg;

	list_writer_free(&stream->writer);
	buf_free(&stream->plain);
	buf_free(&stream->packed);
	walk_end(stream->permit);
	flight_leave(stream->flight);
	gzip_free(stream->gzip);
	free(stream);
}

static bool resume(struct stream *stream)
{
	return !stream->permit || walk_resume(stream->permit) == 0;
}

/* Fills plain, within the time that a walk may take. */
static void produce(struct stream *stream)
{
	bool resumed = resume(stream);
	uint64_t began;

	if (!stream->permit)
		connection_takes_turn(stream->connection);
	began = clock_us();	/* to wait for a turn is no work */
	if (!resumed)
		list_stop(&stream->writer, "busy");
	else if (stream->budget_us && stream->spent_us > stream->budget_us)
		list_stop(&stream->writer, "deadline");
	list_write(&stream->writer, &stream->plain, PIECE_BYTES);
	stream->spent_us += clock_us() - began;
	connection_ends_turn(stream->connection);
	if (stream->permit && stream->writer.ended) {
		walk_end(stream->permit);
		stream->permit = NULL;
	}
}

static void pack(struct stream *stream)
{
	gzip_put(stream->gzip, stream->plain.p, stream->plain.len, stream->writer.ended, &stream->packed);
	stream->plain.len = 0;
	stream->packed_all = stream->writer.ended;
}

/* Makes sure that there is something to send. False: the end. */
static bool refill(struct stream *stream, struct buf *out)
{
	while (stream->sent == out->len && !out->failed && !stream->plain.failed) {
		out->len = stream->sent = 0;
		if (stream->gzip && stream->packed_all)
			return false;
		if (!stream->writer.ended)
			produce(stream);
		else if (!stream->gzip)
			return false;
		if (stream->gzip)
			pack(stream);
	}
	return true;
}

ssize_t stream_read(void *arg, uint64_t position, char *to, size_t room)
{
	struct stream *stream = arg;
	struct buf *out = stream->gzip ? &stream->packed : &stream->plain;
	size_t len;

	(void)position;
	connection_works(stream->connection);
	if (stream->gzip && stream->plain.len && !out->len)
		pack(stream);
	if (!refill(stream, out))
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (out->failed || stream->plain.failed)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	len = out->len - stream->sent < room ? out->len - stream->sent : room;
	memcpy(to, out->p + stream->sent, len);
	stream->sent += len;
	if (stream->permit)
		walk_rest(stream->permit);
	meter_bytes(stream->class, len);
	connection_sends(stream->connection, len);
	return (ssize_t)len;
}
