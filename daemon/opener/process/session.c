/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/process/session.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "opener/caller/identity.h"

#define SAMPLER_FILES                                                                        \
	(OPENER_WANT(OPENER_STAT) | OPENER_WANT(OPENER_STATUS) | OPENER_WANT(OPENER_MAPS) |   \
	 OPENER_WANT(OPENER_SMAPS_ROLLUP) | OPENER_WANT(OPENER_CGROUP))
#define ALL_FILES (OPENER_WANT(OPENER_FILES) - 1)

/* A vector of one byte for each page is made for mincore: a MiB at most. */
#define MINCORE_MAX (UINT64_C(4) << 30)

struct session {
	struct sessions *sessions;
	enum serve_role role;
	int fd;
	struct wire_request request;
	struct wire_payload payload;
	struct wire_fds received;
	const struct vmad_caller *caller;	/* of this request, or NULL */
	struct wire_reply reply;
	void *answer;				/* the reply's payload; its bytes are said in its head */
	struct wire_fds opened;
	struct opener_target targets[OPENER_BATCH];
};

static int set_answer(struct session *session, void *answer, size_t bytes)
{
	session->answer = answer;
	if (bytes > WIRE_PAYLOAD_MAX)
		return -E2BIG;
	session->reply.bytes = (uint32_t)bytes;
	return 0;
}

static int set_fd(struct session *session, int fd)
{
	if (fd < 0)
		return fd;
	session->opened.fd[session->opened.count++] = fd;
	return 0;
}

/* Text that came without its end. NULL: no memory. */
static char *copy_text(const struct session *session)
{
	return strndup((const char *)session->payload.data, session->payload.len);
}

/*
 * A socket that one of vmad's listeners has accepted, so that its peer is a client: the peer of a socket that listens,
 * or that was connected to somewhere, would be who listens there, such as root.
 */
static bool is_accepted(const struct sessions *sessions, int fd)
{
	struct sockaddr_un name;
	socklen_t len = sizeof(name), int_len = sizeof(int);
	int listens = 1;

	if (getsockname(fd, (struct sockaddr *)&name, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) < 0 || listens)
		return false;
	for (size_t i = 0; i < sessions->address_count; i++) {
		if (len == sessions->addresses[i].len && !memcmp(&name, &sessions->addresses[i].name, len))
			return true;
	}
	return false;
}

/* The caller, known from now on by a number that is good for as long as the client's socket is. */
static int answer_identity(struct session *session, struct vmad_caller *caller)
{
	size_t bytes = caller->group_count * sizeof(caller->groups[0]);
	struct wire_identity *identity = &session->reply.identity;
	void *groups = malloc(bytes + 1);
	int r = groups ? set_answer(session, groups, bytes) : -ENOMEM;

	if (r < 0) {
		free(caller);
		return r;
	}
	memcpy(groups, caller->groups, bytes);
	*identity = (struct wire_identity){ .class = caller->class, .uid = caller->uid, .gid = caller->gid };
	session->received.count = 0;
	return handles_add(session->sessions->handles, caller, session->received.fd[0], &identity->caller);
}

static int answer_identify(struct session *session)
{
	struct vmad_caller *caller = NULL;
	int fd = session->received.fd[0];
	int r = is_accepted(session->sessions, fd) ? 0 : -EPERM;

	if (r == 0)
		r = opener_identify(session->sessions->opener, fd, &caller, NULL);
	return r < 0 ? r : answer_identity(session, caller);
}

static int answer_token(struct session *session)
{
	char *token = copy_text(session);
	struct vmad_caller *caller;
	int r = token ? opener_identify_token(session->sessions->opener, session->received.fd[0], token, &caller) :
			-ENOMEM;

	if (token)
		explicit_bzero(token, strlen(token));
	explicit_bzero(session->payload.data, session->payload.len);
	free(token);
	return r < 0 ? r : answer_identity(session, caller);
}

static int answer_grant(struct session *session)
{
	return opener_grant(session->sessions->opener, session->caller, &session->reply.grant);
}

static int answer_forget(struct session *session)
{
	handles_end(session->sessions->handles, session->request.caller);
	return 0;
}

/*
 * For what takes long: who asks has something else to do meanwhile, and be it to ask for more. The kernel wakes this thread
 * on the CPU where that one runs, and lets it have that CPU at once, whether or not another one is idle. The other goes on
 * first, and when it wakes the next thread that is one more than a CPU is for.
 */
static void let_go_on(void)
{
	sched_yield();
}

static int answer_list(struct session *session)
{
	size_t count;
	pid_t *pids;
	int r;

	let_go_on();
	r = opener_list(session->sessions->opener, session->caller, &pids, &count, NULL);
	return r < 0 ? r : set_answer(session, pids, count * sizeof(*pids));
}

