/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet: a message with descriptors, for tests that speak as one of vmad's processes to another, and may say anything. */
#ifndef TESTS_LIB_PACKET_H
#define TESTS_LIB_PACKET_H

#include <string.h>
#include <sys/socket.h>

#define PACKET_FDS_MAX 4

/* sendmsg(2), with that many descriptors. */
static inline ssize_t packet_send(int fd, const void *bytes, size_t len, const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(PACKET_FDS_MAX * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec part = { (void *)bytes, len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *header;

	if (count) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		*header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)), .cmsg_level = SOL_SOCKET,
					    .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

#endif
