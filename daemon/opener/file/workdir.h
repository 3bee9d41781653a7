/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * workdir: the calling thread's working directory, as a place to open files from. To go into a directory and on to the next
 * takes less than to open it and to close it; and the thread is held to the very directory that it went into, whatever
 * becomes of that and of its name, as by a descriptor.
 *
 * The threads of a process have one working directory together, so nobody goes anywhere who has none of his own. Umask and
 * root directory come with it, as they are: who opens files of processes makes none, and nobody here changes the root.
 */
#ifndef OPENER_WORKDIR_H
#define OPENER_WORKDIR_H

#include <stdbool.h>

/*
 * The calling thread has a working directory of its own from now on, the same as before, unless the kernel, or who filters
 * its calls, does not let it; other threads keep theirs. Not for a thread that starts others: they would share it.
 */
void workdir_make_own(void);

/*
 * Goes into a directory of another one. False: it could not, and the directory has to be opened, which says why; or the
 * thread has no working directory of its own. It may be anywhere then.
 */
bool workdir_enter(int base_fd, const char *name);

/*
 * To the root directory, if it went anywhere, so that a thread that rests, or is about to end, holds neither that directory
 * nor the file system that it is in; to the other one where it may not go there.
 */
void workdir_leave(int base_fd);

#endif
