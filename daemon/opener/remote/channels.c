/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/remote/channels.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock/clock.h"
#include "opener/thread/queue.h"

#define SLACK_MS 50	/* that a request may wait for longer, if that spares the kernel a call */
#define LATE_MAX 16	/* questions that were given up; more are not asked until one is answered */
#define RETRY_MS 100	/* after the opener had no thread left: nobody tells when it has one */

struct channels {
	pthread_mutex_t lock;
	pthread_cond_t some_free;
	struct channel *idle;
	unsigned count, count_max;	/* that are there, or are being made */
	pthread_mutex_t control_lock;
	int control_fd;			/* -1: there is no opener */
	unsigned lives;			/* so many there have been */
	atomic_uint life;		/* of the one that is there; 0: there is none */
	unsigned late;			/* answers that its control socket still owes */
};

static void channel_free(struct channel *channel)
{
	wire_close(&channel->fds);
	wire_free(&channel->payload);
	if (channel->fd >= 0)
		close(channel->fd);
	free(channel);
}

static void close_control(struct channels *channels)
{
	if (channels->control_fd >= 0)
		close(channels->control_fd);
	channels->control_fd = -1;
	channels->late = 0;
	atomic_store(&channels->life, 0);
}

void channels_leave(struct channels *channels)
{
	const struct wire_request request = { .operation = WIRE_LEAVE };

	pthread_mutex_lock(&channels->control_lock);
	if (channels->control_fd >= 0)
		wire_send(channels->control_fd, &request, sizeof(request), NULL, NULL);
	pthread_mutex_unlock(&channels->control_lock);
}

void channels_free(struct channels *channels)
{
	if (!channels)
		return;
	channels_leave(channels);
	for (struct channel *channel; (channel = channels->idle); ) {
		channels->idle = channel->next;
		channel_free(channel);
	}
	pthread_cond_destroy(&channels->some_free);
	pthread_mutex_destroy(&channels->control_lock);
	pthread_mutex_destroy(&channels->lock);
	close_control(channels);
	free(channels);
}

static uint64_t now_ms(void)
{
	return clock_us() / 1000;
}

static bool is_end(int r)
{
	return r == -ENOTCONN || r == -EPIPE || r == -ECONNRESET;
}

/* 0: it answers; -ETIMEDOUT. That it is gone is for the receiver to find out. */
static int wait_for(int fd, uint64_t until)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint64_t now = now_ms();
	int n;

	do
		n = poll(&poll_fd, 1, until > now ? (int)(until - now) : 0);
	while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : n < 0 ? -errno : -ETIMEDOUT;
}

static int receive(struct channel *channel)
{
	int r = channel->until ? wait_for(channel->fd, channel->until) : 0;

	if (r == 0)
		r = wire_receive(channel->fd, &channel->reply, sizeof(channel->reply), WIRE_PAYLOAD_MAX,
				 &channel->payload, &channel->fds);
	if (is_end(r))
		return -ENOTCONN;
	return r == -EAGAIN ? -ETIMEDOUT : r;
}

/* Answers to questions that were given up come late, and before the one that is waited for. */
static int skip_late(struct channels *channels, struct channel *channel, unsigned left)
{
	int r = 0;

	while (r == 0 && channels->late > left) {
		r = receive(channel);
		if (r == 0)
			channels->late--;
		wire_close(&channel->fds);
	}
	return r;
}

/* Under the control's lock. The reply is then channel's. */
static int ask_control(struct channels *channels, const struct wire_request *request, struct channel *channel)
{
	int r = channels->control_fd < 0 ? -ENOTCONN : 0;

	channel->fd = channels->control_fd;
	channel->life = atomic_load(&channels->life);
	if (r == 0)
		r = skip_late(channels, channel, LATE_MAX);
	if (r == 0)
		r = wire_send(channel->fd, request, sizeof(*request), NULL, NULL);
	if (r == 0) {
		channels->late++;
		r = skip_late(channels, channel, 1);
	}
	if (r == 0) {
		r = receive(channel);
		channels->late -= r == 0;
	}
	channel->fd = -1;
	if (is_end(r))
		return -ENOTCONN;
	return r == 0 ? channel->reply.result : r;
}

/* *ret_channel has no descriptor of its own yet. */
static int ask(struct channels *channels, enum wire_operation operation, uint64_t until, struct channel **ret_channel)
{
	const struct wire_request request = { .operation = operation };
	struct channel *channel = calloc(1, sizeof(*channel));
	int r;

	if (!channel)
		return -ENOMEM;
	channel->until = until;
	pthread_mutex_lock(&channels->control_lock);
	r = ask_control(channels, &request, channel);
	pthread_mutex_unlock(&channels->control_lock);
	if (r < 0)
		channel_free(channel);
	else
		*ret_channel = channel;
	return r < 0 ? r : 0;
}

