/* SPDX-License-Identifier: GPL-2.0-or-later */
/* deliver: from what an endpoint answered to a response that libmicrohttpd sends. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "encode/json.h"
#include "encode/record.h"
#include "http/exchange.h"
#include "http/gzip.h"
#include "http/log.h"
#include "http/stream.h"
#include "http/text.h"

#define SMALL_LIST_BYTES (64 * 1024)	/* a cheap list up to here has a Content-Length; others stream */
#define GZIP_LEAST_BYTES 512		/* below, a compressed reply is no smaller on the wire */
#define BLOCK_BYTES (64 * 1024)		/* pulled from a stream at a time */

static const char json_type[] = "application/json";
static const char ndjson_type[] = "application/x-ndjson";
static const char problem_type[] = "application/problem+json";

/* Of what is not a problem: only a list can be NDJSON. */
static const char *content_type(const struct exchange *exchange)
{
	return exchange->request.route->list && exchange->request.ndjson ? ndjson_type : json_type;
}

struct field {
	const char *name, *value;
};

static void add_fields(struct MHD_Response *response, const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		MHD_add_response_header(response, fields[i].name, fields[i].value);
}

/*
 * Where browsers are, which is not behind a Unix socket: what is no page runs nothing, stands in no frame, and is no
 * other site's to load.
 */
static void add_browser_headers(struct MHD_Response *response)
{
	static const struct field fields[] = {
		{ "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Referrer-Policy", "no-referrer" },
		{ "X-Frame-Options", "DENY" },
	};

	add_fields(response, fields, sizeof(fields) / sizeof(fields[0]));
}

/* What every reply says, live data or not. */
static void add_common_headers(struct MHD_Response *response, const struct exchange *exchange, const char *type,
			       const char *cache_control)
{
	if (connection_is_tcp(exchange->connection) && exchange->reply.kind != REPLY_SITE)
		add_browser_headers(response);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache_control);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
}

static void add_timing(struct MHD_Response *response, const struct exchange *exchange, const char *description)
{
	char value[96];

	snprintf(value, sizeof(value), "total;dur=%.3f;desc=\"%s\"", (double)(clock_us() - exchange->began_us) / 1000,
		 description);
	MHD_add_response_header(response, "Server-Timing", value);
}

/* For the sweeper, and for the meter. */
static enum MHD_Result hand_over(struct exchange *exchange, unsigned status, struct MHD_Response *response)
{
	if (!connection_may_answer(exchange->connection))
		return MHD_NO;
	exchange->status = status;
	connection_sends(exchange->connection, exchange->body_len);
	return MHD_queue_response(exchange->mhd, status, response);
}

static enum MHD_Result queue(struct exchange *exchange, unsigned status, struct MHD_Response *response)
{
	enum MHD_Result result = hand_over(exchange, status, response);

	MHD_destroy_response(response);
	return result;
}

/* A response of bytes that are all there; takes them over. NULL without memory. */
static struct MHD_Response *response_of(struct exchange *exchange, struct buf *body, const char *type)
{
	struct gzip *gzip = exchange->gzip && body->len >= GZIP_LEAST_BYTES ? gzip_new() : NULL;
	struct MHD_Response *response;
	struct buf packed = { 0 };

	if (gzip) {
		gzip_put(gzip, body->p, body->len, true, &packed);
		gzip_free(gzip);
		buf_free(body);
		*body = packed;
	}
	response = body->failed ? NULL : MHD_create_response_from_buffer(body->len, body->p, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		buf_free(body);
		return NULL;
	}
	exchange->body_len = body->len;
	*body = (struct buf){ 0 };
	if (gzip)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	add_common_headers(response, exchange, type, "no-store");
	add_timing(response, exchange, "until the reply was whole");
	return response;
}

/*
 * Where the number of age_ms stands, counted from the end of the body; 0 if it has none. Quotes inside strings are
 * escaped, so this is no string.
 */
