/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fold: names as systemd, containers and people write them, and the groups that they are of. */
#include "unit.h"

#include <string.h>

#include "sampler/fold.h"

#define HEX64 "8f3a1c0d9e7b5a4f2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b"

static const struct { const char *name, *folded; } rows[] = {
	{ "nginx.service", "nginx.service" },
	{ "php8.2-fpm.service", "php8.2-fpm.service" },
	{ "systemd-networkd.service", "systemd-networkd.service" },
	{ "deadbeef.service", "deadbeef.service" },
	{ "getty@tty1.service", "getty@*.service" },
	{ "postgresql@15-main.service", "postgresql@*.service" },
	{ "user@1000.service", "user@*.service" },
	{ "dbus-:1.2-org.foo@0.service", "dbus-:1.2-org.foo@*.service" },
	{ "user-1000.slice", "user-*.slice" },
	{ "session-3.scope", "session-*.scope" },
	{ "session-c12.scope", "session-c*.scope" },
	{ "run-u12.service", "run-u*.service" },
	{ "run-p4242-i99.scope", "run-p*-i*.scope" },
	{ "run-r0123456789abcdef0123456789abcdef.service", "run-r*.service" },
	{ "docker-" HEX64 ".scope", "docker-*.scope" },
	{ "cri-containerd-" HEX64 ".scope", "cri-containerd-*.scope" },
	{ "kubepods-burstable-pod12345678_abcd_12ab_34cd_1234567890ab.slice", "kubepods-burstable-pod*.slice" },
	{ "pod12345678-abcd-12ab-34cd-1234567890ab", "pod*" },
	{ "poda23456789abcdef0123456789abcdef0", "pod*" },
	{ "vte-spawn-12345678-abcd-12ab-34cd-1234567890ab.scope", "vte-spawn-*.scope" },
	{ "app-gnome-firefox-3457.scope", "app-gnome-firefox-*.scope" },
	{ "app-foo-7.scope", "app-foo-*.scope" },
	{ "python3.11", "python3.11" },
	{ "worker-17", "worker-*" },
	{ "job 4242", "job *" },
	{ "7f3713ddf000", "*" },
	{ "0x7f3713ddf000", "0x*" },
	{ "a\nb\tc\177", "a_b_c_" },
	{ "caf\303\251 \342\202\254 \360\237\230\200", "caf\303\251 \342\202\254 \360\237\230\200" },
	{ "\377\303", "__" },
	{ "\302\205", "__" },
	{ "\355\240\200", "___" },
	{ "@", "@" },
	{ "", "" },
};

static void names(void **state)
{
	char folded[GROUP_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fold_name(guarded(rows[i].name, strlen(rows[i].name)), folded);
		assert_string_equal(folded, rows[i].folded);
	}
}

static void long_ones(void **state)
{
	char name[300], folded[GROUP_NAME_MAX];

	(void)state;
	memset(name, 'x', sizeof(name));
	fold_name(guarded(name, GROUP_NAME_MAX - 1), folded);
	assert_int_equal(strlen(folded), GROUP_NAME_MAX - 1);
	assert_int_equal(folded[GROUP_NAME_MAX - 2], 'x');
	fold_name(guarded(name, sizeof(name)), folded);
	assert_int_equal(strlen(folded), GROUP_NAME_MAX - 1);
	assert_int_equal(folded[GROUP_NAME_MAX - 2], '*');
	memcpy(name + GROUP_NAME_MAX - 3, "\303\251", 2);	/* not in the middle of a character */
	fold_name(guarded(name, sizeof(name)), folded);
	assert_int_equal(strlen(folded), GROUP_NAME_MAX - 2);
	assert_string_equal(folded + GROUP_NAME_MAX - 5, "xx*");
}

/* Whatever the bytes are: a name that ends, and nothing that a terminal obeys. */
static void any_bytes(void **state)
{
	char name[40], folded[GROUP_NAME_MAX];
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		for (size_t i = 0; i < sizeof(name); i++)
			name[i] = (char)((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 56);
		fold_name((struct vmad_str){ name, sizeof(name) }, folded);
		assert_true(strlen(folded) < GROUP_NAME_MAX);
		for (const char *p = folded; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("ids, instances, sessions and pids become *, names and versions stay", names),
		CASE("what is too long is cut, and says so", long_ones),
		CASE("any bytes make a name without control characters", any_bytes),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
