/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/opener.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock/clock.h"
#include "opener/caller/caller.h"
#include "opener/caller/grant.h"
#include "opener/caller/identity.h"
#include "opener/caller/token.h"
#include "opener/remote/channels.h"
#include "opener/remote/remote.h"
#include "opener/thread/threads.h"

static struct opener *allocate(void)
{
	struct opener *opener = calloc(1, sizeof(*opener));

	if (!opener)
		return NULL;
	opener->uid = geteuid();
	opener->can_change = identity_can_change();
	queue_init(&opener->queue);
	pthread_mutex_init(&opener->tokens_lock, NULL);
	return opener;
}

static void deallocate(struct opener *opener)
{
	pthread_mutex_destroy(&opener->tokens_lock);
	queue_destroy(&opener->queue);
	tokens_free(opener->tokens);
	grants_free(opener->grants);
	free(opener);
}

static int make(const char *procfs, bool here, struct opener **ret_opener, struct vmad_error *err)
{
	struct opener *opener = allocate();
	int r;

	if (!opener)
		return vmad_fail(err, ENOMEM, 0, NULL, "open");
	opener->here = here;
	r = grants_new(&opener->grants);
	if (r == 0)
		r = procfs_init(&opener->procfs, procfs);
	if (r < 0) {
		deallocate(opener);
		return vmad_fail(err, -r, 0, NULL, "open");
	}
	r = here ? 0 : threads_start(opener);
	if (r < 0) {
		procfs_close(&opener->procfs);
		deallocate(opener);
		return vmad_fail(err, -r, 0, NULL, "start");
	}
	*ret_opener = opener;
	return 0;
}

int opener_new(const char *procfs, struct opener **ret_opener, struct vmad_error *err)
{
	return make(procfs, false, ret_opener, err);
}

int opener_new_here(const char *procfs, struct opener **ret_opener, struct vmad_error *err)
{
	return make(procfs, true, ret_opener, err);
}

bool opener_can_be_apart(const char *procfs)
{
	struct procfs dir;
	bool captured = true;

	if (identity_can_change() && procfs_init(&dir, procfs) == 0) {
		captured = dir.captured;
		procfs_close(&dir);
	}
	return !captured;
}

/* It takes on identities, so it runs as root. */
int opener_new_remote(unsigned threads, struct opener **ret_opener, struct vmad_error *err)
{
	struct opener *opener = allocate();

	if (!opener)
		return vmad_fail(err, ENOMEM, 0, NULL, "connect");
	opener->channels = channels_new(threads);
	if (!opener->channels) {
		deallocate(opener);
		return vmad_fail(err, ENOMEM, 0, NULL, "connect");
	}
	opener->uid = 0;
	opener->can_change = true;
	*ret_opener = opener;
	return 0;
}

int opener_connect(struct opener *opener, int control_fd)
{
	return channels_connect(opener->channels, control_fd);
}

void opener_disconnect(struct opener *opener)
{
	channels_disconnect(opener->channels);
}

void opener_leave(struct opener *opener)
{
	if (opener->channels)
		channels_leave(opener->channels);
}

int opener_ping(struct opener *opener)
{
	int fd;

	return opener->channels ? channels_ask_control(opener->channels, WIRE_PING, &fd) : 0;
}

int opener_board(struct opener *opener)
{
	int fd, r = opener->channels ? channels_ask_control(opener->channels, WIRE_BOARD, &fd) : -ENOENT;

	if (r < 0)
		return r;
	return fd < 0 ? -EPROTO : fd;
}

_Bool opener_is_there(struct opener *opener)
{
	return !opener->channels || channels_life(opener->channels);
}

_Bool opener_knows(struct opener *opener, const struct vmad_caller *caller)
{
	return !opener->channels || remote_knows(opener->channels, caller);
}

/* What a stuck thread still uses stays, for the rest of the process. */
void opener_free(struct opener *opener)
{
	if (!opener)
		return;
	if (opener->channels)
		channels_free(opener->channels);
	else if (!opener->here && !threads_stop(opener))
		return;
	else
		procfs_close(&opener->procfs);
	deallocate(opener);
}

_Bool opener_is_captured(const struct opener *opener)
{
	return opener->procfs.captured;
}

uid_t opener_uid(const struct opener *opener)
{
	return opener->uid;
}

void opener_use_tokens(struct opener *opener, struct tokens *tokens)
{
	struct tokens *before;

	pthread_mutex_lock(&opener->tokens_lock);
	before = opener->tokens;
	opener->tokens = tokens;
	pthread_mutex_unlock(&opener->tokens_lock);
	tokens_free(before);
}

/* A clock that goes on while the host sleeps: a token of eight hours is none of tomorrow. */
static uint64_t now_seconds(void)
{
	return clock_us_of(CLOCK_BOOTTIME) / CLOCK_SECOND_US;
}

static int find_grant(struct opener *opener, const char *token, struct vmad_caller **ret_caller)
{
	*ret_caller = grants_find(opener->grants, token, now_seconds());
	return *ret_caller ? 0 : -EACCES;
}

static int find_token(struct opener *opener, const char *token, struct vmad_caller **ret_caller)
{
	const struct vmad_caller *found;
	int r = -EACCES;

	pthread_mutex_lock(&opener->tokens_lock);
	found = tokens_find(opener->tokens, token);
	if (found) {
		*ret_caller = caller_copy(found);
		r = *ret_caller ? 0 : -ENOMEM;
	}
	pthread_mutex_unlock(&opener->tokens_lock);
	return r == -EACCES ? find_grant(opener, token, ret_caller) : r;
}

int opener_identify_token(struct opener *opener, int socket_fd, const char *token, struct vmad_caller **ret_caller)
{
	return opener->channels ? remote_identify(opener->channels, socket_fd, token, ret_caller) :
				  find_token(opener, token, ret_caller);
}

int opener_grant(struct opener *opener, const struct vmad_caller *caller, struct opener_grant *ret_grant)
{
	if (opener->channels)
		return remote_grant(opener->channels, caller, ret_grant);
	ret_grant->seconds = GRANT_SECONDS;
	return grants_make(opener->grants, caller, now_seconds(), ret_grant->token);
}

void opener_forget(struct opener *opener, struct vmad_caller *caller)
{
	if (caller && caller->handle && opener->channels)
		remote_forget(opener->channels, caller);
	free(caller);
}
