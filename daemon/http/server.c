/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <microhttpd.h>

#include "clock/clock.h"
#include "http/exchange.h"
#include "http/log.h"
#include "opener/opener.h"

/*
 * Of libmicrohttpd, a connection: head of the request, and a piece of the reply. It clears all of it after each
 * request, so four times as much would cost a small GET a quarter of its time.
 */
#define CONNECTION_MEMORY (32 * 1024)
#define THREAD_STACK (512 * 1024)
#define LOOK_MS UINT64_C(1000)		/* longer than the connections' sweeper rests */
#define IDLE_TIMEOUT_SECONDS 30		/* libmicrohttpd's own: a client that stopped; ours are stricter */

static struct connection *connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/*
 * Cuts the query off in libmicrohttpd's buffer: it would take it apart too, for nobody, and end the connection without
 * a word where that takes more memory than the connection has.
 */
static void hide_query(const char *target)
{
	char *query = strchr(target, '?');

	if (query)
		query[1] = '\0';
}

/* Called with the first line of a request: the only place where its target can be had as it came. */
static void *begin_exchange(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->server = cls;
	exchange->mhd = mhd;
	exchange->connection = connection_of(mhd);
	exchange->raw = target;
	exchange->target = strdup(target);
	exchange->target_len = exchange->target ? strlen(target) : 0;
	exchange->began_us = clock_us();
	exchange->id = log_next_request();
	hide_query(target);
	return exchange;
}

static const char *status_text(unsigned status)
{
	static const struct { unsigned status; const char *text; } known[] = {
		{ MHD_HTTP_OK, "200" }, { MHD_HTTP_NOT_MODIFIED, "304" },
#define PROBLEM(id, type, status, exit_code, title) { status, #status },
#include "vmad/problems.def"
#undef PROBLEM
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].status == status)
			return known[i].text;
	}
	return "none";
}

static void meter_exchange(const struct exchange *exchange)
{
	const struct route *route = exchange->request.route;

	if (!exchange->metered)
		return;
	meter_end(exchange->class, clock_us() - exchange->began_us);
	meter_add(METER_HTTP_REQUESTS, route ? route->name : exchange->reply.kind == REPLY_SITE ? "page" : "none", status_text(exchange->status), 1);
	if (!exchange->request.head)
		meter_bytes(exchange->class, exchange->body_len);
}

static void log_exchange(const struct exchange *exchange)
{
	const struct route *route = exchange->request.route;

	log_request(&(struct log_request){
		.id = exchange->id,
		.method = exchange->request.head ? "HEAD" : route ? route->method : "none",
		.route = route ? route->path : "none",
		.status = exchange->status,
		.took_us = clock_us() - exchange->began_us,
		.uid = exchange->request.caller ? exchange->request.caller->uid : (uid_t)-1,
	});
}

static void end_exchange(void *cls, struct MHD_Connection *mhd, void **con_cls, enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *con_cls;

	(void)cls;
	(void)mhd;
	(void)code;
	*con_cls = NULL;
	if (!exchange)
		return;
	if (exchange->connection) {
		connection_ends_turn(exchange->connection);
		connection_reads(exchange->connection);
	}
	meter_exchange(exchange);
	log_exchange(exchange);
	reply_free(&exchange->reply);
	walk_end(exchange->request.permit);
	flight_leave(exchange->flight);
	opener_forget(exchange->server->config.opener, exchange->caller);
	uri_free(&exchange->uri);
	free(exchange->target);
	free(exchange);
}

static bool has_body(struct MHD_Connection *mhd)
{
	const char *length = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (length && strcmp(length, "0")) ||
	       MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/*
 * libmicrohttpd hands over strings, so a NUL byte cuts the target short, and what is asked would not be what was sent.
 * The version comes from the same line of the same buffer: between the two are blanks only.
 */
static bool target_is_cut(const struct exchange *exchange, const char *version)
{
	for (const char *p = exchange->raw + exchange->target_len; p < version; p++) {
		if (*p && *p != ' ' && *p != '\t')
			return true;
	}
	return false;
}

/*
 * libmicrohttpd calls once with the head, and again when the body has come. A request without a body is answered at the
 * second call: an answer at the first ends the connection, which is right for one with a body, for that is refused
 * unread.
 */
static enum MHD_Result answer(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_size, void **con_cls)
{
	struct exchange *exchange = *con_cls;

	(void)cls;
	(void)mhd;
	(void)url;
	(void)upload;
	*upload_size = 0;
	if (!exchange || !exchange->target || !exchange->connection)
		return MHD_NO;
	if (!exchange->seen)
		exchange->cut = target_is_cut(exchange, version);
	if (!exchange->seen && !has_body(mhd)) {
		exchange->seen = true;
		return MHD_YES;
	}
	connection_begins(exchange->connection);
	exchange->asked_us = clock_us();
	exchange->read_us = connection_takes_turn(exchange->connection);
	return dispatch(exchange, method);
}

static void track(void *cls, struct MHD_Connection *mhd, void **socket_context,
		  enum MHD_ConnectionNotificationCode code)
{
	struct server *server = ((struct listener_context *)cls)->server;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

		*socket_context = connection_claim(server->connections, fd->connect_fd);
	} else {
		opener_forget(server->config.opener, connection_take_caller(*socket_context));
		connection_free(*socket_context);
		*socket_context = NULL;
	}
}

