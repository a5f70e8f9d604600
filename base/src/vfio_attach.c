/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From facts to an open device. Two ways, chosen by what this kernel offers:
 *
 *   iommufd:  /dev/iommu + /dev/vfio/devices/vfioN   (Linux 6.6 and newer)
 *   group:    /dev/vfio/vfio + /dev/vfio/GROUP       (all)
 *
 * The first is taken where it works; a token that it does not know yet, or a missing
 * permission, leaves the second.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <linux/vfio.h>

#include "vfio.h"
#include "vfio_uapi.h"

void gv_vfio_link_init(struct vfio_link *link, const struct gv_vfio_sys *sys)
{
	*link = (struct vfio_link){
	        .sys = sys, .device = -1, .container = -1, .group = -1, .iommufd = -1};
}

static void shut(struct vfio_link *link, int *fd)
{
	if (*fd >= 0)
		(void)link->sys->close(link->sys->arg, *fd);
	*fd = -1;
}

void gv_vfio_detach(struct vfio_link *link)
{
	shut(link, &link->device);
	shut(link, &link->group);
	shut(link, &link->container);
	shut(link, &link->iommufd);
}

static int call(struct vfio_link *link, int fd, unsigned long request, void *data)
{
	return link->sys->ioctl(link->sys->arg, fd, request, data);
}

static int open_node(struct vfio_link *link, const char *path, int *fd)
{
	int got = link->sys->open(link->sys->arg, path, O_RDWR);

	if (got < 0)
		return got;
	*fd = got;
	return 0;
}

static void format_uuid(const uint8_t u[16], char text[37])
{
	(void)snprintf(text, 37,
	               "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0],
	               u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
	               u[13], u[14], u[15]);
}

/* ---- iommufd ---------------------------------------------------------------- */

static int bind_iommufd(struct vfio_link *link, const uint8_t *token)
{
	struct gvu_bind bind = {.argsz = GVU_BIND_PLAIN_BYTES, .iommufd = link->iommufd};

	if (token) {
		bind.argsz = sizeof(bind);
		bind.flags = GVU_BIND_TOKEN;
		bind.token_ptr = (uint64_t)(uintptr_t)token;
	}
	return call(link, link->device, GVU_BIND_IOMMUFD, &bind);
}

static int attach_iommufd(struct vfio_link *link, const struct vfio_facts *facts,
                          const uint8_t *token)
{
	struct gvu_ioas_alloc alloc = {.size = sizeof(alloc)};
	struct gvu_attach attach = {.argsz = sizeof(attach)};
	int rc = open_node(link, "/dev/iommu", &link->iommufd);

	if (!rc)
		rc = open_node(link, facts->cdev, &link->device);
	if (!rc)
		rc = bind_iommufd(link, token);
	if (!rc)
		rc = call(link, link->iommufd, GVU_IOAS_ALLOC, &alloc);
	if (rc)
		return rc;
	link->ioas = attach.pt_id = alloc.out_ioas;
	return call(link, link->device, GVU_ATTACH_PT, &attach);
}

/* ---- group ------------------------------------------------------------------ */

static int fail_node(const char *path, int rc, struct gv_err *err)
{
	if (rc == -ENOENT)
		return gv_fail(err, rc, "%s is not there: is the module vfio%s loaded?", path,
		               strcmp(path, "/dev/vfio/vfio") == 0 ? "" : "-pci");
	if (rc == -EACCES || rc == -EPERM)
		return gv_fail(err, rc, "%s: no permission; its owner or root may open it", path);
	if (rc == -EBUSY)
		return gv_fail(err, rc, "%s: another process has it open", path);
	return gv_fail(err, rc, "%s: %s", path, strerror(-rc));
}

static int open_container(struct vfio_link *link, unsigned long type, struct gv_err *err)
{
	int rc = open_node(link, "/dev/vfio/vfio", &link->container);

	if (rc)
		return fail_node("/dev/vfio/vfio", rc, err);
	rc = call(link, link->container, VFIO_GET_API_VERSION, NULL);
	if (rc != VFIO_API_VERSION)
		return gv_fail(err, rc < 0 ? rc : -EPROTO, "VFIO API version %d, %d is needed", rc,
		               VFIO_API_VERSION);
	if (call(link, link->container, VFIO_CHECK_EXTENSION, (void *)type) <= 0)
		return gv_fail(err, -ENOTSUP, "this kernel's VFIO has no %s IOMMU",
		               type == VFIO_NOIOMMU_IOMMU ? "no-IOMMU" : "type 1 v2");
	return 0;
}

static int open_group(struct vfio_link *link, const struct vfio_facts *facts, unsigned long type,
                      struct gv_err *err)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	int rc = open_node(link, facts->group, &link->group);

	if (rc)
		return fail_node(facts->group, rc, err);
	rc = call(link, link->group, VFIO_GROUP_GET_STATUS, &status);
	if (rc)
		return gv_fail(err, rc, "%s: status: %s", facts->group, strerror(-rc));
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return gv_fail(err, -EBUSY,
		               "%s: another device of this IOMMU group is bound to a host driver; "
		               "all of the group must be on vfio-pci or unbound",
		               facts->group);
	rc = call(link, link->group, VFIO_GROUP_SET_CONTAINER, &link->container);
	if (!rc)
		rc = call(link, link->container, VFIO_SET_IOMMU, (void *)type);
	return rc ? gv_fail(err, rc, "%s: joining the IOMMU: %s", facts->group, strerror(-rc)) : 0;
}