static int read_targets(struct session *session, size_t count)
{
	const unsigned allowed = session->role == SERVE_WORKER ? ALL_FILES : SAMPLER_FILES;
	const struct wire_target *wanted = (const struct wire_target *)session->payload.data;

	if (session->payload.len % sizeof(*wanted) || count > OPENER_BATCH)
		return -EPROTO;
	for (size_t i = 0; i < count; i++) {
		if (wanted[i].pid <= 0 || wanted[i].want & ~ALL_FILES)
			return -EPROTO;
		if (wanted[i].want & ~allowed)
			return -EPERM;
		session->targets[i] = (struct opener_target){
			.pid = wanted[i].pid,
			.want = wanted[i].want,
			.only_if = { wanted[i].index, wanted[i].mask, wanted[i].value },
		};
	}
	return 0;
}

/* One code for each file that was wanted; what was opened is the message's from now on. */
static size_t write_codes(struct session *session, size_t count, int32_t *codes)
{
	size_t wanted = 0;

	for (size_t i = 0; i < count; i++) {
		struct opener_target *target = &session->targets[i];

		for (int file = 0; file < OPENER_FILES; file++) {
			if (!(target->want & OPENER_WANT(file)))
				continue;
			codes[wanted++] = target->fd[file] < 0 ? target->fd[file] : 0;
			if (target->fd[file] >= 0)
				session->opened.fd[session->opened.count++] = target->fd[file];
		}
	}
	return wanted;
}

static int answer_open(struct session *session)
{
	size_t count = session->payload.len / sizeof(struct wire_target);
	int r = read_targets(session, count);
	int32_t *codes;

	if (r < 0)
		return r;
	if (count > 1)
		let_go_on();
	codes = malloc(OPENER_BATCH * sizeof(*codes));
	r = codes ? opener_open(session->sessions->opener, session->caller, session->targets, count, NULL) : -ENOMEM;
	if (r < 0) {
		free(codes);
		return r;
	}
	return set_answer(session, codes, write_codes(session, count, codes) * sizeof(*codes));
}

static int compare_all(struct session *session, size_t count, uint32_t *places)
{
	size_t *groups = malloc((count + 1) * sizeof(*groups));
	int r = groups ? opener_same_mm(session->sessions->opener, session->caller,
					(const pid_t *)session->payload.data, count, groups, NULL) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < count; i++)
		places[i] = groups[i] == OPENER_NO_MM ? UINT32_MAX : (uint32_t)groups[i];
	free(groups);
	return r;
}

static int answer_same_mm(struct session *session)
{
	size_t count = session->payload.len / sizeof(pid_t);
	uint32_t *places;
	int r;

	if (session->payload.len % sizeof(pid_t))
		return -EPROTO;
	places = malloc((count + 1) * sizeof(*places));
	r = places ? compare_all(session, count, places) : -ENOMEM;
	if (r < 0) {
		free(places);
		return r;
	}
	return set_answer(session, places, count * sizeof(*places));
}

static int answer_path(struct session *session)
{
	struct wire_path *reply = &session->reply.path;
	char *path = copy_text(session);
	struct opener_path file;
	int r = path ? opener_open_path(session->sessions->opener, session->caller, path, &file, NULL) : -ENOMEM;

	free(path);
	if (r < 0)
		return r;
	*reply = (struct wire_path){
		.device = file.device,
		.inode = file.inode,
		.size_bytes = file.size_bytes,
	};
	memcpy(reply->line, file.line, sizeof(reply->line));
	return set_fd(session, file.fd);
}

static int answer_cache(struct session *session)
{
	const struct wire_request *request = &session->request;

	if (request->which > OPENER_MINCORE)
		return -EPROTO;
	if (request->which == OPENER_MINCORE && request->end > MINCORE_MAX)
		return -EFBIG;
	return opener_cache(session->sessions->opener, session->caller, session->received.fd[0], request->which,
			    request->start, request->end, &session->reply.cache, NULL);
}

static int answer_mapped(struct session *session)
{
	const struct wire_request *request = &session->request;

	return opener_mapped_file(session->sessions->opener, session->caller, request->pid, request->start,
				  request->end, &session->reply.mapped, NULL);
}

static int answer_host(struct session *session)
{
	if (session->request.which >= OPENER_HOST_FRAMES)
		return -EPROTO;
	return set_fd(session, opener_open_host(session->sessions->opener, session->request.which));
}

static int answer_frames(struct session *session)
{
	if (session->request.which < OPENER_HOST_FRAMES || session->request.which > OPENER_HOST_IOMEM)
		return -EPROTO;
	return set_fd(session, opener_open_frames(session->sessions->opener, session->caller, session->request.which));
}

