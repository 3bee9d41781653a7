/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exchange: one request and its reply on a connection, from the first byte of the head to the last byte of the body. It
 * passes head (is it well-formed), identify (who asks), dispatch (what is asked), share (does another ask the same) and
 * deliver (how the answer is sent), in this order.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <microhttpd.h>

#include "http/acceptor.h"
#include "http/connection.h"
#include "http/flight.h"
#include "http/reply.h"
#include "http/server.h"
#include "http/uri.h"
#include "http/walks.h"
#include "meter/meter.h"

/* What libmicrohttpd gives back for a connection of one of the daemons. */
struct listener_context {
	struct server *server;
	struct listener *listener;
};

struct server {
	struct server_config config;
	struct listener listeners[SERVER_LISTENERS_MAX];
	struct MHD_Daemon *daemons[SERVER_LISTENERS_MAX];
	struct acceptor *acceptors[SERVER_LISTENERS_MAX];
	struct listener_context contexts[SERVER_LISTENERS_MAX];
	size_t count;
	struct connections *connections;
	struct flights *flights;
	struct walks *walks;
	struct {
		uint64_t at_us, swept, begun;
		bool waits;		/* clients did, in a queue */
		bool gets_on;
	} seen;				/* by server_gets_on() */
};

/* What the head of a request says, collected in one pass over its fields. */
struct request_head {
	const char *host, *origin, *authorization, *accept, *accept_encoding, *if_none_match;
	unsigned host_count, length_count, transfer_count, authorization_count, origin_count;
	bool has_body;
};

struct exchange {
	struct server *server;
	struct connection *connection;
	struct MHD_Connection *mhd;
	const char *raw;		/* the target in libmicrohttpd's buffer */
	char *target;			/* as it came */
	size_t target_len;
	struct uri uri;
	struct request_head head;
	struct request request;
	struct reply reply;
	struct vmad_caller *caller;	/* by a token: for this request alone */
	struct flight *flight;		/* shared question, while it is ours to leave */
	uint64_t began_us;		/* its first line was there */
	uint64_t asked_us;		/* all of its head was */
	uint64_t read_us;		/* its turn came: what is told was read after this */
	uint64_t id;			/* for the log, and for the reader of an error reply */
	enum meter_class class;
	unsigned status;		/* of the reply; 0: there was none */
	bool metered;			/* is being counted as in flight */
	size_t body_len;		/* of a reply that is all there; 0 for a stream */
	bool seen;			/* libmicrohttpd has called with the head already */
	bool cut;			/* a NUL byte hides the end of the target */
	bool gzip;
	bool close_after; /* the request was malformed: what follows it on the connection cannot be trusted */
};

/* The reply is this problem. mend: what the caller can do, or NULL. */
void exchange_refuse(struct exchange *exchange, enum problem_id id, const char *detail, const char *mend);

/* Each true: go on; false: it was refused, or is answered. */
bool head_is_accepted(struct exchange *exchange);
bool exchange_identify(struct exchange *exchange);

/* True: another request's answer was sent, with *ret_result; false: this one is to be answered, and may lead a flight. */
bool exchange_share(struct exchange *exchange, enum MHD_Result *ret_result);

/* Sends what the reply holds. */
enum MHD_Result deliver(struct exchange *exchange);

/* Sends an answer that another request has made. */
enum MHD_Result deliver_answer(struct exchange *exchange, const struct flight_answer *answer);

/* Decides what the request is, asks the endpoint, and delivers. */
enum MHD_Result dispatch(struct exchange *exchange, const char *method);

#endif