static size_t find_age(const struct buf *body)
{
	static const char mark[] = "\"age_ms\":0";
	size_t window = body->len < 512 ? body->len : 512;
	const char *tail = body->p + body->len - window;
	const char *at = memmem(tail, window, mark, sizeof(mark) - 1);

	return at ? (size_t)(at - body->p) + sizeof(mark) - 2 : 0;
}

/*
 * Sends a response, and lands the flight that this exchange leads, if it does: others get the same bytes. libmicrohttpd
 * counts references; ours goes to the flight.
 */
static enum MHD_Result queue_and_land(struct exchange *exchange, unsigned status, struct MHD_Response *response,
				      struct buf *copy, size_t age_at)
{
	struct flight_answer answer = { .response = response,
					.status = status,
					.body = copy->p,
					.len = copy->len,
					.age_at = age_at,
					.made_us = exchange->read_us,
					.sent_len = exchange->body_len };
	enum MHD_Result result;

	if (!exchange->flight)
		return queue(exchange, status, response);
	result = hand_over(exchange, status, response);
	flight_land(exchange->flight, &answer, status == MHD_HTTP_OK);
	flight_leave(exchange->flight);
	exchange->flight = NULL;
	return result;
}

/* Without memory for a reply there is none: the connection ends. */
static enum MHD_Result send_whole(struct exchange *exchange, unsigned status, struct buf *body, const char *type)
{
	struct buf copy = { 0 };
	size_t age_at = 0;
	struct MHD_Response *response;

	if (exchange->flight && status == MHD_HTTP_OK && !body->failed) {
		age_at = find_age(body);
		buf_put(&copy, body->p, body->len);
	}
	response = response_of(exchange, body, type);
	if (!response) {
		buf_free(&copy);
		return MHD_NO;
	}
	if (exchange->close_after)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	return queue_and_land(exchange, status, response, &copy, age_at);
}

static enum MHD_Result send_document(struct exchange *exchange)
{
	struct buf body = { 0 };

	BUF_PUT_LITERAL(&body, "{");
	buf_put(&body, exchange->reply.members.p, exchange->reply.members.len);
	record_close(&body);
	BUF_PUT_LITERAL(&body, "\n");
	body.failed |= exchange->reply.members.failed;
	return send_whole(exchange, MHD_HTTP_OK, &body, json_type);
}

/* The Allow of a path: GET has HEAD beside it. NULL: a file of the page. */
static void add_allow(struct MHD_Response *response, const struct route *route)
{
	MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
				route && strcmp(route->method, "GET") ? route->method : "GET, HEAD");
}

static enum MHD_Result send_problem(struct exchange *exchange)
{
	const struct problem *problem = &exchange->reply.problem;
	struct buf body = { 0 };
	struct MHD_Response *response;
	struct buf copy = { 0 };
	char seconds[16], id[20];

	if (problem_is_refusal(problem->id))
		meter_add(METER_REJECTED, problem_word(problem->id), NULL, 1);

	if (problem->retry_after_seconds)
		connection_refuses(exchange->connection);
	BUF_PUT_LITERAL(&body, "{");
	problem_put(&body, problem);
	record_close(&body);
	BUF_PUT_LITERAL(&body, "\n");
	response = response_of(exchange, &body, problem_type);
	if (!response)
		return MHD_NO;
	snprintf(id, sizeof(id), LOG_REQUEST_FORMAT, exchange->id);
	MHD_add_response_header(response, "X-Request-Id", id);
	if (problem->id == PROBLEM_METHOD)
		add_allow(response, exchange->request.route);
	if (problem_status(problem->id) == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"vmad\"");
	if (problem->retry_after_seconds) {
		snprintf(seconds, sizeof(seconds), "%u", problem->retry_after_seconds);
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
	}
	if (exchange->close_after)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	return queue_and_land(exchange, problem_status(problem->id), response, &copy, 0);
}

static uint64_t budget_us(const struct exchange *exchange)
{
	return exchange->request.permit ? request_budget_us(&exchange->request) : 0;
}

