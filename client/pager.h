/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pager: $PAGER, or less. */
#ifndef CLIENT_PAGER_H
#define CLIENT_PAGER_H

/* From here on standard output goes to the pager. Where there is none it stays as it is. */
void pager_start(void);

/* Ends its input and waits until the person leaves it. */
void pager_wait(void);

#endif
