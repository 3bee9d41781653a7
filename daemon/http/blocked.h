/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blocked: the answer to a client whose own thread the kernel does not let go, written past libmicrohttpd. */
#ifndef HTTP_BLOCKED_H
#define HTTP_BLOCKED_H

#include <sys/types.h>

/* 504, and what is wrong with the process. Never waits: the first reply on the socket's empty buffer fits into it. */
void blocked_answer(int fd, pid_t pid);

#endif
