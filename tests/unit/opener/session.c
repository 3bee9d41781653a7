/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the opener's process believes of what it is told: a worker that was taken over says anything, and gets what its
 * clients may have, and nothing else.
 */
#include "people.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/packet.h"
#include "opener/process/session.h"

#define MUTATIONS 10000

/* A listener as vmad has, a client of it, and the worker's end of a channel. */
struct scene {
	char directory[40];
	int listener, client, accepted, worker;
	struct sessions sessions;
	struct session *session;
};

static void open_channel(struct scene *scene, enum serve_role role)
{
	const struct timeval soon = { .tv_usec = 1000 };	/* for the rest of a payload that does not come */
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)), 0);
	scene->worker = ends[1];
	scene->session = session_new(&scene->sessions, role, ends[0]);
	assert_non_null(scene->session);
}

static void close_channel(struct scene *scene)
{
	session_free(scene->session);
	close(scene->worker);
}

static void begin(struct scene *scene, enum serve_role role)
{
	struct serve_address *address = &scene->sessions.addresses[0];

	*scene = (struct scene){ .directory = "/tmp/unit-session-XXXXXX" };
	assert_non_null(mkdtemp(scene->directory));
	address->name.sun_family = AF_UNIX;
	snprintf(address->name.sun_path, sizeof(address->name.sun_path), "%s/s", scene->directory);
	scene->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(scene->listener, (struct sockaddr *)&address->name, sizeof(address->name)), 0);
	assert_int_equal(listen(scene->listener, 8), 0);
	scene->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(scene->client, (struct sockaddr *)&address->name, sizeof(address->name)), 0);
	scene->accepted = accept4(scene->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(scene->accepted >= 0);
	address->len = sizeof(address->name);
	assert_int_equal(getsockname(scene->listener, (struct sockaddr *)&address->name, &address->len), 0);
	scene->sessions.address_count = 1;
	scene->sessions.handles = handles_new(0);
	assert_non_null(scene->sessions.handles);
	assert_int_equal(opener_new_here("/proc", &scene->sessions.opener, NULL), 0);
	open_channel(scene, role);
}

static void end(struct scene *scene)
{
	char path[64];

	close_channel(scene);
	handles_free(scene->sessions.handles);
	opener_free(scene->sessions.opener);
	close(scene->accepted);
	close(scene->client);
	close(scene->listener);
	snprintf(path, sizeof(path), "%s/s", scene->directory);
	unlink(path);
	rmdir(scene->directory);
}

/* One request and its reply, whose descriptors are counted and closed. The reply's result. */
static int ask_with(struct scene *scene, struct wire_request request, const void *payload, int fd,
		    struct wire_reply *ret_reply, size_t *ret_opened)
{
	const struct wire_fds sent = { .count = fd >= 0, .fd = { fd } };
	struct wire_payload answer = { 0 };
	struct wire_fds fds;

	assert_int_equal(wire_send(scene->worker, &request, sizeof(request), payload, &sent), 0);
	assert_int_equal(session_step(scene->session), 0);
	assert_int_equal(wire_receive(scene->worker, ret_reply, sizeof(*ret_reply), WIRE_PAYLOAD_MAX, &answer, &fds), 0);
	*ret_opened = fds.count;
	wire_close(&fds);
	wire_free(&answer);
	return ret_reply->result;
}

static int ask(struct scene *scene, struct wire_request request, const void *payload, int fd)
{
	struct wire_reply reply;
	size_t opened;

	return ask_with(scene, request, payload, fd, &reply, &opened);
}

static uint64_t identify(struct scene *scene)
{
	struct wire_reply reply;
	size_t opened;

	assert_int_equal(ask_with(scene, (struct wire_request){ .operation = WIRE_IDENTIFY }, NULL, scene->accepted,
				  &reply, &opened), 0);
	assert_int_equal(reply.identity.uid, geteuid());
	assert_true(reply.identity.caller != 0);
	return reply.identity.caller;
}

