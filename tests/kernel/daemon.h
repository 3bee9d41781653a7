/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon: vmad itself in the guest, and what it answers. */
#ifndef TESTS_KERNEL_DAEMON_H
#define TESTS_KERNEL_DAEMON_H

#include <stddef.h>
#include <sys/types.h>

#include "guest.h"

#define DAEMON_SOCKET "/run/vmad-guest.sock"
#define BODY_MAX (4 * MIB)

/* Starts it, and returns once it serves. It ends with the case. */
pid_t daemon_start(void);

/* A request; returns the status. The body is static, until the next one. */
int daemon_get(const char *path, char **ret_body);

/* How often the words stand in a body. */
size_t count_of(const char *body, const char *words);

#endif