/* The token travels in the name: "0000:03:02.0 vf_token=UUID". */
static int get_device(struct vfio_link *link, const struct vfio_facts *facts, const uint8_t *token,
                      struct gv_err *err)
{
	char name[80], uuid[37];
	int fd;

	if (token) {
		format_uuid(token, uuid);
		(void)snprintf(name, sizeof(name), "%s vf_token=%s", facts->bdf, uuid);
	} else {
		(void)snprintf(name, sizeof(name), "%s", facts->bdf);
	}
	fd = call(link, link->group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (fd >= 0) {
		link->device = fd;
		return 0;
	}
	if (fd == -EACCES)
		return gv_fail(err, fd, "%s: the kernel wants %s", facts->bdf,
		               token ? "another VF token than this one"
		                     : "the VF token that its PF's owner has set");
	if (fd == -EINVAL && token)
		return gv_fail(err, fd, "%s: takes no VF token (its PF is not on vfio-pci)",
		               facts->bdf);
	return gv_fail(err, fd, "%s: opening the device: %s", facts->bdf, strerror(-fd));
}

static int attach_group(struct vfio_link *link, const struct vfio_facts *facts,
                        const uint8_t *token, struct gv_err *err)
{
	unsigned long type = facts->noiommu ? VFIO_NOIOMMU_IOMMU : VFIO_TYPE1v2_IOMMU;
	int rc = open_container(link, type, err);

	if (!rc)
		rc = open_group(link, facts, type, err);
	if (!rc)
		rc = get_device(link, facts, token, err);
	return rc;
}

int gv_vfio_attach(struct vfio_link *link, const struct vfio_facts *facts, const uint8_t *token,
                   const struct gv_log *log, struct gv_err *err)
{
	int rc;

	if (facts->cdev[0] && !facts->noiommu) {
		rc = attach_iommufd(link, facts, token);
		if (!rc)
			return 0;
		gv_vfio_detach(link);
		link->ioas = 0;
		gv_logf(log, GV_LOG_DEBUG, "%s: iommufd: %s, trying the group", facts->bdf,
		        strerror(-rc));
	}
	if (facts->noiommu)
		gv_logf(log, GV_LOG_WARN,
		        "%s: NO IOMMU: this device can read and write ALL memory of this machine; "
		        "continuing, because the kernel was told to allow it",
		        facts->bdf);
	link->noiommu = facts->noiommu;
	rc = attach_group(link, facts, token, err);
	if (rc)
		gv_vfio_detach(link);
	return rc;
}

/* ---- DMA -------------------------------------------------------------------- */

int gv_vfio_dma_map(struct vfio_link *link, void *cpu, uint64_t iova, uint64_t bytes)
{
	struct gvu_ioas_map ioas = {.size = sizeof(ioas),
	                            .flags = GVU_MAP_FIXED | GVU_MAP_R | GVU_MAP_W,
	                            .ioas = link->ioas,
	                            .user_va = (uint64_t)(uintptr_t)cpu,
	                            .bytes = bytes,
	                            .iova = iova};
	struct vfio_iommu_type1_dma_map type1 = {.argsz = sizeof(type1),
	                                         .flags = VFIO_DMA_MAP_FLAG_READ |
	                                                  VFIO_DMA_MAP_FLAG_WRITE,
	                                         .vaddr = (uint64_t)(uintptr_t)cpu,
	                                         .iova = iova,
	                                         .size = bytes};

	if (link->iommufd >= 0)
		return call(link, link->iommufd, GVU_IOAS_MAP, &ioas);
	return call(link, link->container, VFIO_IOMMU_MAP_DMA, &type1);
}

int gv_vfio_dma_unmap(struct vfio_link *link, uint64_t iova, uint64_t bytes)
{
	struct gvu_ioas_unmap ioas = {
	        .size = sizeof(ioas), .ioas = link->ioas, .iova = iova, .bytes = bytes};
	struct vfio_iommu_type1_dma_unmap type1 = {
	        .argsz = sizeof(type1), .iova = iova, .size = bytes};

	if (link->iommufd >= 0)
		return call(link, link->iommufd, GVU_IOAS_UNMAP, &ioas);
	return call(link, link->container, VFIO_IOMMU_UNMAP_DMA, &type1);
}

/* Linux before 5.12 has no flag for all of it, but takes a range around all mappings; it may not be
 * 2^64 bytes long. */
static int unmap_halves(struct vfio_link *link)
{
	const uint64_t half = 1ull << 63;
	int rc = 0;

	for (unsigned i = 0; !rc && i < 2; i++) {
		struct vfio_iommu_type1_dma_unmap type1 = {
		        .argsz = sizeof(type1), .iova = i * half, .size = half};

		rc = call(link, link->container, VFIO_IOMMU_UNMAP_DMA, &type1);
	}
	return rc;
}

int gv_vfio_dma_unmap_all(struct vfio_link *link)
{
	struct gvu_ioas_unmap ioas = {
	        .size = sizeof(ioas), .ioas = link->ioas, .bytes = UINT64_MAX};
	struct vfio_iommu_type1_dma_unmap type1 = {.argsz = sizeof(type1),
	                                           .flags = VFIO_DMA_UNMAP_FLAG_ALL};
	int rc;

	if (link->iommufd >= 0) {
		rc = call(link, link->iommufd, GVU_IOAS_UNMAP, &ioas);
		return rc == -ENOENT ? 0 : rc; /* nothing was mapped */
	}
	if (link->noiommu)
		return 0;
	rc = call(link, link->container, VFIO_IOMMU_UNMAP_DMA, &type1);
	return rc == -EINVAL ? unmap_halves(link) : rc;
}