/* The peer of a socket that listens is who listens: root, for vmad's own. */
static void only_clients(void **state)
{
	const struct wire_request request = { .operation = WIRE_IDENTIFY };
	struct scene scene;
	int pair[2], tcp, null;

	(void)state;
	begin(&scene, SERVE_WORKER);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(ask(&scene, request, NULL, scene.listener), -EPERM);
	assert_int_equal(ask(&scene, request, NULL, scene.client), -EPERM);
	assert_int_equal(ask(&scene, request, NULL, pair[0]), -EPERM);
	assert_int_equal(ask(&scene, request, NULL, null), -EPERM);
	if (tcp >= 0)
		assert_int_equal(ask(&scene, request, NULL, tcp), -EPERM);
	assert_int_equal(ask(&scene, request, NULL, scene.accepted), 0);
	close(tcp);
	close(null);
	close(pair[0]);
	close(pair[1]);
	end(&scene);
}

static struct wire_request list_for(uint64_t caller)
{
	return (struct wire_request){ .operation = WIRE_LIST, .caller = caller };
}

/* A handle is worth nothing once the client has hung up, once it was given back, and where it never was one. */
static void as_long_as_connected(void **state)
{
	const struct wire_request forget = { .operation = WIRE_FORGET };
	struct wire_request request = forget;
	struct scene scene;
	uint64_t first, second;

	(void)state;
	begin(&scene, SERVE_WORKER);
	first = identify(&scene);
	second = identify(&scene);
	assert_true(first != second);
	assert_int_equal(ask(&scene, list_for(first), NULL, -1), 0);
	for (int bit = 0; bit < 64; bit++) {
		uint64_t other = first ^ UINT64_C(1) << bit;

		assert_int_equal(ask(&scene, list_for(other), NULL, -1), other == second ? 0 : -ENOTCONN);
	}
	assert_int_equal(ask(&scene, list_for(0), NULL, -1), -ENOTCONN);
	request.caller = first;
	assert_int_equal(wire_send(scene.worker, &request, sizeof(request), NULL, NULL), 0);
	assert_int_equal(session_step(scene.session), 0);
	assert_int_equal(ask(&scene, list_for(first), NULL, -1), -ENOTCONN);
	assert_int_equal(ask(&scene, list_for(second), NULL, -1), 0);
	shutdown(scene.client, SHUT_RDWR);
	assert_int_equal(ask(&scene, list_for(second), NULL, -1), -ENOTCONN);
	end(&scene);
}

static int open_one(struct scene *scene, uint64_t caller, unsigned want, size_t *ret_opened)
{
	const struct wire_target target = { .pid = getppid(), .want = want };
	const struct wire_request request = { .operation = WIRE_OPEN, .caller = caller, .bytes = sizeof(target) };
	struct wire_reply reply;

	return ask_with(scene, request, &target, -1, &reply, ret_opened);
}

/* The sampler has its files of all processes, and no other file, nor anybody else's identity. */
static void sampler(void **state)
{
	static const enum wire_operation refused[] = { WIRE_SAME_MM, WIRE_PATH, WIRE_MAPPED, WIRE_FRAMES, WIRE_HELPER };
	struct scene scene;
	size_t opened;

	(void)state;
	begin(&scene, SERVE_SAMPLER);
	assert_int_equal(open_one(&scene, 0, OPENER_WANT(OPENER_STAT), &opened), 0);
	assert_int_equal(opened, 1);
	assert_int_equal(open_one(&scene, 0, OPENER_WANT(OPENER_STATUS), &opened), 0);
	for (int file = 0; file < OPENER_FILES; file++) {
		bool its = file == OPENER_STAT || file == OPENER_STATUS || file == OPENER_CGROUP || file == OPENER_MAPS ||
			   file == OPENER_SMAPS_ROLLUP;

		assert_int_equal(open_one(&scene, 0, OPENER_WANT(file), &opened), its ? 0 : -EPERM);
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct wire_request request = { .operation = refused[i], .which = OPENER_HOST_KPAGECOUNT };

		assert_int_equal(ask(&scene, request, NULL, -1), -EPERM);
	}
	assert_int_equal(ask(&scene, (struct wire_request){ .operation = WIRE_IDENTIFY }, NULL, scene.accepted), -EPERM);
	end(&scene);
}