static int take_fd(struct channel *channel)
{
	if (channel->fds.count != 1)
		return -1;
	channel->fds.count = 0;
	return channel->fds.fd[0];
}

int channels_ask_control(struct channels *channels, enum wire_operation operation, int *ret_fd)
{
	struct channel *channel;
	int r = ask(channels, operation, now_ms() + OPENER_TIMEOUT_MS, &channel);

	if (r < 0)
		return r;
	*ret_fd = take_fd(channel);
	channel_free(channel);
	return 0;
}

/* A new one. -EAGAIN: the opener has too many threads that are stuck. */
static int make(struct channels *channels, uint64_t until, struct channel **ret_channel)
{
	int r = ask(channels, WIRE_CHANNEL, until, ret_channel);

	if (r < 0)
		return r;
	(*ret_channel)->fd = take_fd(*ret_channel);
	if ((*ret_channel)->fd >= 0)
		return 0;
	channel_free(*ret_channel);
	return -EPROTO;
}

static void give(struct channels *channels, struct channel *channel);

/* False: there are as many as there may be. */
static bool count_one(struct channels *channels)
{
	bool one_more;

	pthread_mutex_lock(&channels->lock);
	one_more = channels->count < channels->count_max;
	channels->count += one_more;
	pthread_mutex_unlock(&channels->lock);
	return one_more;
}

static void uncount_one(struct channels *channels)
{
	pthread_mutex_lock(&channels->lock);
	channels->count--;
	pthread_cond_signal(&channels->some_free);
	pthread_mutex_unlock(&channels->lock);
}

/* Others may take them meanwhile. */
static int make_all(struct channels *channels)
{
	int r = 0;

	while (r == 0 && count_one(channels)) {
		struct channel *channel;

		r = make(channels, now_ms() + OPENER_TIMEOUT_MS, &channel);
		if (r < 0)
			uncount_one(channels);
		else
			give(channels, channel);
	}
	return r;
}

struct channels *channels_new(unsigned count)
{
	struct channels *channels = calloc(1, sizeof(*channels));

	if (!channels)
		return NULL;
	channels->control_fd = -1;
	channels->count_max = count;
	pthread_mutex_init(&channels->lock, NULL);
	pthread_mutex_init(&channels->control_lock, NULL);
	pthread_cond_init(&channels->some_free, NULL);
	return channels;
}

/* Those that are in use are given up as soon as they are given back. */
static void drop_idle(struct channels *channels)
{
	pthread_mutex_lock(&channels->lock);
	for (struct channel *channel; (channel = channels->idle); channels->count--) {
		channels->idle = channel->next;
		channel_free(channel);
	}
	pthread_mutex_unlock(&channels->lock);
}

static void use_control(struct channels *channels, int control_fd)
{
	pthread_mutex_lock(&channels->control_lock);
	close_control(channels);
	channels->control_fd = control_fd;
	if (control_fd >= 0)
		atomic_store(&channels->life, ++channels->lives);
	pthread_mutex_unlock(&channels->control_lock);
	drop_idle(channels);
}

int channels_connect(struct channels *channels, int control_fd)
{
	int r;

	use_control(channels, control_fd);
	r = make_all(channels);
	if (r < 0)
		channels_disconnect(channels);
	return r;
}

void channels_disconnect(struct channels *channels)
{
	use_control(channels, -1);
}

unsigned channels_life(struct channels *channels)
{
	return atomic_load(&channels->life);
}

/* Under the lock. */
static void wait_for_idle(struct channels *channels, uint64_t until)
{
	struct timespec at = clock_timespec(until * 1000);

	pthread_cond_clockwait(&channels->some_free, &channels->lock, CLOCK_MONOTONIC, &at);
}

/* Under the lock, which is open while it is made. */
static int add(struct channels *channels, uint64_t until, struct channel **ret_channel)
{
	int r;

	channels->count++;
	pthread_mutex_unlock(&channels->lock);
	r = make(channels, until, ret_channel);
	pthread_mutex_lock(&channels->lock);
	if (r < 0) {
		channels->count--;
		pthread_cond_signal(&channels->some_free);
	}
	return r;
}

/* Under the lock. */
static int take_spare(struct channels *channels, struct channel **ret_channel)
{
	if (!channels->idle || !channels->idle->next)
		return -EAGAIN;
	*ret_channel = channels->idle;
	channels->idle = channels->idle->next;
	return 0;
}

