/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meet: how opener and worker find each other where they are two units of systemd's. The worker has a listening socket,
 * made by systemd, for root alone; the opener comes to it. So nobody can connect to the opener, and the worker connects
 * to nobody.
 */
#ifndef MEET_H
#define MEET_H

/* The name under which systemd hands it over (FileDescriptorName=), and where it is. */
#define MEET_NAME "vmad-worker"
#define MEET_PATH "/run/vmad/worker.sock"

/* Is it a listening SOCK_SEQPACKET socket? 0 or negative errno. */
int meet_check(int fd);

/*
 * For the opener: a control socket that leads to the worker; or negative errno. The worker need not be there yet: systemd
 * keeps the connection for it, and starts it. -EPERM: it is not root who listens there.
 */
int meet_worker(const char *path);

/* For the worker: the next opener that has come; or negative errno. -EPERM: it is not root's. */
int meet_opener(int listening_fd);

#endif