/* A generator of its own, so that each run says the same. */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* What is right for an operation, most of the time. */
static size_t payload_for(uint32_t *seed, uint32_t operation)
{
	switch (operation) {
	case WIRE_OPEN:
		return next_random(seed) % 8 * sizeof(struct wire_target);
	case WIRE_SAME_MM:
		return next_random(seed) % 64 * sizeof(int32_t);
	case WIRE_TOKEN:
	case WIRE_PATH:
		return next_random(seed) % 128;
	default:
		return 0;
	}
}

static bool takes_fd(uint32_t operation)
{
	return operation == WIRE_IDENTIFY || operation == WIRE_TOKEN || operation == WIRE_CACHE;
}

static size_t mutate(uint32_t *seed, uint64_t caller, unsigned char bytes[static 1024])
{
	struct wire_request request = {
		.operation = next_random(seed) % (WIRE_OPERATIONS + 1),
		.caller = next_random(seed) % 4 ? caller : next_random(seed),
		.pid = next_random(seed) % 2 ? getpid() : (int32_t)next_random(seed),
		.which = next_random(seed) % 12,
		.start = next_random(seed) % 3 ? 0 : (uint64_t)next_random(seed) << next_random(seed) % 33,
		.end = next_random(seed) % 3 ? 4096 : (uint64_t)next_random(seed) << next_random(seed) % 33,
	};
	size_t payload = next_random(seed) % 4 ? payload_for(seed, request.operation) : next_random(seed) % 900;
	size_t len = sizeof(request) + payload;

	request.bytes = next_random(seed) % 8 ? (uint32_t)payload : next_random(seed) >> next_random(seed) % 32;
	for (size_t i = 0; i < 1024; i++)
		bytes[i] = next_random(seed) % 4 ? 0 : (unsigned char)next_random(seed);
	memcpy(bytes, &request, sizeof(request));
	for (unsigned flips = next_random(seed) % 4; flips > 2; flips--)
		bytes[next_random(seed) % len] ^= (unsigned char)(1u << next_random(seed) % 8);
	return next_random(seed) % 32 ? len : next_random(seed) % (len + 1);
}

static void send_raw(int fd, const void *bytes, size_t len, const int *fds, size_t count)
{
	assert_true(packet_send(fd, bytes, len, fds, count) >= 0);
}

/* What came back is thrown away, its descriptors too. */
static void drain(int fd)
{
	struct wire_payload payload = { 0 };
	struct wire_reply reply;
	struct wire_fds fds;
	char peek;

	if (recv(fd, &peek, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 &&
	    wire_receive(fd, &reply, sizeof(reply), WIRE_PAYLOAD_MAX, &payload, &fds) == 0)
		wire_close(&fds);
	wire_free(&payload);
}

static void mutated(void **state)
{
	uint32_t seed = 20260;
	unsigned answered = 0, broken = 0;
	size_t before = count_entries("/proc/self/fd");
	struct scene scene;
	uint64_t caller;

	(void)state;
	begin(&scene, SERVE_WORKER);
	caller = identify(&scene);
	for (int i = 0; i < MUTATIONS; i++) {
		const int fds[4] = { scene.accepted, scene.listener, scene.client, STDERR_FILENO };
		unsigned char bytes[1024];
		size_t len = mutate(&seed, caller, bytes), right = takes_fd(bytes[4]);

		send_raw(scene.worker, bytes, len, fds, next_random(&seed) % 4 ? right : next_random(&seed) % 5);
		if (session_step(scene.session) == 0) {
			answered++;
			drain(scene.worker);
			if (ask(&scene, list_for(caller), NULL, -1) != 0)
				caller = identify(&scene);
		} else {
			broken++;
			close_channel(&scene);
			open_channel(&scene, SERVE_WORKER);
		}
	}
	assert_true(answered > MUTATIONS / 10);
	assert_true(broken > MUTATIONS / 10);
	end(&scene);
	assert_int_equal(count_entries("/proc/self/fd"), before);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a caller is who is at the other end of an accepted socket, and nobody else", only_clients),
		CASE("a handle is good for as long as its client is connected", as_long_as_connected),
		CASE("the sampler's role", sampler),
		CASE("10,000 mutated messages", mutated),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
