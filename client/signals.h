/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals that ask us to end. They are caught, not obeyed on the spot, since a private vmad and its directory have to be
 * cleared away, and a pager has to be waited for.
 */
#ifndef CLIENT_SIGNALS_H
#define CLIENT_SIGNALS_H

/* Catches SIGINT, SIGTERM and SIGHUP, and ignores SIGPIPE. 0, or a negative errno. */
int signals_catch(void);

/* Readable once a signal came. */
int signals_fd(void);

/* The signal that came, or 0. */
int signals_caught(void);

/* In a child, before it runs another program: everything as it was. */
void signals_restore(void);

/* Ends this process by the signal that came, so that a shell sees what happened. */
void signals_raise(void);

#endif
