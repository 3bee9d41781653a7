/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs: each has a file of its own. The table in main.c is both the dispatch and the usage text. */
#ifndef CLIENT_VERBS_H
#define CLIENT_VERBS_H

struct session;

/* argv[0...argc-1] are the words behind the verb, without options. An exit code; what was wrong is in session->trouble. */
typedef int verb_run(struct session *session, int argc, char **argv);

verb_run verb_ps, verb_maps, verb_show, verb_rmap, verb_frames, verb_find, verb_file, verb_gaps, verb_pages,
	verb_sharing, verb_ops, verb_doctor, verb_web;

/* maps with other columns than its usual ones. */
int verb_maps_with(struct session *session, int argc, char **argv, const char *columns);

#endif