/* Targets are decoded by uri.c alone. */
static size_t leave_escaped(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls;
	(void)mhd;
	return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct server *server, size_t i)
{
	struct listener_context *context = &server->contexts[i];

	struct MHD_OptionItem tls[TLS_OPTIONS] = { { MHD_OPTION_END, 0, NULL } };
	unsigned flags = MHD_USE_POLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC |
			 MHD_USE_NO_LISTEN_SOCKET;

	*context = (struct listener_context){ server, &server->listeners[i] };
	if (server->config.tls && server->listeners[i].kind == LISTENER_TCP) {
		tls_options(tls);
		server->listeners[i].tls = true;
		flags |= MHD_USE_TLS;
	}
	return MHD_start_daemon(flags, 0, NULL, NULL, answer, server,
				MHD_OPTION_CONNECTION_LIMIT, quota_connections(server->listeners[i].kind),
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_SECONDS,
				MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK,
				MHD_OPTION_STRICT_FOR_CLIENT, -1,
				MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
				MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, server,
				MHD_OPTION_NOTIFY_COMPLETED, end_exchange, NULL,
				MHD_OPTION_NOTIFY_CONNECTION, track, context,
				MHD_OPTION_ARRAY, tls,
				MHD_OPTION_END);
}

static void free_server(struct server *server)
{
	connections_free(server->connections);
	flights_free(server->flights);
	walks_free(server->walks);
	free(server);
}

static int start_daemons(struct server *server, const struct listener *listeners, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		server->listeners[i] = listeners[i];
		server->daemons[i] = start_daemon(server, i);
		if (!server->daemons[i])
			return errno ? -errno : -EIO;
		server->count++;
	}
	return 0;
}

static int start_acceptors(struct server *server)
{
	int r = 0;

	for (size_t i = 0; i < server->count && r == 0; i++)
		r = acceptor_start(server->connections, &server->listeners[i], server->daemons[i], &server->acceptors[i]);
	return r;
}

static void stop_acceptors(struct server *server)
{
	for (size_t i = 0; i < server->count; i++) {
		acceptor_stop(server->acceptors[i]);
		server->acceptors[i] = NULL;
	}
}

static void stop_daemons(struct server *server)
{
	for (size_t i = 0; i < server->count; i++)
		MHD_stop_daemon(server->daemons[i]);
}

/* A thread was given up: its walk is nobody's. */
static void forsake_walks(void *walks, pid_t pid)
{
	walks_forsake(walks, pid);
}

/* By which of its pids it is asked for does not matter to who waits for the mmap_lock of an mm. */
static size_t find_same_mm(void *opener, const struct vmad_caller *caller, const pid_t *pids, size_t count)
{
	size_t groups[OPENER_COMPARED], place = 1;

	if (count > OPENER_COMPARED || opener_same_mm(opener, caller, pids, count, groups, NULL) < 0)
		return 0;
	while (place < count && (groups[place] != groups[0] || groups[0] == OPENER_NO_MM))
		place++;
	return place < count ? place : 0;
}

int server_start(const struct server_config *config, struct listener *listeners, size_t count,
		 struct server **ret_server)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server || count > SERVER_LISTENERS_MAX) {
		free(server);
		return server ? -E2BIG : -ENOMEM;
	}
	server->config = *config;
	server->seen.at_us = clock_us();
	server->seen.gets_on = true;
	r = walks_new(find_same_mm, config->opener, &server->walks);
	if (r == 0)
		r = connections_new(forsake_walks, server->walks, &server->connections);
	if (r == 0)
		r = flights_new(&server->flights);
	if (r == 0)
		r = start_daemons(server, listeners, count);
	if (r == 0)
		r = start_acceptors(server);
	if (r < 0) {
		stop_acceptors(server);
		stop_daemons(server);
		free_server(server);
		return r;
	}
	for (size_t i = 0; i < count; i++)
		listeners[i] = (struct listener){ .fd = -1 };
	*ret_server = server;
	return 0;
}

static bool somebody_waits(const struct server *server)
{
	struct pollfd polled[SERVER_LISTENERS_MAX];

	for (size_t i = 0; i < server->count; i++)
		polled[i] = (struct pollfd){ .fd = server->listeners[i].fd, .events = POLLIN };
	return poll(polled, server->count, 0) > 0;
}

bool server_gets_on(struct server *server)
{
	uint64_t swept = connections_swept(server->connections), begun = connections_begun(server->connections);
	bool waits;

	if (clock_us() - server->seen.at_us < LOOK_MS * 1000)
		return server->seen.gets_on;
	waits = somebody_waits(server);
	server->seen.gets_on = swept != server->seen.swept &&
			       !(waits && server->seen.waits && begun == server->seen.begun);
	server->seen.at_us = clock_us();
	server->seen.swept = swept;
	server->seen.begun = begun;
	server->seen.waits = waits;
	return server->seen.gets_on;
}

/* Gives replies in the air time to end; those who only wait for a request go at once. */
static void drain(struct server *server)
{
	uint64_t deadline = clock_us() + SERVER_DRAIN_MS * 1000;

	do {
		connections_drain(server->connections);
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	} while (connections_count(server->connections) && clock_us() < deadline);
}

bool server_stop(struct server *server)
{
	stop_acceptors(server);
	/* At once, so that clients are turned away and not left waiting. */
	for (size_t i = 0; i < server->count; i++)
		listener_close(&server->listeners[i]);
	drain(server);
	if (connections_held(server->connections, SERVER_DRAIN_MS / 2))
		return false;
	stop_daemons(server);
	free_server(server);
	return true;
}
