/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp_address_parse(): where vmad is told to listen. What is taken is the same when it is written out again; and only 127.0.0.0/8 and ::1 are this host's
 * own, as the text says it.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "http/tcp_address.h"

static void check(const struct tcp_address *address)
{
	struct tcp_address again = { 0 };
	char text[TCP_ADDRESS_TEXT_MAX], text_again[TCP_ADDRESS_TEXT_MAX];
	const char *what = NULL;
	bool own;

	tcp_address_print(address, text);
	own = !strncmp(text, "127.", 4) || !strncmp(text, "[::1]:", 6);
	MUST(tcp_address_is_loopback(address) == own);
	MUST(tcp_address_parse(text, &again, &what) == 0 && again.len == address->len);
	MUST(!memcmp(&again.any, &address->any, address->len));
	tcp_address_print(&again, text_again);
	MUST(!strcmp(text_again, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tcp_address address = { 0 };
	char *text = malloc(size + 1);
	const char *what = NULL;
	int r;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	r = tcp_address_parse(text, &address, &what);
	MUST(r == 0 || (r == -EINVAL && what && *what));
	if (r == 0)
		check(&address);
	free(text);
	return 0;
}
