/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory of the vfio-user client: ours that the device reaches, the device's that we map. */
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "vfio_user_client.h"

/* Sealed, so that a server that maps it can never be hit by a shrunken file. */
static int make_memory(uint64_t bytes, int *fd, uint8_t **cpu)
{
	gv_auto_fd int mem = memfd_create("gv-dma", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *p;

	if (mem < 0 || ftruncate(mem, (off_t)bytes) != 0 ||
	    fcntl(mem, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return -errno;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	if (p == MAP_FAILED)
		return -errno;
	*cpu = p;
	*fd = gv_take_fd(&mem);
	return 0;
}

static int tell_map(struct vfu *v, const struct vfu_dma *d, int fd)
{
	struct gv_vfu_dma_map req = {.argsz = sizeof(req),
	                             .flags = GV_VFU_DMA_R | GV_VFU_DMA_W,
	                             .iova = d->iova,
	                             .bytes = d->bytes};
	struct vfu_call call = VFU_CALL(GV_VFU_DMA_MAP, &req, sizeof(req));

	call.send_fd = fd;
	return vfu_call_fixed(v, &call, NULL, 0);
}

static void free_dma(struct vfu *v, struct vfu_dma *d)
{
	if (d->cpu)
		(void)munmap(d->cpu, d->bytes);
	if (d->iova)
		gv_iova_put(&v->iova, d->iova);
	free(d);
}

int vfu_dma_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma)
{
	struct vfu *v = (struct vfu *)bus;
	struct vfu_dma *d = calloc(1, sizeof(*d));
	gv_auto_fd int fd = -1; /* mapped on both sides, nobody needs it after that */
	int rc = d ? 0 : -ENOMEM;

	if (!rc)
		rc = make_memory(bytes, &fd, &d->cpu);
	if (!rc) {
		d->bytes = bytes;
		rc = gv_iova_get(&v->iova, bytes, &d->iova);
	}
	if (!rc)
		rc = tell_map(v, d, fd);
	if (rc) {
		if (d)
			free_dma(v, d);
		return rc;
	}
	(void)pthread_mutex_lock(&v->lock);
	d->next = v->dma;
	v->dma = d;
	(void)pthread_mutex_unlock(&v->lock);
	*dma = (struct gv_dma){.cpu = d->cpu, .iova = d->iova, .bytes = bytes, .priv = d};
	return 0;
}

static void unlink_dma(struct vfu *v, const struct vfu_dma *d)
{
	(void)pthread_mutex_lock(&v->lock);
	for (struct vfu_dma **at = &v->dma; *at; at = &(*at)->next)
		if (*at == d) {
			*at = d->next;
			break;
		}
	(void)pthread_mutex_unlock(&v->lock);
}

void vfu_dma_free(struct gv_bus *bus, struct gv_dma *dma)
{
	struct vfu *v = (struct vfu *)bus;
	struct vfu_dma *d = dma->priv;
	struct gv_vfu_dma_unmap req = {.argsz = sizeof(req), .iova = d->iova, .bytes = d->bytes},
	                        echo;
	struct vfu_call call = VFU_CALL(GV_VFU_DMA_UNMAP, &req, sizeof(req));

	(void)vfu_call_fixed(v, &call, &echo, sizeof(echo)); /* a lost device reaches nothing */
	unlink_dma(v, d);
	free_dma(v, d);
}

void *vfu_dma_find(struct vfu *v, uint64_t iova, uint64_t n)
{
	for (struct vfu_dma *d = v->dma; d; d = d->next)
		if (iova >= d->iova && iova - d->iova <= d->bytes &&
		    n <= d->bytes - (iova - d->iova))
			return d->cpu + (iova - d->iova);
	return NULL;
}

/* ---- regions ------------------------------------------------------------- */

struct region_reply {
	struct gv_vfu_region_info info;
	struct gv_vfu_sparse_area area; /* the part that can be mapped */
};

/* The one area of the sparse capability that holds [off, off + bytes); the whole region when
 * there is no such capability. */
static int find_area(const uint8_t *reply, size_t n, uint64_t off, uint64_t bytes)
{
	struct gv_vfu_region_info info;
	struct gv_vfu_sparse_cap cap;
	struct gv_vfu_sparse_area area;
	size_t at;

	memcpy(&info, reply, sizeof(info));
	if (!(info.flags & GV_VFU_REGION_CAPS))
		return off <= info.bytes && bytes <= info.bytes - off ? 0 : -ERANGE;
	if (info.cap_offset < sizeof(info) || info.cap_offset > n ||
	    n - info.cap_offset < sizeof(cap))
		return -EPROTO;
	memcpy(&cap, reply + info.cap_offset, sizeof(cap));
	if (cap.id != GV_VFU_CAP_SPARSE)
		return -ENOTSUP;
	at = info.cap_offset + sizeof(cap);
	for (uint32_t i = 0; i < cap.nr_areas && n - at >= sizeof(area); i++, at += sizeof(area)) {
		memcpy(&area, reply + at, sizeof(area));
		if (off >= area.off && off - area.off <= area.bytes &&
		    bytes <= area.bytes - (off - area.off))
			return 0;
	}
	return -ERANGE;
}

static int ask_region(struct vfu *v, enum gv_region region, uint32_t argsz, struct vfu_call *call)
{
	struct gv_vfu_region_info req = {.argsz = argsz, .index = region}, info;
	int rc;

	*call = (struct vfu_call)VFU_CALL(GV_VFU_GET_REGION_INFO, &req, sizeof(req));
	call->want_fd = true;
	rc = vfu_call(v, call);
	if (rc)
		return rc;
	if (call->reply_bytes >= sizeof(info))
		memcpy(&info, call->reply, sizeof(info));
	if (call->reply_bytes < sizeof(info) || info.index != (uint32_t)region) {
		gv_closep(&call->reply_fd);
		return vfu_lose(v, -EPROTO);
	}
	return 0;
}

/* A descriptor of now: the device may have replaced the one it gave earlier. Under the lock. */
static int fetch_region(struct vfu *v, enum gv_region region, uint64_t off, uint64_t bytes, int *fd,
                        uint64_t *fd_offset)
{
	struct gv_vfu_region_info info;
	struct vfu_call call;
	int rc = ask_region(v, region, sizeof(info), &call);

	if (rc)
		return rc;
	memcpy(&info, call.reply, sizeof(info));
	if (info.argsz > sizeof(info) && info.argsz <= GV_VFU_PAGE) {
		gv_closep(&call.reply_fd);
		rc = ask_region(v, region, info.argsz, &call);
		if (rc)
			return rc;
		memcpy(&info, call.reply, sizeof(info));
	}
	if (!(info.flags & GV_VFU_REGION_MMAP) || call.reply_fd < 0)
		rc = -ENOTSUP;
	else
		rc = find_area(call.reply, call.reply_bytes, off, bytes);
	if (!rc && info.fd_offset > UINT64_MAX / 2)
		rc = -EPROTO;
	if (rc) {
		gv_closep(&call.reply_fd);
		return rc;
	}
	*fd = call.reply_fd;
	*fd_offset = info.fd_offset;
	return 0;
}

int vfu_map(struct gv_bus *bus, enum gv_region region, uint64_t off, uint64_t bytes, void **cpu)
{
	struct vfu *v = (struct vfu *)bus;
	gv_auto_free struct vfu_mapping *m = NULL;
	gv_auto_fd int fd = -1;
	uint64_t fd_offset = 0;
	int rc;

	if ((unsigned)region >= GV_VFU_NUM_REGION || bytes == 0 || off > v->region_bytes[region] ||
	    bytes > v->region_bytes[region] - off)
		return -ERANGE;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	(void)pthread_mutex_lock(&v->lock);
	rc = fetch_region(v, region, off, bytes, &fd, &fd_offset);
	(void)pthread_mutex_unlock(&v->lock);
	if (rc)
		return rc;
	m->bytes = bytes;
	m->cpu =
	        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)(fd_offset + off));
	if (m->cpu == MAP_FAILED)
		return -errno;
	*cpu = m->cpu;
	m->next = v->mappings;
	v->mappings = m;
	m = NULL; /* the bus owns it now */
	return 0;
}

void vfu_mem_done(struct vfu *v)
{
	while (v->dma) {
		struct vfu_dma *d = v->dma;

		v->dma = d->next;
		free_dma(v, d);
	}
	while (v->mappings) {
		struct vfu_mapping *m = v->mappings;

		v->mappings = m->next;
		(void)munmap(m->cpu, m->bytes);
		free(m);
	}
	gv_iova_done(&v->iova);
}
