/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reload: reads the certificate and the key of TLS again. What is wrong with them is said in one line, and clients go on
 * seeing those before.
 *
 * They may be readable for root alone, and who speaks TLS is not root: the process that started it opens them then, and
 * sends them over a Unix socket.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "options.h"

/* Does nothing without --tls-cert. */
void reload_tls(const struct options *options);

void reload_send(const struct options *options, int socket_fd);
void reload_receive(const struct options *options, int socket_fd);

#endif