static int answer_helper(struct session *session)
{
	return set_fd(session, opener_open_helper(session->sessions->opener, session->caller));
}

/* CHANNEL, PING, BOARD and LEAVE go over the control socket alone: here there is no answer to them. */
static const struct operation {
	int (*answer)(struct session *session);
	bool for_caller;	/* needs one */
	bool for_sampler;	/* it may ask too */
	bool silent;		/* is not answered */
	size_t payload_max;
	size_t fds;
} operations[WIRE_OPERATIONS] = {
	[WIRE_IDENTIFY] = { .answer = answer_identify, .fds = 1 },
	[WIRE_TOKEN] = { .answer = answer_token, .payload_max = WIRE_TEXT_MAX - 1, .fds = 1 },
	[WIRE_GRANT] = { .answer = answer_grant, .for_caller = true },
	[WIRE_FORGET] = { .answer = answer_forget, .silent = true },
	[WIRE_LIST] = { .answer = answer_list, .for_caller = true, .for_sampler = true },
	[WIRE_OPEN] = { .answer = answer_open, .for_caller = true, .for_sampler = true,
			.payload_max = OPENER_BATCH * sizeof(struct wire_target) },
	[WIRE_SAME_MM] = { .answer = answer_same_mm, .for_caller = true, .payload_max = WIRE_PAYLOAD_MAX },
	[WIRE_PATH] = { .answer = answer_path, .for_caller = true, .payload_max = WIRE_TEXT_MAX - 1 },
	[WIRE_CACHE] = { .answer = answer_cache, .for_caller = true, .fds = 1 },
	[WIRE_MAPPED] = { .answer = answer_mapped, .for_caller = true },
	[WIRE_HOST] = { .answer = answer_host, .for_sampler = true },
	[WIRE_FRAMES] = { .answer = answer_frames, .for_caller = true },
	[WIRE_HELPER] = { .answer = answer_helper, .for_caller = true },
};

/* NULL: whoever sends such a thing is not what it should be. */
static const struct operation *find_operation(const struct session *session)
{
	const struct operation *operation;

	if (session->request.operation >= WIRE_OPERATIONS)
		return NULL;
	operation = &operations[session->request.operation];
	if (!operation->answer || session->payload.len > operation->payload_max ||
	    session->received.count != operation->fds)
		return NULL;
	return operation;
}

/* A sampler has one identity, whatever it says, and so few operations that this is enough. */
static int answer_as_sampler(struct session *session, const struct operation *operation)
{
	if (!operation->for_sampler)
		return -EPERM;
	session->caller = identity_own();
	return operation->answer(session);
}

static int answer_as_worker(struct session *session, const struct operation *operation)
{
	struct handles *handles = session->sessions->handles;
	int r;

	if (!operation->for_caller)
		return operation->answer(session);
	session->caller = handles_hold(handles, session->request.caller);
	if (!session->caller)
		return -ENOTCONN;
	r = operation->answer(session);
	session->caller = NULL;
	handles_drop(handles, session->request.caller);
	return r;
}

static void clear(struct session *session)
{
	wire_close(&session->received);
	wire_close(&session->opened);
	free(session->answer);
	session->answer = NULL;
}

static int send_reply(struct session *session, int result)
{
	session->reply.result = result;
	if (result < 0) {
		session->reply.bytes = 0;
		wire_close(&session->opened);
	}
	return wire_send(session->fd, &session->reply, sizeof(session->reply), session->answer, &session->opened);
}

static bool is_identifying(const struct session *session)
{
	return session->request.operation == WIRE_IDENTIFY || session->request.operation == WIRE_TOKEN;
}

int session_step(struct session *session)
{
	const struct operation *operation;
	int r = wire_receive(session->fd, &session->request, sizeof(session->request), WIRE_PAYLOAD_MAX,
			     &session->payload, &session->received);

	if (r < 0)
		return r;
	session->reply = (struct wire_reply){ 0 };
	operation = find_operation(session);
	r = !operation ? -EPROTO : session->role == SERVE_WORKER ? answer_as_worker(session, operation) :
								    answer_as_sampler(session, operation);
	if (r != -EPROTO)
		r = operation->silent ? 0 : send_reply(session, r);
	/* A handle that nobody was told would keep its client's connection open. */
	if (r < 0 && session->reply.identity.caller && is_identifying(session))
		handles_end(session->sessions->handles, session->reply.identity.caller);
	clear(session);
	return r;
}

struct session *session_new(struct sessions *sessions, enum serve_role role, int fd)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session) {
		close(fd);
		return NULL;
	}
	session->sessions = sessions;
	session->role = role;
	session->fd = fd;
	return session;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	clear(session);
	wire_free(&session->payload);
	close(session->fd);
	free(session);
}
