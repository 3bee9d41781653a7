/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

void wire_free(struct wire_payload *payload)
{
	free(payload->data);
	*payload = (struct wire_payload){ 0 };
}

void wire_close(struct wire_fds *fds)
{
	for (size_t i = 0; i < fds->count; i++)
		close(fds->fd[i]);
	fds->count = 0;
}

/* Both heads begin with it. */
static uint32_t payload_bytes(const void *head)
{
	uint32_t bytes;

	memcpy(&bytes, head, sizeof(bytes));
	return bytes;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(WIRE_FDS_MAX * sizeof(int))];
};

static void attach(struct msghdr *message, union control *control, const struct wire_fds *fds)
{
	struct cmsghdr *header;

	message->msg_control = control->bytes;
	message->msg_controllen = CMSG_SPACE(fds->count * sizeof(int));
	memset(control->bytes, 0, message->msg_controllen);	/* no byte of the stack goes along */
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(fds->count * sizeof(int));
	memcpy(CMSG_DATA(header), fds->fd, fds->count * sizeof(int));
}

static int send_packet(int fd, struct iovec *parts, size_t count, const struct wire_fds *fds)
{
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
	union control control;
	ssize_t n;

	if (fds && fds->count)
		attach(&message, &control, fds);
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int wire_send(int fd, const void *head, size_t head_len, const void *payload, const struct wire_fds *fds)
{
	size_t left = payload_bytes(head), now = smaller(left, WIRE_PACKET);
	const unsigned char *at = payload;
	struct iovec parts[] = { { (void *)head, head_len }, { (void *)at, now } };
	int r = send_packet(fd, parts, now ? 2 : 1, fds);

	while (r == 0 && (left -= now)) {
		at += now;
		now = smaller(left, WIRE_PACKET);
		parts[1] = (struct iovec){ (void *)at, now };
		r = send_packet(fd, &parts[1], 1, NULL);
	}
	return r;
}

static int make_room(struct wire_payload *payload, size_t room)
{
	unsigned char *data;

	if (payload->room >= room)
		return 0;
	data = realloc(payload->data, room);
	if (!data)
		return -ENOMEM;
	payload->data = data;
	payload->room = room;
	return 0;
}

/* The kernel has made descriptors of all that it could, also where the message is refused. */
static void take_fds(struct msghdr *message, struct wire_fds *fds)
{
	fds->count = 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
		    count > WIRE_FDS_MAX - fds->count)
			continue;
		memcpy(fds->fd + fds->count, CMSG_DATA(header), count * sizeof(int));
		fds->count += count;
	}
}

/* How many bytes came. A packet of none is the end: nobody sends such. */
static ssize_t receive_packet(int fd, struct iovec *parts, size_t count, struct wire_fds *fds)
{
	union control control;
	struct msghdr message = { .msg_iov = parts,
				  .msg_iovlen = count,
				  .msg_control = fds ? control.bytes : NULL,
				  .msg_controllen = fds ? sizeof(control.bytes) : 0 };
	ssize_t n;

	do
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -ENOTCONN : -errno;
	if (fds)
		take_fds(&message, fds);
	if (n == 0)
		return -ENOTCONN;
	if (message.msg_flags & MSG_CTRUNC)
		return -EMFILE;
	return message.msg_flags & MSG_TRUNC ? -EPROTO : n;
}

static int receive_rest(int fd, struct wire_payload *payload, size_t bytes)
{
	int r = make_room(payload, bytes);

	while (r == 0 && payload->len < bytes) {
		size_t now = smaller(bytes - payload->len, WIRE_PACKET);
		struct iovec part = { payload->data + payload->len, now };
		ssize_t n = receive_packet(fd, &part, 1, NULL);

		if (n < 0)
			return (int)n;
		if ((size_t)n != now)
			return -EPROTO;
		payload->len += now;
	}
	return r;
}

int wire_receive(int fd, void *head, size_t head_len, size_t max, struct wire_payload *payload, struct wire_fds *fds)
{
	struct iovec parts[] = { { head, head_len }, { NULL, WIRE_PACKET } };
	size_t bytes;
	ssize_t n;
	int r = make_room(payload, WIRE_PACKET);

	fds->count = 0;
	if (r < 0)
		return r;
	parts[1].iov_base = payload->data;
	n = receive_packet(fd, parts, 2, fds);
	bytes = n < (ssize_t)head_len ? 0 : payload_bytes(head);
	if (n < 0)
		r = (int)n;
	else if ((size_t)n < head_len || bytes > max || (size_t)n - head_len != smaller(bytes, WIRE_PACKET))
		r = -EPROTO;
	else
		payload->len = (size_t)n - head_len;
	if (r == 0)
		r = receive_rest(fd, payload, bytes);
	if (r < 0)
		wire_close(fds);
	return r;
}
