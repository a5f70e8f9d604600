/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service's user is not root: what it needs of the PF must be its group's. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"

#define GROUP "gpuvisor" /* configs/systemd/gpuvisor.sysusers.conf */

/* The number of the group, from the host's own file. */
static bool find_group(const struct check *c, gid_t *group)
{
	char text[65536];
	const char *line = text;

	if (check_read_all(c->etc, "group", text, sizeof(text)))
		return false;
	while (line && strncmp(line, GROUP ":", strlen(GROUP) + 1) != 0) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return line && sscanf(line, "%*[^:]:%*[^:]:%u", group) == 1;
}

static bool is_given(const char *path, gid_t group)
{
	struct stat st;

	return !stat(path, &st) && st.st_gid == group && (st.st_mode & 0060) == 0060;
}

void check_rights(struct check *c)
{
	char numvfs[512], node[512], remedy[CHECK_TEXT];
	gid_t group;

	if (!c->ours || !find_group(c, &group) || strcmp(c->pf.driver, "vfio-pci") != 0)
		return; /* not the service then: its own driver says what it lacks */
	(void)snprintf(numvfs, sizeof(numvfs), "%s/bus/pci/devices/%s/sriov_numvfs", c->sysfs,
	               c->pf_name);
	(void)snprintf(node, sizeof(node), "%s/vfio/%d", c->dev, c->pf.iommu_group);
	(void)snprintf(remedy, sizeof(remedy),
	               "gpuvisord --prepare --gpu vfio:%s --allow-group " GROUP
	               ", as the service does",
	               c->pf_name);
	if (is_given(numvfs, group) && is_given(node, group))
		check_add(c, "rights", CHECK_OK, "", "", "group " GROUP " may use the PF");
	else
		check_add(c, "rights", CHECK_WARN, "not-handed-over", remedy,
		          "%s is not group " GROUP "'s to write: without root gpuvisord is refused",
		          is_given(numvfs, group) ? node : numvfs);
}
