/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pwd.h>
#include <unistd.h>

#include "owner.h"

#define DAEMON_USER "gpuvisor" /* configs/systemd/gpuvisor.sysusers.conf */

static bool is_daemon(uid_t uid)
{
	struct passwd entry, *found = NULL;
	char text[1024];

	return !getpwnam_r(DAEMON_USER, &entry, text, sizeof(text), &found) && found &&
	       found->pw_uid == uid;
}

bool glue_is_ours(uid_t owner)
{
	return owner == geteuid() || (!geteuid() && is_daemon(owner));
}
