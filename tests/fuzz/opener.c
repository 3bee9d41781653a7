/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A message to the opener's process: the first byte says in which role and with how many descriptors, the rest is the
 * message. Each is answered, or ends the session; no descriptor stays behind. The handle 2048 is a caller's.
 */
#include "fuzz.h"
#include "packet.h"

#include <poll.h>
#include <string.h>
#include <sys/time.h>

#include "opener/process/session.h"

#define FIRST_HANDLE HANDLES_MAX

/* A reply is of its shape, and says nothing beside where it is a refusal. */
static void check_reply(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct wire_payload payload = { 0 };
	struct wire_reply reply;
	struct wire_fds fds;

	if (poll(&poll_fd, 1, 0) != 1)
		return;
	MUST(wire_receive(fd, &reply, sizeof(reply), WIRE_PAYLOAD_MAX, &payload, &fds) == 0);
	MUST(reply.result <= 0);
	MUST(reply.result == 0 || (payload.len == 0 && fds.count == 0));
	wire_close(&fds);
	wire_free(&payload);
}

static void tell(struct sessions *sessions, enum serve_role role, const uint8_t *data, size_t size, size_t count)
{
	const struct timeval soon = { .tv_usec = 1000 };
	struct session *session;
	int ends[2];

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	session = session_new(sessions, role, ends[0]);
	MUST(session);
	send_message(ends[1], data, size, STDERR_FILENO, count);
	if (session_step(session) == 0)
		check_reply(ends[1]);
	session_free(session);
	close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sessions sessions;
	struct vmad_caller *caller = calloc(1, sizeof(*caller));
	uint64_t handle;
	int before, ends[2];

	if (size < 2 || size > WIRE_PACKET) {
		free(caller);
		return 0;
	}
	if (!sessions.opener)
		MUST(opener_new_here("/proc", &sessions.opener, NULL) == 0);
	before = lowest_free();
	sessions.handles = handles_new(0);
	MUST(caller && sessions.handles && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	*caller = (struct vmad_caller){ .class = VMAD_CALLER_USER, .uid = geteuid(), .gid = getegid() };
	MUST(handles_add(sessions.handles, caller, ends[0], &handle) == 0 && handle == FIRST_HANDLE);
	tell(&sessions, data[0] & 1 ? SERVE_SAMPLER : SERVE_WORKER, data + 1, size - 1, data[0] >> 1 & 3);
	handles_free(sessions.handles);
	close(ends[1]);
	MUST(lowest_free() == before);
	return 0;
}
