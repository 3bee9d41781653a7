/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pid_name: names of directories in /proc and /proc/PID/task, which are decimal numbers; fs/proc/base.c proc_pid_readdir(). */
#ifndef OPENER_PID_NAME_H
#define OPENER_PID_NAME_H

#include <sys/types.h>

/* The pid that a directory is named for; 0: it is none. */
pid_t pid_name_parse(const char *name);

#endif
