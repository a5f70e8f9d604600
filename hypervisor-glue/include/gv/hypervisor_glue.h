/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a hypervisor must be told about a VF: facts from sysfs, libvirt XML,
 * QEMU arguments. sysfs is the only source of truth for which VF is which.
 * Nothing here changes the machine. See docs/libvirt.md.
 */
#ifndef GV_HYPERVISOR_GLUE_H
#define GV_HYPERVISOR_GLUE_H

#include <gv/base.h>

/* ---- PCI addresses ------------------------------------------------------- */
struct gv_glue_bdf {
	uint32_t domain; /* 0..0xffff; libvirt and sysfs write four digits at least */
	uint8_t bus, slot, function;
};

/** "0000:03:02.1" and nothing around it. -EINVAL else. */
int gv_glue_bdf_parse(const char *text, struct gv_glue_bdf *bdf);
/** Into @text, which has room for GV_GLUE_BDF_TEXT bytes. Returns @text. */
char *gv_glue_bdf_format(const struct gv_glue_bdf *bdf, char *text);
#define GV_GLUE_BDF_TEXT 16

/* ---- facts --------------------------------------------------------------- */
struct gv_glue_fn {
	struct gv_glue_bdf bdf;
	uint16_t vendor, device;
	bool is_pf;                  /* has an SR-IOV capability */
	uint32_t num_vfs, total_vfs; /* PF only */
	bool is_vf;
	struct gv_glue_bdf pf; /* VF only */
	int vf_index;          /* VF only: N of the PF's virtfnN, else -1 */
	int iommu_group;       /* -1 none: no IOMMU */
	char driver[64];       /* "" none bound */
	char driver_override[64];
};

/**
 * Facts of one function from the tree at @root ("/sys", or a copy for tests).
 * Never follows a link out of the tree: links are read, not opened, and only their last part,
 * checked, is used. A VF whose PF does not point back to it is -ESTALE.
 * -ENODEV: no such function; -EPROTO: the tree says something impossible (text says what).
 */
int gv_glue_fn_read(const char *root, const struct gv_glue_bdf *bdf, struct gv_glue_fn *fn,
                    struct gv_err *err);
/** The PF's VF number @index (virtfnN). -ENOENT: not enabled. Else as gv_glue_fn_read(). */
int gv_glue_vf_read(const char *root, const struct gv_glue_bdf *pf, unsigned index,
                    struct gv_glue_fn *fn, struct gv_err *err);

/* ---- libvirt XML: *@xml is the caller's to free -------------------------- */

/** <hostdev> of one VF. @alias NULL: "ua-vfN" (libvirt keeps user aliases that start with "ua-").
 *  -EINVAL: not a VF, or an alias that libvirt would refuse. */
int gv_glue_hostdev_xml(const struct gv_glue_fn *vf, bool managed, const char *alias, char **xml,
                        struct gv_err *err);

/* A small domain around devices, to validate or to start from. */
struct gv_glue_domain {
	const char *name;                      /* NULL: "gpuvisor-guest" */
	const char *type;                      /* NULL: "kvm"; "qemu" without KVM */
	const char *emulator;                  /* NULL: leave it to libvirt */
	const char *kernel, *initrd, *cmdline; /* NULL: none */
	uint32_t memory_mib;                   /* 0: 1024 */
	uint32_t vcpus;                        /* 0: 1 */
};

/** A whole <domain> with @vf as hostdev. Errors as gv_glue_hostdev_xml(). */
int gv_glue_domain_xml(const struct gv_glue_domain *domain, const struct gv_glue_fn *vf,
                       bool managed, const char *alias, char **xml, struct gv_err *err);

/* ---- a VF of the emulated GPU, on a vfio-user socket --------------------- */
struct gv_glue_vfio_user {
	const char *socket;  /* absolute path, at most 107 bytes */
	const char *id;      /* device id; NULL: "gpuvisor0" */
	const char *bus;     /* PCI bus to plug into; NULL: QEMU's choice */
	uint32_t memory_mib; /* of the guest; 0: 1024 */
};

/** Arguments for a QEMU that has vfio-user-pci (10.1 or newer): memory that the device can reach,
 *  and the device. *@argv ends in NULL; free with gv_glue_argv_free(). -EINVAL: a socket path or a
 *  name that cannot be passed on. */
int gv_glue_qemu_args(const struct gv_glue_vfio_user *vf, char ***argv, struct gv_err *err);
/** Takes NULL. Returns NULL. */
char **gv_glue_argv_free(char **argv);

/** A whole <domain> with <memoryBacking> of a shared memfd and the device in <qemu:commandline>
 *  (libvirt has no element for vfio-user). *@xml: caller frees. */
int gv_glue_vfio_user_domain_xml(const struct gv_glue_domain *domain,
                                 const struct gv_glue_vfio_user *vf, char **xml,
                                 struct gv_err *err);

#endif
