/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which driver a VF has. Each change is read back; a PF is never touched. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "bind.h"

#define LET_GO_MS 5000

static const struct gv_glue_kernel linux_kernel = {.write = gv_glue_sysfs_write,
                                                   .timeout_ms = LET_GO_MS};

/* One change of one VF. */
struct change {
	const struct gv_glue_kernel *kernel;
	const char *root;
	struct gv_glue_fn before;
	char name[GV_GLUE_BDF_TEXT];
	struct gv_err *err;
};

static int check_driver_name(const char *driver, struct gv_err *err)
{
	static const char letters[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t n = driver ? strlen(driver) : 0;

	if (!n || n > 63 || driver[strspn(driver, letters)])
		return gv_fail(err, -EINVAL, "driver: \"%.70s\" asked, a driver's name is possible",
		               driver ? driver : "");
	return 0;
}

static int begin(struct change *c, const struct gv_glue_bdf *vf)
{
	int rc = gv_glue_fn_read(c->root, vf, &c->before, c->err);

	gv_glue_bdf_format(vf, c->name);
	if (rc)
		return rc;
	if (c->before.is_pf)
		return gv_fail(c->err, -EINVAL,
		               "%s: a PF (%u VFs): its driver is never changed, only that of VFs",
		               c->name, c->before.total_vfs);
	if (!c->before.is_vf)
		return gv_fail(c->err, -EINVAL, "%s: not a VF: only the driver of VFs is changed",
		               c->name);
	return 0;
}

static int put(const struct change *c, const char *path, const char *text)
{
	return c->kernel->write(c->kernel->arg, c->root, path, text, c->kernel->timeout_ms);
}

/* Empty: no override. The kernel takes a line end for that. */
static int put_override(const struct change *c, const char *driver)
{
	char path[96], line[80];
	int rc;

	(void)snprintf(path, sizeof(path), "bus/pci/devices/%s/driver_override", c->name);
	(void)snprintf(line, sizeof(line), "%s\n", driver);
	rc = put(c, path, line);
	if (rc)
		return gv_fail(c->err, rc, "%s: driver_override not writable: %s", c->name,
		               strerror(-rc));
	return 0;
}

static int let_go(const struct change *c, const char *driver)
{
	char path[128];
	int rc;

	if (!*driver)
		return 0;
	(void)snprintf(path, sizeof(path), "bus/pci/drivers/%s/unbind", driver);
	rc = put(c, path, c->name);
	if (rc == -ETIMEDOUT)
		return gv_fail(c->err, -EBUSY,
		               "%s: %s did not let go within %u ms: somebody uses the VF", c->name,
		               driver, c->kernel->timeout_ms);
	if (rc)
		return gv_fail(c->err, rc == -ENODEV ? -EIO : rc, "%s: unbind from %s: %s", c->name,
		               driver, strerror(-rc));
	return 0;
}

static int probe(const struct change *c)
{
	int rc = put(c, "bus/pci/drivers_probe", c->name);

	if (rc)
		return gv_fail(c->err, rc == -ETIMEDOUT ? -EBUSY : -EIO, "%s: drivers_probe: %s",
		               c->name, strerror(-rc));
	return 0;
}

/* What the VF has now must be @driver ("" none). */
static int read_back(const struct change *c, const char *driver)
{
	struct gv_glue_fn now;
	int rc = gv_glue_fn_read(c->root, &c->before.bdf, &now, c->err);

	if (rc || !strcmp(now.driver, driver))
		return rc;
	return gv_fail(c->err, -EIO, "%s: driver %s asked, %s found", c->name,
	               *driver ? driver : "none", *now.driver ? now.driver : "none");
}

/* Back to the former driver; the first failure stays the one that is told. */
static int restore(const struct change *c, int rc)
{
	struct change back = *c;
	struct gv_err first = c->err ? *c->err : (struct gv_err){.code = rc};
	struct gv_err second = {0};
	int again;

	back.err = &second;
	again = put_override(&back, c->before.driver_override);
	if (!again && *c->before.driver)
		again = probe(&back);
	if (!again)
		again = read_back(&back, c->before.driver);
	return gv_fail(c->err, rc, "%.250s; former driver (%s) %s", first.text,
	               *c->before.driver ? c->before.driver : "none",
	               again ? "could not be restored" : "restored");
}

/* ---- IOMMU group ---------------------------------------------------------- */

/* Drivers that leave a function alone. Drivers for one kind of device that give it away are
 * called like mlx5_vfio_pci. */
static bool gives_away(const char *driver)
{
	size_t n = strlen(driver);

	return !n || !strcmp(driver, "pci-stub") ||
	       (n >= 8 &&
	        (!strcmp(driver + n - 8, "vfio-pci") || !strcmp(driver + n - 8, "vfio_pci")));
}

static bool is_bridge(const char *root, const char *name)
{
	char path[4200], class[16] = "";
	FILE *f;

	if ((size_t)snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/class", root, name) >=
	    sizeof(path))
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(class, sizeof(class), f))
		class[0] = '\0';
	(void)fclose(f);
	return !strncmp(class, "0x0604", 6);
}

