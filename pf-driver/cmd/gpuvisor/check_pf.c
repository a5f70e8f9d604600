/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PF: which one, whose, and whether its VFs can be given away. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static bool is_ours(const struct gv_glue_fn *fn)
{
	return fn->vendor == CHECK_AMD && fn->device == CHECK_OUR_DEVICE;
}

/* ---- which ------------------------------------------------------------------------- */

/* The only GPU of ours, else the only PF at all. *@count: PFs seen. */
static bool find(struct check *c, unsigned *count)
{
	char path[512];
	struct gv_glue_bdf at;
	struct gv_glue_fn fn;
	struct dirent *e;
	unsigned ours = 0;
	DIR *dir;

	*count = 0;
	(void)snprintf(path, sizeof(path), "%s/bus/pci/devices", c->sysfs);
	dir = opendir(path);
	while (dir && (e = readdir(dir)) != NULL) {
		if (gv_glue_bdf_parse(e->d_name, &at) ||
		    gv_glue_fn_read(c->sysfs, &at, &fn, NULL) || !fn.is_pf)
			continue;
		++*count;
		ours += is_ours(&fn);
		if (is_ours(&fn) || !ours)
			c->pf = fn;
	}
	if (dir)
		(void)closedir(dir);
	return ours == 1 || (!ours && *count == 1);
}

static void choose(struct check *c)
{
	struct gv_err err = {0};
	struct gv_glue_bdf at;
	unsigned count = 0;

	if (!c->pf_text) {
		c->has_pf = find(c, &count);
		if (!c->has_pf)
			check_add(
			        c, "pf", CHECK_FAIL, count ? "pf-several" : "pf-none",
			        count ? "--pf BDF says which"
			              : "is the card there (lspci), is SR-IOV on in the firmware?",
			        "%u functions with SR-IOV", count);
	} else if (gv_glue_bdf_parse(c->pf_text, &at)) {
		check_add(c, "pf", CHECK_FAIL, "pf-address", "DDDD:BB:SS.F is meant",
		          "'%s' is no PCI address", c->pf_text);
	} else if (gv_glue_fn_read(c->sysfs, &at, &c->pf, &err)) {
		check_add(c, "pf", CHECK_FAIL, "pf-none", "lspci -D lists what there is", "%s",
		          err.text);
	} else if (!c->pf.is_pf) {
		check_add(c, "pf", CHECK_FAIL, c->pf.is_vf ? "pf-is-vf" : "sriov-off",
		          c->pf.is_vf ? "name the PF that it is a VF of"
		                      : "SR-IOV may be off in the firmware",
		          "%s has no SR-IOV", c->pf_text);
	} else {
		c->has_pf = true;
	}
}

/* ---- its driver --------------------------------------------------------------------- */

static bool is_loaded(const struct check *c)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/module/vfio_pci", c->sysfs);
	return !access(path, F_OK);
}

static void check_module(struct check *c)
{
	char flag[8] = "";
	int rc =
	        check_read(c->sysfs, "module/vfio_pci/parameters/enable_sriov", flag, sizeof(flag));

	if (rc && is_loaded(c))
		check_add(c, "vfio-pci", CHECK_FAIL, "kernel-no-sriov",
		          "a kernel with CONFIG_PCI_IOV", "loaded, but knows no SR-IOV");
	else if (rc)
		check_add(c, "vfio-pci", CHECK_FAIL, "vfio-missing",
		          "modprobe vfio-pci enable_sriov=1", "not loaded");
	else if (flag[0] == 'Y')
		check_add(c, "vfio-pci", CHECK_OK, "", "", "loaded, enable_sriov is on");
	else if (!c->ours)
		check_add(c, "vfio-pci", CHECK_OK, "", "",
		          "loaded (enable_sriov is off: not needed, this PF keeps its driver)");
	else
		check_add(c, "vfio-pci", CHECK_WARN, "enable-sriov-off",
		          "gpuvisord as root switches it on; or modprobe vfio-pci enable_sriov=1",
		          "loaded, enable_sriov is off");
}

