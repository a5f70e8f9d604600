/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gpuvisor check: what a host needs so that VFs can be given to VMs. Looks,
 * and changes nothing. Every item is one line: ok, warn or FAIL, and what to do.
 */
#ifndef CHECK_H
#define CHECK_H

#include <gv/hypervisor_glue.h>

#define CHECK_MAX_ITEMS 32
#define CHECK_TEXT      200

#define CHECK_AMD        0x1002
#define CHECK_OUR_DEVICE 0x6860 /* Vega10, Instinct MI25: what the emulated GPU is */

enum check_status { CHECK_OK, CHECK_WARN, CHECK_FAIL };

struct check_item {
	const char *name; /* "iommu", "pf-driver": what was looked at */
	const char *code; /* what is wrong with it, for programs: docs/gpuvisor.md; "": nothing */
	enum check_status status;
	char text[CHECK_TEXT];
	char remedy[CHECK_TEXT]; /* "" none */
};

struct check {
	const char *sysfs, *dev, *etc; /* "/sys", "/dev", "/etc" */
	const char *kernel;            /* uname -r */
	bool root;                     /* limits do not count */
	uint64_t memlock;              /* bytes that we may lock; UINT64_MAX: no limit */
	const char *pf_text;           /* --pf; NULL: find it */
	const char *uri;               /* libvirt's; NULL: the default */

	bool has_pf, ours; /* there is a PF; it is a GPU that gpuvisord runs */
	struct gv_glue_fn pf;
	char pf_name[GV_GLUE_BDF_TEXT];

	unsigned count;
	struct check_item item[CHECK_MAX_ITEMS];
};

/** Add an item; printf-like @text. */
void check_add(struct check *c, const char *name, enum check_status status, const char *code,
               const char *remedy, const char *text, ...) __attribute__((format(printf, 6, 7)));
/** What is in @path below @root, as far as it fits. Negative errno. */
int check_read_all(const char *root, const char *path, char *text, size_t room);
/** The first line of it, without its newline. */
int check_read(const char *root, const char *path, char *text, size_t room);

/** Kernel, IOMMU, interrupt remapping, KVM, locked memory, huge pages, /dev/vfio. (check_host.c) */
void check_host(struct check *c);
/** PF, its driver, SR-IOV, room for VFs, IOMMU groups of PF and VFs. (check_pf.c) */
void check_pf(struct check *c);
/** Addresses and bus numbers of VFs, their drivers and resets. (check_vfs.c) */
void check_vfs(struct check *c);
/** IOMMU groups of PF and VFs. (check_groups.c) */
void check_groups(struct check *c);
/** May gpuvisord's user use the PF? (check_rights.c) */
void check_rights(struct check *c);
/** What of it is there again after a reboot. (check_boot.c) */
void check_boot(struct check *c);
/** libvirt and QEMU: versions, and the way of the VF token. (check_virt.c) */
void check_virt(struct check *c);
/** The same of versions as libvirt counts them: 1000000 * major + 1000 * minor + release. */
void check_virt_versions(struct check *c, unsigned long libvirt, unsigned long qemu);

#endif