static int check_neighbour(const char *root, const struct gv_glue_fn *fn, const char *name,
                           struct gv_err *err)
{
	char own[GV_GLUE_BDF_TEXT];
	struct gv_glue_fn other;
	struct gv_glue_bdf bdf;
	int rc;

	if (!strcmp(name, gv_glue_bdf_format(&fn->bdf, own)))
		return 0;
	if (gv_glue_bdf_parse(name, &bdf))
		return gv_fail(err, -EBUSY, "%s: IOMMU group %d also has %.64s, no PCI function",
		               own, fn->iommu_group, name);
	if (is_bridge(root, name))
		return 0;
	rc = gv_glue_fn_read(root, &bdf, &other, err);
	if (rc)
		return rc;
	if (!gives_away(other.driver))
		return gv_fail(err, -EBUSY,
		               "%s: IOMMU group %d also has %s, which the host uses (driver %s)",
		               own, fn->iommu_group, name, other.driver);
	return 0;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

int gv_glue_group_check(const char *root, const struct gv_glue_fn *fn, struct gv_err *err)
{
	GV_CLEANUP(close_dir) DIR *dir = NULL;
	char path[4200], name[GV_GLUE_BDF_TEXT];
	const struct dirent *e;
	int rc = 0;

	gv_glue_bdf_format(&fn->bdf, name);
	if (fn->iommu_group < 0)
		return gv_fail(err, -ENOTSUP,
		               "%s: no IOMMU group: switch the IOMMU on (firmware, and "
		               "intel_iommu=on or amd_iommu=on)",
		               name);
	if ((size_t)snprintf(path, sizeof(path), "%s/kernel/iommu_groups/%d/devices", root,
	                     fn->iommu_group) >= sizeof(path))
		return gv_fail(err, -ENAMETOOLONG, "%s: root too long", name);
	dir = opendir(path);
	if (!dir)
		return gv_fail(err, -EPROTO, "%s: IOMMU group %d: %s", name, fn->iommu_group,
		               strerror(errno));
	while (!rc && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			rc = check_neighbour(root, fn, e->d_name, err);
	return rc;
}

/* ---- the calls ------------------------------------------------------------ */
static int check_loaded(const char *root, const char *driver, struct gv_err *err)
{
	char path[4200];

	if ((size_t)snprintf(path, sizeof(path), "%s/bus/pci/drivers/%s", root, driver) >=
	    sizeof(path))
		return gv_fail(err, -ENAMETOOLONG, "%.60s...: too long", root);
	if (access(path, F_OK))
		return gv_fail(err, -ENOENT, "driver %s is not loaded: modprobe %s", driver,
		               driver);
	return 0;
}

int gv_glue_bind_with(const struct gv_glue_kernel *kernel, const char *root,
                      const struct gv_glue_bdf *vf, const char *driver, struct gv_err *err)
{
	struct change c = {.kernel = kernel, .root = root, .err = err};
	int rc = check_driver_name(driver, err);

	if (!rc)
		rc = begin(&c, vf);
	if (rc || !strcmp(c.before.driver, driver))
		return rc;
	rc = check_loaded(root, driver, err);
	if (!rc && gives_away(driver))
		rc = gv_glue_group_check(root, &c.before, err);
	if (!rc)
		rc = put_override(&c, driver);
	if (rc)
		return rc;
	rc = let_go(&c, c.before.driver);
	if (!rc)
		rc = probe(&c);
	if (!rc)
		rc = read_back(&c, driver);
	return rc ? restore(&c, rc) : 0;
}

int gv_glue_unbind_with(const struct gv_glue_kernel *kernel, const char *root,
                        const struct gv_glue_bdf *vf, struct gv_err *err)
{
	struct change c = {.kernel = kernel, .root = root, .err = err};
	int rc = begin(&c, vf);

	if (rc)
		return rc;
	if (*c.before.driver_override)
		rc = put_override(&c, "");
	if (!rc)
		rc = let_go(&c, c.before.driver);
	if (!rc)
		rc = read_back(&c, "");
	return rc;
}

int gv_glue_bind(const char *root, const struct gv_glue_bdf *vf, const char *driver,
                 struct gv_err *err)
{
	return gv_glue_bind_with(&linux_kernel, root, vf, driver, err);
}

int gv_glue_unbind(const char *root, const struct gv_glue_bdf *vf, struct gv_err *err)
{
	return gv_glue_unbind_with(&linux_kernel, root, vf, err);
}
