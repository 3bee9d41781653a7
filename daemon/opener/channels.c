/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/channels.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "opener/queue.h"

#define SLACK_MS 50	/* that a request may wait for longer, if that spares the kernel a call */
#define RETRY_MS 100	/* after the opener had no thread left: nobody tells when it has one */

struct channels {
	pthread_mutex_t lock;
	pthread_cond_t some_free;
	struct channel *idle;
	unsigned count, count_max;	/* that are there, or are being made */
	pthread_mutex_t control_lock;
	int control_fd;
};

static void channel_free(struct channel *channel)
{
	wire_close(&channel->fds);
	wire_free(&channel->payload);
	if (channel->fd >= 0)
		close(channel->fd);
	free(channel);
}

void channels_free(struct channels *channels)
{
	if (!channels)
		return;
	for (struct channel *channel; (channel = channels->idle); ) {
		channels->idle = channel->next;
		channel_free(channel);
	}
	pthread_cond_destroy(&channels->some_free);
	pthread_mutex_destroy(&channels->control_lock);
	pthread_mutex_destroy(&channels->lock);
	close(channels->control_fd);
	free(channels);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct timespec time_of(uint64_t ms)
{
	return (struct timespec){ .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };
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

/* A new one: asked for over the control socket. -EAGAIN: the opener has too many threads that are stuck. */
static int make(struct channels *channels, uint64_t until, struct channel **ret_channel)
{
	const struct wire_request request = { .operation = WIRE_CHANNEL };
	struct channel *channel = calloc(1, sizeof(*channel));
	int r;

	if (!channel)
		return -ENOMEM;
	channel->fd = channels->control_fd;
	channel->until = until;
	pthread_mutex_lock(&channels->control_lock);
	r = wire_send(channel->fd, &request, sizeof(request), NULL, NULL);
	if (r == 0)
		r = receive(channel);
	pthread_mutex_unlock(&channels->control_lock);
	if (r == 0)
		r = channel->reply.result;
	else if (is_end(r))
		r = -ENOTCONN;
	channel->fd = -1;
	if (r == 0 && channel->fds.count != 1)
		r = -EPROTO;
	if (r < 0) {
		channel_free(channel);
		return r;
	}
	channel->fd = channel->fds.fd[0];
	channel->fds.count = 0;
	*ret_channel = channel;
	return 0;
}

static int make_all(struct channels *channels)
{
	int r = 0;

	for (; r == 0 && channels->count < channels->count_max; channels->count++) {
		struct channel *channel;

		r = make(channels, now_ms() + OPENER_TIMEOUT_MS, &channel);
		if (r < 0)
			break;
		channel->next = channels->idle;
		channels->idle = channel;
	}
	return r;
}

int channels_new(int control_fd, unsigned count, struct channels **ret_channels)
{
	struct channels *channels = calloc(1, sizeof(*channels));
	int r;

	if (!channels) {
		close(control_fd);
		return -ENOMEM;
	}
	channels->control_fd = control_fd;
	channels->count_max = count;
	pthread_mutex_init(&channels->lock, NULL);
	pthread_mutex_init(&channels->control_lock, NULL);
	pthread_cond_init(&channels->some_free, NULL);
	r = make_all(channels);
	if (r < 0) {
		channels_free(channels);
		return r;
	}
	*ret_channels = channels;
	return 0;
}

/* Under the lock. */
static void wait_for_idle(struct channels *channels, uint64_t until)
{
	struct timespec at = time_of(until);

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

/* until 0: without waiting for one (-EAGAIN). */
static int take(struct channels *channels, uint64_t until, struct channel **ret_channel)
{
	uint64_t retry = 0;
	int r = -EAGAIN;

	pthread_mutex_lock(&channels->lock);
	while (r == -EAGAIN) {
		if (channels->idle) {
			*ret_channel = channels->idle;
			channels->idle = channels->idle->next;
			r = 0;
		} else if (channels->count < channels->count_max && now_ms() >= retry) {
			r = add(channels, until ? until : now_ms() + OPENER_TIMEOUT_MS, ret_channel);
			retry = now_ms() + RETRY_MS;
		} else if (!until) {
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

static void give(struct channels *channels, struct channel *channel)
{
	pthread_mutex_lock(&channels->lock);
	channel->next = channels->idle;
	channels->idle = channel;
	pthread_cond_signal(&channels->some_free);
	pthread_mutex_unlock(&channels->lock);
}

/* Not in order any more: who is at its other end may be stuck, or gone, and an answer that comes late is nobody's. */
static void give_up(struct channels *channels, struct channel *channel)
{
	channel_free(channel);
	pthread_mutex_lock(&channels->lock);
	channels->count--;
	pthread_cond_signal(&channels->some_free);
	pthread_mutex_unlock(&channels->lock);
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

int channels_begin(struct channels *channels, bool patient, const struct wire_request *request, const void *payload,
		   int fd, struct channel **ret_channel)
{
	uint64_t until = now_ms() + OPENER_TIMEOUT_MS;
	struct channel *channel;
	int r = take(channels, patient ? until : 0, &channel);

	if (r == 0)
		r = say(channels, channel, request, payload, fd);
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

int channels_call(struct channels *channels, const struct wire_request *request, const void *payload, int fd,
		  struct channel **ret_channel)
{
	int r = channels_begin(channels, true, request, payload, fd, ret_channel);

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