static void check_driver(struct check *c)
{
	const char *driver = c->pf.driver[0] ? c->pf.driver : "none";
	char remedy[CHECK_TEXT];

	if (!c->ours) {
		check_add(c, "pf-driver", c->pf.driver[0] ? CHECK_OK : CHECK_WARN,
		          c->pf.driver[0] ? "" : "pf-no-driver",
		          c->pf.driver[0] ? "" : "bind its own driver: that makes its VFs",
		          "%s: its VFs are made and cleaned by that driver, not by gpuvisord",
		          driver);
		return;
	}
	(void)snprintf(remedy, sizeof(remedy), "driverctl set-override %s vfio-pci", c->pf_name);
	if (c->pf.driver_override[0] && strcmp(c->pf.driver_override, driver) != 0)
		check_add(c, "pf-driver", CHECK_FAIL, "pf-driver-override",
		          "echo the address to /sys/bus/pci/drivers_probe after unbinding it",
		          "%s has it, although driver_override says %s: another driver was first",
		          driver, c->pf.driver_override);
	else if (!strcmp(driver, "vfio-pci"))
		check_add(c, "pf-driver", CHECK_OK, "", "", "vfio-pci");
	else if (!strcmp(driver, "pci-pf-stub"))
		check_add(c, "pf-driver", CHECK_FAIL, "pf-driver-stub", remedy,
		          "pci-pf-stub: VFs can be made by hand, but gpuvisord needs vfio-pci");
	else
		check_add(c, "pf-driver", CHECK_FAIL,
		          c->pf.driver[0] ? "pf-driver-wrong" : "pf-no-driver", remedy,
		          "%s: gpuvisord needs vfio-pci", driver);
}

/* A device that is gone, or that no reset brought back, answers with all ones. */
static void check_alive(struct check *c)
{
	char path[128];
	uint16_t vendor = 0;
	gv_auto_fd int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/config", c->sysfs, c->pf_name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &vendor, sizeof(vendor), 0) != sizeof(vendor))
		return;
	if (vendor == UINT16_MAX)
		check_add(
		        c, "pf-answers", CHECK_FAIL, "pf-dead",
		        "take it off the bus and rescan; else only a power cycle of the host helps",
		        "configuration space of %s reads 0xff: it fell off the bus", c->pf_name);
}

/* ---- its VFs -------------------------------------------------------------------------- */

static void check_sriov(struct check *c)
{
	bool left_over = c->ours && c->pf.num_vfs && strcmp(c->pf.driver, "vfio-pci") != 0;
	char remedy[CHECK_TEXT];

	(void)snprintf(remedy, sizeof(remedy), "echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs",
	               c->pf_name);
	if (!c->pf.total_vfs)
		check_add(c, "sriov", CHECK_FAIL, "sriov-off", "SR-IOV may be off in the firmware",
		          "%s can have no VF", c->pf_name);
	else if (left_over)
		check_add(c, "sriov", CHECK_WARN, "vfs-left-over", remedy,
		          "%u VFs that gpuvisord did not make: another number is refused (EBUSY)",
		          c->pf.num_vfs);
	else
		check_add(c, "sriov", CHECK_OK, "", "", "%u of %u VFs are enabled", c->pf.num_vfs,
		          c->pf.total_vfs);
}

void check_pf(struct check *c)
{
	choose(c);
	if (!c->has_pf)
		return;
	c->ours = is_ours(&c->pf);
	(void)gv_glue_bdf_format(&c->pf.bdf, c->pf_name);
	check_add(c, "pf", CHECK_OK, "", "", "%s is %04x:%04x, %s", c->pf_name, c->pf.vendor,
	          c->pf.device,
	          c->ours ? "a GPU for gpuvisord" : "not ours: items about the GPU are left out");
	check_alive(c);
	check_sriov(c);
	check_driver(c);
	check_module(c);
	check_groups(c);
	check_vfs(c);
	check_rights(c);
}
