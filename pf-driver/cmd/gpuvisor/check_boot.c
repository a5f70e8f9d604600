/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drivers, VFs and their split are gone after a reboot, unless something sets them up again. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"

#define WANTED   "systemd/system/multi-user.target.wants"
#define UNIT     "gpuvisord.service" /* its profile is profile.json, */
#define TEMPLATE "gpuvisord@"        /* that of gpuvisord@NAME.service NAME.json */

static bool is_there(const struct check *c, const char *path)
{
	char full[512];
	struct stat st;

	(void)snprintf(full, sizeof(full), "%s/%s", c->etc, path);
	return lstat(full, &st) == 0;
}

/* A line of modprobe.d that hands our kind of device to vfio-pci. */
static bool names_us(const char *text)
{
	char id[16];

	(void)snprintf(id, sizeof(id), "%04x:%04x", CHECK_AMD, CHECK_OUR_DEVICE);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		char one[256];

		line += line[0] == '\n';
		(void)snprintf(one, sizeof(one), "%.*s", (int)strcspn(line, "\n"), line);
		if (one[0] != '#' && (strstr(one, "vfio-pci") || strstr(one, "vfio_pci")) &&
		    strstr(one, "ids=") && strstr(one, id))
			return true;
	}
	return false;
}

static bool modprobe_has_us(const struct check *c)
{
	char path[512], text[4096];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/modprobe.d", c->etc);
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir)) != NULL) {
		(void)snprintf(path, sizeof(path), "modprobe.d/%s", e->d_name);
		found = !check_read_all(c->etc, path, text, sizeof(text)) && names_us(text);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

static void check_override(struct check *c)
{
	char path[64], remedy[CHECK_TEXT];

	(void)snprintf(path, sizeof(path), "driverctl.d/%s", c->pf_name);
	(void)snprintf(remedy, sizeof(remedy), "driverctl set-override %s vfio-pci keeps it",
	               c->pf_name);
	if (is_there(c, path) || modprobe_has_us(c))
		check_add(c, "boot-driver", CHECK_OK, "", "", "vfio-pci gets the PF at boot");
	else
		check_add(c, "boot-driver", CHECK_WARN, "driver-lost-at-boot", remedy,
		          "nothing gives the PF to vfio-pci at boot");
}

/* The name of the profile that this unit applies; false: not one of ours. */
static bool profile_of(const char *unit, char *name, size_t room)
{
	const char *end = strstr(unit, ".service");

	if (!strcmp(unit, UNIT))
		(void)snprintf(name, room, "profile");
	else if (end && !strncmp(unit, TEMPLATE, strlen(TEMPLATE)))
		(void)snprintf(name, room, "%.*s", (int)(end - unit) - (int)strlen(TEMPLATE),
		               unit + strlen(TEMPLATE));
	else
		return false;
	return true;
}

static void check_profile(struct check *c, const char *unit, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "gpuvisor/%s.json", name);
	if (is_there(c, path))
		check_add(c, "boot-service", CHECK_OK, "", "", "%s applies %s/%s at boot", unit,
		          c->etc, path);
	else
		check_add(c, "boot-service", CHECK_FAIL, "profile-missing",
		          "put the profile there: gpuvisor plan FILE tries it",
		          "%s/%s is not there: %s cannot start", c->etc, path, unit);
}

static void check_service(struct check *c)
{
	char path[512], name[256];
	const struct dirent *e;
	unsigned found = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/" WANTED, c->etc);
	dir = opendir(path);
	while (dir && (e = readdir(dir)) != NULL)
		if (profile_of(e->d_name, name, sizeof(name)) && ++found)
			check_profile(c, e->d_name, name);
	if (dir)
		(void)closedir(dir);
	if (!found)
		check_add(c, "boot-service", CHECK_WARN, "service-off",
		          "systemctl enable gpuvisord", "gpuvisord does not start at boot");
}

void check_boot(struct check *c)
{
	if (!c->ours)
		return;
	check_override(c);
	check_service(c);
}
