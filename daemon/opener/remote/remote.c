/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/remote/remote.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "meter/meter.h"
#include "opener/caller/caller.h"
#include "opener/remote/channels.h"
#include "opener/remote/targets.h"

void remote_count(int r)
{
	meter_add(METER_OPENER_REQUESTS, r == -ETIMEDOUT ? "timeout" : r < 0 ? "failed" : "ok", NULL, 1);
}

/* The reply's own errno is the outcome of the call. */
static int outcome(struct channels *channels, struct channel *channel, int r)
{
	if (r == 0) {
		r = channel->reply.result > 0 ? -EPROTO : channel->reply.result;
		if (r < 0)
			channels_give(channels, channel);
	}
	remote_count(r);
	return r;
}

static int call(struct channels *channels, const struct wire_request *request, const void *payload, int fd,
		struct channel **ret_channel)
{
	int r = channels_call(channels, request, payload, fd, ret_channel);

	return outcome(channels, *ret_channel, r);
}

static int give(struct channels *channels, struct channel *channel, int r)
{
	channels_give(channels, channel);
	return r;
}

static int take_fd(struct channel *channel)
{
	if (channel->fds.count != 1)
		return -EPROTO;
	channel->fds.count = 0;
	return channel->fds.fd[0];
}

static int take_identity(const struct channel *channel, struct vmad_caller **ret_caller)
{
	const struct wire_identity *identity = &channel->reply.identity;
	size_t count = channel->payload.len / sizeof(gid_t);
	struct vmad_caller *caller;

	if (channel->payload.len % sizeof(gid_t) || identity->class > VMAD_CALLER_ROOT)
		return -EPROTO;
	caller = caller_new(count);
	if (!caller)
		return -ENOMEM;
	caller->handle = identity->caller;
	caller->life = channel->life;
	caller->class = identity->class;
	caller->uid = identity->uid;
	caller->gid = identity->gid;
	memcpy(caller->groups, channel->payload.data, count * sizeof(gid_t));
	*ret_caller = caller;
	return 0;
}

bool remote_knows(struct channels *channels, const struct vmad_caller *caller)
{
	return caller->life == channels_life(channels);
}

int remote_identify(struct channels *channels, int socket_fd, const char *token, struct vmad_caller **ret_caller)
{
	struct wire_request request = {
		.operation = token ? WIRE_TOKEN : WIRE_IDENTIFY,
		.bytes = token ? (uint32_t)strlen(token) : 0,
	};
	struct channel *channel = NULL;
	int r = socket_fd < 0 ? -EBADF : 0;

	if (r == 0 && request.bytes >= WIRE_TEXT_MAX)
		r = -EACCES;
	if (r == 0)
		r = call(channels, &request, token, socket_fd, &channel);
	return r < 0 ? r : give(channels, channel, take_identity(channel, ret_caller));
}

int remote_grant(struct channels *channels, const struct vmad_caller *caller, struct opener_grant *ret_grant)
{
	const struct wire_request request = { .operation = WIRE_GRANT, .caller = caller->handle };
	struct channel *channel;
	int r = call(channels, &request, NULL, -1, &channel);

	if (r < 0)
		return r;
	r = memchr(channel->reply.grant.token, '\0', OPENER_TOKEN_SIZE) ? 0 : -EPROTO;
	if (r == 0)
		*ret_grant = channel->reply.grant;
	explicit_bzero(&channel->reply, sizeof(channel->reply));
	return give(channels, channel, r);
}

void remote_forget(struct channels *channels, const struct vmad_caller *caller)
{
	const struct wire_request request = { .operation = WIRE_FORGET, .caller = caller->handle };

	channels_tell(channels, &request);
}