static int take(struct channels *channels, enum channels_patience patience, uint64_t until, struct channel **ret_channel)
{
	uint64_t retry = 0;
	int r = -EAGAIN;

	pthread_mutex_lock(&channels->lock);
	if (patience == CHANNELS_SPARE)
		r = take_spare(channels, ret_channel);
	while (r == -EAGAIN && patience != CHANNELS_SPARE) {
		if (channels->idle) {
			*ret_channel = channels->idle;
			channels->idle = channels->idle->next;
			r = 0;
		} else if (channels->count < channels->count_max && now_ms() >= retry) {
			r = add(channels, until, ret_channel);
			retry = now_ms() + RETRY_MS;
		} else if (patience == CHANNELS_IDLE) {
			break;
		} else if (now_ms() >= until) {
			r = -ETIMEDOUT;
		} else {
			wait_for_idle(channels, retry > now_ms() && retry < until ? retry : until);
		}
	}
	pthread_mutex_unlock(&channels->lock);
	return r;
}

/* Not in order any more: who is at its other end may be stuck, or gone, and an answer that comes late is nobody's. */
static void give_up(struct channels *channels, struct channel *channel)
{
	channel_free(channel);
	uncount_one(channels);
}

static void give(struct channels *channels, struct channel *channel)
{
	pthread_mutex_lock(&channels->lock);
	if (channel->life == atomic_load(&channels->life)) {
		channel->next = channels->idle;
		channels->idle = channel;
		channel = NULL;
		pthread_cond_signal(&channels->some_free);
	}
	pthread_mutex_unlock(&channels->lock);
	if (channel)
		give_up(channels, channel);
}

/* A descriptor that is none was not sent, and the channel is as good as before. */
static int say(struct channels *channels, struct channel *channel, const struct wire_request *request,
	       const void *payload, int fd)
{
	const struct wire_fds fds = { .count = fd >= 0, .fd = { fd } };
	int r = wire_send(channel->fd, request, sizeof(*request), payload, &fds);

	if (r == -EBADF)
		give(channels, channel);
	else if (r < 0)
		give_up(channels, channel);
	return is_end(r) ? -ENOTCONN : r;
}

int channels_begin(struct channels *channels, enum channels_patience patience, const struct wire_request *request,
		   const void *payload, int fd, struct channel **ret_channel)
{
	uint64_t until = now_ms() + OPENER_TIMEOUT_MS;
	struct channel *channel;
	int r = take(channels, patience, until, &channel);

	if (r == 0)
		r = say(channels, channel, request, payload, fd);
	/* An idle one whose other end had ended: the opener has not heard of the request, and may be there all the same. */
	for (unsigned i = 0; r == -ENOTCONN && i < channels->count_max && atomic_load(&channels->life); i++) {
		r = take(channels, patience, until, &channel);
		if (r < 0)
			break;
		r = say(channels, channel, request, payload, fd);
	}
	if (r < 0)
		return r;
	/* Most often there was one at once: then the kernel is spared a call. */
	channel->until = now_ms() + OPENER_TIMEOUT_MS > until + SLACK_MS ? until : 0;
	*ret_channel = channel;
	return 0;
}

int channels_end(struct channels *channels, struct channel *channel)
{
	int r = receive(channel);

	if (r < 0)
		give_up(channels, channel);
	return r;
}

int channels_more(struct channel *channel, const struct wire_request *request, const void *payload)
{
	return wire_send(channel->fd, request, sizeof(*request), payload, NULL);
}

int channels_call(struct channels *channels, const struct wire_request *request, const void *payload, int fd,
		  struct channel **ret_channel)
{
	int r = channels_begin(channels, CHANNELS_WAIT, request, payload, fd, ret_channel);

	return r < 0 ? r : channels_end(channels, *ret_channel);
}

void channels_give(struct channels *channels, struct channel *channel)
{
	wire_close(&channel->fds);
	give(channels, channel);
}

static struct channel *take_idle(struct channels *channels)
{
	struct channel *channel;

	pthread_mutex_lock(&channels->lock);
	channel = channels->idle;
	if (channel)
		channels->idle = channel->next;
	pthread_mutex_unlock(&channels->lock);
	return channel;
}

void channels_tell(struct channels *channels, const struct wire_request *request)
{
	struct channel *channel = take_idle(channels);
	int r;

	if (!channel)
		return;
	r = wire_send(channel->fd, request, sizeof(*request), NULL, NULL);
	if (r == 0)
		give(channels, channel);
	else
		give_up(channels, channel);
}
