/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What runs the VMs. */
#include <stdio.h>

#include <gv/libvirt.h>

#include "check.h"

#define QEMU_WITH_TOKEN 8001000ul /* 8.1: vfio-pci has the property vf-token */

static void say_version(char *text, size_t room, unsigned long v)
{
	(void)snprintf(text, room, "%lu.%lu.%lu", v / 1000000, v / 1000 % 1000, v % 1000);
}

void check_virt(struct check *c)
{
	const struct gv_log silent = {.sink = NULL};
	unsigned long libvirt = 0, qemu = 0;
	char of_libvirt[32], of_qemu[32];
	struct gv_virt *virt = NULL;
	struct gv_err err = {0};
	int rc = gv_virt_open(c->uri, &silent, &virt, &err);

	if (!rc)
		rc = gv_virt_versions(virt, &libvirt, &qemu, &err);
	virt = gv_virt_close(virt);
	if (rc) {
		check_add(c, "libvirt", CHECK_WARN, "libvirt-silent",
		          rc == -ENOTSUP ? "" : "start libvirtd, or --connect URI says which",
		          "%s; QEMU can be used by hand", err.text);
		return;
	}
	say_version(of_libvirt, sizeof(of_libvirt), libvirt);
	say_version(of_qemu, sizeof(of_qemu), qemu);
	check_add(c, "libvirt", CHECK_OK, "", "", "%s answers, QEMU is %s%s", of_libvirt, of_qemu,
	          !c->ours                  ? ""
	          : qemu >= QEMU_WITH_TOKEN ? ": VF tokens by its property vf-token"
	                                    : ": VF tokens by a link's name (QEMU before 8.1)");
}