/* What is left of a walk's time after so much of it; never 0, which means that there is no limit. */
static uint64_t budget_left_us(const struct exchange *exchange, uint64_t spent_us)
{
	uint64_t budget = budget_us(exchange);

	return budget > spent_us ? budget - spent_us : budget != 0;
}

static enum MHD_Result send_stream(struct exchange *exchange, struct list_writer *writer, struct buf *begun,
				   uint64_t spent_us)
{
	struct gzip *gzip = exchange->gzip ? gzip_new() : NULL;
	struct stream *stream;
	struct MHD_Response *response;

	connection_ends_turn(exchange->connection);
	if (exchange->flight)
		flight_stream(exchange->flight);
	stream = stream_new(writer, begun, exchange->request.permit, exchange->flight, gzip,
			    budget_left_us(exchange, spent_us), exchange->connection, exchange->class);
	if (!stream) {
		gzip_free(gzip);
		return MHD_NO;
	}
	exchange->request.permit = NULL;
	exchange->flight = NULL;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, stream_read, stream, stream_free);
	if (!response) {
		stream_free(stream);
		return MHD_NO;
	}
	if (gzip)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	add_common_headers(response, exchange, content_type(exchange), "no-store");
	add_timing(response, exchange, "until the first byte");
	return queue(exchange, MHD_HTTP_OK, response);
}

static void write_within(struct exchange *exchange, struct list_writer *writer, struct buf *body, size_t most)
{
	uint64_t budget = budget_us(exchange), began = clock_us();

	/* In steps, so that a walk's deadline is seen between them. */
	for (size_t enough = 4096; !writer->ended && body->len < most && !body->failed; enough += 4096) {
		if (budget && clock_us() - began > budget)
			list_stop(writer, "deadline");
		list_write(writer, body, enough < most ? enough : most);
	}
}

static ssize_t no_bytes(void *cls, uint64_t position, char *to, size_t room)
{
	(void)cls;
	(void)position;
	(void)to;
	(void)room;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/*
 * The head of what was not made. Its length is not known, and libmicrohttpd ends even the body that HEAD does not have
 * with an empty chunk, which the client would take for the beginning of the next reply; so neither a length nor chunks,
 * and the connection ends.
 */
static enum MHD_Result send_empty(struct exchange *exchange)
{
	struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, no_bytes, NULL, NULL);

	if (!response)
		return MHD_NO;
	MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	add_common_headers(response, exchange, content_type(exchange), "no-store");
	add_timing(response, exchange, "until the reply was whole");
	return queue(exchange, MHD_HTTP_OK, response);
}

static enum MHD_Result send_list(struct exchange *exchange)
{
	struct reply *reply = &exchange->reply;
	struct list_writer writer;
	uint64_t began = clock_us();
	struct buf body = { 0 };
	enum MHD_Result result;

	/* HEAD asks for no body: what was opened and first read has decided the status. */
	if (exchange->request.head)
		return send_empty(exchange);
	list_writer_init(&writer, reply->ops, reply->list, exchange->request.route->list, exchange->request.ndjson);
	writer.route = exchange->request.route->name;
	reply->list = NULL;
	write_within(exchange, &writer, &body, exchange->flight ? FLIGHT_BODY_MAX : SMALL_LIST_BYTES);
	if (writer.ended) {
		walk_end(exchange->request.permit);
		exchange->request.permit = NULL;
		result = send_whole(exchange, MHD_HTTP_OK, &body, content_type(exchange));
	} else {
		result = send_stream(exchange, &writer, &body, clock_us() - began);
	}
	list_writer_free(&writer);
	buf_free(&body);
	return result;
}

/*
 * The page is given what it needs and nothing else: its own files and its own daemon, no script or style inside the HTML,
 * no text that becomes code, no frame around it, and no word to other sites on where one came from.
 */
