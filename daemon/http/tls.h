/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls: the certificates and the keys with which TCP speaks TLS: a pair of them, and another one when they are read
 * again.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <stdbool.h>

#include <microhttpd.h>

struct tls;

/*
 * Both are PEM; the certificate's file may hold those that signed it, too. That the key is the certificate's is proved
 * here, so that a client is not the first to notice. -EINVAL: *ret_path and *ret_what say which file is wrong, and how.
 */
int tls_read(const char *cert_path, const char *key_path, struct tls **ret_tls, const char **ret_path,
	     const char **ret_what);

/* The same, where somebody else has opened them; *ret_is_key says which. Neither descriptor is closed. */
int tls_read_open(int cert_fd, int key_fd, struct tls **ret_tls, bool *ret_is_key, const char **ret_what);

/* Opens a file for tls_read_open(). A descriptor; or negative errno: what is wrong with it. */
int tls_open(const char *path);

/* One that is not in use. */
void tls_free(struct tls *tls);

/* From now on clients see this one, which is taken over. Those who are just being greeted may still see the one before. */
void tls_use(struct tls *tls);

/* When nobody speaks TLS any more. */
void tls_forget(void);

#define TLS_OPTIONS 3

/* What libmicrohttpd is to know. */
void tls_options(struct MHD_OptionItem options[TLS_OPTIONS]);

#endif
