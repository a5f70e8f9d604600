/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What runs the VMs. */
#include <stdio.h>

#include <gv/libvirt.h>

#include "check.h"

#define QEMU_WITH_TOKEN       8001000ul /* 8.1: vfio-pci has the property vf-token */
#define LIBVIRT_WITH_OVERRIDE 8002000ul /* 8.2: <qemu:override> sets a property of one device */

static void say_version(char *text, size_t room, unsigned long v)
{
	(void)snprintf(text, room, "%lu.%lu.%lu", v / 1000000, v / 1000 % 1000, v % 1000);
}

void check_virt_versions(struct check *c, unsigned long libvirt, unsigned long qemu)
{
	char of_libvirt[32], of_qemu[32];

	say_version(of_libvirt, sizeof(of_libvirt), libvirt);
	say_version(of_qemu, sizeof(of_qemu), qemu);
	if (c->ours && libvirt < LIBVIRT_WITH_OVERRIDE) {
		check_add(c, "libvirt", CHECK_FAIL, "libvirt-no-token",
		          "libvirt 8.2 or newer; or QEMU by hand: gpuvisor vf xml N",
		          "%s cannot hand a VF token to QEMU: domains with a VF do not start",
		          of_libvirt);
		return;
	}
	check_add(c, "libvirt", CHECK_OK, "", "", "%s answers, QEMU is %s%s", of_libvirt, of_qemu,
	          !c->ours                  ? ""
	          : qemu >= QEMU_WITH_TOKEN ? ": VF tokens by its property vf-token"
	                                    : ": VF tokens by a link's name (QEMU before 8.1)");
}

void check_virt(struct check *c)
{
	const struct gv_log silent = {.sink = NULL};
	unsigned long libvirt = 0, qemu = 0;
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
	check_virt_versions(c, libvirt, qemu);
}
