/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet: what the targets share that speak as one of vmad's processes to another. */
#ifndef TESTS_FUZZ_PACKET_H
#define TESTS_FUZZ_PACKET_H

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

/* The bytes, and copies of a descriptor: at most three. */
static inline void send_message(int fd, const void *data, size_t size, int sent, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} control = { .bytes = { 0 } };
	const int fds[3] = { sent, sent, sent };
	struct iovec part = { (void *)data, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *header;

	if (count) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	}
	MUST(sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)size);
}

/* A descriptor that is the lowest free one before is so after: nothing was left open. */
static inline int lowest_free(void)
{
	int fd = dup(STDERR_FILENO);

	MUST(fd >= 0);
	close(fd);
	return fd;
}

#endif
