/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Domain XML, edited as a tree: pure, no libvirt. The text comes from libvirt, but
 * a domain's author wrote it: nothing is fetched, no document type is accepted.
 */
#ifndef GV_GLUE_VIRT_XML_H
#define GV_GLUE_VIRT_XML_H

#include <gv/libvirt.h>

/* Where we note in a running domain's metadata what we plugged by monitor. */
#define GV_VIRT_META_NS     "https://gpuvisor.invalid/devices/1"
#define GV_VIRT_META_PREFIX "gpuvisor"

#define GV_VIRT_ALIAS 96

/* A PCI function in one XML. */
struct gv_virt_dev {
	struct gv_glue_bdf bdf;
	char alias[GV_VIRT_ALIAS]; /* hostdev: "" none; by monitor: QEMU's device id */
	char bus[24];              /* by monitor: the port it is in */
	bool managed;
	enum gv_virt_how how;
};

/** Every PCI hostdev, then what the metadata notes. *@devs: caller frees. -EPROTO: no domain. */
int gv_virt_xml_devices(const char *xml, struct gv_virt_dev **devs, size_t *count,
                        struct gv_err *err);
/** The one at @bdf. -ENOENT (no text). */
int gv_virt_xml_find(const char *xml, const struct gv_glue_bdf *bdf, struct gv_virt_dev *dev,
                     struct gv_err *err);

/* The property of the QEMU device that carries the token. */
struct gv_virt_property {
	const char *name, *value; /* "vf-token" or "sysfsdev" */
};

/** Add @hostdev (an element as gv_glue_hostdev_xml() makes it). @property NULL, or what
 *  qemu:override gives to the device called @alias. Not an element: -EPROTO. */
int gv_virt_xml_add(const char *xml, const char *hostdev, const char *alias,
                    const struct gv_virt_property *property, char **out, struct gv_err *err);
/** Remove the hostdev of @bdf and its override. -ENOENT (no text): it has none. */
int gv_virt_xml_remove(const char *xml, const struct gv_glue_bdf *bdf, char **out,
                       struct gv_err *err);
/** Give the hostdev of @bdf another token. 0, or -EALREADY: it has that already; -ENOENT (no
 *  text): no hostdev with an override. */
int gv_virt_xml_set_property(const char *xml, const struct gv_glue_bdf *bdf,
                             const struct gv_virt_property *property, char **out,
                             struct gv_err *err);

/** Whether QEMU was given -global vfio-pci.vf-token=, so that each vfio-pci device has it. */
bool gv_virt_xml_global_token(const char *xml);
/** A pcie-root-port without a device: its QEMU id, "pci.N". -ENOSPC: none is free. */
int gv_virt_xml_free_port(const char *xml, char *bus, size_t room, struct gv_err *err);

/** The content of our metadata for the devices by monitor in @devs; NULL when there are none:
 *  *@out is NULL then. Caller frees. */
int gv_virt_xml_metadata(const struct gv_virt_dev *devs, size_t count, char **out,
                         struct gv_err *err);

/** "ua-vf-0000-03-02-1", "gv-vfio-0000-03-02-1". Room for GV_VIRT_ALIAS bytes. */
char *gv_virt_alias(const char *prefix, const struct gv_glue_bdf *bdf, char *alias);
bool gv_virt_same_bdf(const struct gv_glue_bdf *a, const struct gv_glue_bdf *b);

#endif
