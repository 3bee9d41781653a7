/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/process/handles.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* They are counted in 64 bits, together with their places. */
#define FIRST_MAX (UINT64_C(1) << 52)

/* A number is used once: the place is in its low bits, and what is above them never comes again. */
struct place {
	uint64_t handle;		/* 0: free */
	struct vmad_caller *caller;
	int socket_fd;
	unsigned users;
	bool ended;
};

struct handles {
	pthread_mutex_t lock;
	uint64_t serial;
	size_t next;			/* where to look for a free place first */
	struct place places[HANDLES_MAX];
};

struct handles *handles_new(uint64_t first)
{
	struct handles *handles = calloc(1, sizeof(*handles));

	if (!handles)
		return NULL;
	handles->serial = first % FIRST_MAX;
	pthread_mutex_init(&handles->lock, NULL);
	return handles;
}

static void clear(struct place *place)
{
	close(place->socket_fd);
	free(place->caller);
	*place = (struct place){ 0 };
}

void handles_free(struct handles *handles)
{
	if (!handles)
		return;
	for (size_t i = 0; i < HANDLES_MAX; i++) {
		if (handles->places[i].handle)
			clear(&handles->places[i]);
	}
	pthread_mutex_destroy(&handles->lock);
	free(handles);
}

static struct place *find_free(struct handles *handles)
{
	for (size_t i = 0; i < HANDLES_MAX; i++) {
		size_t at = (handles->next + i) % HANDLES_MAX;

		if (!handles->places[at].handle) {
			handles->next = at + 1;
			return &handles->places[at];
		}
	}
	return NULL;
}

static void end(struct place *place)
{
	place->ended = true;
	if (place->users == 0)
		clear(place);
}

/* Of TCP too: a client that only has nothing more to say (POLLRDHUP) still listens. */
static bool has_hung_up(int socket_fd)
{
	struct pollfd poll_fd = { .fd = socket_fd };

	return poll(&poll_fd, 1, 0) > 0 && poll_fd.revents & (POLLHUP | POLLERR | POLLNVAL);
}

static void sweep(struct handles *handles)
{
	for (size_t i = 0; i < HANDLES_MAX; i++) {
		struct place *place = &handles->places[i];

		if (place->handle && !place->ended && has_hung_up(place->socket_fd))
			end(place);
	}
}

void handles_end_all(struct handles *handles)
{
	pthread_mutex_lock(&handles->lock);
	for (size_t i = 0; i < HANDLES_MAX; i++) {
		struct place *place = &handles->places[i];

		if (!place->handle || place->ended)
			continue;
		shutdown(place->socket_fd, SHUT_RDWR);	/* also for one that a stuck thread holds on to */
		end(place);
	}
	pthread_mutex_unlock(&handles->lock);
}

void handles_sweep(struct handles *handles)
{
	pthread_mutex_lock(&handles->lock);
	sweep(handles);
	pthread_mutex_unlock(&handles->lock);
}

int handles_add(struct handles *handles, struct vmad_caller *caller, int socket_fd, uint64_t *ret_handle)
{
	struct place *place;

	pthread_mutex_lock(&handles->lock);
	place = find_free(handles);
	if (!place) {
		sweep(handles);
		place = find_free(handles);
	}
	if (place) {
		*ret_handle = ++handles->serial * HANDLES_MAX + (uint64_t)(place - handles->places);
		*place = (struct place){ .handle = *ret_handle, .caller = caller, .socket_fd = socket_fd };
	}
	pthread_mutex_unlock(&handles->lock);
	if (place)
		return 0;
	close(socket_fd);
	free(caller);
	return -EMFILE;
}

static struct place *place_of(struct handles *handles, uint64_t handle)
{
	struct place *place = &handles->places[handle % HANDLES_MAX];

	return handle && place->handle == handle ? place : NULL;
}

const struct vmad_caller *handles_hold(struct handles *handles, uint64_t handle)
{
	const struct vmad_caller *caller = NULL;
	struct place *place;

	pthread_mutex_lock(&handles->lock);
	place = place_of(handles, handle);
	if (place && !place->ended) {
		if (has_hung_up(place->socket_fd)) {
			end(place);
		} else {
			place->users++;
			caller = place->caller;
		}
	}
	pthread_mutex_unlock(&handles->lock);
	return caller;
}

void handles_drop(struct handles *handles, uint64_t handle)
{
	struct place *place;

	pthread_mutex_lock(&handles->lock);
	place = place_of(handles, handle);
	if (place && --place->users == 0 && place->ended)
		clear(place);
	pthread_mutex_unlock(&handles->lock);
}

void handles_end(struct handles *handles, uint64_t handle)
{
	struct place *place;

	pthread_mutex_lock(&handles->lock);
	place = place_of(handles, handle);
	if (place && !place->ended)
		end(place);
	pthread_mutex_unlock(&handles->lock);
}