/* One more than there are, so that there is something to free() when there are none. */
static int take_pids(const struct channel *channel, pid_t **ret_pids, size_t *ret_count)
{
	size_t count = channel->payload.len / sizeof(pid_t);
	pid_t *pids;

	if (channel->payload.len % sizeof(pid_t))
		return -EPROTO;
	pids = malloc((count + 1) * sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	memcpy(pids, channel->payload.data, count * sizeof(*pids));
	*ret_pids = pids;
	*ret_count = count;
	return 0;
}

int remote_list_begin(struct channels *channels, const struct vmad_caller *caller, bool patient,
		      struct channel **ret_channel)
{
	const struct wire_request request = { .operation = WIRE_LIST, .caller = caller->handle };

	return channels_begin(channels, patient ? CHANNELS_WAIT : CHANNELS_SPARE, &request, NULL, -1, ret_channel);
}

int remote_list_end(struct channels *channels, struct channel *channel, pid_t **ret_pids, size_t *ret_count)
{
	int r = outcome(channels, channel, channels_end(channels, channel));

	return r < 0 ? r : give(channels, channel, take_pids(channel, ret_pids, ret_count));
}

int remote_open(struct channels *channels, const struct vmad_caller *caller, struct opener_target *targets, size_t count)
{
	struct wire_target wanted[OPENER_BATCH];
	struct wire_request request;
	struct channel *channel;
	int r;

	if (count > OPENER_BATCH)
		return -E2BIG;
	request = targets_request(caller, targets, count, wanted);
	r = call(channels, &request, wanted, -1, &channel);
	return r < 0 ? r : give(channels, channel, targets_take(channel, targets, count));
}

static int take_groups(const struct channel *channel, size_t *groups, size_t count)
{
	const uint32_t *places = (const uint32_t *)channel->payload.data;

	if (channel->payload.len != count * sizeof(*places))
		return -EPROTO;
	for (size_t i = 0; i < count; i++) {
		if (places[i] >= count && places[i] != UINT32_MAX)
			return -EPROTO;
		groups[i] = places[i] == UINT32_MAX ? OPENER_NO_MM : places[i];
	}
	return 0;
}

int remote_same_mm(struct channels *channels, const struct vmad_caller *caller, const pid_t *pids, size_t count,
		   size_t *ret_group)
{
	struct wire_request request = { .operation = WIRE_SAME_MM, .caller = caller->handle };
	struct channel *channel = NULL;
	int r;

	if (count > WIRE_PAYLOAD_MAX / sizeof(*pids))
		return -E2BIG;
	request.bytes = (uint32_t)(count * sizeof(*pids));
	r = call(channels, &request, pids, -1, &channel);
	return r < 0 ? r : give(channels, channel, take_groups(channel, ret_group, count));
}

static int take_path(struct channel *channel, struct opener_path *ret_path)
{
	const struct wire_path *path = &channel->reply.path;
	int fd;

	if (!memchr(path->line, '\0', sizeof(path->line)))
		return -EPROTO;
	fd = take_fd(channel);
	if (fd < 0)
		return fd;
	*ret_path = (struct opener_path){
		.fd = fd,
		.device = path->device,
		.inode = path->inode,
		.size_bytes = path->size_bytes,
	};
	memcpy(ret_path->line, path->line, sizeof(ret_path->line));
	return 0;
}

int remote_open_path(struct channels *channels, const struct vmad_caller *caller, const char *path,
		     struct opener_path *ret_path)
{
	struct wire_request request = { .operation = WIRE_PATH, .caller = caller->handle };
	size_t len = strlen(path);
	struct channel *channel = NULL;
	int r;

	if (len >= WIRE_TEXT_MAX)
		return -ENAMETOOLONG;
	request.bytes = (uint32_t)len;
	r = call(channels, &request, path, -1, &channel);
	return r < 0 ? r : give(channels, channel, take_path(channel, ret_path));
}

int remote_cache(struct channels *channels, const struct vmad_caller *caller, int fd, enum opener_cache_source source,
		 uint64_t offset, uint64_t length, struct opener_cache *ret_cache)
{
	const struct wire_request request = { .operation = WIRE_CACHE, .caller = caller->handle, .which = source,
					      .start = offset, .end = length };
	struct channel *channel = NULL;
	int r = fd < 0 ? -EBADF : call(channels, &request, NULL, fd, &channel);

	if (r < 0)
		return r;
	*ret_cache = channel->reply.cache;
	return give(channels, channel, 0);
}

int remote_mapped_file(struct channels *channels, const struct vmad_caller *caller, pid_t pid, uint64_t start,
		       uint64_t end, struct opener_mapped *ret_mapped)
{
	const struct wire_request request = { .operation = WIRE_MAPPED, .caller = caller->handle, .pid = pid,
					      .start = start, .end = end };
	struct channel *channel = NULL;
	int r = call(channels, &request, NULL, -1, &channel);

	if (r < 0)
		return r;
	*ret_mapped = channel->reply.mapped;
	return give(channels, channel, 0);
}

int remote_open_host(struct channels *channels, const struct vmad_caller *caller, enum opener_host_file file)
{
	const struct wire_request request = {
		.operation = !caller ? WIRE_HOST : file == OPENER_HOST_HELPER ? WIRE_HELPER : WIRE_FRAMES,
		.caller = caller ? caller->handle : 0,
		.which = file,
	};
	struct channel *channel = NULL;
	int r = call(channels, &request, NULL, -1, &channel);

	return r < 0 ? r : give(channels, channel, take_fd(channel));
}