static void add_page_headers(struct MHD_Response *response)
{
	static const struct field fields[] = {
		{ "Content-Security-Policy",
		  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
		  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
		  "require-trusted-types-for 'script'; trusted-types 'none'" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
		{ "Referrer-Policy", "no-referrer" },
		{ "X-Frame-Options", "DENY" },
	};

	add_fields(response, fields, sizeof(fields) / sizeof(fields[0]));
}

/* Does If-None-Match hold this tag? Tags hold no quotes inside, and theirs are compared too. */
static bool has_already(const struct exchange *exchange, const char *etag)
{
	const char *have = exchange->head.if_none_match;

	return have && (strstr(have, etag) || !strcmp(have, "*"));
}

static enum MHD_Result send_site_file(struct exchange *exchange)
{
	const struct site_file *file = exchange->reply.file;
	bool packed = exchange->gzip && file->packed_len < file->len;
	const char *etag = packed ? file->packed_etag : file->etag;
	bool same = has_already(exchange, etag);
	size_t len = same ? 0 : packed ? file->packed_len : file->len;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		len, (void *)(packed ? file->packed : file->bytes), MHD_RESPMEM_PERSISTENT);

	if (!response)
		return MHD_NO;
	add_common_headers(response, exchange, file->type, "no-cache");
	add_page_headers(response);
	MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	if (packed)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	exchange->body_len = len;
	return queue(exchange, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}

static enum MHD_Result send_static(struct exchange *exchange)
{
	const struct reply *reply = &exchange->reply;
	bool same = has_already(exchange, reply->etag);
	struct MHD_Response *response = MHD_create_response_from_buffer(same ? 0 : reply->text_len, (void *)reply->text,
									MHD_RESPMEM_PERSISTENT);

	if (!response)
		return MHD_NO;
	add_common_headers(response, exchange, reply->content_type, "no-cache");
	MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, reply->etag);
	exchange->body_len = same ? 0 : reply->text_len;
	return queue(exchange, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}

static void release_text(void *text)
{
	text_release(text);
}

static enum MHD_Result send_text(struct exchange *exchange)
{
	struct reply *reply = &exchange->reply;
	struct vmad_str bytes = text_bytes(reply->shared, exchange->gzip);
	struct MHD_Response *response =
		MHD_create_response_from_buffer_with_free_callback_cls(bytes.len, (void *)bytes.p, release_text,
								       reply->shared);

	if (!response)
		return MHD_NO;
	reply->shared = NULL;
	exchange->body_len = bytes.len;
	if (exchange->gzip)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	add_common_headers(response, exchange, reply->content_type, "no-store");
	add_timing(response, exchange, "until the reply was whole");
	return queue(exchange, MHD_HTTP_OK, response);
}

enum MHD_Result deliver(struct exchange *exchange)
{
	switch (exchange->reply.kind) {
	case REPLY_DOCUMENT:
		return send_document(exchange);
	case REPLY_LIST:
		return send_list(exchange);
	case REPLY_STATIC:
		return send_static(exchange);
	case REPLY_SITE:
		return send_site_file(exchange);
	case REPLY_EMPTY:
		return send_empty(exchange);
	case REPLY_TEXT:
		return send_text(exchange);
	case REPLY_PROBLEM:
		return send_problem(exchange);
	case REPLY_NONE:
		break;
	}
	return MHD_NO;
}

/* The same bytes with another age. */
static enum MHD_Result send_aged(struct exchange *exchange, const struct flight_answer *answer, uint64_t age_ms)
{
	char number[JSON_U64_MAX];
	struct buf body = { 0 };

	buf_put(&body, answer->body, answer->age_at);
	buf_put(&body, number, (size_t)(json_put_u64(number, age_ms) - number));
	buf_put(&body, answer->body + answer->age_at + 1, answer->len - answer->age_at - 1);
	return send_whole(exchange, answer->status, &body, content_type(exchange));
}

enum MHD_Result deliver_answer(struct exchange *exchange, const struct flight_answer *answer)
{
	uint64_t age_ms = (clock_us() - answer->made_us) / 1000;

	if (answer->age_at && age_ms)
		return send_aged(exchange, answer, age_ms);
	exchange->body_len = answer->sent_len;
	return hand_over(exchange, answer->status, answer->response);
}
